"""Bounded reading: the head of a stream, a whole small file, numbered lines; damage becomes a SourceError."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, TextIO, cast

from newsindex.errors import SourceError

__all__ = ["HEAD", "MOST_BLANK_LINES", "MOST_VALUES", "Line", "Rejoined", "Unpacked", "numbered_lines", "read_whole"]

HEAD = 64 * 1024
_DAMAGE = (EOFError, zlib.error, OSError)
_CHUNK = 64 * 1024
# How far past a limit bytes are counted, so that the error can tell the true size of all but the largest files.
_COUNTED = 10


# Of one record, or of one file that is read at once: in Python each takes some 70 bytes, of three in the file.
MOST_VALUES = 1_000_000
# Each takes half a microsecond, and one byte.
MOST_BLANK_LINES = 1_000_000
# Text packs to a third or a tenth; what unpacks to more than this times its size is made to.
_HIGHEST_RATIO = 100
_ANY_RATIO_BYTES = 1024 * 1024


class Rejoined(io.RawIOBase):
    """A stream whose first bytes were taken to look at, and are given again; `head` has them.

    Works on what cannot seek: pipes and decompressors. Damage met while looking is raised when a reader gets there,
    so that the bytes before it are not lost.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._damage: Exception | None = None
        head = bytearray()
        try:
            while len(head) < HEAD and (chunk := _read_some(stream, HEAD - len(head))):
                head += chunk
        except _DAMAGE as error:
            self._damage = error
        self.head = bytes(head)
        self._given = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer from the head, then from the stream."""
        chunk = self.head[self._given : self._given + len(buffer)]
        if chunk:
            self._given += len(chunk)
        elif self._damage:
            raise self._damage
        else:
            chunk = _read_some(self._stream, len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)


class Unpacked(io.RawIOBase):
    """What a stream of gzip holds, unless that is so much more than its packed bytes that it is made to be."""

    def __init__(self, stream: BinaryIO, file: str) -> None:
        self._packed = _Counted(stream)
        self._unpacked = gzip.GzipFile(fileobj=io.BufferedReader(self._packed))
        self._file = file
        self._given = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer.

        Raises:
            SourceError: the ratio is over the limit.
        """
        chunk = self._unpacked.read1(len(buffer))
        self._given += len(chunk)
        if self._given > max(_ANY_RATIO_BYTES, self._packed.taken * _HIGHEST_RATIO):
            raise SourceError(
                f"unpacks to {self._given:,} bytes and more from {self._packed.taken:,}; "
                f"the limit is {_HIGHEST_RATIO} to 1; what follows is not read",
                self._file,
            )
        buffer[: len(chunk)] = chunk
        return len(chunk)


class _Counted(io.RawIOBase):
    """A stream, and how many bytes were taken of it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = _read_some(self._stream, len(buffer))
        self.taken += len(chunk)
        buffer[: len(chunk)] = chunk
        return len(chunk)


def _read_some(stream: BinaryIO, size: int) -> bytes:
    # read() of a buffered decompressor throws away what it has when it meets damage; read1() does not.
    read = getattr(stream, "read1", stream.read)
    return cast(bytes, read(size) or b"")


def read_whole(stream: BinaryIO, file: str, what: str, limit: int) -> bytes:
    """Read to the end, unless that is more than `limit` bytes.

    Raises:
        SourceError: larger than the limit, cut off, or damaged.
    """
    try:
        data = bytearray()
        while len(data) <= limit and (chunk := stream.read(_CHUNK)):
            data += chunk
        size = len(data)
        if size <= limit:
            return bytes(data)
        data.clear()
        while size < limit * _COUNTED and (chunk := stream.read(_CHUNK)):
            size += len(chunk)
    except _DAMAGE as error:
        raise _damaged(error, file, None) from error
    more = "more than " if size >= limit * _COUNTED else ""
    raise SourceError(f"{what} of {more}{size:,} bytes; the limit is {limit:,} bytes; split it", file)


Line = tuple[int, Any]
"""A line's number, from 1, and the line with its end; None when it is longer than the limit."""


def numbered_lines(stream: BinaryIO | TextIO, file: str, limit: int) -> Iterator[Line]:
    """Yield the lines with their numbers; of an over-long line only the number, and None.

    Raises:
        SourceError: the stream is cut off or damaged; its line is the one that could not be read. Or too many lines
            are blank.
    """
    number = blank = 0
    try:
        while line := stream.readline(limit + 1):
            number += 1
            blank = blank + 1 if line.isspace() else 0
            if blank > MOST_BLANK_LINES:
                raise SourceError(
                    f"more than {MOST_BLANK_LINES:,} blank lines together, the limit; what follows is not read",
                    file, number,
                )  # fmt: skip
            end = "\n" if isinstance(line, str) else b"\n"
            if len(line) <= limit or line.endswith(end):  # type: ignore[arg-type]
                yield number, line
                continue
            while (rest := stream.readline(_CHUNK)) and not rest.endswith(end):  # type: ignore[arg-type]
                pass
            yield number, None
    except SourceError as error:
        raise SourceError(error.reason, file, error.line or number + 1) from error
    except _DAMAGE as error:
        raise _damaged(error, file, number + 1) from error


def _damaged(error: Exception, file: str, line: int | None) -> SourceError:
    if isinstance(error, EOFError):
        reason = "the compressed data breaks off here; fetch the file again"
    elif isinstance(error, zlib.error) or (isinstance(error, OSError) and error.errno is None):
        reason = f"the compressed data is damaged here ({error}); fetch the file again"
    else:
        reason = f"cannot be read: {error.strerror if isinstance(error, OSError) else error}"
    return SourceError(reason, file, line)
