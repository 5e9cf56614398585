"""From the tokens of texts, chunk by chunk, to the occurrences of terms in order."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from newsindex.analysis.batch import TokenBatch
from newsindex.codec.encode_kernel import Pieces
from newsindex.codec.invert_kernel import SortingRoom, count_pieces, lay_pieces, sort_texts
from newsindex.codec.joined import Joined, in_order
from newsindex.codec.sections import Bytes
from newsindex.codec.words import ToldRun, Words, are_listed, encoded_lists, lay_told
from newsindex.codec.words_kernel import lay_others
from newsindex.codec.workers import Shared

__all__ = ["SortedTerms", "SortedTexts", "TermRange", "TermSorter", "TextChunk", "Vocabulary"]

_LONGEST_WORD = 255
_PLACE_BITS = 32
# Places of a segment that has its size, and some more.
_PLACES = 24 * 1024 * 1024
# Memory that is shared with other processes, as Python would have it, takes a third more of the time.
_OF_ITS_OWN: Any = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
_Array = npt.NDArray[Any]


def _room(places: int) -> npt.NDArray[np.uint32]:
    """Return room for places; the system gives memory when it is written to, a small page at a time.

    Numpy asks for large pages, for which a virtual machine that lends what it does not use has to wait.
    """
    try:
        return np.frombuffer(mmap.mmap(-1, places * np.dtype(np.uint32).itemsize, **_OF_ITS_OWN), np.uint32)
    except OSError as error:
        raise MemoryError(f"no room for the places of {places:,} words") from error


class Vocabulary(NamedTuple):
    """What a tokenizer's numbers mean: uint32[s] from surfaces to terms, the strings of both, and `stemmed`."""

    term_of_surface: _Array
    terms: Sequence[str]
    surfaces: Sequence[str]
    stemmed: bytes | bytearray


class _Runs(NamedTuple):
    """The terms of some texts as `sort_texts` finds them; `begins` counts from `first` on of the sorter's places.

    So do `word_places`, of the tokens of `words`, `word_counts` of each.
    """

    terms: _Array
    begins: _Array
    first: int
    shift: int
    first_text: int
    words: _Array
    word_counts: _Array
    word_places: _Array


class TextChunk(NamedTuple):
    """The tokens of some articles, sorted by term, and where sentences begin, encoded.

    `lengths` int64[texts]: the tokens of each text; text = number of the article · F + number of the field, absent
    fields empty. `boundaries` and `boundary_ends` are as `encode_boundaries` makes them.
    """

    runs: list[_Runs]
    lengths: _Array
    boundaries: bytes
    boundary_ends: _Array
    long_words: int


