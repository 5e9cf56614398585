"""The best hits for any or all of some words, by the kernel that reads no more than it must."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.codec.format import LENGTH_OF_CODE
from newsindex.search.block_kernel import COLUMNS, LONG, NORM_OF_CODE, NORMS, NUMBERS, PLACES
from newsindex.search.deadline import Deadline
from newsindex.search.heap_kernel import COUNT
from newsindex.search.joined_terms import TermData
from newsindex.search.many_kernel import MANY, room_for_many
from newsindex.search.scoring import Parameters
from newsindex.search.segment import SearchSegment
from newsindex.search.top_bounds_kernel import BASE_NORM, CANDIDATES, FREQUENCY_BOUND, JOB, NEED, SLOPE
from newsindex.search.top_candidates_kernel import NEAR
from newsindex.search.top_kernel import FIRST, MORE, NEXT, best_of_segment
from newsindex.search.top_phrase_kernel import SPANS

__all__ = ["Words", "best"]

_Array = npt.NDArray[Any]
# Weighted sums under other weights are rounded in another way.
_MORE, _LESS = 1.0 + 1e-6, 1.0 - 1e-6


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
    """Return a view that cannot be written: the kernel is compiled for that only."""
    view = array.view()
    view.flags.writeable = False
    return view


_NO_PHRASES = np.empty(0, np.int64)
_NO_BITS = _read_only(np.empty(0, np.uint64))
_NO_DATES = (_read_only(np.empty(0, np.int64)),) * 3
_LINE = 64
_ALL_DATES = -(2**63), 2**63 - 1
_BEFORE_ALL = math.inf, -1
# Where a segment keeps what was made of it here, as long as it lives.
_ARRAYS, _DATES = "arrays of the best", "dates of the best"


def _zeros(count: int, kind: Any) -> _Array:
    """Return zeros that begin where a line of the processor's cache does: kernels treat 64 bytes at a time."""
    size = count * np.dtype(kind).itemsize
    room = np.zeros(size + _LINE, np.uint8)
    begin = -room.ctypes.data % _LINE
    return room[begin : begin + size].view(kind)


class _Scratch:
    """The arrays that a thread's searches work in; those whose size depends on the search grow as needed."""

    def __init__(self) -> None:
        self.job = np.zeros(JOB, np.int64)
        self.norms = _zeros(NORMS, np.float64)
        self.candidates = _zeros(SPANS + 64, np.int64)
        self.places = np.zeros(NEAR, np.uint8)
        self.parameters: Parameters | None = None
        self.terms = self.fields = 0
        self.room_for_bounds(4 * CANDIDATES)

    def rank_by(self, parameters: Parameters) -> None:
        """Make what the kernel takes of the formula."""
        norms = self.norms
        base, slope = parameters.k1 * (1.0 - parameters.b), parameters.k1 * parameters.b / parameters.average
        frequency_bound, length_bound = 1.0, 1.0
        if not _are_own(parameters):
            frequency_bound, length_bound = parameters.frequency_bound * _MORE, parameters.length_bound * _LESS
        norms[BASE_NORM], norms[SLOPE], norms[FREQUENCY_BOUND] = base, slope, frequency_bound
        norms[NORM_OF_CODE:LONG] = base + slope * (length_bound * LENGTH_OF_CODE.astype(np.float64))
        self.parameters = parameters
        if len(parameters.field_weights) != self.fields:
            self.fields = len(parameters.field_weights)
            self.room_for_terms(max(8, self.terms))

    def room_for_terms(self, terms: int) -> None:
        self.terms, fields = terms, self.fields
        self.state = np.zeros((self.terms + 1, COLUMNS), np.int64)
        self.small = _zeros((self.terms + 1) * (3 + fields) * PLACES, np.uint32)
        self.numbers = _zeros((self.terms + 1) * NUMBERS, np.float64).reshape(-1, NUMBERS)
        self._put_together()

    def room_for_bounds(self, count: int) -> None:
        self.bounds = _zeros(count, np.float64)
        self.bounds[:CANDIDATES] = -1.0
        self._put_together()

    def room_for_phrases(self, size: int) -> None:
        self.candidates = _zeros(SPANS + size, np.int64)
        self._put_together()

    def _put_together(self) -> None:
        """Keep the arrays as the kernel takes them, last."""
        if self.terms:
            own = self.norms, self.job, self.state, self.small, self.numbers, self.bounds, self.candidates, self.places
            self.arrays: tuple[_Array, ...] = own


_local = threading.local()


def _are_own(parameters: Parameters) -> bool:
    """Tell whether the weights are the schema's."""
    return parameters.frequency_bound == parameters.length_bound == 1.0


