"""What chooses articles without scoring them: functions from a segment to a bool for each of its articles."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.query.tree import Range
from newsindex.schema import Field
from newsindex.search.deadline import Deadline
from newsindex.search.snapshot import Snapshot
from newsindex.store.live import LiveSegment

__all__ = ["Choose", "anything", "in_range", "nothing", "with_id", "with_terms", "with_values"]

_Array = npt.NDArray[Any]
Choose = Callable[[LiveSegment], _Array]
_LEAST, _MOST = -(2**63), 2**63 - 1


def anything(segment: LiveSegment) -> _Array:
    """Choose every article that lives."""
    return segment.live


def nothing(segment: LiveSegment) -> _Array:
    """Choose none."""
    return np.zeros(segment.reader.doc_count, bool)


def with_id(article_id: str) -> Choose:
    """Choose the article with this id."""

    def choose(segment: LiveSegment) -> _Array:
        chosen = nothing(segment)
        doc = segment.reader.find_id(article_id)
        # Looked up, a text that is no UTF-8 could be taken for an id with question marks.
        if doc is not None and segment.reader.ids[doc] == article_id:
            chosen[doc] = True
        return chosen

    return choose


def with_values(snapshot: Snapshot, name: str, folded: str, *, prefix: bool = False) -> Choose:
    """Choose articles that have a folded value of a keyword field, or one that begins so."""
    wanted = folded.encode("utf-8", "surrogatepass")

    def choose(segment: LiveSegment) -> _Array:
        column = snapshot.keywords(name, segment)
        keys = range(len(column.keys))
        first = bisect_left(keys, wanted, key=column.keys.encoded)
        # No byte of UTF-8 is 0xFF.
        after = bisect_left(keys, wanted + (b"\xff" if prefix else b"\0"), lo=first, key=column.keys.encoded)
        chosen = nothing(segment)
        for number in range(first, after) if after - first < 3 else ():
            chosen[column.docs(number)] = True
        if after - first >= 3:
            has = (column.ords >= first) & (column.ords < after)
            chosen[np.repeat(np.arange(chosen.size), np.diff(column.starts))[has]] = True
        return chosen

    return choose


def with_terms(terms: Iterable[str], fields: int, deadline: Deadline) -> Choose:
    """Choose articles that have one of the terms in one of the text fields (bit f for field f)."""

    def choose(segment: LiveSegment) -> _Array:
        chosen = nothing(segment)
        for term in terms:
            deadline.check()
            info = segment.reader.find(term.encode())
            if info is not None and info.fields & fields:
                docs, freqs = segment.reader.postings(info)
                wanted = [field for field in range(freqs.shape[0]) if fields >> field & 1]
                chosen[docs[(freqs[wanted] > 0).any(axis=0)]] = True
        return chosen

    return choose


def in_range(field: Field, wanted: Range) -> Choose:
    """Choose articles whose date, number or flag is in a range."""
    low, high, low_open, high_open = wanted.low, wanted.high, wanted.low_open, wanted.high_open
    if field.type_name != "float":  # 3.5 lies between two whole numbers; those of a column have 64 bits
        if low is not None:
            low_open, low = low_open and low == math.floor(low), math.ceil(low)
            low = low + low_open
            if low > _MOST:
                return nothing
            low, low_open = max(low, _LEAST), False
        if high is not None:
            high_open, high = high_open and high == math.floor(high), math.floor(high)
            high = high - high_open
            if high < _LEAST:
                return nothing
            high, high_open = min(high, _MOST), False

    def choose(segment: LiveSegment) -> _Array:
        values, present = segment.reader.column(field.name)
        chosen: _Array = present.copy()
        if low is not None:
            chosen &= (values > low) if low_open else (values >= low)
        if high is not None:
            chosen &= (values < high) if high_open else (values <= high)
        return chosen

    return choose