class TermSorter:
    """Sorts the tokens of chunk after chunk; not for several threads at a time.

    `places` has the tokens of all of them, sorted by term within each; of each its text and its position in one number.
    `seen` has 1 for each surface that is in them; `firsts` has, for each term in them, the surface that was first seen
    for it, + 1. Both may end after the last.
    """

    def __init__(self, fields: int) -> None:
        self.places = np.zeros(0, np.uint32)
        self.seen = np.zeros(0, np.uint8)
        self.firsts = np.zeros(0, np.uint32)
        self._used = 0
        self._fields = fields
        self._surface_counts, self._counts = np.zeros(0, np.int32), np.zeros(0, np.int32)
        self._first_text = 0

    # A chunk is one call of a kernel and nothing else that takes long: after whatever does, numpy on a thousand numbers
    # included, the interpreter is asked for, and a thread that runs Python gives it up after 5 ms.

    def chunk(self, batch: TokenBatch, term_of_surface: _Array, term_count: int) -> TextChunk:
        """Return the tokens of articles as a segment takes them; the texts are numbered on from chunk to chunk."""
        if term_of_surface.size > self._surface_counts.size:
            self._surface_counts = np.zeros(2 * term_of_surface.size, np.int32)
            seen = np.zeros(2 * term_of_surface.size, np.uint8)
            seen[: self.seen.size] = self.seen
            self.seen = seen
        if term_count > self._counts.size:
            self._counts = np.zeros(2 * term_count, np.int32)
            firsts = np.zeros(2 * term_count, np.uint32)
            firsts[: self.firsts.size] = self.firsts
            self.firsts = firsts
        texts = batch.starts.size - 1
        lengths = np.empty(texts, np.int64)
        data, ends = np.empty(5 * batch.boundaries.size, np.uint8), np.empty(texts // self._fields + 1, np.uint64)
        runs: list[_Runs] = []
        used = self._sort(batch, term_of_surface, term_count, 0, lengths, data, ends, runs)
        self._first_text += texts
        return TextChunk(runs, lengths, data[:used].tobytes(), ends, batch.long_words)

    def _sort(
        self,
        batch: TokenBatch,
        term_of_surface: _Array,
        term_count: int,
        first: int,
        lengths: _Array,
        data: Bytes,
        ends: _Array,
        runs: list[_Runs],
    ) -> int:
        """Sort the texts from `first` on; in halves when text and position do not go into one number."""
        count = lengths.size
        starts = batch.starts[first : first + count + 1]
        tokens, before = int(starts[-1] - starts[0]), self._used
        if before + tokens > self.places.size:
            places = _room(max(_PLACES, 2 * (before + tokens)) if before else tokens)
            places[:before] = self.places[:before]
            self.places = places
        most = min(term_count, tokens)
        terms, begins = np.empty(most, np.uint32), np.empty(most + 1, np.int64)
        most = min(term_of_surface.size, tokens)
        words, word_counts = np.empty(most, np.uint32), np.empty(most, np.uint32)
        word_places = np.empty(tokens + 1, np.uint32)
        room = SortingRoom(
            self._surface_counts, self._counts, self.seen, self.firsts, terms, begins, words, word_counts, word_places
        )
        found, shift, used, others, told = sort_texts(
            (batch.surface_ids, batch.boundaries), starts, term_of_surface, self._fields, _PLACE_BITS, room,
            self.places[before : before + tokens], lengths, data, ends,
        )  # fmt: skip
        if found < 0:
            middle = count // 2
            for part in (slice(0, middle), slice(middle, count)):
                of_part = lengths[part]
                self._sort(batch, term_of_surface, term_count, first + part.start, of_part, data, ends[:0], runs)
            return int(used)
        del room
        terms.resize(found, refcheck=False)  # gives memory back without a copy
        begins.resize(found + 1, refcheck=False)
        words.resize(others, refcheck=False)
        word_counts.resize(others, refcheck=False)
        word_places.resize(told, refcheck=False)
        self._used += tokens
        runs.append(_Runs(terms, begins, before, shift, self._first_text + first, words, word_counts, word_places))
        return int(used)


@dataclass(frozen=True)
class TermRange:
    """Sorted terms as `encode_terms` takes them; `starts` counts from the first occurrence of the range."""

    starts: _Array
    pieces: Pieces


class SortedTerms:
    """The terms that stand in the chunks of a sorter, sorted: `texts`."""

    def __init__(self, chunks: Sequence[TextChunk], sorter: TermSorter, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._firsts = sorter.firsts
        self._runs = every = [runs for chunk in chunks for runs in chunk.runs]
        self._seen = np.flatnonzero(sorter.seen)
        counts, pieces = np.zeros((2, len(vocabulary.terms)), np.int64)
        for runs in every:
            count_pieces(runs.terms, runs.begins, counts, pieces)
        self._counts = counts
        there = np.flatnonzero(counts)
        by_text, self.texts = in_order([vocabulary.terms[number] for number in there.tolist()])
        order = there[by_text]
        self._ranks = np.zeros(counts.size, np.uint32)
        self._ranks[order] = np.arange(order.size, dtype=np.uint32)
        self._starts = np.zeros(order.size + 1, np.int64)
        np.cumsum(counts[order], out=self._starts[1:])
        starts = np.zeros(order.size + 1, np.int64)
        np.cumsum(pieces[order], out=starts[1:])
        free, size = starts[:-1].copy(), int(starts[-1])
        laid = np.empty(size, np.int64), np.empty(size, np.uint32), np.empty(size, np.uint32)
        for number, runs in enumerate(every):
            lay_pieces(number, runs.terms, runs.begins, runs.first, self._ranks, free, *laid)
        first_texts = np.array([runs.first_text for runs in every], np.int64)
        shifts = np.array([runs.shift for runs in every], np.int64)
        self._pieces = Pieces(starts, *laid, first_texts, shifts, sorter.places)

    def ranges(self, most: int) -> Iterator[TermRange]:
        """Yield ranges of terms that have at most so many occurrences, or are one term."""
        starts, first = self._starts, 0
        while first < starts.size - 1:
            begin = int(starts[first])
            after = max(first + 1, int(np.searchsorted(starts, begin + most, side="right")) - 1)
            pieces = self._pieces._replace(starts=self._pieces.starts[first : after + 1])
            yield TermRange(starts[first : after + 1] - begin, pieces)
            first = after

    def words(self) -> Words:
        """Return the words before stemming that are no terms; to be called once."""
        surfaces = self._vocabulary.surfaces
        unlike = self._seen[np.frombuffer(self._vocabulary.stemmed, bool)[self._seen]]
        order, texts = in_order([surfaces[number] for number in unlike.tolist()])
        kept = np.diff(texts.starts) <= _LONGEST_WORD
        if not kept.all():
            unlike = unlike[np.sort(order[kept])]
            order, texts = in_order([surfaces[number] for number in unlike.tolist()])
        return self._listed(texts, unlike[order])

    def _listed(self, texts: Joined, words: _Array) -> Words:
        """Return words with their occurrences; `words` are their numbers."""
        term_of_surface = self._vocabulary.term_of_surface
        told = np.zeros(term_of_surface.size, np.int64)
        for runs in self._runs:
            told[runs.words] += runs.word_counts
        # What is not told is of the surface that was met first.
        rest = self._counts - np.bincount(term_of_surface, told, self._counts.size).astype(np.int64)
        terms = term_of_surface[words]
        is_told = self._firsts[terms] != words + 1
        counts = np.where(is_told, told[words], rest[terms])
        ranks = self._ranks[terms].astype(np.int64)
        listed = are_listed(ranks, counts, np.diff(self._starts))
        # Words that are not told and have a list: what is left of their terms.
        by_rest = np.flatnonzero(listed & ~is_told)
        order = np.argsort(term_of_surface, kind="stable")
        found = lay_told(self._told_runs(), told, order, int(counts[by_rest].sum()))
        self._runs = []
        begins = found.starts[words]
        if by_rest.size:
            starts, ends, its = found.starts[order], found.ends[order], terms[by_rest]
            of_words = term_of_surface[order]
            first, after = np.searchsorted(of_words, its), np.searchsorted(of_words, its, side="right")
            lists = np.stack([first, after, self._counts[its]], 1).astype(np.int64)
            used = int(ends[-1])
            begins[by_rest] = used + np.cumsum(counts[by_rest]) - counts[by_rest]
            marks = np.zeros(int(self._counts[its].max()), np.uint8)
            lay_others(lists, starts, ends, marks, found.others, found.others[used:])
        return Words(texts, ranks, listed, counts[listed], *encoded_lists(begins[listed], counts[listed], found.others))

    def _told_runs(self) -> Iterator[ToldRun]:
        done = np.zeros(self._counts.size, np.int64)
        bases = np.zeros(self._vocabulary.term_of_surface.size, np.int64)
        for runs in self._runs:
            before = np.empty(self._counts.size, np.int64)
            before[runs.terms] = done[runs.terms] - runs.begins[:-1]
            bases[runs.words] = before[self._vocabulary.term_of_surface[runs.words]]
            done[runs.terms] += np.diff(runs.begins)
            yield ToldRun(runs.words, runs.word_counts, runs.word_places, bases)


class SortedTexts(NamedTuple):
    """All texts of a segment: their chunks, but for the runs, which are with the terms; the terms; the words."""

    chunks: list[TextChunk]
    terms: SortedTerms
    words: Shared[Words]

    @classmethod
    def of(
        cls, chunks: list[TextChunk], sorter: TermSorter, vocabulary: Vocabulary, executor: Executor | None = None
    ) -> SortedTexts:
        """Sort the terms of texts, and have the words listed; the chunks are not to be sorted again."""
        terms = SortedTerms(chunks, sorter, vocabulary)
        for chunk in chunks:
            chunk.runs.clear()  # memory: the terms let them go when the words are through
        return cls(chunks, terms, Shared(executor, terms.words))
