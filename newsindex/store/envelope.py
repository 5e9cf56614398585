"""What stands around the content of every file: a header that says whose it is, a footer that says it is whole.

    offset  bytes  header, little-endian
    0       8      magic 89 4E 49 58 0D 0A 1A 0A (a transfer as text would change it, as with PNG)
    8       2      format, major: a reader refuses another one
    10      2      format, minor: additions that an older reader may ignore
    12      4      reserved, 0
    16      8      kind: "segment", "deletion", "manifest", "meta", filled with NUL
    24      8      checksum algorithm: "xxh3_64", filled with NUL
    32      16     UUID of the index
    48      64     the file's own name, ASCII, filled with NUL
    112     8      reserved, 0
    120     8      checksum of the 120 bytes before
    128            content, so aligned for any array

            bytes  footer, the file's end
            8      length of the content
            8      checksum of the content
            8      magic "NIXEND\\r\\n"

The checksum covers the content only: one that covered the footer too could be the same for all files of one length.
The name and the UUID make a whole file in a wrong place as visible as a broken one. All versions of the format keep
the header's layout, so that damage is told from another version.
"""

from __future__ import annotations

import mmap
import struct
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import xxhash

from newsindex.errors import FormatError
from newsindex.store.storage import Storage

__all__ = [
    "ENVELOPE_BYTES",
    "FORMAT",
    "HEADER_BYTES",
    "Content",
    "checksum_of",
    "footer",
    "header",
    "open_content",
    "verify_content",
    "write_enveloped",
]

FORMAT = (1, 0)
_MAGIC = b"\x89NIX\r\n\x1a\n"
_END_MAGIC = b"NIXEND\r\n"
_ALGORITHM = b"xxh3_64"
_HEADER = struct.Struct("<8sHHI8s8s16s64sQ")
_CHECKSUM = struct.Struct("<Q")
_FOOTER = struct.Struct("<QQ8s")
HEADER_BYTES = _HEADER.size + _CHECKSUM.size
ENVELOPE_BYTES = HEADER_BYTES + _FOOTER.size
_RESTORE = "restore the folder from a copy"
_PART_BYTES = 16 * 1024 * 1024  # a multiple of every page size


@dataclass(frozen=True)
class Content:
    """The content of a file whose envelope is right; `checksum` is what the footer promises, not what was computed."""

    body: memoryview
    checksum: str
    index_uuid: str


def checksum_of(body: bytes | memoryview) -> str:
    """Return the checksum as it stands in manifests: 16 hexadecimal digits."""
    return xxhash.xxh3_64_hexdigest(body)


def header(kind: str, index_uuid: str, name: str) -> bytes:
    """Return the header of a file. `name` is the one that it will have when it is used."""
    encoded = name.encode("ascii")
    if len(encoded) > 64 or len(kind) > 8:
        raise ValueError(f"{kind} {name}: too long for a header")
    data = _HEADER.pack(_MAGIC, *FORMAT, 0, kind.encode("ascii"), _ALGORITHM, uuid.UUID(index_uuid).bytes, encoded, 0)
    return data + _CHECKSUM.pack(xxhash.xxh3_64_intdigest(data))


def footer(length: int, checksum: str) -> bytes:
    """Return the footer of a content of `length` bytes."""
    return _FOOTER.pack(length, int(checksum, 16), _END_MAGIC)


