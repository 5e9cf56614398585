"""What runs in the process that parses web pages and feeds: one file after the other, each within its limits.

It takes jobs on its standard input (a message, then the file's bytes) and answers on its standard output: "begun", then
a message a record or error, then "end". It may not open connections, start processes or write files, and ends when it
has nothing to do, when its parent is gone, or when a file is over a limit.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from newsindex.errors import SourceError
from newsindex.sources.decode import mended
from newsindex.sources.frames import LARGEST_ANSWER, read_frame, read_message, send_message
from newsindex.sources.record import Record

try:
    import resource
except ImportError:  # Windows: there the parent's clock is the only limit
    resource = None  # type: ignore[assignment]

__all__ = ["IDLE_SECONDS", "OUT_OF_MEMORY", "main"]

IDLE_SECONDS = 30.0
_FIRST = b"<html><title>First</title><p>Published on 1 May 2024. Nothing else.</p></html>"
# The exit status by which the parent knows that the memory limit was met: saying so may take more of it.
OUT_OF_MEMORY = 77
_STATM = Path("/proc/self/statm")
_FORBIDDEN = (
    "socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.spawn", "os.startfile",
    "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "shutil.", "ftplib.",
    "http.client.", "urllib.", "ctypes.dlopen",
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

Reader = Callable[[bytes, str], Iterator[Record | SourceError]]


def main() -> None:
    """Serve until there is nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process when it is interrupted
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # A library that prints must not get between the messages.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    try:
        _serve(sys.stdin.buffer, answers)
    except BrokenPipeError:
        pass  # nobody reads any more
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


def _serve(jobs: BinaryIO, answers: BinaryIO) -> None:
    readers: dict[str, Reader] = {}
    most = 0
    while (job := _next_job(jobs)) is not None:
        data = read_frame(jobs, int(job["size"]))
        if data is None:
            return
        kind = str(job["kind"])
        if kind not in readers:
            readers[kind] = _reader(kind)
            if len(readers) == 1:
                most = _restrict(int(job["memory"]))
        send_message(answers, {"begun": kind})
        _arm(float(job["seconds"]))
        for message in _messages(readers[kind], data, str(job["file"])):
            send_message(answers, message)
        _arm(0)
        # Memory that a page left behind must not be missed by the next one.
        tired = _space() > most - int(job["memory"]) // 2
        send_message(answers, {"end": True, "tired": tired})
        if tired:
            return


def _next_job(jobs: BinaryIO) -> dict[str, Any] | None:
    # Nothing is ever left in the buffer: the next job comes after the last answer. Windows waits on sockets only.
    if os.name == "posix" and not select.select([jobs], [], [], IDLE_SECONDS)[0]:
        return None
    return read_message(jobs)


def _reader(kind: str) -> Reader:
    reader: Reader
    if kind == "feed":
        from newsindex.sources.feed import read_feed as reader
    else:
        from newsindex.sources.webpage import read_webpage as reader
    # Loads what is loaded when it is first needed, so that no page is charged for it.
    with suppress(SourceError):
        list(reader(_FIRST, ""))
    return reader


def _messages(reader: Reader, data: bytes, file: str) -> Iterator[dict[str, Any]]:
    size = 0
    try:
        for item in reader(data, file):
            if isinstance(item, SourceError):
                yield {"error": item.reason, "line": item.line}
                continue
            values = mended(item.values)
            size += sum(map(_size, values.values()))
            if size > LARGEST_ANSWER // 2:
                limit = LARGEST_ANSWER // 2
                yield {"error": f"its records have more than {limit:,} characters, the limit; what follows is left out"}
                return
            yield {"values": values, "line": item.line}
    except SourceError as error:
        yield {"error": error.reason, "line": error.line}
    except MemoryError:
        raise
    except Exception as error:  # the parsers of others raise anything on hostile input; it is reported
        message = " ".join(str(error).split())[:200]
        yield {"error": f"cannot be read: {type(error).__name__}{': ' if message else ''}{message}"}


def _size(value: Any) -> int:
    return sum(map(_size, value)) if isinstance(value, list) else len(str(value).encode("utf-8", "replace"))


def _restrict(memory: int) -> int:
    """Give up what parsing does not need; return the most address space that this process may have."""
    sys.addaudithook(_forbid)
    if resource is None:
        return sys.maxsize
    for what in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        _limit(what, 0)
    if not _STATM.exists():
        return sys.maxsize  # macOS: limits of address space do not hold there
    most = _space() + memory
    _limit(resource.RLIMIT_AS, most)
    return most


def _limit(what: int, most: int) -> None:
    hard = resource.getrlimit(what)[1]
    resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _space() -> int:
    """Return the bytes of address space in use, 0 where they are not told."""
    return int(_STATM.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE") if _STATM.exists() else 0


def _arm(seconds: float) -> None:
    """End this process after so much processor time; 0 for never."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _forbid(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open":
        if len(arguments) > 2 and isinstance(arguments[2], int) and arguments[2] & _WRITING:
            raise PermissionError(f"a parser may not write files ({arguments[0]!r})")
    elif event.startswith(_FORBIDDEN):
        raise PermissionError(f"a parser may not do this ({event})")
