"""The piece of an article that shows best what matched."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import from_json

from newsindex.analysis import Analyzer
from newsindex.analysis.boundaries import boundary
from newsindex.results import Snippet
from newsindex.search.matches import Finder, Match, Sought, chunk_before, chunk_from

__all__ = ["Snippets", "marked_spans"]

_WIDTH = 240
_LEAD_IN = 60
_COUNTED = 50
_CLOSING = frozenset(".,;:!?”’\"'»)")
_OPENING = frozenset("“‘\"'«(")
# Without one of these between two words no sentence and no paragraph begins: see `boundary`.
_ENDING = re.compile(r"[.!?…؟।][\"'”’»)\]]*\s|[。！？｡\u2029]|\n[^\S\n]*\n|\n[ \t]{2}")


def marked_spans(text: str, field: str, leaves: Sequence[Sought], analyzer: Analyzer) -> tuple[tuple[int, int], ...]:
    """Return the (start, end) offsets of everything in a text that the query's leaves match, merged and ascending."""
    return _merged(Finder(leaves, field, analyzer).matches(text))


class Snippets:
    """Makes the snippets of one search. Any number of threads may use it."""

    def __init__(self, leaves: Sequence[Sought], fields: Sequence[str], analyzer: Analyzer) -> None:
        """Take what is sought, and the text fields, the title's first."""
        self._analyzer = analyzer
        self._fields = tuple(fields)
        self._words = [1 if leaf.prefix is not None else len(leaf.terms) for leaf in leaves]
        self._finders: dict[str, Finder] = {}
        made: dict[tuple[bool, ...], Finder] = {}
        for field in fields:
            key = tuple(field in leaf.fields for leaf in leaves)
            if key not in made:
                made[key] = Finder(leaves, field, analyzer)
            self._finders[field] = made[key]

    def of_stored(self, stored: bytes) -> Snippet:
        """Return the snippet of a stored article.

        Raises:
            ValueError: it is no JSON object.
        """
        article = from_json(stored)
        if not isinstance(article, dict):
            raise ValueError("not an object")
        return self.of_texts(article)

    def of_texts(self, texts: Mapping[str, Any]) -> Snippet:
        """Return the window with the most words of different parts of the query, then the most matches, then the first.

        The first text field, the title, is shown with every hit anyway: its matches count only when it is all there is.
        """
        given = [(name, text) for name in self._fields if (text := texts.get(name)) and isinstance(text, str)]
        if not given:
            return Snippet()
        shown = [pair for pair in given if pair[0] != self._fields[0]] or given
        best: tuple[str, str, list[Match], int] | None = None
        rank = (0, 0)
        for name, text in shown:
            matches = self._finders[name].matches(text)
            if matches:
                first, found = self._best_window(matches)
                if found > rank:
                    best, rank = (name, text, matches, matches[first].start), found
        if best is None:
            name, text = max(shown, key=lambda pair: len(pair[1]))
            best = name, text, [], 0
        return self._cut(*best)

    def _best_window(self, matches: list[Match]) -> tuple[int, tuple[int, int]]:
        """Return the match that begins the best window, and its (words of different leaves, matches)."""
        words = self._words
        best, rank = 0, (0, 0)
        for first, (start, _, leaf) in enumerate(matches):
            limit = start + _WIDTH - _LEAD_IN
            inside = []
            for other in matches[first : first + _COUNTED]:
                if other.start > limit:
                    break
                if other.end <= limit:
                    inside.append(other.leaf)
            several = len(inside) > 1 and len(words) > 1
            found = (sum([words[n] for n in set(inside)]) if several else words[leaf], len(inside))
            if found > rank:
                best, rank = first, found
        return best, rank

    def _cut(self, field: str, text: str, matches: list[Match], focus: int) -> Snippet:
        """Return the window around a match, from the beginning of its sentence when near, between whole words."""
        start = 0
        if focus > _LEAD_IN:
            start = self._start(text, focus)
            while start > 0 and text[start - 1] in _OPENING:
                start -= 1
        limit = max([start + _WIDTH, *(match.end for match in matches if match.start == focus)])
        end = len(text)
        if limit < len(text):
            end = max(start, self._word_before(text, limit)[1]) or limit
            while end < len(text) and text[end] in _CLOSING:
                end += 1
        piece = text[start:end]
        begin = start + len(piece) - len(piece.lstrip())
        piece = piece.strip()
        spans = _merged([match for match in matches if begin <= match.start and match.end <= end])
        shown = tuple((a - begin, b - begin) for a, b in spans if b - begin <= len(piece))
        return Snippet(piece, shown, field, start > 0, bool(text[end:].strip()))

    def _start(self, text: str, focus: int) -> int:
        """Return where the sentence of a match begins when that is near, else the first word that is near."""
        earliest = focus - _LEAD_IN
        near = self._word_from(text, chunk_before(text, earliest), earliest)
        before, end = self._word_before(text, near)
        if before is None:
            return 0 if near <= _WIDTH else near
        while ending := _ENDING.search(text, end, focus):
            start = self._word_from(text, ending.end(), ending.end())
            if start > focus:
                break
            before, end = self._word_before(text, ending.end())
            if start >= earliest and boundary(text, end, start, before):
                return start
            end = start
        return near

    def _word_from(self, text: str, at: int, least: int) -> int:
        """Return where the first word begins, from a chunk on, that begins at a place or after it."""
        while at < len(text):
            begin, at = chunk_from(text, at)
            for _, start, _ in self._analyzer.pieces(text[begin:at]):
                if begin + start >= least:
                    return begin + start
        return len(text)

    def _word_before(self, text: str, at: int) -> tuple[str | None, int]:
        """Return the folded form and the end of the last word that ends here or before, (None, 0) for none."""
        limit = at
        while at > 0:
            begin = chunk_before(text, at)
            if begin < at:
                for surface, _, last in reversed(self._analyzer.pieces(text[begin : chunk_from(text, begin)[1]])):
                    if begin + last <= limit:
                        return surface, begin + last
            at = begin
            while at > 0 and text[at - 1].isspace():
                at -= 1
        return None, 0


def _merged(matches: Sequence[Match]) -> tuple[tuple[int, int], ...]:
    spans: list[tuple[int, int]] = []
    for start, end, _ in matches:
        if spans and start < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    return tuple(spans)
