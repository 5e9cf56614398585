"""Kernels from tokens in the order of the texts to occurrences in the order of terms.

First the tokens of a chunk are sorted by term, by counting, while all of it is near at hand; then, when all chunks are
known, the pieces of memory that hold a term are listed: sorting all tokens at once would jump for each.
"""

from __future__ import annotations

import numpy as np

from newsindex.kernel import lean

__all__ = ["count_pieces", "lay_pieces", "sort_tokens"]


@lean
def sort_tokens(surface_ids, term_of_surface, starts, shift, counts, seen, terms, begins, places):
    """Sort tokens by term; those of one term keep their order.

    Args:
        surface_ids: uint32[n], the tokens of the texts, one text after the other, and perhaps more around them.
        term_of_surface: uint32[s], below counts.size; every surface is below s.
        starts: int64[t + 1], where each text's tokens begin.
        shift: bits of a position; every text has at most 2^shift tokens, and t - 1 < 2^(32 - shift).
        counts: int32[terms], zeros; so they are again afterwards.
        seen: uint8[s], made 1 for each surface among the tokens.
        terms: uint32[r], overwritten with the terms found, ascending; r ≥ their number.
        begins: int64[r + 1], overwritten: where the occurrences of each begin, and their end.
        places: uint32[starts[t] - starts[0]], overwritten: of each its text in the high bits, its position in the low.

    Returns:
        The number of terms found.
    """
    # Unsigned places are not looked at for those that count from the end.
    for token in range(np.uint64(starts[0]), np.uint64(starts[starts.size - 1])):
        surface = surface_ids[token]
        seen[surface] = 1
        counts[term_of_surface[surface]] += 1
    found = 0
    total = 0
    for term in range(counts.size):
        count = counts[term]
        if count:
            terms[found] = term
            begins[found] = total
            counts[term] = total
            total += count
            found += 1
    begins[found] = total
    for text in range(starts.size - 1):
        first = np.uint64(starts[text])
        begin = text << shift
        for token in range(first, np.uint64(starts[text + 1])):
            term = term_of_surface[surface_ids[token]]
            at = counts[term]
            places[np.uint64(at)] = begin | np.int64(np.uint64(token) - first)
            counts[term] = at + 1
    for run in range(found):
        counts[terms[run]] = 0
    return found


@lean
def count_pieces(terms, begins, counts, pieces):
    """Add what a run has of each term to its occurrences, `counts`, and to its pieces; both int64[all terms]."""
    for at in range(terms.size):
        counts[terms[at]] += begins[at + 1] - begins[at]
        pieces[terms[at]] += 1


@lean
def lay_pieces(run, terms, begins, ranks, free, piece_begins, piece_lengths, piece_runs):
    """Put the pieces of a run where those of its terms go.

    Args:
        run: its number.
        terms, begins: as `sort_tokens` made them, `begins` counted from the beginning of all places.
        ranks: uint32[all terms], the place of each among the sorted terms.
        free: int64[sorted terms], where the next piece of each goes; moved on.
        piece_begins, piece_lengths, piece_runs: int64, uint32 and uint32[all pieces], written.
    """
    for at in range(terms.size):
        rank = ranks[terms[at]]
        piece = free[rank]
        free[rank] = piece + 1
        piece_begins[piece] = begins[at]
        piece_lengths[piece] = begins[at + 1] - begins[at]
        piece_runs[piece] = run
