"""What a prefix, or a lone ideograph, stands for in a commit's dictionaries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.search.deadline import Deadline
from newsindex.search.parts import ExpansionPart
from newsindex.search.segment import SearchSegment
from newsindex.search.snapshot import Snapshot

__all__ = ["MAX_EXPANSIONS", "Expander", "Expansion"]

MAX_EXPANSIONS = 1024
_Array = npt.NDArray[Any]
_NUMBER, _FIELDS, _DOC_FREQ = 0, 1, 2


@dataclass(slots=True, eq=False)
class Expansion:
    """What a prefix, or a lone ideograph, stands for.

    `rows` are of each segment: int64[T, 8], as `find` gives them. `cut` is what to say when not all were searched.
    """

    snapshot: Snapshot
    prefix: bytes
    rows: list[_Array]
    cut: str = ""

    @property
    def is_known(self) -> bool:
        """Tell whether it stands for anything."""
        return bool(self.cut) or any(map(len, self.rows))

    def terms(self) -> tuple[str, ...]:
        """Return the terms, in order."""
        found: set[bytes] = set()
        for segment, rows in zip(self.snapshot.segments, self.rows, strict=True):
            if len(rows):
                found.update(_names(segment, self.prefix, rows))
        return tuple(term.decode() for term in sorted(found))


class Expander:
    """Expands the prefixes of one query, which together stand for 1,024 terms at most."""

    def __init__(self, snapshot: Snapshot, deadline: Deadline) -> None:
        self._snapshot = snapshot
        self._deadline = deadline
        self._left = MAX_EXPANSIONS
        self._expanded: dict[tuple[str, bool, int], Expansion] = {}

    def expand(self, part: ExpansionPart) -> Expansion:
        """Return what a part stands for; the same again for the same.

        A word of one segment may tell of a term that another segment has from other words only: a term that any
        segment tells of is searched in all.
        """
        key = part.start, part.pairs, part.mask
        if key not in self._expanded:
            self._expanded[key] = self._expand(part)
        return self._expanded[key]

    def _expand(self, part: ExpansionPart) -> Expansion:
        self._deadline.check()
        prefix = part.start.encode("utf-8", "replace")
        found = self._rows(part, prefix)
        if max(map(len, found), default=0) == 0:
            return Expansion(self._snapshot, prefix, found)
        if not self._left:
            nothing = [rows[:0] for rows in found]
            cut = f"none of the words that {part.node} stands for was searched, since those of prefixes before it are "
            return Expansion(self._snapshot, prefix, nothing, f"{cut}{MAX_EXPANSIONS:,}")
        if sum(map(len, found)) <= self._left:
            self._left -= max(map(len, found))
            return Expansion(self._snapshot, prefix, found)
        count, kept = self._most_frequent(prefix, found)
        cut = ""
        if count > self._left:
            cut = f"{part.node} stands for {count:,} words; the {self._left:,} most frequent were searched"
        self._left -= min(count, self._left)
        return Expansion(self._snapshot, prefix, kept, cut)

    def _rows(self, part: ExpansionPart, prefix: bytes) -> list[_Array]:
        """Return the rows of all terms that a part stands for, of each segment."""
        segments = self._snapshot.segments
        found: list[_Array] = []
        others: set[bytes] = set()
        for at, segment in enumerate(segments):
            reader = segment.reader
            numbers, rows = reader.prefix_rows(prefix, reader.term_count)
            told = self._snapshot.pairs_ending_with(at, part.start) if part.pairs else reader.word_terms(prefix)
            if numbers.size:
                told = told[(told < numbers[0]) | (told > numbers[-1])]
            if told.size and len(segments) > 1:
                others.update(reader.term_bytes(number) for number in self._deadline.over(told.tolist()))
            elif told.size:
                rows = np.concatenate([rows, reader.rows_of(told)])
            found.append(rows)
        if others:
            ordered = sorted(others)
            for at, segment in enumerate(segments):
                found[at] = np.concatenate([found[at], segment.find(ordered)])
        return [rows[(rows[:, _DOC_FREQ] > 0) & (rows[:, _FIELDS] & part.mask != 0)] for rows in found]

    def _most_frequent(self, prefix: bytes, found: list[_Array]) -> tuple[int, list[_Array]]:
        """Return how many different terms there are, and the rows of the most frequent, as many as may still be."""
        if len(found) == 1:
            (rows,) = found
            order = np.lexsort((rows[:, _NUMBER], -rows[:, _DOC_FREQ]))
            return len(rows), [rows[np.sort(order[: self._left])]]
        freqs: dict[bytes, int] = {}
        names: list[list[bytes]] = []
        for segment, rows in zip(self._snapshot.segments, found, strict=True):
            self._deadline.check()
            names.append(_names(segment, prefix, rows) if len(rows) else [])
            for term, doc_freq in zip(names[-1], rows[:, _DOC_FREQ].tolist(), strict=True):
                freqs[term] = freqs.get(term, 0) + doc_freq
        kept = set(sorted(freqs, key=lambda term: (-freqs[term], term))[: self._left])
        return len(freqs), [
            rows[[place for place, term in enumerate(own) if term in kept]]
            for rows, own in zip(found, names, strict=True)
        ]


def _names(segment: SearchSegment, prefix: bytes, rows: _Array) -> list[bytes]:
    """Return the terms of rows; most begin with the prefix, and those are read together."""
    known = {info.number: term for term, info in segment.reader.terms(prefix)}
    return [known.get(number) or segment.reader.term_bytes(number) for number in rows[:, _NUMBER].tolist()]
