"""Which occurrences of a term are of which of its words, as it is made when a segment is written: see `format.py`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from newsindex.codec.joined import Joined
from newsindex.codec.sections import Bytes
from newsindex.codec.words_kernel import encode_lists, lay_words

__all__ = ["Listed", "ToldRun", "Words", "are_listed", "encoded_lists", "lay_told"]

_Array = npt.NDArray[Any]


class ToldRun(NamedTuple):
    """Some occurrences of words; those of one word in the order of the texts.

    There are `counts` uint32[n] of the words whose numbers are `words` uint32[n]; `at` uint32 tells where each stands,
    and `bases` int64[all words] what to add to that for the place among all occurrences of the word's term.
    """

    words: _Array
    counts: _Array
    at: _Array
    bases: _Array


class Listed(NamedTuple):
    """Of words of some numbers: the occurrences of word w are those from starts[w] on to ends[w].

    `others` uint32 tells of each how many occurrences of the term, but of other words, stand before it.
    """

    starts: _Array
    ends: _Array
    others: _Array


class Words(NamedTuple):
    """The words before stemming that are no terms themselves, sorted.

    `terms` int64[W] are the places of their terms; `listed` bool[W] tells which have a list. Of these there are
    `counts` int64[L], of the occurrences of each, `sizes` int64[L], of the bytes of each list, and the lists.
    """

    texts: Joined
    terms: _Array
    listed: _Array
    counts: _Array
    sizes: _Array
    lists: Bytes


def lay_told(runs: Iterable[ToldRun], counts: _Array, order: _Array, spare: int = 0) -> Listed:
    """Return the occurrences of all runs by word.

    Args:
        runs: in the order of the texts.
        counts: int64[all words], how many of each the runs have together.
        order: int64[all words]: the words in the order in which they are to stand.
        spare: room for so many more, behind the others.
    """
    ends_in_order = np.cumsum(counts[order])
    starts = np.empty(counts.size, np.int64)
    starts[order] = ends_in_order - counts[order]
    total = int(ends_in_order[-1]) if ends_in_order.size else 0
    others = np.empty(total + spare, np.uint32)
    free = starts.copy()
    for run in runs:
        lay_words(*run, starts, free, others)
    return Listed(starts, free, others)


def are_listed(terms: _Array, counts: _Array, totals: _Array) -> _Array:
    """Tell which words have a list: bool[W].

    Of a term that is a word itself those that are not the term; of another term all but the commonest, or of several
    such the first.

    Args:
        terms, counts: int64[W], of each word the place of its term, and its occurrences; in the order of the words.
        totals: int64[T], the occurrences of each term.
    """
    listed = np.ones(terms.size, bool)
    of_words = np.bincount(terms, counts, minlength=totals.size)
    places = np.flatnonzero((of_words >= totals)[terms])
    if places.size:
        order = places[np.lexsort((places, -counts[places], terms[places]))]
        of_terms = terms[order]
        listed[order[np.append(True, of_terms[1:] != of_terms[:-1])]] = False
    return listed


def encoded_lists(begins: _Array, counts: _Array, others: _Array) -> tuple[_Array, Bytes]:
    """Return (bytes of each int64[n], the lists) of the occurrences [begins, begins + counts) of words."""
    sizes = np.empty(counts.size, np.int64)
    data = np.empty(2 * counts.size + 5 * int(counts.sum()), np.uint8)
    used = encode_lists(begins, counts, others, data, sizes)
    return sizes, data[:used].copy()
