"""Sets of a segment's articles by what their columns say: ranges, flags, keyword values, ids; and counts of values."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.query.tree import Range
from newsindex.schema import Field
from newsindex.search.bits_kernel import bits_in_range, count_values, value_bits
from newsindex.search.patterns import fitting
from newsindex.search.segment import NO_BITS, SearchSegment, bits_of, key_of
from newsindex.search.sets import everything, nothing

__all__ = [
    "Bounds", "bounds_of", "id_bitmap", "keyword_bitmap", "keyword_pattern_bitmap", "keyword_prefix_bitmap",
    "range_bitmap", "value_counts",
]  # fmt: skip

_Array = npt.NDArray[Any]
Bounds = tuple[int, int] | tuple[float, float]
# The least one stands for "no date".
_LEAST, _MOST = -(2**63) + 1, 2**63 - 1


def bounds_of(field: Field, wanted: Range) -> Bounds | None:
    """Return the least and the greatest value of a range, both in it; None when there can be none.

    Whole numbers, dates and flags have whole bounds, floats have floats, infinite where the range is open.
    """
    low, high, low_open, high_open = wanted.low, wanted.high, wanted.low_open, wanted.high_open
    if field.type_name == "float":
        least, most = (-math.inf if low is None else float(low)), (math.inf if high is None else float(high))
        # Between two neighbours there is no other float; but a bound need not be a float itself.
        if low is not None and (least < low or (low_open and least == low)):
            least = math.nextafter(least, math.inf)
        if high is not None and (most > high or (high_open and most == high)):
            most = math.nextafter(most, -math.inf)
        return (least, most) if least <= most else None
    first = _LEAST if low is None else math.floor(low) + 1 if low_open else math.ceil(low)
    last = _MOST if high is None else math.ceil(high) - 1 if high_open else math.floor(high)
    first, last = max(first, _LEAST), min(last, _MOST)
    return (first, last) if first <= last else None


def range_bitmap(segment: SearchSegment, field: str, bounds: Bounds | None, within: _Array = NO_BITS) -> _Array:
    """Return the articles whose date, number or flag is within the bounds; without `within`, of those that live.

    Args:
        segment: where to look.
        field: a date, number or flag field.
        bounds: what `bounds_of` returned.
        within: only these articles; the fewer there are, the less is looked at.
    """
    if bounds is None:
        return nothing(segment)
    low, high = bounds
    values, present = segment.reader.column(field)
    if values.dtype == np.uint8:
        bits = segment.kept((field, bounds))
        if bits is None:
            bits = segment.keep((field, bounds), bits_of(present & (values >= low) & (values <= high)))
        return bits & (within if within.size else everything(segment))
    found = within.copy() if within.size else everything(segment)
    minima, maxima = segment.windows(field)
    bits_in_range(segment.keys(field), key_of(low), key_of(high), minima, maxima, found)
    have = segment.present(field)
    if have.size:
        found &= have
    return found


def keyword_bitmap(segment: SearchSegment, field: str, keys: Sequence[bytes]) -> _Array:
    """Return the articles that have one of the folded values, deleted ones too; it is kept, nobody may change it."""
    name = (field, *keys)
    found = segment.kept(name)
    if found is None:
        known = segment.keywords(field).column.keys
        places = [bisect_left(range(len(known)), key, key=known.encoded) for key in keys]
        own = [place for place, key in zip(places, keys, strict=True) if _is_at(known, place, key)]
        found = segment.keep(name, _with_values(segment, field, np.array(own, np.int64)))
    return found


def keyword_prefix_bitmap(segment: SearchSegment, field: str, prefix: bytes) -> _Array:
    """Return the articles with a folded value that begins so, deleted ones too; it is kept, nobody may change it."""
    name = (field, prefix, "*")
    found = segment.kept(name)
    if found is None:
        known = segment.keywords(field).column.keys
        first = bisect_left(range(len(known)), prefix, key=known.encoded)
        # No byte of UTF-8 is 0xFF.
        after = bisect_left(range(len(known)), prefix + b"\xff", lo=first, key=known.encoded)
        found = segment.keep(name, _with_values(segment, field, np.arange(first, after)))
    return found


def keyword_pattern_bitmap(segment: SearchSegment, field: str, pattern: str) -> _Array:
    """Return the articles with a folded value that fits, deleted ones too; it is kept, nobody may change it."""
    name = (field, pattern, "?")
    found = segment.kept(name)
    if found is None:
        known = segment.keywords(field).column.keys.texts()
        fits = fitting(pattern)
        own = [place for place, key in enumerate(known) if fits(key.decode())]
        found = segment.keep(name, _with_values(segment, field, np.array(own, np.int64)))
    return found


def _is_at(known: Any, place: int, key: bytes) -> bool:
    return place < len(known) and known.encoded(place) == key


def _with_values(segment: SearchSegment, field: str, values: _Array) -> _Array:
    bits = nothing(segment)
    docs, ends = segment.keywords(field).postings
    value_bits(docs, ends, values, bits)
    return bits


def id_bitmap(segment: SearchSegment, article_id: str) -> _Array:
    """Return the article with this id, deleted or not."""
    bits = nothing(segment)
    doc = segment.reader.find_id(article_id)
    # Looked up, a text that is no UTF-8 could be taken for an id with question marks.
    if doc is not None and segment.reader.ids[doc] == article_id:
        bits[doc >> 6] = np.uint64(1 << (doc & 63))
    return bits


def value_counts(segment: SearchSegment, field: str, bits: _Array) -> _Array:
    """Return how many of the articles have each value of a keyword field, int64[values]."""
    values = segment.keywords(field)
    counts = np.zeros(values.count + 1, np.int64)
    count_values(bits, values.single, values.ords, values.starts, counts)
    return counts[:-1]
