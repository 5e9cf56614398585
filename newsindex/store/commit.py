"""The commit protocol: new files, synced; their names, synced; the manifest, synced, renamed; the names, synced.

Only after the last step is a commit acknowledged. Every file is created once under a name never used before, and never
rewritten; what neither the newest commit nor the one before it needs is deleted after the acknowledgement.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from newsindex.errors import CommitUnknown, FormatError, IndexClosed, StorageError
from newsindex.store.envelope import ENVELOPE_BYTES, header, write_enveloped
from newsindex.store.manifest import (
    LOCK,
    FileEntry,
    Kind,
    Manifest,
    SegmentEntry,
    generation_of,
    is_index_file,
    new_file_name,
    parse_manifest,
    pending_name,
    previous_name,
    toc_name,
)
from newsindex.store.snapshot import check_not_back, newest_generation, read_manifest
from newsindex.store.storage import Storage, storage_refusals

__all__ = ["StoreWriter"]

_UNCHANGED = "nothing was committed"


class StoreWriter:
    """The one writer of an index, from `begin` to `close`: one or more commits, each all or nothing.

    After an error it is over: the files of the commit under way are removed and the lock is free. A file that could
    not be synced is never synced again: the system may have dropped its data and would report success.
    """

    def __init__(self, storage: Storage, index_uuid: str, *, at_least: int, timeout: float) -> None:
        """Take the lock and read the newest manifest under it."""
        self.uncollected: tuple[str, ...] = ()
        """Garbage that the last commit could not delete (mapped by a reader on Windows); the next one tries again."""
        self._storage = storage
        self._pid = os.getpid()
        self._added: dict[str, FileEntry] = {}
        self._written: list[str] = []
        self._renaming = False
        self._over = False
        self._lock = storage.lock()
        self._lock.acquire(timeout)
        try:
            with storage_refusals(storage.path(LOCK), _UNCHANGED):
                self._lock_identity = storage.identity(LOCK)
            self.manifest = self._read_newest(index_uuid, at_least)
            """The newest commit, on which the next one builds."""
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it. What was not committed is dropped, also on a clean exit."""
        self.close()

    @property
    def generation(self) -> int:
        """The generation that the next commit will have."""
        return self.manifest.generation + 1

    def add_file(self, kind: Kind, chunks: Iterable[Any], doc_count: int) -> FileEntry:
        """Write a file, sync it, and return how a commit names it.

        Args:
            kind: "segment" or "deletion".
            chunks: the content in pieces (bytes, contiguous arrays), written as they come; small ones are slow.
            doc_count: the number of articles in the segment, or of deleted ones.

        Raises:
            StorageError: the file system refuses; the writer is over. So it is after an error of `chunks`.
        """
        self._check_usable()
        name = new_file_name(kind, self.generation)
        path = self._storage.path(name)
        try:
            with storage_refusals(path, _UNCHANGED):
                length, checksum = self._write(name, kind, name, chunks)
            entry = FileEntry(name, length + ENVELOPE_BYTES, checksum, doc_count)
        except BaseException:
            self._abort()
            raise
        self._added[name] = entry
        return entry

    def commit(self, segments: Sequence[SegmentEntry], *, schema: dict[str, Any] | None = None) -> Manifest:
        """Make these segments the newest commit, durably, and return its manifest.

        Files added since the last commit that no segment names are removed. After the return nothing that happens to
        process or machine undoes the commit.

        Args:
            segments: all segments of the index, those kept from `manifest` and those made of files added.
            schema: the schema from now on; None keeps it.

        Raises:
            ValueError: a segment names a file that is neither in the newest commit nor added, or the schema is no
                JSON data. The writer goes on.
            StorageError: the file system refuses, or another writer took the lock; nothing was committed.
            CommitUnknown: the last step failed.
        """
        self._check_usable()
        manifest = replace(
            self.manifest,
            generation=self.generation,
            segments=tuple(segments),
            schema=self.manifest.schema if schema is None else schema,
        )
        try:
            parse_manifest(memoryview(manifest.to_json()), "manifest", manifest.generation, manifest.index_uuid)
        except FormatError as error:
            raise ValueError(f"not written, as it could not be read: {error.reason}") from error
        known = {file.name: file for file in self.manifest.files()} | self._added
        for file in manifest.files():
            if known.get(file.name) != file:
                raise ValueError(f"{file.name} is neither in commit {self.manifest.generation} nor added since")
        try:
            self._publish(manifest)
        except BaseException:
            self._abort()
            raise
        before, self.manifest = self.manifest, manifest
        self._added.clear()
        self._written.clear()
        self._renaming = False
        self._collect(before, manifest)
        return manifest

    def rollback(self) -> None:
        """Remove the files added since the last commit; the writer goes on."""
        self._check_usable()
        self._remove_written()

    def close(self) -> None:
        """Drop what was not committed and free the lock; twice does no harm, and in a forked child nothing happens."""
        if not self._over and self._pid == os.getpid():
            self._abort()

    def _read_newest(self, index_uuid: str, at_least: int) -> Manifest:
        generation = newest_generation(self._storage)
        check_not_back(self._storage, generation, at_least)
        manifest = read_manifest(self._storage, index_uuid, generation)
        with storage_refusals(self._storage.path(), _UNCHANGED):
            names = set(self._storage.list())
        for file in manifest.files():
            if file.name not in names:
                raise FormatError(
                    self._storage.path(file.name),
                    f"missing, though commit {generation} needs it; restore the folder from a copy",
                )
        return manifest

    def _write(self, name: str, kind: str, own_name: str, chunks: Iterable[Any]) -> tuple[int, str]:
        self._written.append(name)
        return write_enveloped(self._storage, name, header(kind, self.manifest.index_uuid, own_name), chunks)

    def _publish(self, manifest: Manifest) -> None:
        storage = self._storage
        toc = toc_name(manifest.generation)
        pending = pending_name(manifest.generation)
        with storage_refusals(storage.path(), _UNCHANGED):
            storage.sync_folder()
        with storage_refusals(storage.path(pending), _UNCHANGED):
            self._write(pending, "manifest", toc, [manifest.to_json()])
        self._check_alone(toc)
        self._renaming = True
        try:
            storage.rename(pending, toc)
        except OSError as error:
            self._renaming = not self._still_pending(pending, toc)
            if self._renaming:
                raise CommitUnknown(storage.path(toc), manifest.generation, error.strerror or str(error)) from error
            raise StorageError(storage.path(toc), f"{error.strerror or error}; {_UNCHANGED}") from error
        try:
            storage.sync_folder()
        except OSError as error:
            raise CommitUnknown(storage.path(toc), manifest.generation, error.strerror or str(error)) from error

    def _check_alone(self, toc: str) -> None:
        """Refuse when the lock is no longer the one taken: its file was removed, and a second writer may have come."""
        storage = self._storage
        with storage_refusals(storage.path(LOCK), _UNCHANGED):
            lock_identity = storage.identity(LOCK)
        if lock_identity is None or lock_identity != self._lock_identity:
            raise StorageError(
                storage.path(LOCK),
                f"was removed or replaced while held; {_UNCHANGED}: leave that file alone, try again",
            )
        with storage_refusals(storage.path(toc), _UNCHANGED):
            taken = storage.identity(toc)
        if taken is not None:
            raise StorageError(
                storage.path(toc), f"is there already, from a writer without the lock; {_UNCHANGED}, open again"
            )

    def _still_pending(self, pending: str, toc: str) -> bool:
        try:
            return self._storage.identity(pending) is not None and self._storage.identity(toc) is None
        except OSError:
            return False  # then nothing is known

    def _collect(self, before: Manifest, newest: Manifest) -> None:
        """Delete garbage. The commit is acknowledged: what goes wrong here is noted in `uncollected`, not raised."""
        keep = {file.name for manifest in (before, newest) for file in manifest.files()}
        keep |= {toc_name(newest.generation), previous_name(before.generation)}
        uncollected = []
        try:
            names = self._storage.list()
        except OSError:
            names = []
        for name in sorted(names):
            if name in keep or not is_index_file(name):
                continue
            try:
                if generation_of(name, "toc") == before.generation:
                    self._storage.rename(name, previous_name(before.generation))
                else:
                    self._storage.unlink(name)
            except OSError:
                uncollected.append(name)
        self.uncollected = tuple(uncollected)

    def _abort(self) -> None:
        """End the writer. Once the rename was tried the files may belong to a commit, and stay."""
        self._over = True
        try:
            if not self._renaming:
                self._remove_written()
        finally:
            self._lock.release()

    def _remove_written(self) -> None:
        for name in self._written:
            # What cannot be removed is garbage that the next commit collects; the error under way is the one to tell.
            with suppress(OSError):
                self._storage.unlink(name)
        self._written.clear()
        self._added.clear()

    def _check_usable(self) -> None:
        if self._over or self._pid != os.getpid():
            raise IndexClosed(
                f"{self._storage.path()}: this writer is closed, failed, or is the parent process's; begin another"
            )
