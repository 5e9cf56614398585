"""A web page to a record, by trafilatura: the one door to the extra "html"."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from newsindex.errors import MissingExtra, SourceError
from newsindex.sources.decode import decode
from newsindex.sources.page import cut_boilerplate
from newsindex.sources.record import Record
from newsindex.sources.webfacts import cleaned, page_facts

__all__ = ["read_webpage"]

# Ten times what crowded news pages have; extraction takes some 80 µs an element.
_MOST_ELEMENTS = 20_000
# Counted before parsing, which takes some 200 bytes an element: end tags, comments and scripts have them too.
_MOST_TAGS = 200_000
# Beyond 10,000,000 bytes of text, and 256 levels, the parser leaves out the rest without a word.
_LONGEST_TEXT = 9_000_000
_DEEPEST = 250
_TOO_DEEP = f"boolean(//*[count(ancestor::*) > {_DEEPEST}])"
_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_XML_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>")
# Below this many characters the strict extraction has probably lost the article: then the lenient one is taken. On
# real pages the two in this order came nearer to what people would keep than either alone.
_TOO_SHORT = 500


def read_webpage(data: bytes, file: str) -> Iterator[Record | SourceError]:
    """Yield the one record of the page.

    Raises:
        SourceError: too many elements, nested too deep, not HTML, or with neither title nor text.
    """
    tags = data.count(b"<")
    if tags > _MOST_TAGS:
        raise SourceError(f"the page has {tags:,} times '<'; the limit is {_MOST_TAGS:,}", file)
    try:
        extra = _extra()
    except MissingExtra as error:
        raise SourceError(str(error), file) from error
    text = _text(data, extra)
    longest = max(map(len, text.split("<"))) if len(text) > _LONGEST_TEXT else 0
    if longest > _LONGEST_TEXT:
        raise SourceError(f"the page has {longest:,} characters without a '<'; the limit is {_LONGEST_TEXT:,}", file)
    tree = extra.trafilatura.load_html(_XML_DECLARATION.sub("", text))
    if tree is None:
        raise SourceError("not HTML: no elements found", file)
    elements = sum(1 for _ in tree.iter())
    if elements > _MOST_ELEMENTS:
        raise SourceError(f"the page has {elements:,} elements; the limit is {_MOST_ELEMENTS:,}", file)
    if tree.xpath(_TOO_DEEP):
        raise SourceError(f"the page's elements are nested more than {_DEEPEST} deep, the limit", file)
    values = page_facts(tree)
    for name, value in _found(tree, extra).items():
        values.setdefault(name, value)
    if values.get("source") == values.get("title"):
        values.pop("source", None)
    lines = _lines(tree, extra)
    if lines and lines[0] == values.get("title"):
        lines = lines[1:]
    body, boilerplate = cut_boilerplate(lines)
    values |= {name: text for name, text in (("body", body), ("boilerplate", boilerplate)) if text}
    if not values.keys() & {"body", "title"}:
        raise SourceError("neither a title nor text found in the page", file)
    yield Record(values, file)


def _extra() -> SimpleNamespace:
    try:
        import charset_normalizer
        import trafilatura
        import trafilatura.metadata
    except ImportError as error:
        raise MissingExtra("html", "reading web pages", error) from error
    # Without a handler their remarks on broken pages go to standard error; what matters becomes a SourceError here.
    for name in ("trafilatura", "htmldate"):
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
    return SimpleNamespace(trafilatura=trafilatura, metadata=trafilatura.metadata, charsets=charset_normalizer)


def _text(data: bytes, extra: SimpleNamespace) -> str:
    declared = _DECLARED.search(data, 0, 8192)
    text = decode(data, declared.group(1).decode("ascii", "replace") if declared else None)
    if text is None:
        guess = extra.charsets.from_bytes(data).best()
        text = str(guess) if guess is not None else data.decode("cp1252", "replace")
    return text


def _found(tree: Any, extra: SimpleNamespace) -> dict[str, Any]:
    """Return what trafilatura makes of the page; no date from its extensive search, which takes any date it meets."""
    with warnings.catch_warnings():
        # Its date reader warns of time zones that it does not know; it takes the day, which is all that it gives.
        warnings.simplefilter("ignore", RuntimeWarning)
        found = extra.metadata.extract_metadata(tree, extensive=False)
    if found is None:
        return {}
    values = {
        "title": found.title,
        "published": found.date,
        "source": found.sitename,
        "url": found.url,
        "summary": found.description,
        "authors": (found.author or "").split(";"),
        "tags": found.tags,
        "section": next(iter(found.categories or []), None),
        "language": found.language,
    }
    return {name: value for name, part in values.items() if (value := cleaned(name, part))}


def _lines(tree: Any, extra: SimpleNamespace) -> list[str]:
    text = ""
    for leaning in ("favor_precision", "favor_recall"):
        found = extra.trafilatura.extract(tree, include_comments=False, **{leaning: True}) or ""
        text = max(text, found, key=len)
        if len(text) >= _TOO_SHORT:
            break
    return [part for line in text.split("\n") if line.strip() for part in (line.strip(), "")]
