"""The best hits for any or all of some words, by the kernel that reads no more than it must."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from newsindex.search.block_kernel import COLUMNS, NORMS, NUMBERS
from newsindex.search.deadline import Deadline
from newsindex.search.heap_kernel import AFTER, BASE, COUNT, HAS_AFTER, LIMIT, sort_heap
from newsindex.search.scoring import Parameters
from newsindex.search.segment import SearchSegment
from newsindex.search.top_kernel import (
    AFTER_SCORE, BASE_NORM, CANDIDATES, DATE_HIGH, DATE_LOW, DOC_COUNT, FREQUENCY_BOUND, HAS_DATES, JOB, LENGTH_BOUND,
    NEED, REQUIRED, SHIFT, SLOPE, STARTED, best_of_segment,
)  # fmt: skip

__all__ = ["Words", "best"]

_Array = npt.NDArray[Any]
# Weighted sums under other weights are rounded in another way.
_MORE, _LESS = 1.0 + 1e-6, 1.0 - 1e-6
_PLACES = 256
_SHIFT = 10


@dataclass(slots=True, eq=False)
class Words:
    """What to look for: any of the words, or all of them and the phrases.

    `terms` are different, or the same with different masks. `factors` float64[T] are the query's factors times idf;
    `masks` int64[T] have bit f where text field f counts. A phrase is, for each of its words, its place in `terms` and
    its offset in the phrase; it must stand in one of the fields of its mask. `slops` are 0: a phrase's words stand
    exactly at their offsets.
    """

    terms: tuple[bytes, ...]
    factors: _Array
    masks: _Array
    required: bool
    phrases: tuple[tuple[tuple[int, int], ...], ...] = ()
    phrase_masks: tuple[int, ...] = ()
    slops: tuple[int, ...] = ()


def _read_only(array: _Array) -> _Array:
    """Return a view that cannot be written: kernels are compiled for that only."""
    view = array.view()
    view.flags.writeable = False
    return view


_NO_PHRASES = np.empty(0, np.int64)
_NO_BITS = _read_only(np.empty(0, np.uint64))
_NO_DATES = _read_only(np.empty(0, np.int64))


class _Scratch(threading.local):
    """The arrays that a thread's searches work in; those whose size depends on the search grow as needed."""

    def __init__(self) -> None:
        self.job = np.zeros(JOB, np.int64)
        self.norms = np.zeros(NORMS, np.float64)
        self.candidates = np.zeros(2 * CANDIDATES + 16, np.int64)
        self.terms = self.fields = 0
        self.room_for_bounds(16384)
        self.room_for_hits(128)

    def room_for_terms(self, terms: int, fields: int) -> None:
        self.terms, self.fields = max(8, 2 * terms), fields
        self.state = np.zeros((self.terms + 1, COLUMNS), np.int64)
        self.small = np.zeros((self.terms + 1, 3 + fields, _PLACES), np.uint32)
        self.numbers = np.zeros((self.terms + 1, NUMBERS), np.float64)

    def room_for_bounds(self, count: int) -> None:
        self.bounds = np.zeros(count, np.float64)
        self.bounds[:CANDIDATES] = -1.0

    def room_for_hits(self, limit: int) -> None:
        self.heap_scores = np.zeros(limit, np.float64)
        self.heap_numbers = np.zeros(limit, np.int64)

    def clean(self) -> None:
        """Make good what a search may have left that did not end."""
        self.bounds[:CANDIDATES] = -1.0


_scratch = _Scratch()
_parts: WeakKeyDictionary[SearchSegment, tuple[_Array, ...]] = WeakKeyDictionary()
_date_parts: WeakKeyDictionary[SearchSegment, tuple[_Array, ...]] = WeakKeyDictionary()


def _flat(words: Words) -> _Array:
    """Return the phrases as the kernel takes them."""
    found: list[int] = []
    for phrase, mask in zip(words.phrases, words.phrase_masks, strict=True):
        found += [len(phrase), mask]
        for part in phrase:
            found += part
    return np.array(found, np.int64)


