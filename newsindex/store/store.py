"""An index folder as a whole: make it, open its newest commit, follow it, begin to write."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import Any, Self
from uuid import uuid4

from newsindex.errors import IndexClosed, IndexNotFound, StorageError
from newsindex.store.commit import StoreWriter
from newsindex.store.envelope import header, write_enveloped
from newsindex.store.manifest import META, Manifest, is_index_file, pending_name, toc_name
from newsindex.store.snapshot import StoreSnapshot, check_not_back, newest_generation, open_snapshot, read_meta
from newsindex.store.storage import Storage, storage_refusals

__all__ = ["Store"]


class Store:
    """An index folder: its newest commit opened, and the way to the next one. May be shared by threads.

    After a fork it refuses in the child: neither a lock nor a map is carried over.
    """

    def __init__(self, storage: Storage, index_uuid: str, *, verify: bool = True) -> None:
        """Open the newest commit of the index with this UUID; use `open` or `create`."""
        self.storage = storage
        self.index_uuid = index_uuid
        self._verify = verify
        self._pid = os.getpid()
        self._refreshing = threading.Lock()
        self._snapshot: StoreSnapshot | None = open_snapshot(storage, index_uuid, verify=verify)

    @classmethod
    def open(cls, storage: Storage, *, verify: bool = True) -> Self:
        """Open an index.

        Args:
            storage: its folder.
            verify: compute the checksum of each file, once in a process.

        Raises:
            IndexNotFound: there is none.
            FormatError: a file is damaged, missing, or of another version of the format.
            StorageError: the file system refuses.
        """
        return cls(storage, read_meta(storage), verify=verify)

    @classmethod
    def create(cls, storage: Storage, schema: dict[str, Any], *, timeout: float = 10.0) -> Self:
        """Make an empty index and open it; one that another process has just made is opened as it is.

        Raises:
            IndexLocked: another process is making one, for longer than `timeout` seconds.
            StorageError: the file system refuses, or the folder has other files in it.
            FormatError: there is a damaged index.
        """
        with storage_refusals(storage.path(), "no index was made"):
            storage.make_folder()
        lock = storage.lock()
        lock.acquire(timeout)
        try:
            try:
                read_meta(storage)
            except IndexNotFound:
                _create_files(storage, schema)
        finally:
            lock.release()
        return cls.open(storage)

    @property
    def snapshot(self) -> StoreSnapshot:
        """The commit that is open.

        Raises:
            IndexClosed: the store is closed, or belongs to the parent process.
        """
        snapshot = self._snapshot
        if snapshot is None or self._pid != os.getpid():
            raise _closed(self.storage)
        return snapshot

    def refresh(self) -> bool:
        """Open the newest commit; return whether it is a newer one. Snapshots given out before stay as they are.

        Raises:
            FormatError: a file is damaged, or the commit that is open is gone from the folder.
            StorageError: the file system refuses. The open commit stays open in both cases.
        """
        with self._refreshing:
            old = self.snapshot.generation
            newest = newest_generation(self.storage)
            check_not_back(self.storage, newest, old)
            if newest == old:
                return False
            # Of what was just written, here or elsewhere, there may be gigabytes.
            snapshot = open_snapshot(self.storage, self.index_uuid, verify=self._verify, keep_pages=False)
            check_not_back(self.storage, snapshot.generation, old)
            self._snapshot = snapshot
            return True

    def begin(self, timeout: float = 10.0) -> StoreWriter:
        """Wait for the lock up to `timeout` seconds and begin to write on top of the newest commit.

        Raises:
            IndexLocked: another writer still holds the lock.
            FormatError: the newest commit has a file that is missing or damaged.
            StorageError: the file system refuses.
        """
        return StoreWriter(self.storage, self.index_uuid, at_least=self.snapshot.generation, timeout=timeout)

    def close(self) -> None:
        """Let the open commit go; its files stay mapped as long as there are views on them."""
        self._snapshot = None


def _create_files(storage: Storage, schema: dict[str, Any]) -> None:
    """Write the first manifest, then the mark: a mark without a manifest is damage, the other way round a beginning."""
    with storage_refusals(storage.path(), "no index was made"):
        names = storage.list()
        foreign = [name for name in names if not is_index_file(name) and not name.startswith((".", "write."))]
        if foreign:
            raise StorageError(storage.path(), f"holds other files ({foreign[0]}, …); choose an empty folder")
        for name in names:
            if is_index_file(name):
                storage.unlink(name)  # a creation that was cut short
        manifest = Manifest(uuid4().hex, 1, schema)
        for kind, name, chunk in (("manifest", toc_name(1), manifest.to_json()), ("meta", META, b"newsindex\n")):
            pending = pending_name(1)
            try:
                write_enveloped(storage, pending, header(kind, manifest.index_uuid, name), [chunk])
                storage.rename(pending, name)
            except BaseException:
                with suppress(OSError):
                    storage.unlink(pending)
                raise
            storage.sync_folder()


def _closed(storage: Storage) -> IndexClosed:
    return IndexClosed(f"{storage.path()}: closed, or opened by the parent process; open it again")
