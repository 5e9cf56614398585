"""The manifest of one commit: which files, with which lengths and checksums, under which schema.

Also the names of all files of an index:

    newsindex.meta               marks the folder as an index, holds its UUID
    toc-<generation>             the manifest of the newest commit
    previous-<generation>        the manifest before, renamed, so that a lost newest one is not taken for a step back
    pending-<generation>-<hex>   a manifest (or newsindex.meta) not yet committed
    seg-<generation>-<hex>.nix   a segment
    del-<generation>-<hex>       the deletions of a segment
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from newsindex.errors import FormatError
from newsindex.store.envelope import ENVELOPE_BYTES

__all__ = [
    "FEATURES",
    "LOCK",
    "META",
    "FileEntry",
    "Kind",
    "Manifest",
    "SegmentEntry",
    "generation_of",
    "is_index_file",
    "new_file_name",
    "parse_manifest",
    "pending_name",
    "previous_name",
    "toc_name",
]

META = "newsindex.meta"
LOCK = "write.lock"
FEATURES: frozenset[str] = frozenset()
"""What this version understands of `required_features`: abilities without which a commit would be misread."""

Kind = Literal["segment", "deletion"]
_NAMES = {
    "toc": re.compile(r"toc-([0-9]{20})"),
    "previous": re.compile(r"previous-([0-9]{20})"),
    "pending": re.compile(r"pending-([0-9]{20})-[0-9a-f]{32}"),
    "segment": re.compile(r"seg-([0-9]{20})-[0-9a-f]{32}\.nix"),
    "deletion": re.compile(r"del-([0-9]{20})-[0-9a-f]{32}"),
}
_LARGEST_BYTES = 64 * 1024 * 1024
_UINT32 = 2**32 - 1
_Uuid = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
_Checksum = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]


@dataclass(frozen=True)
class FileEntry:
    """One file of a commit. `length` is the file's in bytes, `checksum` its content's in hexadecimal.

    `doc_count` is the number of articles in a segment, of deleted ones in a file of deletions.
    """

    name: str
    length: Annotated[int, Field(ge=ENVELOPE_BYTES, le=2**60)]
    checksum: _Checksum
    doc_count: Annotated[int, Field(ge=0, le=_UINT32)]


@dataclass(frozen=True)
class SegmentEntry:
    """A segment of a commit, and the deletions that hold for it."""

    file: FileEntry
    deletions: FileEntry | None = None

    def __post_init__(self) -> None:
        """Check the names and that no more articles are deleted than there are."""
        if generation_of(self.file.name, "segment") is None:
            raise ValueError(f"{self.file.name!r} is no name of a segment")
        if self.deletions is None:
            return
        if generation_of(self.deletions.name, "deletion") is None:
            raise ValueError(f"{self.deletions.name!r} is no name of deletions")
        if self.deletions.doc_count > self.file.doc_count:
            raise ValueError(f"{self.deletions.name} deletes more articles than {self.file.name} has")


@dataclass(frozen=True)
class Manifest:
    """One commit, whole. `schema` is JSON data that the store does not look into."""

    index_uuid: _Uuid
    generation: Annotated[int, Field(ge=1, lt=10**20)]
    schema: dict[str, Any]
    segments: tuple[SegmentEntry, ...] = ()
    required_features: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check that no file is named twice."""
        names = [file.name for file in self.files()]
        if len(set(names)) != len(names):
            raise ValueError("a file is named twice")

    def files(self) -> tuple[FileEntry, ...]:
        """Return all files, each segment before its deletions."""
        return tuple(
            file for segment in self.segments for file in (segment.file, segment.deletions) if file is not None
        )

    def to_json(self) -> bytes:
        """Return the content of the manifest's file, the inverse of `parse_manifest`."""
        return _ADAPTER.dump_json(self)


_ADAPTER = TypeAdapter(Manifest)


def parse_manifest(body: memoryview, path: str, generation: int, index_uuid: str) -> Manifest:
    """Return the manifest that a file holds whose checksum is right.

    Raises:
        FormatError: it is none, not that of this generation and index, or needs what this version does not know.
    """
    if len(body) > _LARGEST_BYTES:
        raise FormatError(path, f"{len(body):,} bytes are too many for a manifest; restore the folder from a copy")
    try:
        manifest = _ADAPTER.validate_json(bytes(body), strict=True)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise FormatError(path, f"no manifest: {place}: {fault['msg']}; restore the folder from a copy") from None
    unknown = sorted(set(manifest.required_features) - FEATURES)
    if unknown:
        raise FormatError(path, f"needs features that this newsindex lacks ({', '.join(unknown)}); use a newer one")
    if manifest.generation != generation or manifest.index_uuid != index_uuid:
        raise FormatError(
            path, f"is generation {manifest.generation} of index {manifest.index_uuid}; restore the folder from a copy"
        )
    return manifest


def generation_of(name: str, kind: str) -> int | None:
    """Return the generation in a name of this kind ("toc", "previous", "pending", "segment", "deletion"), else None."""
    match = _NAMES[kind].fullmatch(name)
    return int(match[1]) if match else None


def is_index_file(name: str) -> bool:
    """Tell whether newsindex makes files of such a name; others are never touched."""
    return any(pattern.fullmatch(name) for pattern in _NAMES.values())


def toc_name(generation: int) -> str:
    """Return the name of a commit's manifest."""
    return f"toc-{generation:020d}"


def previous_name(generation: int) -> str:
    """Return the name that a manifest has after the next commit."""
    return f"previous-{generation:020d}"


def pending_name(generation: int) -> str:
    """Return a name, never used before, for a manifest to be."""
    return f"pending-{generation:020d}-{secrets.token_hex(16)}"


def new_file_name(kind: Kind, generation: int) -> str:
    """Return a name, never used before, for a file of the commit of this generation."""
    stem = f"{generation:020d}-{secrets.token_hex(16)}"
    return f"seg-{stem}.nix" if kind == "segment" else f"del-{stem}"
