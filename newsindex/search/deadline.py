"""The time that one search may take."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from time import monotonic, thread_time
from typing import TypeVar

from newsindex.errors import QueryError, QueryTooComplex
from newsindex.kernel import compile_seconds
from newsindex.wrong_value import shown

__all__ = ["SECONDS", "Deadline", "check_timeout"]

SECONDS = 2.0
_UNNOTICED = 0.005
_CHECKED_EVERY = 256
_T = TypeVar("_T")


class Deadline:
    """Stops what takes too long.

    It counts the processor time of the thread, not the clock's: on a busy machine the same queries are answered. To
    ask for that costs more than a small search can spare, so it is counted from the first check after some
    milliseconds on. What compiling takes is not the search's. A deadline belongs to one thread.
    """

    __slots__ = ("_began", "_compiled", "_counted_from", "_seconds")

    def __init__(self, seconds: float | None = SECONDS) -> None:
        """Take the time that is allowed; None for any."""
        self._seconds = math.inf if seconds is None else seconds
        self._began = monotonic()
        self._counted_from: float | None = None

    def check(self) -> None:
        """Go on only in time.

        Raises:
            QueryTooComplex: the time is over.
        """
        if self._counted_from is None:
            elapsed = monotonic() - self._began
            if elapsed < _UNNOTICED and elapsed <= self._seconds:
                return
            self._counted_from = thread_time() - min(elapsed, _UNNOTICED)
            self._compiled = compile_seconds()
        spent = self._spent(self._counted_from)
        if spent > self._seconds:
            raise QueryTooComplex("the time in milliseconds", int(1000 * spent), int(1000 * self._seconds))

    def left(self) -> float:
        """Return the seconds that are left; what was over too soon to be counted took none."""
        return self._seconds if self._counted_from is None else self._seconds - self._spent(self._counted_from)

    def _spent(self, since: float) -> float:
        return thread_time() - since - (compile_seconds() - self._compiled)

    def over(self, items: Iterable[_T]) -> Iterator[_T]:
        """Yield the items, with a check now and then."""
        for number, item in enumerate(items):
            if number % _CHECKED_EVERY == 0:
                self.check()
            yield item


def check_timeout(seconds: object) -> None:
    """Raise QueryError for what is no time to allow."""
    if seconds is not None and (isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0):
        raise QueryError(f"timeout: seconds above 0, or None for no limit, not {shown(seconds)}")
