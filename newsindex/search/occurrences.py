"""Where the words of a query stand in the articles of a segment, window by window of articles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.errors import QueryTooComplex
from newsindex.search.bits_kernel import count_bits, list_bits
from newsindex.search.deadline import Deadline
from newsindex.search.occurrences_kernel import ARTICLE_SHIFT, FIELD_SHIFT, gather_places
from newsindex.search.segment import SearchSegment, bits_of
from newsindex.search.spans import Crowded, Spans, articles_of, choose

__all__ = ["MOST_SPANS", "Window", "matching_articles"]

_Array = npt.NDArray[Any]
# Articles and places that are looked at together: some tens of megabytes.
_ARTICLES = 16_384
_PLACES = 2_000_000
MOST_SPANS = 8_000_000
"""In a window; where a lone article has more near each other, the query is too complex."""
_LEAD_WORDS = 100


class Window:
    """Some articles of a segment: those of the words [first, after) of a bitmap."""

    def __init__(
        self, segment: SearchSegment, candidates: _Array, first: int, after: int, deadline: Deadline | None
    ) -> None:
        self.segment = segment
        self.first_article = first * 64
        self._candidates = candidates
        self._range = first, after
        self._deadline = deadline
        self._limit = _PLACES if after - first > 1 else 2**62
        self._places: dict[tuple[int, int], _Array] = {}
        self._begins: dict[bool, _Array] = {}

    def places(self, row: _Array, mask: int) -> _Array:
        """Return the places of a term in the text fields of a mask, int64, ascending.

        Raises:
            FormatError: postings or positions are damaged.
            QueryTooComplex: the deadline is over.
            Crowded: there are too many.
        """
        key = int(row[0]), mask
        found = self._places.get(key)
        if found is None:
            found = self._places[key] = self._gathered(row, mask)
        return found

    def _gathered(self, row: _Array, mask: int) -> _Array:
        segment = self.segment
        if self._deadline is not None:
            self._deadline.check()
        first, after = self._range
        most = max(0, min(int(row[5]), 2**31))
        room = min(most, 4096 + most * (after - first) // max(1, segment.word_count))
        state, docs, gaps = np.empty(3, np.int64), np.empty(128, np.uint32), np.empty(128, np.uint32)
        freqs = np.empty((segment.field_count, 128), np.uint32)
        while True:
            keys = np.empty(room, np.int64)
            count = gather_places(
                segment.postings, segment.posting_words, segment.positions, segment.position_words, row, mask,
                segment.doc_count, self._candidates, first, after, state, docs, freqs, gaps, keys,
            )  # fmt: skip
            if count >= 0:
                return keys[:count]
            if count == -1 or room == most:
                raise segment.reader.damage(f"the postings or positions of the term {int(row[0])}")
            if room >= self._limit:
                raise Crowded
            room = min(most, 4 * room)

    def articles(self) -> _Array:
        """Return the articles of the window that may match, int64, ascending, counted from the segment's first."""
        first, after = self._range
        own = self._candidates[first:after]
        found = np.empty(count_bits(own), np.int64)
        list_bits(own, self.first_article, 0, found)
        return found

    def begins(self, *, paragraphs: bool) -> _Array:
        """Return the places where paragraphs, or sentences too, begin in the articles that may match: int64, ascending.

        Raises:
            FormatError: they are damaged.
        """
        if paragraphs not in self._begins:
            self._begins[False], is_paragraph = self._boundaries()
            self._begins[True] = self._begins[False][is_paragraph]
        return self._begins[paragraphs]

    def _boundaries(self) -> tuple[_Array, _Array]:
        """Return all places where something begins, and whether it is a paragraph: see `codec/format.py`."""
        reader = self.segment.reader
        data, starts = reader.boundaries().arrays()
        docs = self.articles()
        begin, sizes = starts[docs].astype(np.int64), np.diff(starts)[docs].astype(np.int64)
        taken = data[_ranges(begin, sizes)]
        # Variable bytes: each ends with a byte below 128; a number never goes over the end of an article's.
        is_end = taken < 128
        article = np.repeat(np.arange(docs.size), sizes)
        if taken.size and not is_end[-1]:
            raise reader.damage("the boundaries of the last article have no end")
        ends = np.flatnonzero(is_end)
        begins = np.append(0, ends[:-1] + 1) if ends.size else ends
        shifts = 7 * (np.arange(taken.size) - np.repeat(begins, ends - begins + 1))
        if (shifts > 35).any():
            raise reader.damage("a boundary is out of range")
        parts = (taken & 127).astype(np.int64) << shifts
        gaps = np.add.reduceat(parts, begins) if begins.size else parts
        article = article[ends]
        total = np.cumsum(gaps)
        # What stands before an article's first number is not part of it.
        is_first = np.append(True, article[1:] != article[:-1]) if article.size else np.empty(0, bool)
        starts_at = np.flatnonzero(is_first)
        before = (total - gaps)[starts_at]
        values = total - np.repeat(before, np.diff(np.append(starts_at, article.size)))
        position, is_paragraph = values >> 1, (values & 1).astype(bool)
        field = np.zeros(position.size, np.int64)
        in_field = position.copy()
        end = np.zeros(docs.size, np.int64)
        for number, name in enumerate(reader.schema.text_fields):
            length = reader.lengths(name)[docs].astype(np.int64)
            behind = position >= end[article]
            in_field = np.where(behind, position - end[article], in_field)
            field = np.where(behind, number, field)
            end += length
        inside = position < end[article]
        keys = ((docs[article] - self.first_article) << ARTICLE_SHIFT) + (field << FIELD_SHIFT) + in_field
        # A field without words begins where the next does: the last one that does has the word.
        return keys[inside], is_paragraph[inside]

    def in_lead(self, spans: Spans, field: int) -> Spans:
        """Return the spans that end within the first paragraph of a field, at most its first hundred words."""
        if not spans.first.size:
            return spans
        begins = self.begins(paragraphs=True)
        base = spans.first >> FIELD_SHIFT << FIELD_SHIFT
        at = np.searchsorted(begins, base, side="right")
        second = np.append(begins, 2**62)[at]
        limit = np.minimum(second, base + _LEAD_WORDS)
        return choose(spans, (spans.last < limit) & (base >> FIELD_SHIFT & 7 == field))