def _arrays(segment: SearchSegment, parameters: Parameters) -> tuple[_Array, ...]:
    """Return what the kernel takes of a segment first; it is kept with the parameters that it is for."""
    own = segment.__dict__.get(_ARRAYS)
    if own is None:
        arrays = segment.postings, segment.posting_words, segment.positions, segment.position_words, segment.lengths
        place = np.array([segment.base, segment.doc_count], np.int64)
        own = segment.__dict__[_ARRAYS] = (*map(_read_only, arrays), place)
    if not _are_own(parameters):
        own = *own[:4], _read_only(segment.lengths_under(parameters.field_weights.tolist())), own[5]
    segment.kept_arrays = parameters, own
    return own


def _dates(segment: SearchSegment) -> tuple[_Array, ...]:
    """Return the dates of a segment, their minima and their maxima."""
    found = segment.__dict__.get(_DATES)
    if found is None:
        arrays = segment.dates, segment.date_minima, segment.date_maxima
        found = segment.__dict__[_DATES] = tuple(map(_read_only, arrays))
    return found


@lru_cache(maxsize=256)
def _flat(phrases: tuple[tuple[tuple[int, int], ...], ...], masks: tuple[int, ...]) -> _Array:
    """Return phrases as the kernel takes them; nobody may change it."""
    found: list[int] = []
    for phrase, mask in zip(phrases, masks, strict=True):
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
    data: Sequence[TermData] | None = None,
) -> tuple[_Array, _Array]:
    """Return (scores float64[m], numbers int64[m]) of the `limit` best hits, or of all when they are fewer, best first.

    Args:
        segments, words, parameters: what is searched, for what, ranked how.
        limit: 0 or more.
        allowed: of each segment a bitmap of the articles that may be hits, None for all.
        date_range: only articles whose date is in [low, high).
        after: only hits behind this (score, number) in the order.
        deadline: checked now and then.
        rows: what `find` returned for the terms in each segment, when it is known.
        data: of each segment what these rows tell the places of, where that is not all its own.

    Raises:
        FormatError: a segment is damaged.
        QueryTooComplex: the deadline is over.
    """
    terms = len(words.terms)
    if limit > 1000:
        limit = min(limit, sum(segment.doc_count for segment in segments))
    if limit <= 0 or terms == 0:
        return np.empty(0, np.float64), np.empty(0, np.int64)
    if limit <= MANY:
        scores, numbers = np.empty(limit, np.float64), np.empty(limit, np.int64)
    else:
        scores, numbers = room_for_many(limit)
    try:
        scratch = _local.scratch
    except AttributeError:
        scratch = _local.scratch = _Scratch()
    if scratch.parameters is not parameters:
        scratch.rank_by(parameters)
    if terms > scratch.terms:
        scratch.room_for_terms(2 * terms)
    phrases = _NO_PHRASES
    if words.phrases:
        if any(words.slops):
            raise ValueError("slops: words of a phrase stand exactly at their offsets")
        phrases = _flat(words.phrases, words.phrase_masks)
        if scratch.candidates.size < SPANS + phrases.size:
            scratch.room_for_phrases(phrases.size)
    low, high = date_range or _ALL_DATES
    after_score, after_number = after or _BEFORE_ALL
    stage, last = FIRST, len(segments) - 1
    for at, segment in enumerate(segments):
        found = segment.find(words.terms) if rows is None else rows[at]
        bits = allowed[at]
        kept = segment.kept_arrays
        arrays = kept[1] if kept is not None and kept[0] is parameters else _arrays(segment, parameters)
        if data is not None:
            arrays = *data[at][1 : 5 if words.phrases else 3], *arrays[4 if words.phrases else 2 :]
        told = 1
        while told:
            told = best_of_segment(
                *arrays, _NO_BITS if bits is None else _read_only(bits),
                *(_NO_DATES if date_range is None else _dates(segment)), found, words.masks, words.factors,
                parameters.field_weights, phrases, words.required, limit, low, high, after_score, after_number, stage,
                at == last, *scratch.arrays, scores, numbers,
            )  # fmt: skip
            if told == 1:
                stage = MORE
                deadline.check()
            elif told == 2:
                scratch.room_for_bounds(2 * int(scratch.job[NEED]))
            elif told < 0:
                scratch.room_for_bounds(scratch.bounds.size)
                raise segment.reader.damage(f"the postings or positions of a word among {words.terms!r:.200}")
        stage = NEXT
    count = int(scratch.job[COUNT]) if segments else 0
    if limit > MANY:  # what was room only is not kept as long as the hits are
        return scores[:count].copy(), numbers[:count].copy()
    return (scores, numbers) if count == limit else (scores[:count], numbers[:count])
