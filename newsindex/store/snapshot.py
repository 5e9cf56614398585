"""One commit, opened together: every file mapped and checked, unchanged until the last view on it is gone."""

from __future__ import annotations

from dataclasses import dataclass

from newsindex.errors import FormatError, IndexNotFound
from newsindex.store.envelope import Content, open_content, verify_content
from newsindex.store.manifest import (
    META,
    FileEntry,
    Manifest,
    SegmentEntry,
    generation_of,
    parse_manifest,
    previous_name,
    toc_name,
)
from newsindex.store.storage import OpenedFile, Storage, storage_refusals

__all__ = [
    "OpenSegment",
    "StoreSnapshot",
    "check_not_back",
    "newest_generation",
    "open_previous",
    "open_snapshot",
    "read_manifest",
    "read_meta",
]

_RESTORE = "restore the folder from a copy"
_READING = "nothing was changed"
# Which files were found whole by this process; of each index those of the newest snapshot only, or it would grow.
_verified: dict[str, frozenset[tuple[object, ...]]] = {}


class _Vanished(Exception):
    """A file that a manifest names is not there: garbage of a newer commit, or damage."""


@dataclass(frozen=True)
class OpenSegment:
    """A segment's content and, when it has any, that of its deletions: read-only views, bytes."""

    entry: SegmentEntry
    body: memoryview
    deletions: memoryview | None


class StoreSnapshot:
    """The files of one commit. Views on them stay valid after the snapshot is let go, and after the files are deleted.

    All reads are from maps, without a position: any number of threads may share one.
    """

    def __init__(self, storage: Storage, manifest: Manifest, contents: dict[str, Content]) -> None:
        self.manifest = manifest
        self.generation = manifest.generation
        self.segments = tuple(
            OpenSegment(
                entry,
                contents[entry.file.name].body,
                contents[entry.deletions.name].body if entry.deletions else None,
            )
            for entry in manifest.segments
        )
        self._storage = storage
        self._contents = contents

    def verify(self, *names: str) -> None:
        """Compute the checksums of these files, of all when none is named, whether or not that was done before.

        To be called before a merge copies their content under a fresh checksum.

        Raises:
            FormatError: one is damaged.
        """
        for name in names or self._contents:
            verify_content(self._contents[name], self._storage.path(name))


def read_meta(storage: Storage) -> str:
    """Return the UUID of the index in the folder.

    Raises:
        IndexNotFound: there is none, or its creation was never finished.
        FormatError: its mark is damaged, or missing although there is an index.
        StorageError: the file system refuses.
    """
    path = storage.path(META)
    try:
        with storage_refusals(path, _READING):
            opened = _open(storage, META)
    except _Vanished:
        if _has_more_than_a_beginning(storage):
            raise FormatError(path, f"missing, though there are files of an index; {_RESTORE}") from None
        raise IndexNotFound(f"{storage.path()}: no index (no {META}); create=True makes one") from None
    content = open_content(opened.buffer, path, "meta", META)
    verify_content(content, path)
    return content.index_uuid


def newest_generation(storage: Storage) -> int:
    """Return the generation of the newest manifest of an index.

    Raises:
        FormatError: it is missing: there is none at all, or only the one before it.
        StorageError: the file system refuses.
    """
    before: frozenset[str] | None = None
    while True:
        with storage_refusals(storage.path(), _READING):
            names = frozenset(storage.list())
        newest = _greatest(names, "toc")
        # A manifest is called previous only when the next one is durable. So that one has been there.
        expected = _greatest(names, "previous") + 1
        if newest >= expected:
            return newest
        # A listing beside a writer may miss a name on its way to another; damage stays as it is.
        if names == before:
            raise FormatError(storage.path(toc_name(expected)), f"the newest commit's manifest is missing; {_RESTORE}")
        before = names


def read_manifest(storage: Storage, index_uuid: str, generation: int) -> Manifest:
    """Return the manifest of a generation; it is always checked whole.

    Raises:
        FormatError: it is missing or damaged, or this version cannot read it.
        StorageError: the file system refuses.
    """
    try:
        return _read_manifest(storage, index_uuid, generation, toc_name(generation))
    except _Vanished as vanished:
        raise FormatError(storage.path(str(vanished)), f"missing; {_RESTORE}") from None


