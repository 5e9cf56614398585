"""Values by article, by which Whoosh sorts and groups."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.codec.reader import SegmentReader
from newsindex.codec.whoosh_numbers import sortable
from newsindex.schema import Date, Keyword
from newsindex.whoosh_door import columns

__all__ = ["YEAR_ONE", "value_column"]

YEAR_ONE = 62_135_596_800_000_000  # microseconds from the beginning of the year 1, where Whoosh counts from, to 1970
_MISSING = np.uint64(2**64 - 1)


def value_column(segment: SegmentReader, name: str) -> Any:
    """Return Whoosh's column of a date, number or keyword field.

    A date is in microseconds since the year 1, a number what `sortable` makes of it, of keywords there is the first.
    Without a value an article has what stock Whoosh gives: the greatest number, or no bytes.
    """
    if isinstance(segment.schema.fields[name].kind, Keyword):
        values = segment.keywords(name)
        keys = values.sorted_keys()
        ords = values.ords.tolist()
        return _Column([keys[ords[begin]] if begin < end else b"" for begin, end in pairwise(values.starts.tolist())])
    numbers, present = segment.column(name)
    if isinstance(segment.schema.fields[name].kind, Date):
        # Stock Whoosh moves a number to make room for its sign, in terms and columns; a date in terms only.
        moments = (np.where(present, numbers, 0) + YEAR_ONE).astype(np.uint64)
        return _Column(np.where(present, moments, _MISSING))
    return _Column(np.where(present, sortable(numbers), _MISSING))


class _Column(columns.ColumnReader):  # type: ignore[misc]
    def __init__(self, values: list[bytes] | npt.NDArray[np.uint64]) -> None:
        self._values = values
        self._reverse = False

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, docnum: int) -> bytes | int:
        value = self._values[docnum]
        return value if isinstance(value, bytes) else int(value)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.load())

    def sort_key(self, docnum: int) -> bytes | int:
        value = self[docnum]
        return -value if self._reverse and isinstance(value, int) else value

    def load(self) -> list[Any]:
        return self._values if isinstance(self._values, list) else self._values.tolist()

    def set_reverse(self) -> None:
        if isinstance(self._values, list):
            raise NotImplementedError  # so Whoosh knows that it has to reverse the order itself
        self._reverse = True