def open_content(buffer: memoryview, path: str, kind: str, name: str, index_uuid: str | None = None) -> Content:
    """Check header and footer, not the content, and return the content.

    Args:
        buffer: the whole file.
        path: what an error calls the file.
        kind: what it must be.
        name: whose it must be.
        index_uuid: which index it must belong to; None takes any.

    Raises:
        FormatError: anything is not as it must be, or the format is another major version.
    """
    if len(buffer) < ENVELOPE_BYTES:
        raise FormatError(path, f"damaged: {len(buffer)} bytes, fewer than header and footer take; {_RESTORE}")
    start = bytes(buffer[: _HEADER.size])
    magic, major, minor, _, kind_found, algorithm, uuid_found, name_found, _ = _HEADER.unpack(start)
    if magic != _MAGIC:
        raise FormatError(path, f"not a file of newsindex (byte 0: {magic.hex(' ')}); {_RESTORE}")
    if xxhash.xxh3_64_intdigest(start) != _CHECKSUM.unpack_from(buffer, _HEADER.size)[0]:
        raise FormatError(path, f"damaged: bytes 0 to {HEADER_BYTES} do not fit their checksum; {_RESTORE}")
    if major != FORMAT[0]:
        way_out = "use a newer newsindex" if major > FORMAT[0] else "export with the newsindex that made it"
        raise FormatError(path, f"format {major}.{minor}, this newsindex reads {FORMAT[0]}.{FORMAT[1]}; {way_out}")
    if algorithm.rstrip(b"\0") != _ALGORITHM:
        raise FormatError(path, f"unknown checksum {_shown(algorithm)}; use a newer newsindex")
    if kind_found.rstrip(b"\0") != kind.encode("ascii"):
        raise FormatError(path, f"holds a {_shown(kind_found)}, not a {kind}; {_RESTORE}")
    if name_found.rstrip(b"\0") != name.encode("ascii"):
        raise FormatError(path, f"is the file {_shown(name_found)} under another name; {_RESTORE}")
    found = uuid.UUID(bytes=uuid_found).hex
    if index_uuid is not None and found != index_uuid:
        raise FormatError(path, f"belongs to another index ({found}, not {index_uuid}); {_RESTORE}")
    length, checksum, end_magic = _FOOTER.unpack_from(buffer, len(buffer) - _FOOTER.size)
    if end_magic != _END_MAGIC or length != len(buffer) - ENVELOPE_BYTES:
        raise FormatError(
            path,
            f"damaged: the footer at byte {len(buffer) - _FOOTER.size} does not end {len(buffer)} bytes; {_RESTORE}",
        )
    return Content(buffer[HEADER_BYTES : HEADER_BYTES + length], f"{checksum:016x}", found)


def verify_content(content: Content, path: str, *, keep_pages: bool = True) -> None:
    """Compute the checksum of the content; unless its pages are to be kept, give those of a map back while reading.

    Raises:
        FormatError: it is not the one of the footer.
    """
    found = checksum_of(content.body) if keep_pages else _checksum_in_passing(content.body)
    if found != content.checksum:
        raise FormatError(path, f"damaged: the content's checksum is {found}, not {content.checksum}; {_RESTORE}")


def _checksum_in_passing(body: memoryview) -> str:
    """Return the checksum; what is mapped counts as memory of this process only while it is read."""
    digest, mapped = xxhash.xxh3_64(), body.obj
    for begin in range(0, len(body), _PART_BYTES):
        digest.update(body[begin : begin + _PART_BYTES])
        if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            with suppress(OSError):  # it is advice, and not taken where memory is locked
                mapped.madvise(mmap.MADV_DONTNEED, begin, min(_PART_BYTES, len(mapped) - begin))
    return digest.hexdigest()


def write_enveloped(storage: Storage, name: str, head: bytes, chunks: Iterable[Any]) -> tuple[int, str]:
    """Write a new file, sync and close it; return its content's length and checksum.

    `head` is a `header`, `chunks` the content as bytes or contiguous arrays, written as they come. After any error the
    file is closed and may be there in part.
    """
    file = storage.create(name)
    digest = xxhash.xxh3_64()
    length = 0
    try:
        _write_all(file.write, memoryview(head))
        for chunk in chunks:
            view = memoryview(chunk)
            if not view.nbytes:
                continue  # cast() refuses empty arrays
            view = view.cast("B")
            digest.update(view)
            length += len(view)
            _write_all(file.write, view)
        checksum = digest.hexdigest()
        _write_all(file.write, memoryview(footer(length, checksum)))
        file.sync()
    except BaseException:
        with suppress(OSError):  # the first error is the one to tell
            file.close()
        raise
    file.close()
    return length, checksum


def _write_all(write: Callable[[memoryview], int], view: memoryview) -> None:
    while view:
        written = write(view)
        if written <= 0:
            raise OSError(f"wrote {written} of {len(view)} bytes")
        view = view[written:]


def _shown(field: bytes) -> str:
    return field.rstrip(b"\0").decode("ascii", "backslashreplace")
