"""The time that one search may take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from time import thread_time
from typing import TypeVar

from newsindex.errors import QueryTooComplex

__all__ = ["MAX_MILLISECONDS", "Deadline"]

MAX_MILLISECONDS = 10_000
_CHECKED_EVERY = 256
_T = TypeVar("_T")


class Deadline:
    """Stops a search that takes too long.

    It counts the processor time of the thread, not the clock's: on a busy machine the same queries are answered.
    """

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Begin anew."""
        self._started = thread_time()

    def check(self) -> None:
        """Go on only in time.

        Raises:
            QueryTooComplex: the time is over.
        """
        spent = int(1000 * (thread_time() - self._started))
        if spent > MAX_MILLISECONDS:
            raise QueryTooComplex("the time in milliseconds", spent, MAX_MILLISECONDS)

    def over(self, items: Iterable[_T]) -> Iterator[_T]:
        """Yield the items, with a check now and then."""
        for number, item in enumerate(items):
            if number % _CHECKED_EVERY == 0:
                self.check()
            yield item