def _ranges(begins: _Array, sizes: _Array) -> _Array:
    """Return the numbers begins[0], begins[0] + 1, …, sizes[0] of them, then those from begins[1] on, …"""
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if ends.size else 0
    found: _Array = np.arange(total) + np.repeat(begins - ends + sizes, sizes)
    return found


def matching_articles(
    segment: SearchSegment,
    candidates: _Array,
    count: int,
    spans: Callable[[Window], Spans],
    deadline: Deadline | None = None,
) -> _Array:
    """Return the articles of a bitmap that have so many spans.

    Args:
        segment: where the articles are.
        candidates: which may have them; nothing else is looked at.
        count: how many are needed.
        spans: gives those of a window.
        deadline: when to give up.

    Raises:
        FormatError: postings, positions or boundaries are damaged.
        QueryTooComplex: the deadline is over, or one article has too many.
    """
    has = np.zeros(64 * segment.word_count, bool)
    waiting = list(_windows(candidates))
    while waiting:
        first, after = waiting.pop()
        window = Window(segment, candidates, first, after, deadline)
        try:
            articles = articles_of(spans(window))
        except Crowded:
            if after - first == 1:
                raise QueryTooComplex("the number of words near each other", MOST_SPANS + 1, MOST_SPANS) from None
            middle = (first + after) // 2
            waiting += [(first, middle), (middle, after)]
            continue
        if count > 1 and articles.size:
            articles = np.flatnonzero(np.bincount(articles) >= count)
        has[articles + window.first_article] = True
    return bits_of(has[: segment.doc_count])


def _windows(candidates: _Array) -> Iterator[tuple[int, int]]:
    """Yield ranges of the bitmap's words with some thousand articles each; those without any are left out."""
    counts = np.unpackbits(candidates.view(np.uint8)).reshape(-1, 64).sum(1, dtype=np.int64)
    own = np.flatnonzero(counts)
    if not own.size:
        return
    total = np.cumsum(counts)
    first = int(own[0])
    while first < candidates.size:
        before = int(total[first - 1]) if first else 0
        after = max(first + 1, int(np.searchsorted(total, before + _ARTICLES, side="right")))
        after = min(after, first + (1 << 20))
        if int(total[after - 1]) > before:
            yield first, after
        first = after
