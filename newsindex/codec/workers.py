"""The threads that make segments, and the tokenizer that they share."""

from __future__ import annotations

import itertools
import os
import sys
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from threading import Lock
from typing import Any, Generic, ParamSpec, TypeVar

from newsindex.analysis import Analyzer
from newsindex.analysis.batch import BatchTokenizer

__all__ = ["Shared", "Workers", "in_turn", "started"]

# A tokenizer never forgets a word: one that has met more than these is replaced by a new one.
_MOST_SURFACES = 160 * 1024
_MOST_SHARING = 2
# Seconds for which a thread keeps the interpreter from another that comes out of a kernel; Python's own are 5 ms.
_TURN = 0.0001
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class _Turns:
    """How often threads take turns at the interpreter: one setting for all, changed while writers are at work."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._writers = 0
        self._usual = self._set = 0.0

    def shorten(self) -> None:
        with self._lock:
            if not self._writers:
                self._usual = sys.getswitchinterval()
                sys.setswitchinterval(min(_TURN, self._usual))
                self._set = sys.getswitchinterval()
            self._writers += 1

    def restore(self) -> None:
        with self._lock:
            self._writers -= 1
            if not self._writers and sys.getswitchinterval() == self._set:  # nobody else has changed it since
                sys.setswitchinterval(self._usual)

    def forget(self) -> None:
        """In a process that was forked: its writers stayed behind."""
        self._lock = Lock()
        if self._writers:
            self._writers = 1
            self.restore()


_turns = _Turns()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_turns.forget)


class Workers:
    """One thread analyses text, for the dictionary is one; others do what can be shared; one ends a segment.

    The caller's thread takes its part of what is shared, so that there are no more threads at work than processors:
    with more, the one that holds the interpreter's lock would be made to wait. With two processors the thread that
    analyses text shares too; with one there are none. None is started before `start`: what is done for a few articles
    is done sooner than a thread wakes up.
    """

    def __init__(self, analyzer: Analyzer) -> None:
        self._analyzer = analyzer
        self._tokenizer: BatchTokenizer | None = None
        self._all: list[ThreadPoolExecutor] = []
        self._restore: Callable[[], object] | None = None
        self.tokenizing: Executor | None = None
        self.sharing: Executor | None = None
        self.finishing: Executor | None = None

    def start(self) -> None:
        """Let there be threads from now on, if there are processors for them."""
        processors = _processors()
        if self._all or processors < 2:
            return
        self.tokenizing = self.sharing = self._threads(1, "tokenize")
        if processors > 2:
            self.sharing = self._threads(min(processors - 2, _MOST_SHARING), "share")
        self.finishing = self._threads(1, "finish")
        _turns.shorten()
        self._restore = weakref.finalize(self, _turns.restore)  # once, also for a writer that nobody closes

    def _threads(self, count: int, name: str) -> ThreadPoolExecutor:
        threads = ThreadPoolExecutor(count, f"newsindex-{name}")
        self._all.append(threads)
        return threads

    def close(self) -> None:
        """Wait for what is being done, and drop what waits."""
        for threads in self._all:
            threads.shutdown(cancel_futures=True)
        self._all = []
        if self._restore is not None:
            self._restore()

    def tokenizer(self, *, fresh: bool = False) -> BatchTokenizer:
        """Return the tokenizer, for use in the thread `tokenizing`; `fresh` where it may be another from now on."""
        if self._tokenizer is None or (fresh and len(self._tokenizer.surfaces) > _MOST_SURFACES):
            self._tokenizer = BatchTokenizer(self._analyzer)
        return self._tokenizer


class Shared(Generic[_Result]):
    """Something that a thread may do, or who wants its result, whoever comes first; without threads it is done now.

    It is done once: an error is raised to whoever did it, and again to whoever asks for the result.
    """

    def __init__(
        self,
        executor: Executor | None,
        function: Callable[_Arguments, _Result],
        *arguments: _Arguments.args,
        **named: _Arguments.kwargs,
    ) -> None:
        self._call: Callable[[], _Result] | None = partial(function, *arguments, **named)
        self._results: list[_Result] = []
        self._error: BaseException | None = None
        self._at_work = Lock()
        if executor is None:
            self._do()
        else:
            executor.submit(self.take)

    def result(self) -> _Result:
        """Return the result; an error is raised to whoever asks."""
        with self._at_work:
            self._do()
        return self._results[0]

    def done(self) -> bool:
        """Tell whether the result is there."""
        return bool(self._results)

    def cancel(self) -> None:
        """Leave it undone if nobody has begun; nobody may ask for the result."""
        if self._at_work.acquire(blocking=False):
            self._call = None
            self._at_work.release()

    def take(self) -> bool:
        """Do it unless somebody has begun; tell whether it was done here."""
        if self._results or not self._at_work.acquire(blocking=False):
            return False
        try:
            return self._do()
        finally:
            self._at_work.release()

    def _do(self) -> bool:
        if self._error is not None:
            raise self._error
        if self._call is None:
            return False
        try:
            self._results.append(self._call())
        except BaseException as error:
            self._error = error
            raise
        finally:
            self._call = None  # what it was made of is not needed any more
        return True


def in_turn(waiting: deque[Shared[_Result]], *others: Iterable[Shared[Any]]) -> Iterator[_Result]:
    """Yield the results in order, and let go each; where one is under way, take another meanwhile, or of the others."""
    while waiting:
        while not waiting[0].done() and any(shared.take() for shared in itertools.chain(waiting, *others)):
            pass
        yield waiting.popleft().result()


def _processors() -> int:
    """Return how many processors there are for this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def started(
    executor: Executor | None,
    function: Callable[_Arguments, _Result],
    *arguments: _Arguments.args,
    **named: _Arguments.kwargs,
) -> Future[_Result]:
    """Have a thread do it; without threads, do it now, and an error is raised here."""
    if executor is not None:
        return executor.submit(function, *arguments, **named)
    future: Future[_Result] = Future()
    future.set_result(function(*arguments, **named))
    return future
