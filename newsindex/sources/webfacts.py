"""What a web page says of itself, as a program reads it: JSON-LD first, then meta tags and the markup."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any

from newsindex.dates import parse_date

__all__ = ["cleaned", "page_facts", "primary_language"]

_ARTICLE_TYPE = re.compile(r"\w*(?:Article|Posting|Review)\Z|Report\Z")
_META = {
    "title": ("og:title", "twitter:title", "dc.title", "dcterms.title", "parsely-title", "sailthru.title", "title"),
    "summary": ("og:description", "twitter:description", "description", "dc.description"),
    "published": (
        "article:published_time", "datepublished", "og:article:published_time", "parsely-pub-date", "sailthru.date",
        "dc.date.issued", "dcterms.created", "dcterms.date", "dc.date", "pubdate", "publishdate", "publish_date",
        "publish-date", "publication_date", "article_date_original", "cxenseparse:recs:publishtime", "ptime",
        "originalpublicationdate", "date",
    ),
    "source": ("og:site_name", "application-name", "dc.publisher", "dcterms.publisher"),
    "section": ("article:section", "articlesection", "parsely-section", "section", "category"),
    "url": ("og:url", "twitter:url", "parsely-link"),
    "language": ("og:locale", "dc.language", "content-language", "language"),
}  # fmt: skip
_META_MANY = {
    "authors": (
        "author",
        "article:author",
        "byl",
        "dc.creator",
        "dcterms.creator",
        "parsely-author",
        "sailthru.author",
    ),
    "tags": ("article:tag", "og:article:tag", "news_keywords", "parsely-tags", "sailthru.tags", "keywords"),
}
# What pages put around JSON-LD to hide it from old browsers and XML.
_WRAPPINGS = (("<!--", "-->"), ("//<![CDATA[", "//]]>"), ("<![CDATA[", "]]>"))
_MOST_TAGS = 50
_LONGEST_NAME = 6
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_].*)?\Z")
_NO_SITE = re.compile(r"(?:copyright|©|\(c\)|\d+\Z)", re.IGNORECASE)


def page_facts(tree: Any) -> dict[str, Any]:
    """Return the fields that the parsed page (an lxml element) names itself; absent ones are left out."""
    metas = _metas(tree)
    linked = _from_article(next(_articles(tree), {}))
    named: dict[str, Any] = {name: _first(metas, keys) for name, keys in _META.items()}
    named["authors"] = [name for text in _all(metas, _META_MANY["authors"]) for name in _people(text)]
    named["tags"] = [tag.strip() for text in _all(metas, _META_MANY["tags"]) for tag in re.split("[,;]", text)]
    canonical = tree.xpath("//link[@rel='canonical']/@href")
    times = tree.xpath("//time[@pubdate]/@datetime | //*[@itemprop='datePublished']/@datetime")
    written = {
        "url": str(canonical[0]) if canonical else "",
        "language": str(tree.xpath("string(/html/@lang)") or tree.xpath("string(/html/@xml:lang)")),
        "published": str(times[0]) if times else "",
    }
    facts: dict[str, Any] = {}
    for name in (*_META, *_META_MANY):
        for place in (linked, named, written):
            value = cleaned(name, place.get(name))
            if value:
                facts[name] = value
                break
    site, title = facts.get("source"), facts.get("title")
    if site and title:
        facts["title"] = re.sub(rf"\s+[|–—:-]\s+{re.escape(site)}\Z", "", title, flags=re.IGNORECASE) or title
    return facts


def cleaned(name: str, value: Any) -> Any:
    """Return the value of a field as text or texts of one line; empty when it cannot be one of that field."""
    if name in _META_MANY:
        texts = [_one_line(part) for part in value or [] if part and not part.strip().startswith("http")]
        if name == "authors":
            texts = [text for text in texts if len(text.split()) <= _LONGEST_NAME]
        return list({text.casefold(): text for text in texts if text}.values())[:_MOST_TAGS]
    text = _one_line(str(value or ""))
    if name == "section" and text.count(",") > 1:
        return ""  # keywords under the wrong name
    if name == "source" and _NO_SITE.match(text):
        return ""
    if name == "published":
        try:
            parse_date(text)
        except ValueError:
            return ""  # a page is not refused for its date
    if name == "language":
        return primary_language(text)
    return "" if name == "url" and not text.startswith(("http://", "https://")) else text


def _one_line(text: str) -> str:
    # Many sites escape twice.
    return " ".join(html.unescape(html.unescape(text)).split())


def _metas(tree: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for meta in tree.iter("meta"):
        content = (meta.get("content") or "").strip()
        for key in {meta.get("property"), meta.get("name"), meta.get("itemprop"), meta.get("http-equiv")} - {None}:
            if content:
                found.setdefault(key.strip().lower(), []).append(content)
    return found


def _first(metas: dict[str, list[str]], keys: tuple[str, ...]) -> str:
    return next((metas[key][0] for key in keys if key in metas), "")


def _all(metas: dict[str, list[str]], keys: tuple[str, ...]) -> list[str]:
    return next((metas[key] for key in keys if key in metas and not metas[key][0].startswith("http")), [])


def _people(text: str) -> list[str]:
    return re.split(r"\s*;\s*|,\s+(?:and\s+)?|\s+and\s+|\s+&\s+", re.sub(r"\A\s*by\s+", "", text, flags=re.IGNORECASE))


def _articles(tree: Any) -> Iterator[dict[str, Any]]:
    for script in tree.iter("script"):
        if "ld+json" not in (script.get("type") or "").lower():
            continue
        text = (script.text or "").strip().rstrip(";").strip()
        for opening, closing in _WRAPPINGS:
            text = text.removeprefix(opening).removesuffix(closing).strip()
        try:
            yield from _typed(json.loads(text, strict=False), 0)
        except (ValueError, RecursionError):
            continue  # JSON-LD is often broken; the meta tags say the same


def _typed(data: Any, depth: int) -> Iterator[dict[str, Any]]:
    if depth > 5:
        return
    if isinstance(data, list):
        for part in data:
            yield from _typed(part, depth + 1)
    elif isinstance(data, dict):
        if any(_ARTICLE_TYPE.match(str(kind)) for kind in _listed(data.get("@type"))):
            yield data
        for key in ("@graph", "mainEntity", "mainEntityOfPage"):
            yield from _typed(data.get(key), depth + 1)


def _from_article(data: dict[str, Any]) -> dict[str, Any]:
    page = data.get("mainEntityOfPage")
    tags = _listed(data.get("keywords"))
    return {
        "title": _name(data.get("headline")) or _name(data.get("name")),
        "summary": _name(data.get("description")),
        "published": _name(data.get("datePublished")) or _name(data.get("dateCreated")),
        "source": _name(data.get("publisher")),
        "section": _name(next(iter(_listed(data.get("articleSection"))), "")),
        "url": _name(data.get("url")) or (page.get("@id", "") if isinstance(page, dict) else _name(page)),
        "language": _name(data.get("inLanguage")),
        "authors": [_name(author) for author in _listed(data.get("author"))],
        "tags": [tag for part in tags for tag in _name(part).split("," if len(tags) == 1 else "\n")],
    }


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _name(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("name") or value.get("alternateName") or value.get("@value")
    if isinstance(value, list):
        return _name(value[0]) if value and not isinstance(value[0], list) else ""
    return value if isinstance(value, str) else ""


def primary_language(tag: str) -> str:
    """Return the language of a language tag without its region, in small letters; empty when it is none.

    >>> primary_language("en-US"), primary_language("pt_BR"), primary_language("x")
    ('en', 'pt', '')
    """
    match = _LANGUAGE.match(tag.strip())
    return match.group(1).lower() if match else ""
