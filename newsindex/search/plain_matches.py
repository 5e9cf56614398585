"""What a text has of what is sought, where a kernel sees it plainly; of words that are new to it the kernel asks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic_core import from_json

from newsindex.analysis import Analyzer
from newsindex.search.beginnings import FOLDS, tell_fold
from newsindex.search.deadline import Deadline
from newsindex.search.slots import Slots
from newsindex.search.snippet_kernel import (
    AT,
    BEGIN,
    COUNT,
    ELIDES,
    END,
    FOUND,
    LEAF_WORDS,
    LEAVES,
    LENGTHS,
    LONGEST_WORD,
    MOST_FOUND,
    NEVER,
    NEW,
    ODD,
    SCRATCH,
    SOUGHT,
    WORD_ROWS,
    find_snippet,
    learn,
)

__all__ = ["BRIEF", "Match", "PlainMatches", "found_matches", "local"]

BRIEF = 16 * 1024
"""The kernel looks through texts of so many bytes, in some microseconds."""
_Array = npt.NDArray[Any]

Match = tuple[int, int, int]
"""Where a match begins and ends in a text, and the number of what stands there among what is sought."""


class _Local(threading.local):
    """What a thread gives the kernel."""

    def __init__(self) -> None:
        self.letters: _Array = np.zeros(BRIEF, np.uint8)
        self.text = memoryview(self.letters)  # type: ignore[arg-type]
        self.scratch: _Array = np.zeros(SCRATCH, np.int64)
        # Single numbers are read and written in a third of the time.
        self.numbers = memoryview(self.scratch)  # type: ignore[arg-type]


local = _Local()


class PlainMatches:
    """Finds what is sought in texts that are not long. Any number of threads may use it."""

    def __init__(
        self,
        analyzer: Analyzer,
        words: Sequence[int],
        slots: Slots,
        starts: _Array,
        chunk: Callable[[str, int], tuple[int, list[Match]]],
        by_chunk: bool,
    ) -> None:
        """Take what is sought.

        Args:
            analyzer: makes terms of words.
            words: how many words each part of the query has, of SLOTS at most.
            slots: SLOTS at most.
            starts: see `table_of`.
            chunk: tells of a text and a place where the chunk around it ends, and what matches from there on.
            by_chunk: whether each word has to be looked at as it is written.
        """
        self._analyzer = analyzer
        self._slots = slots
        self._starts = starts
        self._words = np.zeros(WORD_ROWS * (1 + LONGEST_WORD), np.uint8)
        self._sought = np.zeros(SOUGHT, np.int64)
        self._leaves = len(words)
        self._chunk = chunk
        self._by_chunk = by_chunk
        numbers = memoryview(self._sought)  # type: ignore[arg-type]
        for slot, leaf in enumerate(slots.leaves):
            numbers[LEAVES + slot] = leaf
            numbers[LENGTHS + slot] = slots.lengths[slot]
        for leaf, count in enumerate(words):
            numbers[LEAF_WORDS + leaf] = count
        numbers[ELIDES] = analyzer.elides

    def find(self, source: _Array, begin: int, end: int, is_json: bool, cuts: bool, deadline: Deadline) -> int:
        """Let the kernel look for what matches in a text of at most BRIEF bytes, and for the piece around it.

        Args:
            source: uint8[], UTF-8; the text is [begin, end).
            is_json: whether it is the content of a JSON string.
            cuts: whether the piece is wanted.
            deadline: looked at whenever the kernel asks.

        Returns:
            DONE, UNSEEN, or NEVER, as `find_snippet`; what it found is in `local`.

        Raises:
            QueryTooComplex: the deadline is over.
            ValueError: it is not UTF-8, or no content of a JSON string.
        """
        mine = local
        letters, scratch, numbers = mine.letters, mine.scratch, mine.numbers
        starts, words, sought = self._starts, self._words, self._sought
        text: str | None = None
        numbers[AT] = -1
        while True:
            deadline.check()
            told: int = find_snippet(
                source, begin, end, is_json, FOLDS, letters, starts, words, sought, self._leaves, self._by_chunk, cuts,
                scratch,
            )  # fmt: skip
            if told <= NEVER:
                return told
            if told == NEW:
                first, last = numbers[BEGIN], numbers[END]
                mask = self._fitting(letters[first:last].tobytes().lower().decode())
                learn(letters, first, last, mask, words, sought)
            elif told == ODD:
                tell_fold(numbers[BEGIN])
            else:
                if text is None:
                    text = from_json(source[begin - 1 : end + 1].tobytes()) if is_json else source.tobytes().decode()
                numbers[AT], matches = self._chunk(text, numbers[BEGIN])
                count = numbers[COUNT]
                if count + len(matches) > MOST_FOUND:
                    return NEVER
                for at, match in enumerate(matches, count):
                    place = FOUND + 3 * at
                    numbers[place], numbers[place + 1], numbers[place + 2] = match
                numbers[COUNT] = count + len(matches)

    def _fitting(self, surface: str) -> int:
        """Return the slots that a word fits, as bits."""
        term = self._analyzer.term(surface)
        mask = 0
        for slot, written in self._slots.terms.get(term, ()):
            if not written or written == surface:
                mask |= 1 << slot
        for slot, likes in self._slots.likes:
            if likes(surface) or likes(term):
                mask |= 1 << slot
        return mask


def found_matches() -> list[Match]:
    """Return what the kernel found last in this thread."""
    count = local.numbers[COUNT]
    numbers = iter(local.scratch[FOUND : FOUND + 3 * count].tolist())
    return list(zip(numbers, numbers, numbers, strict=True))
