"""Terms that are searched as one, a word and its variants: the postings that one term in their place would have.

They are encoded as the segment's own are, so that the kernel of the best hits needs to know of one kind of term only.
They are made when first searched for, and a segment keeps the last of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from newsindex.codec.encode_kernel import NO_PIECES, TERM_FIELDS, encode_terms, make_room, worst_bytes
from newsindex.codec.reader import TermInfo
from newsindex.search.deadline import Deadline
from newsindex.search.segment import SearchSegment

__all__ = ["TermData", "can_be_gathered", "can_be_joined", "data_of_terms", "joined_term", "summed"]

_Array = npt.NDArray[Any]
# More occurrences take too long to encode, and too much memory while it is done.
_MOST_OCCURRENCES = 500_000
_MOST_BYTES = 8 * 1024 * 1024
# Kernels look at whole blocks at a time.
_BEHIND = 64
_NOTHING, _ZEROS = np.empty(0, np.uint8), np.zeros(4, np.uint8)


class TermData(NamedTuple):
    """Terms, and where their postings and perhaps positions are: `rows` int64[T, 8] as `find` gives them, but for that.

    The rest is read-only, uint8[] and the same as uint32[]. Nobody may change the rows.
    """

    rows: _Array
    postings: _Array
    posting_words: _Array
    positions: _Array
    position_words: _Array


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
    return int(rows[rows[:, 2] > 0, 5].sum()) <= _MOST_OCCURRENCES


def can_be_gathered(rows: _Array, *, with_positions: bool = False) -> bool:
    """Tell whether what `data_of_terms` copies is not too much."""
    present = rows[rows[:, 2] > 0]
    count = int((present[:, 4] - present[:, 3]).sum())
    if with_positions:
        count += int((present[:, 7] - present[:, 6]).sum())
    return count <= _MOST_BYTES


def joined_term(segment: SearchSegment, rows: _Array, deadline: Deadline) -> TermData:
    """Return the one term that stands wherever one of some terms does, which can be joined, as often as all of them.

    Raises:
        FormatError: the postings are damaged.
        QueryTooComplex: the deadline is over.
    """
    deadline.check()
    key = ("joined", *rows[:, 0].tolist())
    found: TermData | None = segment.kept_terms.get(key)
    return segment.keep_term(key, _join(segment, rows)) if found is None else found


def _join(segment: SearchSegment, rows: _Array) -> TermData:
    joined = np.zeros((1, 8), np.int64)
    row = joined[0]
    row[0] = rows[0, 0]
    fields = segment.field_count
    found = [_occurrences(segment, TermInfo(*own)) for own in rows.tolist() if own[2]]
    if not found:
        return TermData(joined, *_readable([]), *_readable([]))
    places = np.sort(np.concatenate(found))
    texts, positions = (places >> 32).astype(np.uint32), (places & 0xFFFFFFFF).astype(np.uint32)
    room = (int(worst_bytes(places.size, fields)) + 3) & ~3
    postings, placed = np.empty(room, np.uint8), np.empty(room, np.uint8)
    told = np.zeros((1, 5), np.int64)
    _, row[4], row[7] = encode_terms(
        0, np.array([0, places.size]), texts, positions, NO_PIECES, fields, np.array(segment.weights),
        segment.lengths.astype(np.uint32), make_room(fields), postings, placed, told,
    )  # fmt: skip
    row[1:3] = told[0, TERM_FIELDS : TERM_FIELDS + 2]
    row[5] = places.size
    return TermData(joined, *_readable([postings[: row[4]]]), *_readable([placed[: row[7]]]))


def _occurrences(segment: SearchSegment, info: TermInfo) -> _Array:
    """Return where a term stands, int64, ascending: doc · F + field in the high 32 bits, the position in the low."""
    docs, freqs = segment.reader.postings(info)
    fields = segment.field_count
    counts = freqs.T.reshape(-1).astype(np.int64)
    gaps = segment.reader.position_gaps(info)
    if int(counts.sum()) != gaps.size:
        raise segment.reader.damage(f"term {info.number} has {gaps.size} positions, and stands {counts.sum()} times")
    texts = (docs.astype(np.int64)[:, None] * fields + np.arange(fields)).reshape(-1)
    sums = np.append(0, gaps.cumsum(dtype=np.int64))
    # Positions are counted anew in each text.
    begins = sums[counts.cumsum() - counts]
    positions = sums[1:] - np.repeat(begins, counts)
    if positions.size and int(positions.max()) >> 32:
        raise segment.reader.damage(f"term {info.number} has a position {positions.max()}")
    places: _Array = (np.repeat(texts, counts) << 32) | positions
    return places


def data_of_terms(
    segment: SearchSegment, terms: Sequence[_Array | TermData], *, with_positions: bool = False
) -> TermData:
    """Gather the postings, and if wanted the positions, of terms, given by their rows, and of joined terms.

    Raises:
        FormatError: those of a term are not where there are any.
    """
    first = terms[0]
    if len(terms) == 1 and isinstance(first, TermData):
        return first
    rows = np.array([term.rows[0] if isinstance(term, TermData) else term for term in terms])
    postings = [term.postings if isinstance(term, TermData) else segment.postings for term in terms]
    found = _gathered(segment, rows, 3, postings)
    if not with_positions:
        return TermData(rows, *found, _NOTHING, _NOTHING)
    positions = [term.positions if isinstance(term, TermData) else segment.positions for term in terms]
    return TermData(rows, *found, *_gathered(segment, rows, 6, positions))


def _gathered(segment: SearchSegment, rows: _Array, column: int, sources: Sequence[_Array]) -> tuple[_Array, _Array]:
    """Return what stands between two columns of the rows, which are changed, joined; and the same as uint32."""
    pieces: list[_Array] = []
    at = 0
    for row, source in zip(rows, sources, strict=True):
        begin, end = row[column : column + 2].tolist()
        if row[2]:
            if not 0 <= begin <= end <= source.size:
                raise segment.reader.damage(f"what is told of term {row[0]} is placed at {begin} to {end}")
            # Blocks begin at multiples of 4.
            first = at + (begin - at) % 4
            pieces += [_ZEROS[: first - at], source[begin:end]]
            at = first + end - begin
            row[column : column + 2] = first, at
    return _readable(pieces)


def _readable(pieces: Sequence[_Array]) -> tuple[_Array, _Array]:
    """Return pieces, joined, as kernels take them."""
    size = sum([piece.size for piece in pieces])
    joined = np.concatenate([*pieces, np.zeros(_BEHIND + -size % 4, np.uint8)])
    joined.flags.writeable = False
    return joined, joined.view(np.uint32)
