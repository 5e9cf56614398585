"""Lists of strings in a segment."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from operator import lt
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.codec.format import STRINGS_IN_BLOCK
from newsindex.codec.front_kernel import decode_front
from newsindex.codec.sections import Bytes, SectionReader

__all__ = ["FrontCoded", "Strings", "are_texts", "ascend"]

_LONGEST_SHARED = 255
_Array = npt.NDArray[Any]


class Strings:
    """A list of UTF-8 strings in two sections."""

    def __init__(self, sections: SectionReader, name: str, count: int) -> None:
        self._name = name
        self._sections = sections
        self._data: Bytes = sections.array(f"{name}.data", np.uint8)
        self._starts = sections.numbers(f"{name}.starts", count + 1)
        if not self._starts.size or int(self._starts[-1]) != self._data.size:
            raise sections.damage(f"the strings {name} do not end where their section does")

    def __len__(self) -> int:
        """Return how many there are."""
        return self._starts.size - 1

    def encoded(self, number: int) -> bytes:
        """Return the bytes of one."""
        begin, end = int(self._starts[number]), int(self._starts[number + 1])
        if begin > end or end > self._data.size:
            raise self._sections.damage(f"string {number} of {self._name} is placed at {begin} to {end}")
        return self._data[begin:end].tobytes()

    def raw(self) -> tuple[Bytes, Bytes, int]:
        """Return (bytes joined, where each begins, as bytes, how many of these a number takes)."""
        return self._data, self._starts.view(np.uint8), self._starts.itemsize

    def arrays(self) -> tuple[Bytes, _Array]:
        """Return (bytes joined, unsigned[n + 1] where each begins, ascending)."""
        if (self._starts[1:] < self._starts[:-1]).any():
            raise self._sections.damage(f"the strings {self._name} are not in order")
        return self._data, self._starts

    def texts(self) -> list[bytes]:
        """Return the bytes of all; each can be decoded to text."""
        data, starts = self.arrays()
        if not are_texts(data, starts[:-1]):
            raise self._sections.damage(f"a string of {self._name} is not UTF-8")
        joined = data.tobytes()
        return [joined[begin:end] for begin, end in pairwise(starts.tolist())]

    def __getitem__(self, number: int) -> str:
        """Return one."""
        try:
            return self.encoded(number).decode()
        except UnicodeDecodeError:
            raise self._sections.damage(f"string {number} of {self._name} is not UTF-8") from None


def are_texts(data: Bytes, starts: _Array) -> bool:
    """Tell whether the strings that begin at `starts` are UTF-8: all of them joined, and none begins in a character."""
    begins = data[starts[starts < data.size].astype(np.int64)]
    try:
        data.tobytes().decode()
    except UnicodeDecodeError:
        return False
    return not ((begins & 0xC0) == 0x80).any()


def ascend(texts: Sequence[bytes]) -> bool:
    """Tell whether each is greater than the one before."""
    return all(map(lt, texts, texts[1:]))


class FrontCoded:
    """A list of UTF-8 strings in blocks, of each only what differs from the beginning of the one before."""

    def __init__(self, sections: SectionReader, name: str, count: int) -> None:
        self._name = name
        self._count = count
        self._sections = sections
        self._data: Bytes = sections.array(f"{name}.data", np.uint8)
        self._blocks = sections.numbers(f"{name}.blocks", -(-count // STRINGS_IN_BLOCK) + 1)

    def __len__(self) -> int:
        """Return how many there are."""
        return self._count

    def _decode(self, begin: int, end: int, count: int) -> tuple[Bytes, _Array]:
        out = np.empty(end - begin + _LONGEST_SHARED * count, np.uint8)
        starts = np.empty(count + 1, np.int64)
        if decode_front(self._data, begin, end, out, starts) < 0:
            raise self._sections.damage(f"the strings {self._name} from byte {begin} on")
        return out, starts

    def encoded(self, number: int) -> bytes:
        """Return the bytes of one."""
        if not 0 <= number < self._count:
            raise IndexError(number)
        block = number // STRINGS_IN_BLOCK
        begin, end = int(self._blocks[block]), int(self._blocks[block + 1])
        if not begin <= end <= self._data.size:
            raise self._sections.damage(f"block {block} of the strings {self._name} is placed at {begin} to {end}")
        place = number - block * STRINGS_IN_BLOCK
        out, starts = self._decode(begin, end, place + 1)
        return out[starts[place] : starts[place + 1]].tobytes()

    def raw(self) -> tuple[Bytes, Bytes, int]:
        """Return (bytes of the blocks, where each begins, as bytes, how many of these a number takes)."""
        return self._data, self._blocks.view(np.uint8), self._blocks.itemsize

    def arrays(self) -> tuple[Bytes, _Array]:
        """Return (bytes joined, int64[n + 1] where each begins), decoded anew."""
        out, starts = self._decode(0, self._data.size, self._count)
        return out[: starts[-1]], starts

    def texts(self) -> list[bytes]:
        """Return the bytes of all; each can be decoded to text."""
        data, starts = self.arrays()
        if not are_texts(data, starts[:-1]):
            raise self._sections.damage(f"a string of {self._name} is not UTF-8")
        joined = data.tobytes()
        return [joined[begin:end] for begin, end in pairwise(starts.tolist())]

    def __getitem__(self, number: int) -> str:
        """Return one."""
        try:
            return self.encoded(number).decode()
        except UnicodeDecodeError:
            raise self._sections.damage(f"string {number} of {self._name} is not UTF-8") from None
