"""The threads that make segments, and the tokenizer that they share."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from newsindex.analysis import Analyzer
from newsindex.analysis.batch import BatchTokenizer

__all__ = ["Workers", "started"]

# A tokenizer never forgets a word: one that has met more than these is replaced by a new one.
_MOST_SURFACES = 1024 * 1024
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class Workers:
    """One thread analyses text, for the dictionary is one; two do what can be shared; one ends a segment.

    No thread is started before `start`: what is done for a few articles is done sooner than a thread wakes up.
    """

    def __init__(self, analyzer: Analyzer) -> None:
        self._analyzer = analyzer
        self._tokenizer: BatchTokenizer | None = None
        self._all: list[ThreadPoolExecutor] = []
        self.tokenizing: Executor | None = None
        self.sharing: Executor | None = None
        self.finishing: Executor | None = None

    def start(self) -> None:
        """Let there be threads from now on."""
        if not self._all:
            for count, name in ((1, "tokenize"), (2, "share"), (1, "finish")):
                self._all.append(ThreadPoolExecutor(count, f"newsindex-{name}"))
            self.tokenizing, self.sharing, self.finishing = self._all

    def close(self) -> None:
        """Wait for what is being done, and drop what waits."""
        for threads in self._all:
            threads.shutdown(cancel_futures=True)

    def tokenizer(self, *, fresh: bool = False) -> BatchTokenizer:
        """Return the tokenizer, for use in the thread `tokenizing`; `fresh` where it may be another from now on."""
        if self._tokenizer is None or (fresh and len(self._tokenizer.surfaces) > _MOST_SURFACES):
            self._tokenizer = BatchTokenizer(self._analyzer)
        return self._tokenizer


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
