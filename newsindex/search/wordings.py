"""Terms of which only some words count: in which articles, and where.

A term is what several words have in common. A segment lists which occurrences of a term are of which word, but for one
word, which has the rest: see `codec/format.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from newsindex.codec.reader import SegmentReader, TermInfo
from newsindex.search.deadline import Deadline
from newsindex.search.occurrences import Window
from newsindex.search.occurrences_kernel import ARTICLE_SHIFT, FIELD_SHIFT
from newsindex.search.segment import SearchSegment
from newsindex.search.sets import nothing
from newsindex.search.wordings_kernel import or_wordings

__all__ = ["NO_WORDINGS", "WordingPlaces", "Wordings", "are_among", "choose_words", "wording_of", "wordings_bitmap"]

_Array = npt.NDArray[Any]
# What is done before the deadline is looked at, some milliseconds: blocks of 128 postings; occurrences.
_BLOCKS = 16_384
_OCCURRENCES = 1_000_000
_TERM, _COUNT = 2, 5


class Wordings(NamedTuple):
    """Terms of a segment, and lists of words of theirs.

    `rows` int64[T, 8] are the terms'. Those of the words of term t are lists[starts[t] : starts[t + 1]]: they are what
    counts, or, where `inverted` (uint8[T]) is 1, what does not.
    """

    rows: _Array
    inverted: _Array
    starts: _Array
    lists: _Array

    def among(self, first: int, after: int) -> Wordings:
        """Return the terms [first, after) of these."""
        begin, end = int(self.starts[first]), int(self.starts[after])
        starts = self.starts[first : after + 1] - begin
        return Wordings(self.rows[first:after], self.inverted[first:after], starts, self.lists[begin:end])

    def each(self) -> Iterator[Wordings]:
        """Yield each term's."""
        for term in range(len(self.rows)):
            yield self.among(term, term + 1)

    def is_whole(self) -> bool:
        """Tell whether the only term of these has no word that does not count."""
        return bool(self.inverted[0]) and not len(self.lists)


def _wordings(rows: _Array, inverted: _Array, counts: _Array, lists: _Array) -> Wordings:
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return Wordings(rows, inverted.astype(np.uint8), starts, lists)


NO_WORDINGS = _wordings(np.empty((0, 8), np.int64), np.empty(0), np.empty(0, np.int64), np.empty((0, 8), np.int64))


def are_among(numbers: _Array, ascending: _Array) -> _Array:
    """Tell which numbers are among others, at least one of them, that ascend: bool[n]."""
    found: _Array = ascending.take(ascending.searchsorted(numbers), mode="clip") == numbers
    return found


def choose_words(reader: SegmentReader, rows: _Array, words: _Array) -> tuple[_Array, Wordings]:
    """Return the rows of terms all of whose occurrences are of some words, and the wordings of the others.

    Args:
        reader: of the segment.
        rows: int64[T, 8], of terms that are none of these words themselves, but that words among these have.
        words: int64, numbers in the dictionary of words, ascending.

    Raises:
        FormatError: the dictionary is damaged.
    """
    if not len(rows):
        return rows, NO_WORDINGS
    numbers, begins = reader.words_of_terms
    first = begins[rows[:, 0]]
    counts = begins[rows[:, 0] + 1] - first
    of_term = np.arange(len(rows)).repeat(counts)
    own = numbers[np.arange(of_term.size) + (first - counts.cumsum() + counts).repeat(counts)]
    lists, wanted = reader.rows_of_words(own), are_among(own, words)
    listed = lists[:, 1] != 0
    inverted = np.zeros(len(rows), bool)
    inverted[of_term[wanted & ~listed]] = True
    taken = listed & (wanted ^ inverted[of_term])
    counts = np.bincount(of_term[taken], minlength=len(rows))
    whole = inverted & (counts == 0)
    return rows[whole], _wordings(rows[~whole], inverted[~whole], counts[~whole], lists[taken])


