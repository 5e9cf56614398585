"""From the tokens of texts, chunk by chunk, to the occurrences of terms in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from newsindex.analysis.batch import TokenBatch
from newsindex.codec.encode_kernel import Pieces, encode_boundaries
from newsindex.codec.invert_kernel import count_pieces, lay_pieces, sort_tokens
from newsindex.codec.sections import Bytes

__all__ = ["SortedTerms", "TermRange", "TermSorter", "TextChunk", "Vocabulary"]

_LONGEST_WORD = 255
_PLACE_BITS = 32
# Places that more are made than are needed.
_MOST_SPARE = 4 * 1024 * 1024
_Array = npt.NDArray[Any]


class Vocabulary(NamedTuple):
    """What a tokenizer's numbers mean: uint32[s] from surfaces to terms, and the strings of both."""

    term_of_surface: _Array
    terms: Sequence[str]
    surfaces: Sequence[str]


class _Runs(NamedTuple):
    """The terms of some texts as `sort_tokens` finds them; `begins` leads to the sorter's places."""

    terms: _Array
    begins: _Array
    shift: int
    first_text: int


class TextChunk(NamedTuple):
    """The tokens of some articles, sorted by term, and where sentences begin, encoded.

    `lengths` int64[texts]: the tokens of each text; text = number of the article · F + number of the field, absent
    fields empty. `boundaries` and `boundary_ends` are as `encode_boundaries` makes them. `seen` has a bit for
    each surface that the tokenizer knew then, set where it is in these texts.
    """

    runs: list[_Runs]
    lengths: _Array
    boundaries: Bytes
    boundary_ends: _Array
    seen: _Array
    long_words: int


