"""Text to terms, the same for articles, queries and snippets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from newsindex.analysis.stemming import language_name, stemmer
from newsindex.analysis.tokenizer import Word, words

__all__ = ["LONGEST_TERM_BYTES", "Analyzer", "Token"]

LONGEST_TERM_BYTES = 255

# Words of these characters alone are split at white space and made small, in every language.
_SIMPLE = re.compile(r"[A-Za-z0-9\s]*", re.ASCII).fullmatch
_REMEMBERED = 100
# What stands around a word and is no part of it, whatever comes before and after.
_MARKS = "'\"‘’“”.,;:!?()[]{}<>-–—/*…«»"

# What a language writes before a vowel with an apostrophe; in other languages such a word stays whole (O'Brien).
_FRENCH = frozenset("l d j m t s n c qu jusqu lorsqu puisqu quoiqu".split())
_ITALIAN = frozenset(
    "l un d c m t s v n all dall dell nell sull coll quell bell sant gl agl dagl degl negl sugl".split()
)
_ELISIONS = {"french": _FRENCH, "italian": _ITALIAN, "catalan": frozenset("l d m t s n".split())}


@dataclass(frozen=True, slots=True)
class Token:
    """One occurrence of a term.

    `position` counts the words of the text from 0; `text[start:end]` is what was written; `surface` is its folded
    form before stemming; `boundary` is 2 where a paragraph begins, 1 where a sentence begins, else 0.
    """

    term: str
    position: int
    start: int
    end: int
    surface: str
    boundary: int


class Analyzer:
    """Tokenizer and stemmer of one language.

    >>> [token.term for token in Analyzer("english").tokens("China’s RECOGNISED cities")]
    ['china', 'recognis', 'citi']
    """

    def __init__(self, language: str = "english") -> None:
        """Take a Snowball language by name or two-letter code, or "none" for no stemming.

        Raises:
            SchemaError: no stemmer has this name.
        """
        self.language = language_name(language)
        self.stem = stemmer(self.language)
        self._elisions = _ELISIONS.get(self.language, frozenset())
        self.elides = bool(self._elisions)
        """Whether short words joined to the next with an apostrophe are dropped."""

    def tokens(self, text: str) -> Iterator[Token]:
        """Yield the tokens of a text in order; a term over 255 bytes of UTF-8 is cut to that."""
        for position, word in enumerate(words(text, self._elisions)):
            yield Token(self.term(word.surface), position, word.start, word.end, word.surface, word.boundary)

    def terms(self, text: str) -> list[str]:
        """Return the terms of a text in order."""
        if text.isalnum() and text.isascii():
            return [self.term(text.lower())]
        return [self.term(surface) for surface in self.surfaces(text)]

    def surfaces(self, text: str) -> list[str]:
        """Return the folded words of a text before stemming, in order."""
        if text.isascii() and _SIMPLE(text):
            return text.lower().split()
        if len(text) <= _REMEMBERED:
            return [word.surface for word in _odd_words(text, self._elisions)]
        return [word.surface for word in words(text, self._elisions)]

    def pieces(self, chunk: str) -> Sequence[tuple[str, int, int]]:
        """Return (surface, start, end) of the words of a text without white space, as `tokens` gives them.

        No word goes over white space, so a text's words are those of its chunks.
        """
        if chunk.isalnum() and chunk.isascii():
            return ((chunk.lower(), 0, len(chunk)),)
        core = chunk.strip(_MARKS)
        if core.isalnum() and core.isascii():
            start = chunk.index(core)
            return ((core.lower(), start, start + len(core)),)
        if not core:
            return ()
        found = _odd_words(chunk, self._elisions) if len(chunk) <= _REMEMBERED else words(chunk, self._elisions)
        return [(word.surface, word.start, word.end) for word in found]

    def term(self, surface: str) -> str:
        """Return the term of a folded word."""
        term = self.stem(surface)
        if len(term) * 4 > LONGEST_TERM_BYTES and len(term.encode()) > LONGEST_TERM_BYTES:
            return term.encode()[:LONGEST_TERM_BYTES].decode(errors="ignore")
        return term


@lru_cache(maxsize=1 << 13)
def _odd_words(text: str, elisions: frozenset[str]) -> tuple[Word, ...]:
    """Return the words of a short text: what a query has besides plain words takes longest of it."""
    return tuple(words(text, elisions))
