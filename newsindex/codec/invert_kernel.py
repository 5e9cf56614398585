"""Kernels from tokens in the order of the texts to occurrences in the order of terms.

First the tokens of a chunk are sorted by term, by counting, while all of it is near at hand; then, when all chunks are
known, the occurrences of a range of terms are gathered from each: runs of memory, where sorting all at once would jump
for every token.
"""

from __future__ import annotations

from newsindex.kernel import kernel

__all__ = ["gather_terms", "sort_tokens"]


@kernel
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
    for token in range(starts[0], starts[starts.size - 1]):
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
        first = starts[text]
        for token in range(first, starts[text + 1]):
            term = term_of_surface[surface_ids[token]]
            at = counts[term]
            places[at] = text << shift | token - first
            counts[term] = at + 1
    for run in range(found):
        counts[terms[run]] = 0
    return found


@kernel
def gather_terms(terms, begins, places, shift, first_text, ranks, low, high, free, texts, positions):
    """Copy a chunk's occurrences of a range of terms behind those of the chunks before.

    Args:
        terms, begins, places, shift: as `sort_tokens` made them.
        first_text: the number of the chunk's first text.
        ranks: uint32[all terms], the place of each among the sorted terms.
        low, high: the places of the range, [low, high).
        free: int64[high - low], where the next occurrence of each goes; moved on.
        texts, positions: uint32[n], written.
    """
    mask = (1 << shift) - 1
    for run in range(terms.size):
        rank = ranks[terms[run]]
        if low <= rank < high:
            at = free[rank - low]
            for i in range(begins[run], begins[run + 1]):
                place = places[i]
                texts[at] = first_text + (place >> shift)
                positions[at] = place & mask
                at += 1
            free[rank - low] = at
