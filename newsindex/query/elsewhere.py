"""What other search services write and is text here, with what says it here. It is remarked on; nothing is changed."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping

__all__ = ["field_here", "has_words_of_others", "may_be_of_others", "operator_here"]

# Names of fields in Nexis, Factiva, Google, GDELT, news APIs and mail programs.
_FIELDS = {
    "title": "headline head hd hl ti intitle allintitle",
    "lead": "hlead lp lede leadparagraph",
    "body": "text content fulltext intext allintext",
    "authors": "author byline by au writer",
    "source": "site domain outlet publication publisher newspaper media sn",
    "section": "category topic desk",
    "tags": "tag keyword keywords label labels subject",
    "language": "lang la",
    "after": "since from",
    "before": "until till to",
    "wc": "length words wordcount word_count",
    "": "date pubdate pub_date publishedat published_at dt",  # the date by which hits are sorted
}
_OURS = {name: ours for ours, names in _FIELDS.items() for name in names.split()}
_CALLS = {"allcaps": "caps( )", "nocaps": "caps( )", "near": "a w/5 b", "onear": "a pre/5 b", "atleast": "atleast3( )"}
_DISTANCE = re.compile(r"(?:(adj|onear)/?|(near))(\d{1,9})", re.IGNORECASE).fullmatch
_SLASH = re.compile(r"/(\d{1,9})").fullmatch
_UNIT = re.compile(r"(?:w|near|pre)/([sp])", re.IGNORECASE).fullmatch
_ASSIGNED = re.compile(r"([^\W\d]\w*)(=|[<>]=?)(.*)", re.DOTALL).fullmatch
# In few texts: then words are looked at one by one. The second is of words, numbers, dots and slashes alone.
may_be_of_others = re.compile(
    r"(?i:(?:adj|near)/?\d|(?:w|near|pre)/[sp]\b)|\bANDNOT\b|(?<![^\s(])[!/]\w|\w[=<>(]|\s:(?:\s|\Z)"
).search
has_words_of_others = re.compile(r"(?<!\S)(?:(?i:(?:adj|o?near)/?\d{1,9}|(?:w|near|pre)/[sp])|ANDNOT)(?!\S)").search


def field_here(name: str, fields: Container[str], date_field: str | None) -> str | None:
    """Return the field, among those that there are, which others call so.

    >>> field_here("headline", {"title"}, None)
    'title'
    """
    ours = _OURS.get(name.lower())
    if ours is not None:
        ours = ours or date_field or ""
    return ours if ours and ours in fields else None


def operator_here(text: str, after: str, fields: Mapping[str, object], date_field: str | None) -> str | None:
    """Return what says here what a word means elsewhere; `after` is the character behind it.

    >>> [operator_here(text, " ", {"title": 1}, None) for text in ("adj5", "w/s", "!kiev", "hd=kiev", "kiev")]
    ['pre/5', '/s', '-kiev', 'title:kiev', None]
    """
    name = text.lower()
    if after == "(":
        name = name.removesuffix("=")
        field = name if name in fields else field_here(name, fields, date_field)
        return f"{field}:( )" if field else _CALLS.get(name)
    if found := _DISTANCE(text):
        return f"{'w' if found[2] else 'pre'}/{found[3]}"
    if found := _SLASH(text):
        return f"w/{found[1]}"
    if found := _UNIT(text):
        return f"/{name[-1]}"
    if text == "ANDNOT":
        return "NOT"
    if text[0] == "!" and text[1:2].isalnum():
        return f"-{text[1:]}"
    if found := _ASSIGNED(text):
        name, sign, value = found.groups()
        is_field = name.lower() in fields
        field = name.lower() if is_field else field_here(name, fields, date_field)
        if field and sign == "=":
            return f"{field}:{value}"
        if field and not is_field:
            return f"{field}{sign}{value}"
    return None
