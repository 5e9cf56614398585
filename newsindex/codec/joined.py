"""Many strings as one array of bytes, and words in their order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from newsindex.codec.merge_kernel import gather_bytes

__all__ = ["Joined", "in_order"]

_EIGHT = 8  # letters that make a number
_Array = npt.NDArray[Any]


class Joined(NamedTuple):
    """Strings in UTF-8, one behind the other: uint8, and where each begins, int64[n + 1]."""

    data: npt.NDArray[np.uint8]
    starts: _Array

    @classmethod
    def of(cls, texts: Sequence[bytes]) -> Joined:
        """Join strings."""
        starts = np.zeros(len(texts) + 1, np.int64)
        np.cumsum([len(text) for text in texts], out=starts[1:])
        return cls(np.frombuffer(b"".join(texts), np.uint8), starts)

    def __len__(self) -> int:
        """Return how many there are."""
        return self.starts.size - 1


def in_order(words: Sequence[str]) -> tuple[_Array, Joined]:
    """Return the order that sorts words, int64[n], and the words in this order.

    They are compared eight bytes at a time: the order of code points is the order of their UTF-8. No word has a
    character below the line's end, which stands behind each here and so is less than whatever another has there.
    """
    if not words:
        return np.empty(0, np.int64), Joined.of([])
    data = np.frombuffer(bytearray("\n".join([*words, ""]).encode() + bytes(2 * _EIGHT)), np.uint8)
    ends = np.flatnonzero(data == ord("\n"))
    begins = np.append(0, ends[:-1] + 1)
    numbers: _Array = np.ndarray(data.size - _EIGHT + 1, ">u8", data, strides=(1,))
    first = numbers[begins].astype(np.uint64)
    order = np.argsort(first)
    tied = _tied(first[order])
    if tied.size:
        own = order[tied]
        second = numbers[begins[own] + _EIGHT].astype(np.uint64)
        by = np.lexsort((second, first[own]))
        own = own[by]
        rest = _tied(first[own], second[by])
        own[rest] = sorted(own[rest].tolist(), key=words.__getitem__)
        order[tied] = own
    bounds = np.append(np.stack([begins, ends], 1).reshape(-1), ends[-1:])
    joined, starts = np.empty(int((ends - begins).sum()), np.uint8), np.empty(begins.size + 1, np.uint64)
    gather_bytes(data, bounds, 2 * order, joined, starts)
    joined.flags.writeable = False  # as all joined strings: a kernel is compiled for one of both
    return order, Joined(joined, starts.astype(np.int64))


def _tied(*keys: _Array) -> _Array:
    """Return the places of those that are like one beside them in all keys, sorted by which they are."""
    alike = np.logical_and.reduce([key[1:] == key[:-1] for key in keys])
    return np.flatnonzero(np.append(alike, False) | np.append(False, alike))
