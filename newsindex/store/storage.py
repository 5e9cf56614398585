"""The seam between the store and the file system: every file operation of the store goes through a `Storage`.

Names are plain names inside one folder. Operations raise OSError as the system does; the store turns it into
StorageError. Tests put a twin in the place of `FolderStorage` that records, forgets or fails.
"""

from __future__ import annotations

import errno
import mmap
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from newsindex.errors import FormatError, NewsIndexError, StorageError
from newsindex.store.lock import WriterLock

if sys.platform == "darwin":
    import fcntl

__all__ = ["FolderStorage", "Lock", "OpenedFile", "Storage", "WritableFile", "storage_refusals"]

# Absent on Windows, which has no such links for unprivileged users and needs to be told that files are binary.
_READ_FLAGS = os.O_RDONLY
for _flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
    _READ_FLAGS |= getattr(os, _flag, 0)
_CREATE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
# Windows: another process (a virus scanner, mostly) has the file open for a moment.
_BUSY_WINERRORS = {5, 32, 33}
_BUSY_PATIENCE_SECONDS = 2.5
_BEGUN_BYTES = 8 * 1024 * 1024
_PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True)
class OpenedFile:
    """The bytes of a file, read-only: its map, until the last view on it is gone, or a copy in memory.

    `identity` tells one file from another that later has its name, and from itself after a change from outside.
    """

    buffer: memoryview
    identity: tuple[int, ...]


class WritableFile(Protocol):
    """A file being written, from its first byte to its last."""

    def write(self, data: memoryview) -> int:
        """Append a part of the data, from its start; return how many bytes that was."""
        ...

    def sync(self) -> None:
        """Make the data durable. After an error nothing is known of it, and trying again proves nothing."""
        ...

    def close(self) -> None:
        """Close the file; once is enough, twice does no harm."""
        ...


class Lock(Protocol):
    """The lock of one writer."""

    def acquire(self, timeout: float) -> None:
        """Wait up to `timeout` seconds, then raise IndexLocked."""
        ...

    def release(self) -> None:
        """Free the lock; twice does no harm."""
        ...


class Storage(Protocol):
    """The files of one folder. `LOCK_NAME` is the file that the lock is on."""

    def path(self, name: str = "") -> str:
        """Return how messages call the file, or the folder."""
        ...

    def make_folder(self) -> None:
        """Make the folder, and its parents, durably; one that is there is as good."""
        ...

    def list(self) -> list[str]:
        """Return all names in the folder."""
        ...

    def create(self, name: str) -> WritableFile:
        """Make a file that was not there; FileExistsError when there is anything of that name."""
        ...

    def open_read(self, name: str) -> OpenedFile:
        """Open a regular file whole. A link or anything else in its place is a FormatError; none, FileNotFoundError."""
        ...

    def rename(self, old: str, new: str) -> None:
        """Give a file another name; the caller knows that the new one is free."""
        ...

    def unlink(self, name: str) -> None:
        """Remove a name."""
        ...

    def sync_folder(self) -> None:
        """Make the names durable: those made, those removed."""
        ...

    def identity(self, name: str) -> tuple[int, ...] | None:
        """Return what tells this file from another of the same name, or None when there is none."""
        ...

    def lock(self) -> Lock:
        """Return a new lock on the folder, not yet acquired."""
        ...


