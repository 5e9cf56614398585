"""Terms that are searched as one, a word and its variants: the postings that one term in their place would have.

They are encoded as the segment's own are, so that the kernel of the best hits needs to know of one kind of term only.
They are made when first searched for, and kept as long as the segment is open.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from newsindex.codec.encode_kernel import NO_PIECES, TERM_FIELDS, encode_terms, make_room, worst_bytes
from newsindex.codec.reader import TermInfo
from newsindex.search.segment import SearchSegment

__all__ = ["JoinedTerm", "TermData", "can_be_joined", "data_of_terms", "joined_term", "summed"]

_Array = npt.NDArray[Any]
# More occurrences take too long to encode, and too much memory while it is done.
_MOST_OCCURRENCES = 500_000
# Kernels look at whole blocks at a time.
_BEHIND = 64


class JoinedTerm(NamedTuple):
    """A row, int64[8], as `find` gives it, but for where its postings are: in `data`, uint8[m], from 0 on."""

    row: _Array
    data: _Array


class TermData(NamedTuple):
    """Terms whose postings are gathered in one array: `rows` int64[T, 8], `data` uint8[m], `words` the same uint32."""

    rows: _Array
    data: _Array
    words: _Array


def summed(segment: SearchSegment, rows: _Array) -> tuple[_Array, _Array]:
    """Return (docs int64[n] ascending, frequencies int64[n, F]) of the articles that have one of some terms, together.

    Raises:
        FormatError: the postings are damaged.
    """
    found = [segment.reader.postings(TermInfo(*row)) for row in rows.tolist() if row[2]]
    if not found:
        return np.empty(0, np.int64), np.empty((0, segment.field_count), np.int64)
    docs, places = np.unique(np.concatenate([own for own, _ in found]).astype(np.int64), return_inverse=True)
    times = np.zeros((docs.size, segment.field_count), np.int64)
    np.add.at(times, places, np.concatenate([freqs.T for _, freqs in found]).astype(np.int64))
    return docs, times


def can_be_joined(rows: _Array) -> bool:
    """Tell whether terms do not stand in too many places."""
    return int(rows[:, 5].sum()) <= _MOST_OCCURRENCES


def joined_term(segment: SearchSegment, rows: _Array) -> JoinedTerm:
    """Return a term that stands wherever one of some terms does, which can be joined, as often as all of them.

    Raises:
        FormatError: the postings are damaged.
    """
    key = ("joined", *rows[:, 0].tolist())
    found: JoinedTerm | None = segment.kept_terms.get(key)
    return segment.keep_term(key, _join(segment, rows)) if found is None else found


def _join(segment: SearchSegment, rows: _Array) -> JoinedTerm:
    docs, times = summed(segment, rows)
    row = np.zeros(8, np.int64)
    row[0] = rows[0, 0]
    fields = segment.field_count
    counts = times.reshape(-1)
    total = int(counts.sum())
    if not docs.size:
        return JoinedTerm(row, np.empty(0, np.uint8))
    if total > _MOST_OCCURRENCES:
        raise segment.reader.damage(f"term {row[0]} and those searched with it stand in {total} places")
    texts = np.repeat((docs[:, None] * fields + np.arange(fields)).reshape(-1), counts).astype(np.uint32)
    # Where they stand is not asked of them.
    positions = (np.arange(total) - np.repeat(counts.cumsum() - counts, counts)).astype(np.uint32)
    room = (int(worst_bytes(total, fields)) + 3) & ~3
    postings, placed = np.empty(room, np.uint8), np.empty(room, np.uint8)
    told = np.zeros((1, 5), np.int64)
    _, used, _ = encode_terms(
        0, np.array([0, total]), texts, positions, NO_PIECES, fields, np.array(segment.weights),
        segment.lengths.astype(np.uint32), make_room(fields), postings, placed, told,
    )  # fmt: skip
    row[1:3] = told[0, TERM_FIELDS : TERM_FIELDS + 2]
    row[4] = used
    return JoinedTerm(row, postings[:used].copy())


def data_of_terms(segment: SearchSegment, terms: Sequence[_Array | JoinedTerm]) -> TermData:
    """Gather the postings of terms, given by their rows, and of joined terms.

    Raises:
        FormatError: the postings of a term are not where there are any.
    """
    rows = np.empty((len(terms), 8), np.int64)
    pieces: list[_Array] = []
    at = 0
    for place, term in enumerate(terms):
        row, data = (term.row, term.data) if isinstance(term, JoinedTerm) else (term, segment.postings)
        rows[place] = row
        if row[2]:
            begin, end = int(row[3]), int(row[4])
            if not 0 <= begin <= end <= data.size:
                raise segment.reader.damage(f"the postings of term {row[0]} are placed at {begin} to {end}")
            # Blocks begin at multiples of 4.
            first = at + (begin - at) % 4
            pieces += [np.zeros(first - at, np.uint8), data[begin:end]]
            at = first + end - begin
            rows[place, 3:5] = first, at
    pieces.append(np.zeros(_BEHIND + -at % 4, np.uint8))
    joined = np.concatenate(pieces)
    joined.flags.writeable = False
    return TermData(rows, joined, joined.view(np.uint32))
