"""One writer at a time, over processes and threads."""

from __future__ import annotations

import json
import os
import socket
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from newsindex.errors import IndexLocked, StorageError

__all__ = ["WriterLock"]

# Of `write.holder`: three short values.
_MOST_BYTES = 4096


class WriterLock:
    """The operating system's lock on `write.lock`: a killed holder frees it. `write.holder` tells who holds it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._holder = folder / "write.holder"
        # Taken in one thread and released in another when a writer is handed over.
        self._lock = FileLock(folder / "write.lock", thread_local=False)

    def acquire(self, timeout: float) -> None:
        """Wait for the lock up to `timeout` seconds.

        Raises:
            IndexLocked: another writer still holds it.
            StorageError: the folder cannot be written.
        """
        try:
            self._lock.acquire(timeout=timeout, poll_interval=0.02)
        except Timeout:
            holder = self._read_holder()
            raise IndexLocked(
                str(self._folder), timeout, holder.get("pid"), holder.get("host"), holder.get("since")
            ) from None
        except OSError as error:
            raise StorageError(
                str(self._folder), f"cannot be written ({error.strerror}); check its permissions"
            ) from error
        since = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            self._write_holder({"pid": os.getpid(), "host": socket.gethostname(), "since": since})
        except OSError as error:
            self._lock.release()
            raise StorageError(str(self._holder), f"cannot be written ({error.strerror})") from error

    def release(self) -> None:
        """Free the lock; once is enough, twice does no harm."""
        self._lock.release()

    def _write_holder(self, holder: dict[str, Any]) -> None:
        """Write who holds it into a new file: in an index of somebody else's the old one may be a link to anything."""
        self._holder.unlink(missing_ok=True)
        descriptor = os.open(self._holder, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            os.write(descriptor, json.dumps(holder).encode())
        finally:
            os.close(descriptor)

    def _read_holder(self) -> dict[str, Any]:
        """Return what `write.holder` tells, nothing when it is no such file, or the holder is just writing it."""
        try:
            if not stat.S_ISREG(self._holder.lstat().st_mode):
                return {}
            with self._holder.open("rb") as file:
                data = json.loads(file.read(_MOST_BYTES))
        except (OSError, ValueError, RecursionError):
            return {}
        kinds = {"pid": int, "host": str, "since": str}
        if not isinstance(data, dict) or not all(isinstance(data.get(name), kind) for name, kind in kinds.items()):
            return {}
        return data