class FolderStorage:
    """A folder of the operating system.

    A file that is mapped costs no memory of its own and no time to read; but if another program cuts it, the system
    ends whoever reads there (SIGBUS). One that is not mapped is read whole when it is opened.
    """

    def __init__(self, folder: Path | str, *, mapped: bool = True) -> None:
        self._folder = Path(folder).absolute()
        self._mapped = mapped

    def path(self, name: str = "") -> str:
        """Return the absolute path."""
        if name and (name in {".", ".."} or Path(name).name != name or "\0" in name):
            raise ValueError(f"{name!r} is no plain file name")
        return str(self._folder / name)

    def make_folder(self) -> None:
        """Make the folder and sync every folder that got a new name."""
        missing = []
        folder = self._folder
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True)
        for folder in reversed(missing):
            _sync_names(str(folder.parent))

    def list(self) -> list[str]:
        """Return all names in the folder."""
        return os.listdir(self._folder)  # noqa: PTH208 - one call into the system, where a Path would make objects

    def create(self, name: str) -> WritableFile:
        """Open a new file for writing."""
        return _NewFile(os.open(self.path(name), _CREATE_FLAGS, 0o666))

    def open_read(self, name: str) -> OpenedFile:
        """Map or read a file; the descriptor is not kept."""
        path = self.path(name)
        try:
            descriptor = os.open(path, _READ_FLAGS)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise FormatError(path, "a symbolic link; an index has none, restore the folder from a copy") from None
            raise
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise FormatError(path, "not a regular file; restore the folder from a copy")
            identity = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
            if not found.st_size:
                return OpenedFile(memoryview(b""), identity)
            try:
                if not self._mapped:
                    return OpenedFile(_read(descriptor, found.st_size), identity)
                return OpenedFile(memoryview(mmap.mmap(descriptor, found.st_size, access=mmap.ACCESS_READ)), identity)
            except ValueError as error:
                raise FormatError(path, "became shorter while it was opened; restore the folder from a copy") from error
        finally:
            os.close(descriptor)

    def rename(self, old: str, new: str) -> None:
        """Rename; on Windows wait for whoever has the file open, up to 2.5 seconds."""
        give_up = time.monotonic() + _BUSY_PATIENCE_SECONDS
        pause = 0.01
        while True:
            try:
                os.rename(self.path(old), self.path(new))  # noqa: PTH104 - plain names, checked by path()
                return
            except OSError as error:
                if getattr(error, "winerror", None) not in _BUSY_WINERRORS or time.monotonic() + pause > give_up:
                    raise
            time.sleep(pause)
            pause *= 2

    def unlink(self, name: str) -> None:
        """Remove a name."""
        os.unlink(self.path(name))  # noqa: PTH108

    def sync_folder(self) -> None:
        """Sync the folder; Windows has no such call and journals names itself."""
        _sync_names(str(self._folder))

    def identity(self, name: str) -> tuple[int, ...] | None:
        """Return device and inode, without following a link."""
        try:
            found = os.stat(self.path(name), follow_symlinks=False)  # noqa: PTH116
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def lock(self) -> Lock:
        """Return the operating system's lock on `write.lock`."""
        return WriterLock(self._folder)


class _NewFile:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._written = self._begun = 0

    def write(self, data: memoryview) -> int:
        written = os.write(self._descriptor, data)
        self._written += written
        if self._written >= self._begun + _BEGUN_BYTES and hasattr(os, "posix_fadvise"):
            # To the system it means, beside other things, to begin with writing: so there is less to wait for in sync.
            with suppress(OSError):  # it is advice
                os.posix_fadvise(self._descriptor, self._begun, self._written - self._begun, os.POSIX_FADV_DONTNEED)
            self._begun = self._written
        return written

    def sync(self) -> None:
        _sync(self._descriptor)

    def close(self) -> None:
        # After an error of close() the descriptor is gone all the same; closing it again could hit another file.
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def _read(descriptor: int, size: int) -> memoryview:
    """Return the first `size` bytes of a file.

    Raises:
        ValueError: it has fewer by now.
    """
    data = memoryview(bytearray(size))
    at = 0
    while at < size:
        piece = os.read(descriptor, min(size - at, _PIECE_BYTES))
        if not piece:
            raise ValueError(f"{at} bytes instead of {size}")
        data[at : at + len(piece)] = piece
        at += len(piece)
    return data.toreadonly()


def _sync(descriptor: int) -> None:
    if sys.platform == "darwin":
        # fsync leaves the data in the drive's cache there (borg#9383); some file systems know only fsync.
        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
        except OSError as error:
            if error.errno not in {errno.ENOTSUP, errno.ENOTTY, errno.EINVAL}:
                raise
    os.fsync(descriptor)


def _sync_names(folder: str) -> None:
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def storage_refusals(path: str, way_out: str) -> Iterator[None]:
    """Turn what the file system refuses into a StorageError on this path; `way_out` ends the message."""
    try:
        yield
    except NewsIndexError:
        raise
    except OSError as error:
        raise StorageError(path, f"{error.strerror or error}; {way_out}") from error
