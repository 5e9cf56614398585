"""Web pages and feeds parsed in a process of their own, so that a hostile one costs its own record and nothing else.

One process serves many files; one that a file has ended is replaced. It ends by itself when it has had nothing to do
for half a minute, and with this process. Where the system has no limits on processor time (Windows) or on
memory (Windows, macOS), the clock is what ends it: that limit holds everywhere.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

from newsindex.errors import SourceError
from newsindex.sources.frames import (
    LARGEST_ANSWER,
    Broken,
    parsed_message,
    read_frame,
    read_message,
    send_frame,
    send_message,
)
from newsindex.sources.parser_child import OUT_OF_MEMORY
from newsindex.sources.record import Record

__all__ = ["LARGEST", "parse_apart"]

LARGEST = 20 * 1024 * 1024
MEMORY = 160 * 1024 * 1024
# Real pages take 0.03 s, the slowest known 0.3 s; a feed takes 0.7 s a MiB.
SECONDS = 2.0
SECONDS_A_MIB = 2.0
# Wall clock: a busy machine gives a process a part of its time.
PATIENCE = 5.0
_START_SECONDS = 60.0
_MOST_IDLE = 4
_PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from newsindex.sources.parser_child import main; main()"

Items = list[Record | SourceError]


def parse_apart(kind: str, data: bytes, file: str) -> Items:
    """Return the records and errors of a web page ("html") or a feed ("feed").

    Raises:
        SourceError: over a limit of time or memory, which the error names, or its parser failed.
    """
    process = _idle_one()
    if process is not None:
        with suppress(_Gone):  # it had nothing to do for long enough just now
            return process.parse(kind, data, file)
    try:
        return ParserProcess().parse(kind, data, file)
    except _Gone as gone:
        raise SourceError(f"its parser could not be started ({gone})", file) from gone


class _Gone(Exception):
    """The process ended before it began with the file."""


class ParserProcess:
    """The process, and the talk with it."""

    def __init__(self) -> None:
        paths = [path for path in sys.path if isinstance(path, str)]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, *paths],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        except OSError as error:
            raise _Gone(str(error)) from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._jobs: BinaryIO = self._process.stdin  # type: ignore[assignment]
        self._answers: BinaryIO = self._process.stdout  # type: ignore[assignment]
        self._expired = False

    def parse(self, kind: str, data: bytes, file: str) -> Items:
        """Return what the file holds; then the process waits for another file, or after an error is ended.

        Raises:
            SourceError: over a limit of time or memory, or the parser failed.
            _Gone: it ended before it began with the file.
        """
        try:
            items, usable = self._parse(kind, data, file)
        except BaseException:
            self.end()
            raise
        if not (usable and _keep(self)):
            self.end()
        return items

    def _parse(self, kind: str, data: bytes, file: str) -> tuple[Items, bool]:
        seconds = SECONDS + SECONDS_A_MIB * len(data) / 2**20
        with self._within(_START_SECONDS):
            try:
                job = {"kind": kind, "file": file, "size": len(data), "seconds": seconds, "memory": MEMORY}
                send_message(self._jobs, job)
                send_frame(self._jobs, data)
                self._jobs.flush()
                begun = read_message(self._answers)
            except (OSError, Broken) as error:
                raise _Gone(str(error)) from error
        if begun is None:
            raise _Gone(self._status())
        items: Items = []
        left = LARGEST_ANSWER
        with self._within(seconds * PATIENCE):
            try:
                while (answer := read_frame(self._answers, left)) is not None:
                    left -= len(answer)
                    message = parsed_message(answer)
                    if "end" in message:
                        return items, message.get("tired") is False
                    items.append(_item(message, file))
            except (OSError, Broken) as error:
                raise SourceError(f"its parser failed ({error})", file) from error
        raise SourceError(self._why(seconds), file)

    def _why(self, seconds: float) -> str:
        status = self._status()
        if self._expired:
            return f"parsing takes more than {seconds * PATIENCE:.1f} s, the limit for a file of this size"
        if hasattr(signal, "SIGPROF") and self._process.returncode == -signal.SIGPROF:
            return f"parsing takes more than {seconds:.1f} s of processor time, the limit for a file of this size"
        if self._process.returncode == OUT_OF_MEMORY:
            return f"parsing takes more than {MEMORY >> 20:,} MiB of memory, the limit"
        return f"its parser failed ({status})"

    def _status(self) -> str:
        try:
            status = self._process.wait(5)
        except subprocess.TimeoutExpired:
            return "it does not answer"
        return f"ended by signal {-status}" if status < 0 else f"exit status {status}"

    @contextmanager
    def _within(self, seconds: float) -> Iterator[None]:
        """Kill the process when this takes longer: what is read from it then ends."""
        timer = threading.Timer(seconds, self._expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _expire(self) -> None:
        self._expired = True
        self._process.kill()

    def is_alive(self) -> bool:
        """Tell whether it may take another file."""
        return not self._expired and self._process.poll() is None

    def end(self) -> None:
        """Kill the process, and let go of its pipes."""
        self._process.kill()
        self._process.wait()
        self.let_go()

    def let_go(self) -> None:
        """Close the pipes; the process ends when it notices."""
        for pipe in (self._jobs, self._answers):
            with suppress(OSError):
                pipe.close()


def _item(message: dict[str, Any], file: str) -> Record | SourceError:
    """Return what the message tells; a parser that was taken over may say anything."""
    line = message.get("line")
    if line is not None and (not isinstance(line, int) or line < 1):
        raise Broken("a line that is no number")
    if isinstance(message.get("error"), str):
        return SourceError(message["error"], file, line)
    values = message.get("values")
    if not isinstance(values, dict):
        raise Broken("neither a record nor an error")
    for value in values.values():
        if not isinstance(value, str) and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
            raise Broken("a value that is neither text nor texts")
    return Record(values, file, line)


# Processes that have nothing to do.

_idle: list[ParserProcess] = []
_lock = threading.Lock()
# Of the parent, in a forked child: kept, for letting go of them would wait for processes of somebody else.
_others: list[ParserProcess] = []


def _idle_one() -> ParserProcess | None:
    with _lock:
        while _idle:
            process = _idle.pop()
            if process.is_alive():
                return process
            process.end()
    return None


def _keep(process: ParserProcess) -> bool:
    with _lock:
        if not process.is_alive() or len(_idle) >= _MOST_IDLE:
            return False
        _idle.append(process)
    return True


def _end_all() -> None:
    with _lock:
        while _idle:
            _idle.pop().end()


def _forget_all() -> None:
    global _lock
    _lock = threading.Lock()
    for process in _idle:
        process.let_go()
    _others.extend(_idle)
    _idle.clear()


atexit.register(_end_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
