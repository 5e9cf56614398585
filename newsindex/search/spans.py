"""Where words stand, as sorted arrays, and what stands near what.

A place is a number: (article in the window) · 2^36 + field · 2^33 + position, so that places ascend as texts do. The
space behind the positions, all of which are below 2^32, keeps what is near in one field from being near in the next.
A span goes from the place of its first word to that of its last; a word's two are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from newsindex.search.occurrences_kernel import ARTICLE_SHIFT, FIELD_SHIFT

__all__ = [
    "NO_SPANS",
    "Crowded",
    "Reach",
    "Spans",
    "articles_of",
    "choose",
    "close_together",
    "in_a_row",
    "near",
    "near_any",
    "union",
    "within_reach",
    "within_units",
    "words_of",
]

_Array = npt.NDArray[Any]
_IN_FIELD = (1 << FIELD_SHIFT) - 1
_FIELD_END = np.int64(1 << 62)


class Crowded(Exception):
    """There are more spans than may be made at a time."""


class Spans(NamedTuple):
    """Spans in order of their first places, equal ones of their last; none twice. Both int64[n]."""

    first: _Array
    last: _Array


class Reach(NamedTuple):
    """How far from each of some spans another may stand: it begins after the last place and at `high` or before.

    Or it ends before the first place and at `low` or after. All int64[n].
    """

    low: _Array
    high: _Array


_NONE: _Array = np.empty(0, np.int64)
NO_SPANS = Spans(_NONE, _NONE)


def words_of(places: _Array) -> Spans:
    """Return the spans of single words."""
    return Spans(places, places)


def articles_of(spans: Spans) -> _Array:
    """Return the article of each span, int64[n], ascending."""
    found: _Array = spans.first >> ARTICLE_SHIFT
    return found


def union(parts: Sequence[Spans]) -> Spans:
    """Return the spans that are in any of some."""
    given = [part for part in parts if part.first.size]
    if len(given) < 2:
        return given[0] if given else NO_SPANS
    return _ordered(np.concatenate([part.first for part in given]), np.concatenate([part.last for part in given]))


def _ordered(first: _Array, last: _Array) -> Spans:
    order = np.lexsort((last, first))
    first, last = first[order], last[order]
    if first.size > 1:
        new = np.ones(first.size, bool)
        new[1:] = (first[1:] != first[:-1]) | (last[1:] != last[:-1])
        first, last = first[new], last[new]
    return Spans(first, last)


def in_a_row(words: Sequence[_Array]) -> Spans:
    """Return where words stand next to each other in order, given the places of each."""
    rarest = min(range(len(words)), key=lambda number: words[number].size)
    found = words[rarest] - rarest
    for number, places in enumerate(words):
        if number != rarest and found.size:
            found = found[_are_in(found + number, places)]
    return Spans(found, found + (len(words) - 1))


def _are_in(wanted: _Array, places: _Array) -> _Array:
    if not places.size:
        return np.zeros(wanted.size, bool)
    at = np.searchsorted(places, wanted)
    found: _Array = places[np.minimum(at, places.size - 1)] == wanted
    return found


def close_together(words: Sequence[tuple[_Array, int]], width: int) -> Spans:
    """Return the shortest spans from a place of one of the words on that have all of them, in any order.

    Args:
        words: of each different word its places, and how many of them are needed.
        width: how many places there may be from the first to the last.
    """
    if any(places.size < times for places, times in words):
        return NO_SPANS
    first = np.unique(np.concatenate([places for places, _ in words]))
    last = first.copy()
    for places, times in words:
        at = np.searchsorted(places, first) + (times - 1)
        inside = at < places.size
        first, last, at = first[inside], last[inside], at[inside]
        last = np.maximum(last, places[at])
        inside = last - first < width
        first, last = first[inside], last[inside]
    return Spans(first, last)


def within_reach(spans: Spans, distance: int, ordered: bool) -> Reach:
    """Return how far other spans may stand that are at most `distance` words on, or after if `ordered`."""
    return Reach(spans.first if ordered else spans.first - distance, spans.last + distance)


def within_units(spans: Spans, begins: _Array, ordered: bool = False) -> tuple[_Array, Spans, Reach]:
    """Return which spans lie in one sentence, or paragraph, each; these; how far others may stand in the same one.

    `begins` are the places where sentences begin, ascending.
    """
    unit = np.searchsorted(begins, spans.first, side="right")
    after = np.append(begins, _FIELD_END)[unit]
    inside: _Array = spans.last < after
    kept, after, unit = choose(spans, inside), after[inside], unit[inside]
    # What stands before the first beginning that is known goes from the beginning of the field.
    begin = np.maximum(np.insert(begins, 0, 0)[unit], kept.first & ~np.int64(_IN_FIELD))
    return inside, kept, Reach(kept.first if ordered else begin, np.minimum(after - 1, kept.first | _IN_FIELD))


def near_any(spans: Spans, reach: Reach, others: Spans) -> _Array:
    """Tell of each span whether any of the others is within its reach and shares no place with it: bool[n]."""
    if not others.first.size:
        return np.zeros(spans.first.size, bool)
    ends = others.last if others.last is others.first else np.sort(others.last)
    found = _any_in(others.first, spans.last + 1, reach.high)
    found |= _any_in(ends, reach.low, spans.first - 1)
    return found


def _any_in(places: _Array, low: _Array, high: _Array) -> _Array:
    at = np.searchsorted(places, low)
    found: _Array = (at < places.size) & (places[np.minimum(at, places.size - 1)] <= high)
    return found


def near(spans: Spans, reach: Reach, others: Spans, most: int) -> Spans:
    """Return the span over each pair of a span and another within its reach that shares no place with it.

    Raises:
        Crowded: there are over `most` pairs.
    """
    if not others.first.size or not spans.first.size:
        return NO_SPANS
    order = np.argsort(others.last, kind="stable")
    ends = others.last[order]
    begin_after = np.searchsorted(others.first, spans.last, side="right")
    counts_after = np.maximum(np.searchsorted(others.first, reach.high, side="right") - begin_after, 0)
    begin_before = np.searchsorted(ends, reach.low)
    counts_before = np.maximum(np.searchsorted(ends, spans.first) - begin_before, 0)
    if int(counts_after.sum()) + int(counts_before.sum()) > most:
        raise Crowded
    after, before = _listed(begin_after, counts_after), order[_listed(begin_before, counts_before)]
    return _ordered(
        np.concatenate([np.repeat(spans.first, counts_after), others.first[before]]),
        np.concatenate([others.last[after], np.repeat(spans.last, counts_before)]),
    )


def _listed(begins: _Array, counts: _Array) -> _Array:
    """Return the numbers begins[0], begins[0] + 1, …, counts[0] of them, then those from begins[1] on, …"""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if ends.size else 0
    found: _Array = np.arange(total) + np.repeat(begins - ends + counts, counts)
    return found


def choose(spans: Spans, chosen: _Array) -> Spans:
    """Return the spans of which bool[n] is set."""
    if spans.first is spans.last:
        return words_of(spans.first[chosen])
    return Spans(spans.first[chosen], spans.last[chosen])