def open_snapshot(storage: Storage, index_uuid: str, *, verify: bool = True, keep_pages: bool = True) -> StoreSnapshot:
    """Open the newest commit: existence, length, header and footer of each file are checked.

    Args:
        storage: the folder of an index.
        index_uuid: what `read_meta` returned.
        verify: compute the checksum of each file's content too, once in a process for each file.
        keep_pages: keep mapped what was read for that, to be searched; else it is given back as it is read.

    Raises:
        FormatError: a file is missing, damaged, or of a version that cannot be read; it names the file.
        StorageError: the file system refuses.
    """
    generation = newest_generation(storage)
    while True:
        try:
            manifest = _read_manifest(storage, index_uuid, generation, toc_name(generation))
            return _open_files(storage, manifest, verify=verify, keep_pages=keep_pages)
        except _Vanished as vanished:
            newer = newest_generation(storage)
            # Only a newer commit explains a missing file. Anything else is damage, and an older commit no answer.
            if newer <= generation:
                raise FormatError(
                    storage.path(str(vanished)), f"missing, though commit {generation} needs it; {_RESTORE}"
                ) from None
            generation = newer


def open_previous(storage: Storage, index_uuid: str) -> StoreSnapshot:
    """Open the commit before the newest, every file of it checked whole.

    Raises:
        FormatError: there is none, or a file of it is missing or damaged.
        StorageError: the file system refuses.
    """
    with storage_refusals(storage.path(), _READING):
        generation = _greatest(frozenset(storage.list()), "previous")
    if not generation:
        raise FormatError(storage.path(), f"no commit before the newest is kept; {_RESTORE}")
    name = previous_name(generation)
    try:
        manifest = _read_manifest(storage, index_uuid, generation, name)
        return _open_files(storage, manifest, verify=True)
    except _Vanished as vanished:
        raise FormatError(
            storage.path(str(vanished)), f"missing, though commit {generation} needs it; {_RESTORE}"
        ) from None


def check_not_back(storage: Storage, newest: int, known: int) -> None:
    """Raise FormatError when the newest generation is older than one that was seen before."""
    if newest < known:
        raise FormatError(
            storage.path(toc_name(known)), f"missing: commit {known} was there, now {newest} is the newest; open again"
        )


def _open_files(storage: Storage, manifest: Manifest, *, verify: bool, keep_pages: bool = True) -> StoreSnapshot:
    index_uuid = manifest.index_uuid
    contents: dict[str, Content] = {}
    whole = set()
    known = _verified.get(index_uuid, frozenset())
    for kind, file in _files(manifest):
        path = storage.path(file.name)
        with storage_refusals(path, _READING):
            opened = _open(storage, file.name)
        if len(opened.buffer) != file.length:
            raise FormatError(path, f"damaged: {len(opened.buffer)} bytes instead of {file.length}; {_RESTORE}")
        content = open_content(opened.buffer, path, kind, file.name, index_uuid)
        if content.checksum != file.checksum:
            raise FormatError(
                path,
                f"damaged: the footer has the checksum {content.checksum}, the manifest {file.checksum}; {_RESTORE}",
            )
        contents[file.name] = content
        key = (file.name, file.checksum, opened.identity)
        if verify and key not in known:
            verify_content(content, path, keep_pages=keep_pages)
        if verify:
            whole.add(key)
    if verify:
        _verified[index_uuid] = frozenset(whole)
    return StoreSnapshot(storage, manifest, contents)


def _files(manifest: Manifest) -> list[tuple[str, FileEntry]]:
    found = []
    for segment in manifest.segments:
        found.append(("segment", segment.file))
        if segment.deletions is not None:
            found.append(("deletion", segment.deletions))
    return found


def _read_manifest(storage: Storage, index_uuid: str, generation: int, name: str) -> Manifest:
    """Read the manifest of a commit from the file of this name; by its header it is still the newest's."""
    path = storage.path(name)
    with storage_refusals(path, _READING):
        opened = _open(storage, name)
    content = open_content(opened.buffer, path, "manifest", toc_name(generation), index_uuid)
    verify_content(content, path)
    return parse_manifest(content.body, path, generation, index_uuid)


def _open(storage: Storage, name: str) -> OpenedFile:
    try:
        return storage.open_read(name)
    except (FileNotFoundError, NotADirectoryError):
        raise _Vanished(name) from None


def _greatest(names: frozenset[str], kind: str) -> int:
    return max((generation for name in names if (generation := generation_of(name, kind)) is not None), default=0)


def _has_more_than_a_beginning(storage: Storage) -> bool:
    """Tell an index that lost its mark from a creation that was cut short: that one has its first manifest at most."""
    try:
        with storage_refusals(storage.path(), _READING):
            names = storage.list()
    except OSError as error:
        if isinstance(error.__cause__, FileNotFoundError | NotADirectoryError):
            return False
        raise
    return any(
        generation_of(name, kind) is not None for name in names for kind in ("segment", "deletion", "previous")
    ) or any((generation_of(name, "toc") or 0) > 1 for name in names)
