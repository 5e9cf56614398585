"""The first articles of sets, over all segments: by date, or by score. One heap for all; exact for any number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.codec.format import MISSING
from newsindex.search.bits_kernel import count_bits, first_keys, sort_keys, top_keys
from newsindex.search.deadline import Deadline
from newsindex.search.segment import FIRSTS, SearchSegment
from newsindex.search.sets import numbers

__all__ = ["top_by_date", "top_by_score"]

_Array = npt.NDArray[Any]
_GREATEST = 2**63 - 1
_LARGE = 10_000
_FEW = 64


def top_by_date(
    segments: Sequence[SearchSegment],
    bitmaps: Sequence[_Array],
    limit: int | None,
    *,
    newest: bool,
    after: tuple[int, int] | None = None,
    deadline: Deadline | None = None,
) -> tuple[_Array, _Array]:
    """Return the first articles in order of date, those without one last, those of one date in order of number.

    Args:
        segments: of the commit.
        bitmaps: the articles of each.
        limit: the most that are wanted; None for all.
        newest: newest first, else oldest first.
        after: only articles behind this (date, number); MISSING for a date that is none.
        deadline: looked at between segments; None for any time.

    Returns:
        (dates int64 with MISSING for none, numbers int64), in order.
    """
    sign = 1 if newest else -1
    place = None if after is None else (after[0] if after[0] == MISSING else sign * after[0], after[1])
    columns = ((segment.dates, *segment.date_order(newest)) for segment in segments)
    keys, found = _top(segments, bitmaps, limit, columns, sign, place, deadline, by_date=True)
    return keys if newest else np.where(keys == MISSING, keys, -keys), found


def top_by_score(
    segments: Sequence[SearchSegment],
    bitmaps: Sequence[_Array],
    scores: Sequence[_Array],
    limit: int | None,
    *,
    after: tuple[float, int] | None = None,
    deadline: Deadline | None = None,
) -> tuple[_Array, _Array]:
    """Return the best articles, those of one score in order of number.

    Args:
        segments: of the commit.
        bitmaps: the articles of each.
        scores: of each segment, float64[n], none negative.
        limit: the most that are wanted; None for all.
        after: only articles behind this (score, number).
        deadline: looked at between segments; None for any time.

    Returns:
        (scores float64, numbers int64), in order.
    """
    # Floats that are not negative are in the order of their bits.
    place = None if after is None else (int(np.float64(after[0]).view(np.int64)), after[1])
    columns = ((_as_keys(own), *segment.any_order) for segment, own in zip(segments, scores, strict=True))
    keys, found = _top(segments, bitmaps, limit, columns, 1, place, deadline)
    return keys.view(np.float64), found


def _as_keys(scores: _Array) -> _Array:
    keys = scores.view(np.int64)
    # As columns of dates are: kernels are compiled for the one kind only.
    keys.setflags(write=False)
    return keys


def _top(
    segments: Sequence[SearchSegment],
    bitmaps: Sequence[_Array],
    limit: int | None,
    columns: Iterable[tuple[_Array, _Array, _Array]],
    sign: int,
    after: tuple[int, int] | None,
    deadline: Deadline | None,
    *,
    by_date: bool = False,
) -> tuple[_Array, _Array]:
    total = sum(segment.doc_count for segment in segments)
    room = total if limit is None else min(limit, total)
    if room > _LARGE:
        room = min(room, sum(map(count_bits, bitmaps)))
    if deadline is not None:
        deadline.check()
    if room > _LARGE:
        return _sorted(segments, bitmaps, room, columns, sign, after)
    keys, found = np.empty(room, np.int64), np.empty(room, np.int64)
    size = 0
    after_key, after_number = after if after is not None else (_GREATEST, -1)
    if room:
        for segment, bits, (values, order, bests) in zip(segments, bitmaps, columns, strict=True):
            if deadline is not None:
                deadline.check()
            rest_key, rest_number = after_key, after_number
            if by_date and _are_near(segment, bits, room):
                firsts = segment.date_firsts(sign > 0)
                size, more = first_keys(
                    bits, values, firsts, sign, segment.base, after_key, after_number, keys, found, size
                )  # fmt: skip
                if not more:
                    continue
                last = int(firsts[-1]) if firsts.size else -1
                if last >= 0:
                    rest_key, rest_number = min(
                        (after_key, -after_number), (sign * int(values[last]), -segment.base - last)
                    )
                    rest_number = -rest_number
            size = top_keys(
                bits, values, sign, segment.base, order, bests, rest_key, rest_number, keys, found, size
            )  # fmt: skip
    if size > _FEW:
        order = np.lexsort((found[:size], ~keys[:size]))
        return keys[order], found[order]
    sort_keys(keys, found, size)
    return keys[:size], found[:size]


def _are_near(segment: SearchSegment, bits: _Array, room: int) -> bool:
    """Tell whether so many articles of a bitmap are sooner found among the first by date than all of it looked at."""
    count = count_bits(bits)
    # Each article of the bitmap takes some three times as long.
    steps = room * segment.doc_count // max(1, count)
    return bool(2 * steps < min(3 * count, 2 * FIRSTS))


def _sorted(
    segments: Sequence[SearchSegment],
    bitmaps: Sequence[_Array],
    room: int,
    columns: Iterable[tuple[_Array, _Array, _Array]],
    sign: int,
    after: tuple[int, int] | None,
) -> tuple[_Array, _Array]:
    """Return what `_top` does, by sorting all: for a large share of them that is quicker than a heap."""
    listed = [numbers(segment, bits) for segment, bits in zip(segments, bitmaps, strict=True)]
    parts = [values[own - segment.base] for segment, own, (values, _, _) in zip(segments, listed, columns, strict=True)]
    keys, found = np.concatenate(parts), np.concatenate(listed)
    if sign < 0:
        keys = np.where(keys == MISSING, keys, -keys)
    if after is not None:
        behind = (keys < after[0]) | ((keys == after[0]) & (found > after[1]))
        keys, found = keys[behind], found[behind]
    # ~x descends as x ascends, and unlike -x never overflows.
    order = np.argsort(~keys, kind="stable")[:room]
    return keys[order], found[order]
