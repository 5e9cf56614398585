"""Sets of a segment's articles, as bitmaps: words, phrases, prefixes; and, or, not; counts; scores of any shape.

A bitmap is uint64[⌈n / 64⌉]: article d is bit d & 63 of word d >> 6, bits from n on are 0. Where a bitmap says which
articles may be taken, an empty one (`NO_BITS`) means all. Bitmaps that functions here return are new and may be changed
by who asked for them, unless they say otherwise. What postings say includes deleted articles: see `living`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.search.bits_kernel import count_bits, list_bits
from newsindex.search.deadline import Deadline
from newsindex.search.joined_terms import TermData, summed
from newsindex.search.phrase_sets_kernel import phrase_bits
from newsindex.search.score_kernel import add_constant, add_scores
from newsindex.search.scoring import ROUNDING, Parameters
from newsindex.search.segment import NO_BITS, SearchSegment
from newsindex.search.sets_kernel import and_terms, first_of_terms, or_terms

__all__ = [
    "accumulate", "accumulate_constant", "accumulate_together", "at_least", "complement", "count", "count_word",
    "difference", "everything", "first_of_union", "intersection", "living", "no_scores", "nothing", "numbers",
    "phrase_bitmap", "term_bitmap", "terms_and", "terms_union", "union",
]  # fmt: skip

_Array = npt.NDArray[Any]
# What a kernel may do before the deadline is looked at, some milliseconds: blocks of 128 postings, or occurrences.
_BLOCKS = 16_384
_OCCURRENCES = 1_000_000
# Occurrences of a word in one article that there is room for at first.
_KEYS = 256
_ONES = np.uint64(0xFFFFFFFFFFFFFFFF)


# Sets from nothing


def nothing(segment: SearchSegment) -> _Array:
    """Return the bitmap of no article."""
    return np.zeros(segment.word_count, np.uint64)


def everything(segment: SearchSegment) -> _Array:
    """Return the bitmap of the articles that live."""
    return segment.live.copy() if segment.live.size else complement(segment, nothing(segment))


# Sets of words


def term_bitmap(segment: SearchSegment, row: _Array, mask: int, deadline: Deadline | None = None) -> _Array:
    """Return the articles with a term, of which `find` gave the row, in one of the text fields of the mask.

    Raises:
        FormatError: the postings are damaged.
        QueryTooComplex: the deadline is over.
    """
    return terms_union(segment, row.reshape(1, 8), mask, deadline)


def terms_union(
    segment: SearchSegment, rows: _Array, mask: int, deadline: Deadline | None = None, data: TermData | None = None
) -> _Array:
    """Return the articles that have one of the terms; as `term_bitmap`, with rows int64[T, 8].

    `data` has the postings that the rows tell the places of, where they are not the segment's own.
    """
    postings, words = _postings(segment, data)
    bits = np.zeros(segment.word_count, np.uint64)
    state = np.zeros(2, np.int64)
    while more := or_terms(
        postings, words, rows, mask, segment.field_count, segment.doc_count, state, _BLOCKS,
        bits,
    ):  # fmt: skip
        _go_on(segment, more, rows, deadline)
    return bits


def terms_and(
    segment: SearchSegment,
    rows: _Array,
    masks: _Array,
    within: _Array = NO_BITS,
    deadline: Deadline | None = None,
    data: TermData | None = None,
) -> _Array:
    """Return the articles that have all of the terms, each in a text field of its mask (int64[T]), and are in `within`.

    The rarest term is decoded, of the others only the blocks in which there may be one of its articles. `data` is as
    for `terms_union`.
    """
    postings, words = _postings(segment, data)
    bits = np.zeros(segment.word_count, np.uint64)
    state, places = np.zeros(1, np.int64), np.zeros(len(rows), np.int64)
    blocks = max(1, _BLOCKS // (4 * max(1, len(rows))))
    while more := and_terms(
        postings, words, rows, masks, segment.field_count, segment.doc_count, within, state,
        places, blocks, bits,
    ):  # fmt: skip
        _go_on(segment, more, rows, deadline)
    return bits


def _postings(segment: SearchSegment, data: TermData | None) -> tuple[_Array, _Array]:
    return (segment.postings, segment.posting_words) if data is None else (data.postings, data.posting_words)


def phrase_bitmap(
    segment: SearchSegment,
    rows: _Array,
    offsets: _Array,
    mask: int,
    within: _Array = NO_BITS,
    slop: int = 0,
    deadline: Deadline | None = None,
) -> _Array:
    """Return the articles that have words at given distances in one field.

    Args:
        segment: where to look.
        rows: int64[W, 8], a row of each word in the order of the phrase; a word that stands twice has two.
        offsets: int64[W], ascending from 0: how far each word is from the first.
        mask: the text fields in one of which the whole phrase must stand.
        within: only these articles.
        slop: by how much the distances may be wrong; only 0 is there yet.
        deadline: when to give up.

    Raises:
        FormatError: postings or positions are damaged.
        QueryTooComplex: the deadline is over.
    """
    if slop:
        raise NotImplementedError("phrases with slop")
    candidates = terms_and(segment, rows, np.full(len(rows), mask), within, deadline)
    bits = np.zeros(segment.word_count, np.uint64)
    state, keys = np.zeros(1, np.int64), np.empty(_KEYS, np.int64)
    while more := phrase_bits(
        segment.postings, segment.posting_words, segment.positions, segment.position_words, rows, offsets, mask,
        segment.field_count, segment.doc_count, candidates, state, _OCCURRENCES, keys, bits,
    ):  # fmt: skip
        if more == 2:
            keys = np.empty(4 * keys.size, np.int64)
        _go_on(segment, more, rows, deadline)
    return bits


def first_of_union(
    segment: SearchSegment,
    rows: _Array,
    mask: int,
    limit: int,
    allowed: _Array = NO_BITS,
    begin: int = 0,
    deadline: Deadline | None = None,
) -> _Array:
    """Return the numbers (int64, ascending, over all segments) of the first articles that have one of the terms.

    Args:
        segment, rows, mask, deadline: as for `terms_union`.
        limit: how many are wanted, at least 1.
        allowed: only these articles; give `segment.live` when there is no other filter.
        begin: only articles from this one of the segment on.
    """
    bits = np.zeros(segment.word_count, np.uint64)
    state = np.array([0, 0, segment.doc_count, 0, -1, 0])
    while more := first_of_terms(
        segment.postings, segment.posting_words, rows, mask, segment.field_count, segment.doc_count, allowed, begin,
        limit, state, _BLOCKS, bits,
    ):  # fmt: skip
        _go_on(segment, more, rows, deadline)
    found = np.empty(limit if limit < segment.doc_count else segment.doc_count, np.int64)
    return found[: list_bits(bits, segment.base, 0, found)]


def _go_on(segment: SearchSegment, code: int, rows: _Array, deadline: Deadline | None) -> None:
    if code < 0:
        terms = ", ".join(map(str, rows[:8, 0].tolist()))
        raise segment.reader.damage(f"the postings or positions of one of the terms {terms}")
    if deadline is not None:
        deadline.check()


# Sets of sets


def intersection(bitmaps: Sequence[_Array]) -> _Array:
    """Return the articles that are in all of the bitmaps; one of size 0 has all."""
    given = [bits for bits in bitmaps if bits.size]
    if len(given) < 2:
        return given[0].copy() if given else NO_BITS
    found: _Array = given[0] & given[1]
    for bits in given[2:]:
        found &= bits
    return found


def union(bitmaps: Sequence[_Array]) -> _Array:
    """Return the articles that are in one of the bitmaps, at least one, none of which stands for all."""
    if len(bitmaps) == 1:
        return bitmaps[0].copy()
    found: _Array = bitmaps[0] | bitmaps[1]
    for bits in bitmaps[2:]:
        found |= bits
    return found


def at_least(bitmaps: Sequence[_Array], count: int) -> _Array:
    """Return the articles that are in so many of the bitmaps, at least one of them, none of which stands for all."""
    # Sets of those in one, in two, in three or more, … of the bitmaps seen so far.
    found = [np.zeros_like(bitmaps[0]) for _ in range(count)]
    for bits in bitmaps:
        for more in range(count - 1, 0, -1):
            found[more] |= found[more - 1] & bits
        found[0] |= bits
    return found[-1]


def difference(bits: _Array, unwanted: _Array) -> _Array:
    """Return the articles of one bitmap that are not in the other."""
    found: _Array = bits & ~unwanted
    return found


def complement(segment: SearchSegment, bits: _Array) -> _Array:
    """Return the articles that live and are not in the bitmap."""
    found: _Array = ~bits
    if segment.live.size:
        found &= segment.live
    elif segment.doc_count & 63:
        found[-1] &= _ONES >> np.uint64(64 - (segment.doc_count & 63))
    return found


def living(segment: SearchSegment, bits: _Array) -> _Array:
    """Take the deleted articles out of a bitmap, in place, and return it."""
    if segment.live.size:
        bits &= segment.live
    return bits


def count(bits: _Array) -> int:
    """Return the number of articles."""
    return int(count_bits(bits))


def numbers(segment: SearchSegment, bits: _Array, limit: int | None = None, begin: int = 0) -> _Array:
    """Return the numbers of the articles (int64, ascending, counted over all segments), the first `limit` of them.

    `begin` is the segment's first article that may be among them.
    """
    first = begin >> 6
    if begin & 63 and first < bits.size:
        bits = bits.copy()
        bits[first] &= _ONES << np.uint64(begin & 63)
    room = limit if limit is not None and limit < segment.doc_count else count_bits(bits)
    found = np.empty(room, np.int64)
    return found[: list_bits(bits, segment.base, first, found)]


def count_word(segment: SearchSegment, row: _Array, mask: int, deadline: Deadline | None = None) -> int:
    """Return the number of living articles with a term in one of the masked fields; by doc_freq where that tells it."""
    _, fields, doc_freq = row[:3].tolist()
    if not fields & mask:
        return 0
    if not fields & ~mask and not segment.live.size:
        if not 0 <= doc_freq <= segment.doc_count:
            raise segment.reader.damage(f"term {row[0]} stands in {doc_freq} of {segment.doc_count} articles")
        return int(doc_freq)
    return count(living(segment, term_bitmap(segment, row, mask, deadline)))


# Scores


def no_scores(segment: SearchSegment) -> _Array:
    """Return zeros to add scores to, float64[n]."""
    return np.zeros(segment.doc_count, np.float64)


def accumulate(
    segment: SearchSegment,
    row: _Array,
    mask: int,
    factor: float,
    parameters: Parameters,
    within: _Array,
    scores: _Array,
    deadline: Deadline | None = None,
) -> None:
    """Add what a word contributes, as `scoring.contribution` says and bit for bit so, to the scores of articles.

    Args:
        segment: where the articles are.
        row: the word's, as `find` gave it.
        mask: the text fields in which it is searched.
        factor: the query's factor times idf.
        parameters: of the formula.
        within: only these articles.
        scores: float64[n], added to.
        deadline: when to give up.
    """
    weights = parameters.field_weights
    lengths = segment.lengths_under(weights.tolist())
    base, slope = parameters.k1 * (1.0 - parameters.b), parameters.k1 * parameters.b / parameters.average
    state = np.zeros(1, np.int64)
    while more := add_scores(
        segment.postings, segment.posting_words, row, mask, segment.field_count, segment.doc_count, weights, lengths,
        factor, base, slope, within, state, _BLOCKS, scores,
    ):  # fmt: skip
        _go_on(segment, more, row.reshape(1, 8), deadline)


def accumulate_together(
    segment: SearchSegment,
    rows: _Array,
    mask: int,
    factor: float,
    parameters: Parameters,
    within: _Array,
    scores: _Array,
) -> None:
    """Add what words contribute that count as one, as `accumulate`; its frequency is the sum of theirs.

    Raises:
        FormatError: the postings are damaged.
    """
    docs, times = summed(segment, rows)
    if within.size:
        kept = (within[docs >> 6] >> (docs & 63).astype(np.uint64) & np.uint64(1)).astype(bool)
        docs, times = docs[kept], times[kept]
    own = np.zeros(docs.size, np.float64)
    # Field by field, so that the sum is that of `contribution`.
    for field, weight in enumerate(parameters.field_weights.tolist()):
        if mask >> field & 1:
            own += weight * times[:, field]
    docs, own = docs[own > 0], own[own > 0]
    lengths = segment.lengths_under(parameters.field_weights.tolist())[docs].astype(np.float64)
    base, slope = parameters.k1 * (1.0 - parameters.b), parameters.k1 * parameters.b / parameters.average
    norm = base + slope * lengths
    scores[docs] += (factor * (own / (own + norm)) + ROUNDING) - ROUNDING


def accumulate_constant(bits: _Array, value: float, scores: _Array) -> None:
    """Add a value to the scores of the articles of a bitmap."""
    add_constant(bits, value, scores)
