"""Kernel that adds what a word contributes to the scores of articles: the formula of `scoring.py`."""

from __future__ import annotations

import numpy as np

from newsindex.codec.pack_kernel import BLOCK
from newsindex.kernel import kernel
from newsindex.search.lanes_kernel import lowest_bit
from newsindex.search.postings_kernel import find_block, is_readable, load_block
from newsindex.search.scoring import ROUNDING

__all__ = ["add_constant", "add_scores"]


@kernel
def add_scores(
    data, words, row, mask, field_count, doc_count, weights, lengths, factor, base, slope, within, state, budget,
    scores,
):  # fmt: skip
    """Add a word's contribution to the scores of the articles that have it.

    Args:
        data, words, field_count, doc_count: as for `or_terms`; row: the term's.
        mask: of the text fields in which occurrences count.
        weights: float64[F]; lengths: float32[n], the weighted lengths.
        factor: the query's factor times idf; base, slope: k1 · (1 - b) and k1 · b / average.
        within: a bitmap of the articles to score; empty: all.
        state: int64[1], zero at first: the block.
        budget: the number of blocks after which to return.
        scores: float64[n], added to.

    Returns:
        1 when there is more, 0 when done, -1 when the postings cannot be read.
    """
    if row[2] == 0 or row[1] & mask == 0:
        return 0
    if not is_readable(data, row, doc_count):
        return -1
    docs = np.empty(BLOCK, np.uint32)
    freqs = np.empty((field_count, BLOCK), np.uint32)
    blocks = (row[2] + BLOCK - 1) // BLOCK
    used = np.zeros(field_count, np.float64)
    for field in range(field_count):
        if mask >> field & 1:
            used[field] = weights[field]
    with_freqs = row[2] > 0  # always; a constant would have the function compiled once more
    while state[0] < blocks:
        if budget <= 0:
            return 1
        budget -= 1
        count = load_block(data, words, row, state[0], field_count, doc_count, with_freqs, docs, freqs)
        if count < 0:
            return -1
        for i in range(count):
            doc = np.int64(docs[i])
            if within.size and not within[doc >> 6] >> np.uint64(doc & 63) & np.uint64(1):
                continue
            frequency = 0.0
            for field in range(field_count):
                frequency += used[field] * np.float64(freqs[field, i])
            if frequency > 0.0:
                norm = base + slope * np.float64(lengths[doc])
                scores[doc] += (factor * (frequency / (frequency + norm)) + ROUNDING) - ROUNDING
        state[0] += 1
        if within.size and state[0] < blocks:
            # On to the block with the next article that counts.
            next_doc = np.int64(docs[count - 1]) + 1
            at = next_doc >> 6
            if at < within.size:
                word = within[at] >> np.uint64(next_doc & 63) << np.uint64(next_doc & 63)
                while word == 0 and at + 1 < within.size:
                    at += 1
                    word = within[at]
                if word == 0:
                    state[0] = blocks
                else:
                    state[0] = find_block(words, row, state[0], at * 64 + lowest_bit(word))
            else:
                state[0] = blocks
    return 0


@kernel
def add_constant(bits, value, scores):
    """Add a value to the scores, float64[n], of the articles of a bitmap."""
    for at in range(bits.size):
        word = bits[at]
        while word:
            scores[at * 64 + lowest_bit(word)] += value
            word &= word - np.uint64(1)
