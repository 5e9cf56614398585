"""The values of a keyword field over all segments of a commit, and how many of some articles have each."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.search.bits_kernel import sort_keys
from newsindex.search.column_sets import value_counts
from newsindex.search.deadline import Deadline
from newsindex.search.segment import SearchSegment

__all__ = ["Facet"]

_Array = npt.NDArray[Any]
_FEW = 64


class Facet:
    """The different values of a keyword field; made once for a commit. Any number of threads may use one."""

    def __init__(self, segments: Sequence[SearchSegment], field: str) -> None:
        """Number the values of all segments.

        Raises:
            FormatError: the values of a segment are not in order, or not UTF-8.
        """
        self._segments = segments
        self._field = field
        columns = [segment.keywords(field).column for segment in segments]
        own_keys = [column.sorted_keys() for column in columns]
        self.keys: list[bytes] = own_keys[0] if len(columns) == 1 else sorted(set().union(*own_keys))
        """The folded values, ascending."""
        number = {key: place for place, key in enumerate(self.keys)} if len(columns) > 1 else {}
        self._numbers = [np.array([number[key] for key in keys], np.int64) for keys in own_keys if number]
        own_shown = [[text.decode() for text in column.shown.texts()] for column in columns]
        self._shown: list[str] = own_shown[0].copy() if len(columns) == 1 else [""] * len(self.keys)
        # Of values that are written in several ways: how, in each segment that has them.
        self._ways: dict[int, dict[int, str]] = {}
        for at in range(len(self._numbers) - 1, -1, -1):
            for value, shown in zip(self._numbers[at].tolist(), own_shown[at], strict=True):
                self._shown[value] = shown
        for at, numbers in enumerate(self._numbers):
            for value, shown in zip(numbers.tolist(), own_shown[at], strict=True):
                if shown != self._shown[value]:
                    self._ways[value] = {}
        for at, numbers in enumerate(self._numbers if self._ways else ()):
            for place, value in enumerate(numbers.tolist()):
                if value in self._ways:
                    self._ways[value][at] = own_shown[at][place]

    def counts(
        self, bitmaps: Sequence[_Array], limit: int | None = None, prefix: bytes = b"", *, deadline: Deadline
    ) -> dict[str, int]:
        """Return the values that articles have, and how many have each: the most frequent first, then by folded value.

        A value is shown as it was first written in the first segment that has it in one of the articles.

        Args:
            bitmaps: the articles of each segment.
            limit: the most values to return.
            prefix: only values that begin so, folded.
            deadline: looked at between segments.
        """
        own = []
        for segment, bits in zip(self._segments, bitmaps, strict=True):
            deadline.check()
            own.append(value_counts(segment, self._field, bits))
        deadline.check()
        if self._numbers:
            total = np.zeros(len(self.keys), np.int64)
            for numbers, counts in zip(self._numbers, own, strict=True):
                total[numbers] += counts
        else:
            total = own[0] if own else np.zeros(0, np.int64)
        values = total.nonzero()[0]
        if prefix:
            # No byte of UTF-8 is 0xFF.
            ends = bisect_left(self.keys, prefix), bisect_left(self.keys, prefix + b"\xff")
            values = values[(values >= ends[0]) & (values < ends[1])]
        found = total[values]
        if values.size > _FEW:
            order = np.argsort(-found, kind="stable")
            values, found = values[order], found[order]
        else:
            sort_keys(found, values, values.size)
        chosen = values[:limit].tolist()
        shown = self._shown
        names = [shown[value] for value in chosen]
        if self._ways:
            for place, value in enumerate(chosen):
                if value in self._ways:
                    names[place] = self._way(value, own)
        return dict(zip(names, found[:limit].tolist(), strict=True))

    def _way(self, value: int, own: list[_Array]) -> str:
        """Return how a value is written where one of the articles has it first."""
        for at, shown in self._ways[value].items():
            if own[at][int(np.searchsorted(self._numbers[at], value))]:
                return shown
        raise AssertionError("a value that was counted stands in a segment")
