"""Kernels from tokens in the order of the texts to occurrences in the order of terms.

First the tokens of a chunk are sorted by term, by counting, while all of it is near at hand; then, when all chunks are
known, the pieces of memory that hold a term are listed: sorting all tokens at once would jump for each. Where a term
has several words, it is noted which of its tokens are of which, but for those of the word that was met first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from newsindex.codec.encode_kernel import encode_boundaries
from newsindex.kernel import lean

__all__ = ["SortingRoom", "count_pieces", "lay_pieces", "sort_texts"]


class SortingRoom(NamedTuple):
    """What `sort_texts` works in; the first two are zeros at first, and left as zeros."""

    surface_counts: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int32]  # of each term
    seen: npt.NDArray[np.uint8]  # made 1 for each surface among the tokens
    firsts: npt.NDArray[np.uint32]  # of each term: the surface that was first seen for it, + 1; 0 before
    terms: npt.NDArray[np.uint32]
    begins: npt.NDArray[np.int64]  # one more
    words: npt.NDArray[np.uint32]  # as many as surfaces, or as tokens
    word_counts: npt.NDArray[np.uint32]  # as many
    word_places: npt.NDArray[np.uint32]  # one more than tokens


@lean
def sort_texts(batch, starts, term_of_surface, field_count, place_bits, room, places, lengths, data, ends):
    """Sort the tokens of texts by term, those of one term in their order; encode where sentences begin.

    Args:
        batch: (surface_ids uint32[n], boundaries uint8[n]), the tokens of the texts, one text after the other, and
            perhaps more around them.
        starts: int64[t + 1], where each text's tokens begin.
        term_of_surface: uint32[s]; every surface is below s.
        field_count: text = doc · field_count + field.
        place_bits: of a text and a position together, at most 32.
        room: `SortingRoom` for s surfaces, and for as many terms as there are.
        places: uint32[starts[t] - starts[0]], overwritten: of each its text in the high bits, its position in the low.
        lengths: int64[t], overwritten with the number of tokens of each text.
        data, ends: for `encode_boundaries`; when `ends` is empty nothing is encoded.

    Returns:
        (found, shift, used, words, told). `found` terms are in room.terms, ascending, and in room.begins where the
        occurrences of each begin, and their end; -1 when texts and positions do not go into one number, and nothing is
        sorted. `shift` is the bits of a position, `used` the bytes of boundaries. In room.words are `words` surfaces
        that were not the first seen for their terms, ascending, in room.word_counts how many tokens they have, `told`
        together, and in room.word_places where in `places` these are, those of a surface ascending.
    """
    surface_ids, boundaries = batch
    surface_counts, counts, seen, firsts, terms, begins, words, word_counts, word_places = room
    count = starts.size - 1
    longest = np.int64(0)
    for text in range(count):
        lengths[text] = starts[text + 1] - starts[text]
        longest = max(longest, lengths[text])
    used = np.int64(0)
    if ends.size:
        used = encode_boundaries(boundaries, starts, field_count, data, ends)
    shift = np.int64(0)
    while longest >> shift:
        shift += 1
    if count > 1 and (shift >= place_bits or (count - 1) >> (place_bits - shift)):
        return np.int64(-1), shift, used, np.int64(0), np.int64(0)
    # Unsigned places are not looked at for those that count from the end.
    for token in range(np.uint64(starts[0]), np.uint64(starts[count])):
        surface_counts[surface_ids[token]] += 1
    most = 0
    other_words = np.int64(0)
    told = np.int64(0)
    # The tokens of surfaces that are not told are all noted behind those that are.
    untold = starts[count] - starts[0]
    for surface in range(term_of_surface.size):
        own = np.int64(surface_counts[surface])
        if own:
            seen[surface] = 1
            term = np.int64(term_of_surface[surface])
            counts[term] += own
            most = max(most, term + 1)
            if firsts[term] == 0:
                firsts[term] = surface + 1
            if firsts[term] == surface + 1:
                surface_counts[surface] = untold
            else:
                surface_counts[surface] = told
                words[other_words] = surface
                word_counts[other_words] = own
                other_words += 1
                told += own
    found = np.int64(0)
    total = np.int64(0)
    for term in range(most):
        own = counts[term]
        if own:
            terms[found] = term
            begins[found] = total
            counts[term] = total
            total += own
            found += 1
    begins[found] = total
    for text in range(count):
        first = np.uint64(starts[text])
        begin = text << shift
        for token in range(first, np.uint64(starts[text + 1])):
            surface = surface_ids[token]
            term = term_of_surface[surface]
            at = counts[term]
            places[np.uint64(at)] = begin | np.int64(np.uint64(token) - first)
            counts[term] = at + 1
            noted = np.int64(surface_counts[surface])
            word_places[np.uint64(noted)] = at
            surface_counts[surface] = noted + (noted < untold)
    for run in range(found):
        counts[terms[run]] = 0
    for surface in range(term_of_surface.size):
        surface_counts[surface] = 0
    return found, shift, used, other_words, told


@lean
def count_pieces(terms, begins, counts, pieces):
    """Add what a run has of each term to its occurrences, `counts`, and to its pieces; both int64[all terms]."""
    for at in range(terms.size):
        counts[terms[at]] += begins[at + 1] - begins[at]
        pieces[terms[at]] += 1


@lean
def lay_pieces(run, terms, begins, first, ranks, free, piece_begins, piece_lengths, piece_runs):
    """Put the pieces of a run where those of its terms go.

    Args:
        run: its number.
        terms, begins, first: as `sort_texts` made them; `begins` counts from place `first` on.
        ranks: uint32[all terms], the place of each among the sorted terms.
        free: int64[sorted terms], where the next piece of each goes; moved on.
        piece_begins, piece_lengths, piece_runs: int64, uint32 and uint32[all pieces], written.
    """
    for at in range(terms.size):
        rank = ranks[terms[at]]
        piece = free[rank]
        free[rank] = piece + 1
        piece_begins[piece] = first + begins[at]
        piece_lengths[piece] = begins[at + 1] - begins[at]
        piece_runs[piece] = run