def wording_of(reader: SegmentReader, row: _Array, term: bytes, word: bytes) -> Wordings:
    """Return the wording of a term as one word of it.

    Raises:
        FormatError: the dictionary is damaged.
    """
    numbers, begins = reader.words_of_terms
    own = numbers[begins[row[0]] : begins[row[0] + 1]]
    lists = reader.rows_of_words(own)
    listed = lists[:, 1] != 0
    if word == term:  # what no other word has, unless one has the rest
        inverted = bool(listed.all())
        taken = listed & inverted
    else:
        number = int(reader.dictionary_of_words.find((word,))[0, 0])
        is_word = own == number
        inverted = bool((is_word & ~listed).any())
        taken = listed if inverted else is_word
    return _wordings(row.reshape(1, 8), np.array([inverted]), np.array([taken.sum()]), lists[taken])


def wordings_bitmap(segment: SearchSegment, wordings: Wordings, mask: int, deadline: Deadline | None = None) -> _Array:
    """Return the articles that have one of the wordings in one of the text fields of the mask.

    Raises:
        FormatError: postings or lists are damaged.
        QueryTooComplex: the deadline is over.
    """
    bits = nothing(segment)
    counts = np.append(0, np.cumsum(wordings.lists[:, _COUNT]))[wordings.starts]
    first = 0
    while first < len(wordings.rows):
        after = max(first + 1, int(np.searchsorted(counts, counts[first] + _OCCURRENCES, side="right")) - 1)
        own = wordings.among(first, after)
        listed, starts = _listed(segment.reader, own)
        state = np.zeros(3, np.int64)
        while more := or_wordings(
            segment.postings, segment.posting_words, own.rows, own.inverted, starts, listed, mask,
            segment.field_count, segment.doc_count, state, _BLOCKS, bits,
        ):  # fmt: skip
            if more < 0:
                raise segment.reader.damage(f"the postings of the term {own.rows[state[0], 0]}")
            if deadline is not None:
                deadline.check()
        if deadline is not None:
            deadline.check()
        first = after
    return bits


def _listed(reader: SegmentReader, wordings: Wordings) -> tuple[_Array, _Array]:
    """Return (uint32, int64[T + 1]): the occurrences listed of each term, ascending, and where they begin."""
    lengths = np.diff(wordings.starts)
    places, starts = reader.occurrences_of_words(wordings.lists, np.repeat(wordings.rows[:, _COUNT], lengths))
    begins = starts[wordings.starts]
    if int(lengths.max(initial=0)) > 1:
        keys = np.sort(places + (np.repeat(np.arange(lengths.size), np.diff(begins)) << 32))
        places = (keys & 0xFFFFFFFF).astype(np.uint32)
    return places, begins


class WordingPlaces:
    """Where a term of a segment stands as some of its words."""

    def __init__(self, segment: SearchSegment, wordings: Wordings) -> None:
        """Take the wordings of one term.

        Raises:
            FormatError: postings or lists are damaged.
        """
        (row,) = wordings.rows
        self._docs, freqs = segment.reader.postings(TermInfo(*row.tolist()))
        counts = freqs.T.astype(np.int64)
        self._firsts = (np.cumsum(counts) - counts.reshape(-1)).reshape(counts.shape)
        self._listed = _listed(segment.reader, wordings)[0]
        self._inverted = bool(wordings.inverted[0])

    def among(self, window: Window, places: _Array) -> _Array:
        """Tell which of a term's places are those: bool[n]. They are all that some articles have in some fields."""
        texts = places >> FIELD_SHIFT
        begins = np.flatnonzero(np.diff(texts, prepend=-1))
        texts = texts[begins]
        docs = (texts >> (ARTICLE_SHIFT - FIELD_SHIFT)) + window.first_article
        fields = texts & ((1 << (ARTICLE_SHIFT - FIELD_SHIFT)) - 1)
        firsts = self._firsts[np.searchsorted(self._docs, docs), fields]
        numbers = np.arange(places.size) + np.repeat(firsts - begins, np.diff(np.append(begins, places.size)))
        has = are_among(numbers, self._listed) if self._listed.size else np.zeros(numbers.size, bool)
        return ~has if self._inverted else has
