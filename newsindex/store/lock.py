"""One writer at a time, over processes and threads."""

from __future__ import annotations

import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from newsindex.errors import IndexLocked, StorageError

__all__ = ["WriterLock"]


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
            self._holder.write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since}))
        except OSError as error:
            self._lock.release()
            raise StorageError(str(self._holder), f"cannot be written ({error.strerror})") from error

    def release(self) -> None:
        """Free the lock; once is enough, twice does no harm."""
        self._lock.release()

    def _read_holder(self) -> dict[str, Any]:
        try:
            data = json.loads(self._holder.read_text())
        except (OSError, ValueError):
            return {}  # the holder is just writing it: the error then names an unknown process
        return data if isinstance(data, dict) else {}
