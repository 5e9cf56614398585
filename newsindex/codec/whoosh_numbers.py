"""The terms of dates and numbers, by which Whoosh finds ranges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.codec.whoosh_matcher import Postings
from newsindex.codec.whoosh_terms import FieldTerms

__all__ = ["number_terms", "sortable"]

_SIGN = np.uint64(1 << 63)
_Array = npt.NDArray[Any]


def number_terms(numbers: _Array, present: _Array, step: int) -> FieldTerms:
    """Return the terms of a column of int64 or float64; with each step Whoosh cuts off so many bits."""
    docs = np.flatnonzero(present)
    return _NumberTerms(sortable(numbers[docs]), docs, step)


def sortable(numbers: _Array) -> _Array:
    """Return int64 or float64 as uint64 of the same order, by Whoosh's mapping."""
    bits = numbers.view(np.int64)
    if numbers.dtype == np.float64:
        bits = np.where(bits < 0, bits ^ np.int64(2**63 - 1), bits)
    return bits.view(np.uint64) ^ _SIGN


class _NumberTerms(FieldTerms):
    """The terms by which Whoosh finds ranges: each number in steps of precision, from all bits to the highest few.

    A term is the number of bits cut off, then the rest in 8 bytes. Articles in order of their number serve all steps:
    those of a term stand side by side.
    """

    def __init__(self, numbers: _Array, docs: _Array, step: int) -> None:
        order = np.argsort(numbers, kind="stable")
        self._numbers = numbers[order]
        self._docs = docs[order].astype(np.uint32)
        self._shifts = range(0, 64, step)

    def _place(self, number: int) -> int:
        return int(np.searchsorted(self._numbers, np.uint64(number))) if number < 1 << 64 else self._numbers.size

    def _range(self, term: bytes) -> tuple[int, int]:
        if len(term) != 9 or term[0] not in self._shifts:
            return 0, 0
        number = int.from_bytes(term[1:])
        return self._place(number << term[0]), self._place(number + 1 << term[0])

    def begin(self, start: bytes) -> Iterator[bytes]:
        for shift in self._shifts:
            if bytes([shift]) < start[:1]:
                continue
            least = 0
            if start[:1] == bytes([shift]):
                least = int.from_bytes(start[1:9].ljust(8, b"\0")) + (len(start) > 9)
            place = self._place(least << shift)
            while place < self._numbers.size:
                number = int(self._numbers[place]) >> shift
                yield bytes([shift]) + number.to_bytes(8)
                place = self._place(number + 1 << shift)

    def doc_frequency(self, term: bytes) -> int:
        begin, end = self._range(term)
        return end - begin

    def postings(self, term: bytes) -> Postings | None:
        begin, end = self._range(term)
        return Postings(np.sort(self._docs[begin:end])) if begin < end else None
