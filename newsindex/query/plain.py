"""The quick way through what most queries are: words, alternatives of words, one quotation."""

from __future__ import annotations

import re

from newsindex.query.elsewhere import has_words_of_others
from newsindex.query.tree import And, Node, Or, Phrase, Word

__all__ = ["MANY_CAPITALS", "OPERATORS", "plain_tree"]

# Nothing here means anything but words, and in each is something to search for: it begins with a letter or a digit.
_WORDS = re.compile(r"[A-Za-z0-9][A-Za-z0-9'’.,/-]*+(?: [A-Za-z0-9][A-Za-z0-9'’.,/-]*+)*+").fullmatch
_QUOTATION = re.compile(r'"([A-Za-z0-9][A-Za-z0-9 ]*+)"').fullmatch
_PROXIMITY = re.compile(r"(?<!\S)(?:w|near|pre)/\d{1,9}(?!\S)", re.IGNORECASE).search
OPERATORS = frozenset({"AND", "OR", "NOT"})
_REMARKABLE = frozenset({"AND", "NOT", "ANDNOT", "or", "not"})
MANY_CAPITALS = 6
"""Words all in capitals, among which OR may be one of them."""


def plain_tree(text: str, most: int) -> Node | None:
    """Return the tree of a query of at most so many words; None where it takes the parser to tell what it means."""
    if text[:1] == '"':
        quoted = _QUOTATION(text)
        return Phrase(quoted[1], None, 0, len(text)) if quoted else None
    if not _WORDS(text) or ("/" in text and (_PROXIMITY(text) or has_words_of_others(text))):
        return None
    words = text.split(" ")
    if len(words) == 1 and text not in OPERATORS:
        return Word(text, None, 0, len(text))
    if len(words) > most or not _REMARKABLE.isdisjoint(words):
        return None
    small = text.lower()
    if ("near" in small or "adj" in small) and has_words_of_others(text):
        return None
    if "OR" not in words:
        return And(_placed(words, 0))
    return None if len(words) >= MANY_CAPITALS and text.isupper() else _any_of(words)


def _any_of(words: list[str]) -> Node | None:
    parts: list[Word | And] = []
    first = start = 0
    for at, word in enumerate([*words, "OR"]):
        if word == "OR":
            leaves = _placed(words[first:at], start)
            if not leaves:
                return None
            parts.append(leaves[0] if len(leaves) == 1 else And(leaves))
            first, start = at + 1, leaves[-1].end + len(" OR ")
    return Or(tuple(parts))


def _placed(words: list[str], start: int) -> tuple[Word, ...]:
    """Return words between which one space stands, the first at `start`."""
    found = []
    for word in words:
        end = start + len(word)
        found.append(Word(word, None, start, end))
        start = end + 1
    return tuple(found)
