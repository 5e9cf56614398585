"""Text to terms, the same for articles, queries and snippets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from newsindex.analysis.stemming import language_name, stemmer
from newsindex.analysis.tokenizer import words

__all__ = ["LONGEST_TERM_BYTES", "Analyzer", "Token"]

LONGEST_TERM_BYTES = 255

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

    def tokens(self, text: str) -> Iterator[Token]:
        """Yield the tokens of a text in order; a term over 255 bytes of UTF-8 is cut to that."""
        for position, word in enumerate(words(text, self._elisions)):
            yield Token(self.term(word.surface), position, word.start, word.end, word.surface, word.boundary)

    def terms(self, text: str) -> list[str]:
        """Return the terms of a text in order."""
        return [self.term(word.surface) for word in words(text, self._elisions)]

    def surfaces(self, text: str) -> list[str]:
        """Return the folded words of a text before stemming, in order."""
        return [word.surface for word in words(text, self._elisions)]

    def term(self, surface: str) -> str:
        """Return the term of a folded word."""
        term = self.stem(surface)
        if len(term) * 4 > LONGEST_TERM_BYTES and len(term.encode()) > LONGEST_TERM_BYTES:
            return term.encode()[:LONGEST_TERM_BYTES].decode(errors="ignore")
        return term
