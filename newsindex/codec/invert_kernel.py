"""Kernels from tokens in the order of the text to occurrences in the order of terms."""

from __future__ import annotations

import numpy as np

from newsindex.kernel import kernel

__all__ = ["invert"]


@kernel
def invert(surface_ids, rank_of_surface, text_starts, term_count):
    """Sort tokens by term; those of one term keep the order of the texts.

    Args:
        surface_ids: uint32[n], the tokens.
        rank_of_surface: uint32[s], the place of each surface's term among the sorted terms, < term_count.
        text_starts: int64[t + 1], where each text's tokens begin.
        term_count: number of terms.

    Returns:
        (starts int64[term_count + 1], texts uint32[n], positions uint32[n]): the occurrences of term r are
        [starts[r], starts[r + 1]); each is a text and a position in it, counted from 0.
        Counting sort: two passes over the tokens, no comparison.
    """
    starts = np.zeros(term_count + 1, np.int64)
    for token in range(surface_ids.size):
        starts[rank_of_surface[surface_ids[token]] + 1] += 1
    for term in range(term_count):
        starts[term + 1] += starts[term]
    free = starts[:-1].copy()
    texts = np.empty(surface_ids.size, np.uint32)
    positions = np.empty(surface_ids.size, np.uint32)
    for text in range(text_starts.size - 1):
        first = text_starts[text]
        for token in range(first, text_starts[text + 1]):
            term = rank_of_surface[surface_ids[token]]
            at = free[term]
            texts[at] = text
            positions[at] = token - first
            free[term] = at + 1
    return starts, texts, positions