class TermSorter:
    """Sorts the tokens of chunk after chunk; not for several threads at a time.

    `places` has the tokens of all of them, sorted by term within each; of each its text and its position in one number.
    """

    def __init__(self, fields: int) -> None:
        self.places = np.zeros(0, np.uint32)
        self._used = 0
        self._fields = fields
        self._counts = np.zeros(0, np.int32)
        self._terms, self._begins = np.zeros(0, np.uint32), np.zeros(1, np.int64)
        self._first_text = 0

    def chunk(self, batch: TokenBatch, term_of_surface: _Array) -> TextChunk:
        """Return the tokens of articles as a segment takes them; the texts are numbered on from chunk to chunk."""
        terms = int(term_of_surface.max()) + 1 if term_of_surface.size else 0
        if terms > self._counts.size:
            self._counts = np.zeros(2 * terms, np.int32)
            self._terms, self._begins = np.empty(2 * terms, np.uint32), np.empty(2 * terms + 1, np.int64)
        seen = np.zeros(term_of_surface.size, np.uint8)
        runs = list(self._sorted(batch, term_of_surface, self._counts[:terms], seen, 0, batch.starts.size - 1))
        data = np.empty(5 * int(np.count_nonzero(batch.boundaries)), np.uint8)
        ends = np.zeros((batch.starts.size - 1) // self._fields + 1, np.uint64)
        used = encode_boundaries(batch.boundaries, batch.starts, self._fields, data, ends)
        self._first_text += batch.starts.size - 1
        return TextChunk(runs, np.diff(batch.starts), data[:used].copy(), ends, np.packbits(seen), batch.long_words)

    def _sorted(
        self, batch: TokenBatch, term_of_surface: _Array, counts: _Array, seen: _Array, first: int, after: int
    ) -> Iterator[_Runs]:
        """Yield the texts [first, after) sorted; in halves when text and position do not go into one number."""
        starts = batch.starts[first : after + 1]
        shift = int(np.diff(starts).max(initial=0)).bit_length()
        if (after - first - 1).bit_length() + shift > _PLACE_BITS and after - first > 1:
            middle = (first + after) // 2
            yield from self._sorted(batch, term_of_surface, counts, seen, first, middle)
            yield from self._sorted(batch, term_of_surface, counts, seen, middle, after)
            return
        terms, begins, before = self._terms, self._begins, self._used
        self._used += int(starts[-1] - starts[0])
        if self._used > self.places.size:
            # Nobody has a view of them. When they are many the system moves them without a copy.
            self.places.resize(self._used + min(self._used, _MOST_SPARE), refcheck=False)
        places = self.places[before : self._used]
        found = sort_tokens(batch.surface_ids, term_of_surface, starts, shift, counts, seen, terms, begins, places)
        yield _Runs(terms[:found].copy(), begins[: found + 1] + before, shift, self._first_text + first)


@dataclass(frozen=True)
class TermRange:
    """Sorted terms as `encode_terms` takes them; `starts` counts from the first occurrence of the range."""

    starts: _Array
    pieces: Pieces


class SortedTerms:
    """The terms that stand in some chunks, sorted; `texts` are their bytes. `places` are those of the sorter."""

    def __init__(self, chunks: Sequence[TextChunk], places: _Array, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        every = [runs for chunk in chunks for runs in chunk.runs]
        seen = np.zeros(-(-vocabulary.term_of_surface.size // 8), np.uint8)
        for chunk in chunks:
            seen[: chunk.seen.size] |= chunk.seen
        self._seen = np.flatnonzero(np.unpackbits(seen, count=vocabulary.term_of_surface.size))
        counts, pieces = np.zeros((2, len(vocabulary.terms)), np.int64)
        for runs in every:
            count_pieces(runs.terms, runs.begins, counts, pieces)
        # The order of code points is the order of their UTF-8.
        order = sorted(np.flatnonzero(counts).tolist(), key=vocabulary.terms.__getitem__)
        self._ranks = np.zeros(counts.size, np.uint32)
        self._ranks[order] = np.arange(len(order), dtype=np.uint32)
        self._starts = np.zeros(len(order) + 1, np.int64)
        np.cumsum(counts[order], out=self._starts[1:])
        self.texts = [vocabulary.terms[number].encode() for number in order]
        starts = np.zeros(len(order) + 1, np.int64)
        np.cumsum(pieces[order], out=starts[1:])
        free, size = starts[:-1].copy(), int(starts[-1])
        laid = np.empty(size, np.int64), np.empty(size, np.uint32), np.empty(size, np.uint32)
        for number, runs in enumerate(every):
            lay_pieces(number, runs.terms, runs.begins, self._ranks, free, *laid)
        first_texts = np.array([runs.first_text for runs in every], np.int64)
        shifts = np.array([runs.shift for runs in every], np.int64)
        self._pieces = Pieces(starts, *laid, first_texts, shifts, places)

    def ranges(self, most: int) -> Iterator[TermRange]:
        """Yield ranges of terms that have at most so many occurrences, or are one term."""
        starts, first = self._starts, 0
        while first < starts.size - 1:
            begin = int(starts[first])
            after = max(first + 1, int(np.searchsorted(starts, begin + most, side="right")) - 1)
            pieces = self._pieces._replace(starts=self._pieces.starts[first : after + 1])
            yield TermRange(starts[first : after + 1] - begin, pieces)
            first = after

    def words(self) -> tuple[list[bytes], _Array]:
        """Return the words before stemming that are no terms, sorted, and the place of each one's term."""
        term_of_surface, terms, surfaces = self._vocabulary
        of_term = zip(self._seen.tolist(), term_of_surface[self._seen].tolist(), strict=True)
        unlike = [number for number, term in of_term if surfaces[number] != terms[term]]
        unlike.sort(key=surfaces.__getitem__)
        encoded = [surfaces[number].encode() for number in unlike]
        if max(map(len, encoded), default=0) > _LONGEST_WORD:
            unlike = [number for number, word in zip(unlike, encoded, strict=True) if len(word) <= _LONGEST_WORD]
            encoded = [word for word in encoded if len(word) <= _LONGEST_WORD]
        return encoded, self._ranks[term_of_surface[unlike]]
