"""Where a text has what a query looks for.

A text is searched for how the terms begin, which costs next to nothing, and only what stands around is analysed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from newsindex.analysis import Analyzer
from newsindex.search.beginnings import CHANGED, MOST_CHANGED, beginnings, folded, table_of, without_longer
from newsindex.search.deadline import Deadline
from newsindex.search.plain_matches import BRIEF, Match, PlainMatches, found_matches
from newsindex.search.slots import Slots
from newsindex.search.snippet_kernel import DONE, SLOTS
from newsindex.search.tree_parts import case_of

__all__ = ["Finder", "Match", "Sought", "chunk_before", "chunk_from"]

# Characters that are analysed: where a beginning is found; of all, where terms tell nothing of how their words begin.
_ANALYSED = 50_000
_LONGEST_CHUNK = 5_000  # scripts without spaces have long ones; a match over the border of two is lost
_SHORT = 40
_REMEMBERED = 2000
_CHECKED_EVERY = 1000
_CHUNK = re.compile(rf"\S{{1,{_LONGEST_CHUNK}}}+")
_DOTTED = re.compile(r"\.\w")
_NO_ODD: list[str] = []
_WORD = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")


@dataclass(frozen=True)
class Sought:
    """What a part of a query looks for, and in which fields: words side by side, or one that is like something.

    `words` has the terms that may stand at each place. Where `written` is not empty, the words have to be written so:
    folded, or with their capitals when `cased`. Where there is `likes`, words count of which it is true before or after
    stemming; `words` are then of one place, all terms that an archive has of them; before stemming they begin with
    `beginning`, if anything is known of that.
    """

    fields: tuple[str, ...]
    words: tuple[tuple[str, ...], ...]
    written: tuple[str, ...] = ()
    cased: bool = False
    likes: Callable[[str], bool] | None = None
    beginning: str = ""


class _Place(NamedTuple):
    """What may stand at one place of a phrase: a word of one of some terms, written so unless that is empty."""

    terms: frozenset[str]
    written: str
    cased: bool


class _Begun(NamedTuple):
    """What may begin in a chunk: its place in the chunk, its number, and how a phrase goes on, after which words."""

    start: int
    end: int
    leaf: int
    rest: tuple[_Place, ...]
    pieces: Sequence[tuple[str, int, int]]


def chunk_from(text: str, at: int) -> tuple[int, int]:
    """Return where the first chunk, a piece between white space, begins and ends that begins at a place or after it."""
    chunk = _CHUNK.search(text, at)
    return chunk.span() if chunk else (len(text), len(text))


def chunk_before(text: str, at: int) -> int:
    """Return where the chunk begins that a place is in, or at the end of; the place itself after white space."""
    begin = text.rfind(" ", max(0, at - _SHORT), at) + 1
    if begin and (begin == at or text[begin:at].split() == [text[begin:at]]):
        return begin
    least = max(0, at - _LONGEST_CHUNK // 2)
    while at > least and not text[at - 1].isspace():
        at -= 1
    return at


_Chunk = tuple[int, int, tuple[_Begun, ...]]
"""Where a chunk begins and ends, and what begins in it."""


_First = dict[str, list[tuple[int, _Place | None, tuple[_Place, ...]]]]


class Finder:
    """Finds what is sought in texts of one field; made once for many texts."""

    def __init__(self, leaves: Sequence[Sought], field: str, analyzer: Analyzer) -> None:
        self._analyzer = analyzer
        own = [(number, leaf) for number, leaf in enumerate(leaves) if field in leaf.fields and leaf.words]
        self._own = own
        self._made_first: _First | None = None
        self._likes = [(number, leaf.likes) for number, leaf in own if leaf.likes is not None]
        known = CHANGED.get(analyzer.language)
        self._everywhere = known is None
        changed = MOST_CHANGED if known is None else known
        slots = Slots()
        starts: set[str] = set()
        later: set[str] = set()
        for number, leaf in own:
            if leaf.likes is not None:
                slots.add_like(number, leaf.likes)
                if leaf.beginning:
                    starts.update(beginnings(leaf.beginning, 0))
            else:
                slots.add(number, leaf.words, leaf.written)
            for term in leaf.words[0]:
                starts.update(beginnings(term, changed))
            for terms in leaf.words[1:]:
                for term in terms:
                    later.update(beginnings(term, changed))
        self._starts = starts
        # Of short chunks, what begins in them: the words of a query are written in few ways.
        self._known: dict[str, tuple[_Begun, ...]] = {}
        if not all(map(str.isascii, starts)):
            self._everywhere = True
        self.plain: PlainMatches | None = None
        if not self._everywhere and max(len(leaves), len(slots.leaves)) <= SLOTS:
            table = table_of(without_longer(starts | later))
            if table is not None:
                words = [len(leaf.words) for leaf in leaves]
                by_chunk = any(leaf.cased for _, leaf in own)
                self.plain = PlainMatches(analyzer, words, slots, table, self._chunk, by_chunk)

    @property
    def _first(self) -> _First:
        """For each term with which something begins: its number, how it is written, and how it goes on."""
        if self._made_first is None:
            first: _First = {}
            for number, leaf in self._own:
                if leaf.likes is None:
                    written = leaf.written or ("",) * len(leaf.words)
                    places = [
                        _Place(frozenset(terms), form, leaf.cased)
                        for terms, form in zip(leaf.words, written, strict=True)
                    ]
                    begun = number, places[0] if leaf.written else None, tuple(places[1:])
                    for term in leaf.words[0]:
                        first.setdefault(term, []).append(begun)
            self._made_first = first
        return self._made_first

    def matches(self, text: str, deadline: Deadline) -> list[Match]:
        """Return the matches in order of their start: whole phrases, not their single words."""
        if self.plain is not None and len(text) <= BRIEF:
            source = np.frombuffer(text.encode(errors="replace"), np.uint8)
            if source.size <= BRIEF and self.plain.find(source, 0, source.size, False, False, deadline) == DONE:
                return found_matches()
        found: list[Match] = []
        for start, end, begun in deadline.over(self._places(text, deadline)):
            for begin, after, number, rest, pieces in begun:
                last = self._phrase_end(text, rest, pieces, start, end) if rest else start + after
                if last:
                    found.append((start + begin, last, number))
        found.sort()
        return found

    def _chunk(self, text: str, at: int) -> tuple[int, list[Match]]:
        """Return where the chunk around a place ends, and what matches in it from there on, in order."""
        start = chunk_before(text, at)
        end = _CHUNK.match(text, start).end()  # type: ignore[union-attr]
        found: list[Match] = []
        begun = self._known.get(text[start:end])
        for begin, after, number, rest, pieces in self._begun(text[start:end]) if begun is None else begun:
            last = self._phrase_end(text, rest, pieces, start, end) if rest else start + after
            if last and start + begin >= at:
                found.append((start + begin, last, number))
        found.sort()
        return end, found

    def _begun(self, chunk: str) -> tuple[_Begun, ...]:
        """Return what begins in a chunk; it is kept when the chunk is short."""
        analyzer = self._analyzer
        found: list[_Begun] = []
        pieces = analyzer.pieces(chunk)
        for at, (surface, begin, after) in enumerate(pieces):
            term = analyzer.term(surface)
            for number, place, rest in self._first.get(term, ()):
                if place is None or _is_written(place, surface, chunk[begin:after]):
                    found.append(_Begun(begin, after, number, rest, pieces[at + 1 :] if rest else ()))
            for number, likes in self._likes:
                if likes(surface) or likes(term):
                    found.append(_Begun(begin, after, number, (), ()))
        begun = tuple(found)
        if len(chunk) < _SHORT:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[chunk] = begun
        return begun

    def _phrase_end(
        self, text: str, rest: tuple[_Place, ...], pieces: Sequence[tuple[str, int, int]], start: int, end: int
    ) -> int:
        """Return where the phrase ends that goes on with these words of the chunk [start, end); 0 where it is none."""
        at = 0
        for place in rest:
            while at == len(pieces):
                start, end = chunk_from(text, end)
                if start == end:
                    return 0
                pieces, at = self._analyzer.pieces(text[start:end]), 0
            surface, begin, after = pieces[at]
            if self._analyzer.term(surface) not in place.terms:
                return 0
            if place.written and not _is_written(place, surface, text[start + begin : start + after]):
                return 0
            at += 1
        return start + pieces[at - 1][2]

    def _places(self, text: str, deadline: Deadline) -> list[_Chunk]:
        """Return the chunks, in order, that may have the beginning of a match in them."""
        searched = text.lower()
        if not self._everywhere and len(searched) == len(text):
            searched, odd = (searched, _NO_ODD) if text.isascii() else folded(searched)
            return self._likely(text, searched, odd, deadline)
        spans = [chunk.span() for chunk in _CHUNK.finditer(text, 0, _ANALYSED)]
        later: list[_Chunk] = []
        if len(text) > _ANALYSED:
            # The last is perhaps not whole.
            rest = spans.pop()[0] if len(spans) > 1 else _ANALYSED
            # What lower() makes longer shifts the places a little; a match is looked for in the whole chunk.
            likely = self._likely(text, searched[: len(text)], _NO_ODD, deadline)
            later = [place for place in likely if place[0] >= rest]
        known = self._known
        chunks = ((start, end, text[start:end]) for start, end in deadline.over(spans))
        return [
            (start, end, self._begun(chunk) if (begun := known.get(chunk)) is None else begun)
            for start, end, chunk in chunks
        ] + later

    def _likely(self, text: str, searched: str, odd: list[str], deadline: Deadline) -> list[_Chunk]:
        """Return the chunks in which a word begins as one that is sought, or an odd character stands, in order."""
        places: dict[int, _Chunk] = {}
        known, find = self._known, searched.find
        sought = (*without_longer({start for start in self._starts if start[1:2] != "."}), *odd)
        initials = sorted([start for start in self._starts if start[1:2] == "." and len(start) == 3])
        if initials:
            dotted = set(_DOTTED.findall(searched))
            if dotted:
                sought += tuple([start for start in initials if start[1:] in dotted])
        for wanted in sought:
            room = _ANALYSED
            missed = 0
            deadline.check()
            at = find(wanted)
            while at >= 0 and room > 0:
                before = searched[at - 1] if at else " "
                if before in _WORD and wanted not in odd:
                    at = find(wanted, at + 1)
                    missed += 1
                    if not missed % _CHECKED_EVERY:
                        deadline.check()
                    continue
                start = at if before == " " or before == "\n" else chunk_before(text, at)
                end = find(" ", at, start + _SHORT)
                # What is known is a whole chunk: it has no white space in it, and some behind it.
                begun = known.get(text[start:end]) if end >= 0 else None
                if begun is None:
                    end = _CHUNK.match(text, start).end()  # type: ignore[union-attr]
                    begun = self._begun(text[start:end])
                places[start] = start, end, begun
                at = find(wanted, max(end, at + 1))
                room -= end - start
        return [places[start] for start in sorted(places)]


def _is_written(place: _Place, surface: str, text: str) -> bool:
    return (case_of(text) if place.cased else surface) == place.written
