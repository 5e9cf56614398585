"""Kernel from the occurrences of words to sets of articles: see `sets_kernel.py`."""

from __future__ import annotations

import numpy as np

from newsindex.codec.format import SKIP_WORDS
from newsindex.codec.pack_kernel import BLOCK
from newsindex.kernel import kernel
from newsindex.search.postings_kernel import is_readable, load_block

__all__ = ["or_wordings"]

# State: term, block, next of the listed occurrences.
_TERM, _BLOCK, _NEXT = range(3)


@kernel
def or_wordings(data, words, rows, inverted, starts, listed, mask, field_count, doc_count, state, budget, bits):
    """Add the articles that have a listed occurrence of a term, or one that is not listed, in a masked text field.

    Blocks of which the list tells enough are not decoded.

    Args:
        data, words, rows, mask, field_count, doc_count, budget, bits: as for `or_terms`.
        inverted: uint8[T]: 1 for a term of which the occurrences count that are not listed.
        starts: int64[T + 1], where the list of each begins.
        listed: uint32[the last of starts], the places of occurrences among those of the term, ascending.
        state: int64[3], zeros at first.

    Returns:
        1 when there is more, 0 when done, -1 when postings of term state[0] cannot be read.
    """
    docs = np.empty(BLOCK, np.uint32)
    freqs = np.empty((field_count, BLOCK), np.uint32)
    while state[_TERM] < rows.shape[0]:
        term = state[_TERM]
        row = rows[term]
        after = starts[term + 1]
        invert = inverted[term] != 0
        if state[_BLOCK] == 0:
            state[_NEXT] = starts[term]
        if row[2] and row[1] & mask and (invert or starts[term] < after):
            if not is_readable(data, row, doc_count):
                return -1
            full = row[2] // BLOCK
            blocks = (row[2] + BLOCK - 1) // BLOCK
            skips = ((row[3] + 3) & ~3) >> 2
            masked = row[1] & ~mask != 0
            next_one = state[_NEXT]
            for block in range(state[_BLOCK], blocks):
                if next_one == after and not invert:
                    break
                budget -= 1
                if budget < 0:
                    state[_BLOCK] = block
                    state[_NEXT] = next_one
                    return 1
                skip = skips + block * SKIP_WORDS
                is_alike = next_one == after
                if block + 1 < full and not is_alike:
                    is_alike = np.int64(listed[next_one]) >= np.int64(words[skip + SKIP_WORDS + 2])
                if is_alike and not invert:
                    continue
                with_freqs = masked or not is_alike
                size = load_block(data, words, row, block, field_count, doc_count, with_freqs, docs, freqs)
                if size < 0:
                    return -1
                before = np.int64(0)
                if not is_alike:
                    if block < full:
                        before = np.int64(words[skip + 2])
                    else:
                        # Those of the tail are counted from the end.
                        before = row[5]
                        for field in range(field_count):
                            for i in range(size):
                                before -= np.int64(freqs[field, i])
                for i in range(size):
                    has = not with_freqs
                    if with_freqs:
                        for field in range(field_count):
                            freq = np.int64(freqs[field, i])
                            first = next_one
                            if not is_alike:
                                before += freq
                                while next_one < after and np.int64(listed[next_one]) < before:
                                    next_one += 1
                            own = next_one - first
                            if invert:
                                own = freq - own
                            if own > 0 and mask >> field & 1:
                                has = True
                    if has:
                        doc = np.int64(docs[i])
                        bits[doc >> 6] |= np.uint64(1) << np.uint64(doc & 63)
        state[_TERM] = term + 1
        state[_BLOCK] = 0
    return 0
