"""RSS and Atom to records, by feedparser; nothing is ever fetched."""

from __future__ import annotations

import io
import re
from calendar import timegm
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import feedparser

from newsindex.dates import parse_date
from newsindex.errors import SourceError
from newsindex.sources.decode import decode
from newsindex.sources.markup import plain_text
from newsindex.sources.record import Record
from newsindex.sources.webfacts import primary_language

__all__ = ["read_feed"]

_DEEPEST = 256
# feedparser takes some 15 µs a tag and 4 KiB an entry.
_MOST_TAGS = 500_000
_MOST_ENTRIES = 20_000
_ENTRY = re.compile(r"<(?:item|entry)\b", re.IGNORECASE)
_DECLARED = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)""")
_REFERENCE = re.compile(r"&#(?:[xX]([0-9A-Fa-f]+)|([0-9]+));?")
_DECLARATION = re.compile(r"<!(DOCTYPE|ENTITY)\b", re.IGNORECASE)
_ROOT = re.compile(r"<[A-Za-z]")
_COMPLETE = re.compile(r"</(?:\w+:)?(?:rss|feed|rdf)\s*>(?:\s|<!--.*?-->)*\Z", re.IGNORECASE | re.DOTALL)


def read_feed(data: bytes, file: str) -> Iterator[Record | SourceError]:
    """Yield one record an entry.

    Raises:
        SourceError: with a document type or entities, nested too deep, or not a feed.
    """
    declared = _DECLARED.search(data, 0, 1024)
    text = decode(data, declared.group(1).decode() if declared else None) or data.decode("cp1252", "replace")
    text = _REFERENCE.sub(_possible, text)
    root = _ROOT.search(text)
    refused = _DECLARATION.search(text, 0, root.start() if root else len(text))
    if refused:
        kind = "a document type" if refused.group(1).upper() == "DOCTYPE" else "an entity"
        line = text.count("\n", 0, refused.start()) + 1
        raise SourceError(f"the feed declares {kind} (<!{refused.group(1)}); the limit is none: remove it", file, line)
    for what, count, most in (
        ("times '<'", text.count("<"), _MOST_TAGS),
        ("entries", len(_ENTRY.findall(text)), _MOST_ENTRIES),
    ):
        if count > most:
            raise SourceError(f"the feed has {count:,} {what}; the limit is {most:,}", file)
    depth = _depth(text)
    if depth > _DEEPEST:
        raise SourceError(f"the feed's elements are nested {depth:,} deep; the limit is {_DEEPEST}", file)
    # A stream, for feedparser would open bytes and text that look like a path or an address; and always UTF-8, so that
    # what was checked above is what is parsed.
    parsed = feedparser.parse(
        io.BytesIO(text.encode("utf-8", "replace")),
        response_headers={"content-type": "application/xml; charset=utf-8"},
        resolve_relative_uris=False,
        sanitize_html=False,  # only the plain text is kept, and its sanitiser is slow on hostile markup
    )
    problem = parsed.get("bozo_exception") if parsed.get("bozo") else None
    if not parsed.entries:
        raise SourceError(f"no entries in the feed{_why(problem)}", file)
    for entry in parsed.entries:
        values = _values(entry, parsed.feed)
        yield Record(values, file) if values.keys() - {"source", "language"} else SourceError("an empty entry", file)
    if problem is not None and not _COMPLETE.search(text[-2000:]):
        yield SourceError(
            "the feed breaks off; its last entry may be incomplete; fetch it again", file, text.count("\n") + 1
        )


def _possible(reference: re.Match[str]) -> str:
    """Return a reference to a character as it is; one that names no character would cost the whole feed."""
    digits, base = (reference[1], 16) if reference[1] else (reference[2], 10)
    number = int(digits[:20], base)
    return "\ufffd" if 0xD800 <= number < 0xE000 or number > 0x10FFFF else reference[0]


def _depth(text: str) -> int:
    """Return how deep elements are nested, as far as unclosed ones go; a bound, not a parse."""
    text = re.sub(r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)", "", text, flags=re.DOTALL)
    depth = deepest = 0
    for tag in re.finditer(r"<(/?)[A-Za-z][^<>]*?(/?)>", text):
        depth += -1 if tag.group(1) else 0 if tag.group(2) else 1
        deepest = max(deepest, depth)
    return deepest


def _why(problem: Any) -> str:
    message = " ".join(str(problem).split())[:150] if problem else ""
    return f" ({message})" if message else ""


def _values(entry: Any, feed: Any) -> dict[str, Any]:
    contents = [plain_text(part.get("value") or "") for part in _get(entry, "content") or []]
    body = max(contents, key=len, default="")
    summary = _text(entry, "summary")
    # A guid that is no address is taken for one unless the feed says otherwise.
    link = str(_get(entry, "link") or "").strip()
    url = link if link.startswith(("http://", "https://")) else ""
    values = {
        "id": _id(entry, url, feed),
        "url": url,
        "title": _text(entry, "title"),
        "summary": "" if summary == body else summary,
        "body": body,
        "published": _moment(entry),
        "source": _text(feed, "title"),
        "authors": _authors(entry),
        "tags": _tags(entry),
        "language": primary_language(
            str(_get(feed, "language") or _get(_get(entry, "title_detail"), "language") or "")
        ),
    }
    return {name: value for name, value in values.items() if value}


def _get(data: Any, key: str) -> Any:
    # feedparser's own get() answers for keys that are not there, and warns of it.
    return dict.get(data, key) if isinstance(data, dict) else None


def _text(data: Any, key: str) -> str:
    value = str(_get(data, key) or "")
    detail = _get(data, f"{key}_detail")
    return " ".join(value.split()) if _get(detail, "type") == "text/plain" else plain_text(value)


def _id(entry: Any, url: str, feed: Any) -> str:
    guid = str(_get(entry, "id") or "").strip()
    if not guid or guid == url:
        return ""
    if ":" in guid:
        return guid
    # A bare number is unique in its feed only: the address identifies the entry better, where there is one.
    return "" if url else f"{_get(feed, 'link') or _get(feed, 'title') or ''}#{guid}"


def _moment(entry: Any) -> str:
    for key in ("published", "updated", "created"):
        written, parsed = _get(entry, key), _get(entry, f"{key}_parsed")
        try:
            if written:
                return parse_date(str(written)).isoformat()
        except ValueError:
            pass  # feedparser reads more forms; one that it cannot read either is left out
        try:
            if parsed:
                return datetime.fromtimestamp(timegm(parsed), UTC).isoformat()
        except (ValueError, OverflowError, OSError):
            continue
    return ""


def _authors(entry: Any) -> list[str]:
    names = [str(_get(author, "name") or "").strip() for author in _get(entry, "authors") or []]
    return _distinct(names or [str(_get(entry, "author") or "").strip()])


def _tags(entry: Any) -> list[str]:
    return _distinct([str(_get(tag, "label") or _get(tag, "term") or "").strip() for tag in _get(entry, "tags") or []])


def _distinct(texts: list[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text]
