"""Messages between newsindex and the process that parses for it: a length, then so many bytes, mostly JSON."""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

__all__ = ["LARGEST_ANSWER", "Broken", "parsed_message", "read_frame", "read_message", "send_frame", "send_message"]

# All the records of a file together, as JSON.
LARGEST_ANSWER = 32 * 1024 * 1024
_LENGTH = struct.Struct(">Q")


class Broken(Exception):
    """The other end is gone, or what it says is no message."""


def send_frame(stream: BinaryIO, data: bytes) -> None:
    """Send bytes; they leave when the stream is flushed."""
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)


def send_message(stream: BinaryIO, message: dict[str, Any]) -> int:
    """Send an object and flush; return how many bytes it has."""
    data = json.dumps(message, ensure_ascii=False).encode()
    send_frame(stream, data)
    stream.flush()
    return len(data)


def read_frame(stream: BinaryIO, limit: int) -> bytes | None:
    """Return what was sent; None when the other end is gone.

    Raises:
        Broken: longer than `limit`, or cut off.
    """
    head = stream.read(_LENGTH.size)
    if not head:
        return None
    length = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else limit + 1
    if length > limit:
        raise Broken(f"a message of {length:,} bytes; the limit is {limit:,}")
    data = stream.read(length)
    if len(data) != length:
        raise Broken(f"a message breaks off after {len(data):,} of {length:,} bytes")
    return data


def read_message(stream: BinaryIO, limit: int = LARGEST_ANSWER) -> dict[str, Any] | None:
    """Return an object that was sent; None when the other end is gone.

    Raises:
        Broken: too long, cut off, or no JSON object.
    """
    data = read_frame(stream, limit)
    return None if data is None else parsed_message(data)


def parsed_message(data: bytes) -> dict[str, Any]:
    """Return the object.

    Raises:
        Broken: no JSON object.
    """
    try:
        message = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Broken(f"not a message: {error}") from error
    if not isinstance(message, dict):
        raise Broken("not a message: no object")
    return message
