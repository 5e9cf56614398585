"""The words before stemming of several segments, and which occurrences are theirs, to those of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.codec.joined import Joined
from newsindex.codec.merge_kernel import gather_bytes
from newsindex.codec.reader import SegmentReader
from newsindex.codec.sections import Bytes
from newsindex.codec.words import ToldRun, Words, are_listed, encoded_lists, lay_told

__all__ = ["MergedWords"]

_Array = npt.NDArray[Any]


class _Part:
    """The words of one segment in the order of their terms."""

    def __init__(self, segment: SegmentReader, words: list[bytes], rows: _Array) -> None:
        self.segment = segment
        self.texts = words
        self.terms = rows[:, 2].astype(np.int64)
        self.order = np.argsort(self.terms, kind="stable")
        self.rows = rows[self.order]

    def kinds(self, begin: int, end: int, counts: _Array, numbers: _Array) -> _Array:
        """Return of each occurrence of the terms [begin, end) its word's number + 1, 0 for the term itself: uint32.

        `counts` are the occurrences of those terms, `numbers` those of the segment's words in their order.
        """
        first, after = np.searchsorted(self.rows[:, 2], [begin, end])
        rows = self.rows[first:after]
        terms = rows[:, 2] - begin
        kinds = (numbers[self.order[first:after]] + 1).astype(np.uint32)
        listed = rows[:, 1] != 0
        rest = np.zeros(end - begin, np.uint32)
        rest[terms[~listed]] = kinds[~listed]
        found = np.repeat(rest, counts)
        rows, terms, kinds = rows[listed], terms[listed], kinds[listed]
        places, starts = self.segment.occurrences_of_words(rows, counts[terms])
        lengths = np.diff(starts)
        found[np.repeat((np.cumsum(counts) - counts)[terms], lengths) + places] = np.repeat(kinds, lengths)
        return found


class MergedWords:
    """The words of segments, merged range by range of terms.

    Args:
        segments: to be merged.
        ranks: int64[its terms] of each, the places of its terms among those of all.
    """

    def __init__(self, segments: Sequence[SegmentReader], ranks: Sequence[_Array]) -> None:
        self._parts = [_Part(segment, *segment.all_words()) for segment in segments]
        self._texts = sorted(set().union(*(part.texts for part in self._parts)))
        place = {word: number for number, word in enumerate(self._texts)}
        self._numbers = [np.array([place[word] for word in part.texts], np.int64) for part in self._parts]
        self._terms = np.full(len(self._texts), -1, np.int64)
        for part, numbers, rank in zip(self._parts, self._numbers, ranks, strict=True):
            terms, before = rank[part.terms], self._terms[numbers]
            if ((before >= 0) & (before != terms)).any():
                raise part.segment.damage("a word is of another term than in another segment")
            self._terms[numbers] = terms
        # Words of the terms that were not merged yet have no occurrence.
        self._counts = np.zeros(len(self._texts), np.int64)
        self._listed = np.zeros(len(self._texts), bool)
        # Those that have a list, as they are met; the bytes of each, and the lists.
        self._met: list[_Array] = [np.empty(0, np.int64)]
        self._sizes: list[_Array] = [np.empty(0, np.int64)]
        self._lists: list[Bytes] = [np.empty(0, np.uint8)]

    def kinds(self, part: int, begin: int, end: int, counts: _Array) -> _Array:
        """Return of what word each occurrence of the terms [begin, end) of a part is, as `add` takes it.

        `counts` int64[end - begin] are the occurrences of those terms, deleted ones too.
        """
        return self._parts[part].kinds(begin, end, counts, self._numbers[part])

    def add(self, first: int, terms: int, parts: Sequence[tuple[_Array, _Array, _Array]]) -> None:
        """Take a range of terms.

        Args:
            first, terms: the first of them, and how many they are.
            parts: of each segment its terms, counted from the first; how many occurrences of each are kept; and of
                these the words, from `kinds`.
        """
        every = len(self._texts)
        counts, totals = np.zeros(every, np.int64), np.zeros(terms, np.int64)
        runs = []
        for its_terms, kept, kinds in parts:
            at = np.flatnonzero(kinds != 0)
            words = kinds[at] - np.uint32(1)
            in_part = np.bincount(words, minlength=every)
            numbers = np.flatnonzero(in_part)
            begins = np.zeros(terms, np.int64)
            begins[its_terms] = np.cumsum(kept) - kept
            bases = np.zeros(every, np.int64)
            bases[numbers] = (totals - begins)[self._terms[numbers] - first]
            runs.append(ToldRun(words, np.ones(words.size, np.uint32), at.astype(np.uint32), bases))
            counts += in_part
            totals[its_terms] += kept
        numbers = np.flatnonzero(counts)
        listed = are_listed(self._terms[numbers] - first, counts[numbers], totals)
        self._counts[numbers], self._listed[numbers] = counts[numbers], listed
        found = lay_told(runs, counts, np.arange(every))
        own = numbers[listed]
        sizes, lists = encoded_lists(found.starts[own], counts[own], found.others)
        self._met.append(own)
        self._sizes.append(sizes)
        self._lists.append(lists)

    def words(self, living: _Array) -> Words:
        """Return the words that articles still have; `living` bool[all terms] tells which terms they have."""
        kept = np.flatnonzero(self._counts)
        listed = self._listed[kept]
        terms = (np.cumsum(living) - 1)[self._terms[kept]]
        texts = [self._texts[number] for number in kept.tolist()]
        sizes, lists = np.concatenate(self._sizes), np.concatenate(self._lists)
        order = np.argsort(np.concatenate(self._met))
        data = np.empty(lists.size, np.uint8)
        gather_bytes(lists, np.append(0, np.cumsum(sizes)), order, data, np.empty(order.size + 1, np.uint64))
        return Words(Joined.of(texts), terms, listed, self._counts[kept][listed], sizes[order], data)
