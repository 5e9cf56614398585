"""The body of a segment as named sections, written in order and read in place."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.codec.format import ALIGNMENT, DIGEST_BYTES, MOST_ALIKE, TRAILER_BYTES
from newsindex.errors import FormatError

__all__ = ["Bytes", "SectionReader", "SectionWriter"]

Bytes = npt.NDArray[np.uint8]
_WIDTHS: dict[int, Any] = {1: np.uint8, 2: np.uint16, 4: np.uint32}
_LARGEST_DIRECTORY = 16 * 1024 * 1024
_Chunk = bytes | memoryview | npt.NDArray[Any]


class SectionWriter:
    """Collects what a segment says of itself, and turns sections into the chunks of its body."""

    def __init__(self) -> None:
        self._places: dict[str, tuple[int, int]] = {}
        self._at = 0
        self.keywords: dict[str, int] = {}
        """The number of values of each keyword field, to be told by the directory."""

    def section(self, name: str, chunks: _Chunk | Iterable[_Chunk]) -> Iterator[memoryview]:
        """Yield the chunks of a section, and zeros up to where the next may begin."""
        if isinstance(chunks, bytes | memoryview | np.ndarray):
            chunks = [chunks]
        begin = self._at
        for chunk in chunks:
            if isinstance(chunk, np.ndarray):
                chunk = np.ascontiguousarray(chunk).reshape(-1).view(np.uint8).data
            view = memoryview(chunk)
            if view.nbytes:
                self._at += view.nbytes
                yield view
        self._places[name] = (begin, self._at - begin)
        padding = -self._at % ALIGNMENT
        if padding:
            self._at += padding
            yield memoryview(bytes(padding))

    def directory(self, said: dict[str, Any]) -> Iterator[memoryview]:
        """Yield the end of the body: the directory, with what else is to be said, and the trailer."""
        encoded = json.dumps(
            said | {"keywords": self.keywords, "sections": self._places}, separators=(",", ":")
        ).encode()
        yield memoryview(encoded)
        yield memoryview(struct.pack("<QQ", self._at, len(encoded)))


class SectionReader:
    """The sections of a body as arrays that share its memory; every place is checked against the body's length."""

    def __init__(self, body: Bytes, file: str) -> None:
        """Read the directory.

        Raises:
            FormatError: it is damaged.
        """
        self.file = file
        self._body = body
        if body.size < TRAILER_BYTES:
            raise self.damage(f"the body has {body.size} bytes, a trailer {TRAILER_BYTES}")
        offset, length = struct.unpack("<QQ", body[-TRAILER_BYTES:].tobytes())
        if length > _LARGEST_DIRECTORY or offset + length + TRAILER_BYTES != body.size:
            raise self.damage(f"the trailer places the directory at {offset} + {length} of {body.size} bytes")
        try:
            said = json.loads(body[offset : offset + length].tobytes())
            places = {str(name): (int(begin), int(size)) for name, (begin, size) in said["sections"].items()}
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise self.damage(f"the directory at byte {offset} is not as it should be ({error!r})") from None
        for name, (begin, size) in places.items():
            if begin < 0 or size < 0 or begin % ALIGNMENT or begin + size > offset:
                raise self.damage(f"the section {name} is placed at {begin} + {size} of {offset} bytes")
        self._places = places
        self.said: dict[str, Any] = said

    def sizes(self) -> dict[str, int]:
        """Return the bytes of each section."""
        return {name: size for name, (_, size) in self._places.items()}

    def place(self, name: str) -> int:
        """Return the offset of a section."""
        return self._places[name][0]

    def array(self, name: str, dtype: npt.DTypeLike, count: int | None = None) -> npt.NDArray[Any]:
        """Return a section as an array; a view, not a copy.

        Raises:
            FormatError: there is none, or it has not `count` numbers.
        """
        if name not in self._places:
            raise self.damage(f"the section {name} is missing")
        begin, size = self._places[name]
        kind = np.dtype(dtype)
        if size % kind.itemsize or (count is not None and size != count * kind.itemsize):
            raise self.damage(f"the section {name} has {size} bytes, not {count} numbers of {kind.itemsize} bytes")
        return self._body[begin : begin + size].view(kind)

    def numbers(self, name: str, count: int) -> npt.NDArray[Any]:
        """Return a section of `count` unsigned numbers of whatever width: a view, and no copy unless they are alike.

        Raises:
            FormatError: there is none, or its size is not that of so many numbers of 1, 2, 4 or 8 bytes.
        """
        size = self._places.get(name, (0, -1))[1]
        # Memory is made for no more numbers than there are articles, which have a digest each.
        if 0 < size <= MOST_ALIKE < count <= self._places.get("digest", (0, 0))[1] // DIGEST_BYTES + 1:
            one = self.array(name, _WIDTHS.get(size, np.uint64), 1)
            return np.full(count, one[0])
        return self.array(name, _WIDTHS.get(size // count if count else 1, np.uint64), count)

    def damage(self, reason: str) -> FormatError:
        """Return the error that says what is wrong in this file."""
        return FormatError(self.file, f"damaged: {reason}; restore it from a copy, or rebuild the index")