def best(
    segments: Sequence[SearchSegment],
    words: Words,
    parameters: Parameters,
    limit: int,
    *,
    allowed: Sequence[_Array | None],
    date_range: tuple[int, int] | None,
    after: tuple[float, int] | None,
    deadline: Deadline,
    rows: Sequence[_Array] | None = None,
) -> tuple[_Array, _Array]:
    """Return (scores float64[m], numbers int64[m]) of the `limit` best hits, the best first, of all when there are fewer.

    Args:
        segments, words, parameters: what is searched, for what, ranked how.
        limit: 0 or more.
        allowed: of each segment a bitmap of the articles that may be hits, None for all.
        date_range: only articles whose date is in [low, high).
        after: only hits behind this (score, number) in the order.
        deadline: checked now and then.
        rows: what `find` returned for the terms in each segment, when it is known.

    Raises:
        FormatError: a segment is damaged.
        QueryTooComplex: the deadline is over.
    """
    most = min(limit, sum(segment.doc_count for segment in segments))
    terms = len(words.terms)
    if most <= 0 or terms == 0:
        return np.empty(0, np.float64), np.empty(0, np.int64)
    if any(words.slops):
        raise ValueError("slops: words of a phrase stand exactly at their offsets")
    scratch = _scratch
    fields = len(parameters.field_weights)
    if terms > scratch.terms or fields != scratch.fields:
        scratch.room_for_terms(terms, fields)
    if most > scratch.heap_scores.size:
        scratch.room_for_hits(max(most, 2 * scratch.heap_scores.size))
    phrases = _flat(words) if words.phrases else _NO_PHRASES
    if words.phrases and scratch.candidates.size < 2 * CANDIDATES + 2 * max(map(len, words.phrases)):
        scratch.candidates = np.zeros(2 * CANDIDATES + 2 * max(map(len, words.phrases)), np.int64)
    own_weights = parameters.frequency_bound == parameters.length_bound == 1.0
    slope = parameters.k1 * parameters.b / parameters.average
    norms = scratch.norms
    norms[BASE_NORM] = parameters.k1 * (1.0 - parameters.b)
    norms[SLOPE] = slope
    norms[FREQUENCY_BOUND] = 1.0 if own_weights else parameters.frequency_bound * _MORE
    norms[LENGTH_BOUND] = 1.0 if own_weights else parameters.length_bound * _LESS
    job = scratch.job
    job[COUNT], job[LIMIT], job[REQUIRED] = 0, most, words.required
    job[SHIFT] = _SHIFT
    job[HAS_AFTER] = after is not None
    if after is not None:
        norms[AFTER_SCORE], job[AFTER] = after
    job[HAS_DATES] = date_range is not None
    if date_range is not None:
        job[DATE_LOW], job[DATE_HIGH] = date_range
    for at, segment in enumerate(segments):
        found = segment.find(words.terms) if rows is None else rows[at]
        parts = _parts.get(segment)
        if parts is None:
            arrays = segment.postings, segment.posting_words, segment.positions, segment.position_words, segment.lengths
            parts = _parts[segment] = tuple(map(_read_only, arrays))
        if not own_weights:
            parts = *parts[:4], _read_only(segment.lengths_under(parameters.field_weights.tolist()))
        bits = allowed[at]
        if date_range is None:
            dates = minima = maxima = _NO_DATES
        else:
            columns = _date_parts.get(segment)
            if columns is None:
                arrays_of_dates = segment.dates, segment.date_minima, segment.date_maxima
                columns = _date_parts[segment] = tuple(map(_read_only, arrays_of_dates))
            dates, minima, maxima = columns
        job[BASE], job[DOC_COUNT], job[STARTED] = segment.base, segment.doc_count, 0
        told = 1
        while told:
            told = best_of_segment(
                *parts, _NO_BITS if bits is None else _read_only(bits), dates, minima, maxima, found, words.masks,
                words.factors, parameters.field_weights, phrases, norms, job, scratch.state, scratch.small,
                scratch.numbers, scratch.bounds, scratch.candidates, scratch.heap_scores, scratch.heap_numbers,
            )  # fmt: skip
            if told == 2:
                scratch.room_for_bounds(2 * int(job[NEED]))
            elif told < 0:
                scratch.clean()
                raise segment.reader.damage(f"the postings or positions of a word among {words.terms!r:.200}")
            elif told:
                deadline.check()
    count = int(job[COUNT])
    sort_heap(count, scratch.heap_scores, scratch.heap_numbers)
    return scratch.heap_scores[:count].copy(), scratch.heap_numbers[:count].copy()
