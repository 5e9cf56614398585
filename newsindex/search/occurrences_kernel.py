"""Kernel that gathers where a term stands: its positions in some articles, see `codec/format.py`."""

from __future__ import annotations

import numpy as np

from newsindex.codec.decode_kernel import decode_position_tail
from newsindex.codec.format import SKIP_WORDS
from newsindex.codec.pack_kernel import BLOCK, unpack_patched
from newsindex.kernel import inner, lean
from newsindex.search.lanes_kernel import lowest_bit
from newsindex.search.postings_kernel import find_block, is_readable, load_block, skip_packed

__all__ = ["ARTICLE_SHIFT", "FIELD_SHIFT", "gather_places"]

FIELD_SHIFT = 33
ARTICLE_SHIFT = 36
"""A place is (number of the article in the window) · 2^36 + field · 2^33 + position: places ascend as texts do."""
# Of the positions: block decoded, the next one not passed yet, its first byte.
_DECODED, _NEXT, _AT = range(3)


@inner
def _load_gaps(data, words, row, wanted, state, gaps):
    """Decode a block of a term's positions, not before the one decoded last; return 0, or -1."""
    full = row[5] // BLOCK
    codes = (row[6] + 3) & ~3
    at = state[_AT]
    if wanted < state[_NEXT] or wanted > full:
        return -1
    for block in range(state[_NEXT], wanted):
        at = skip_packed(data, at, data[codes + block], row[7])
        if at < 0:
            return -1
    if wanted < full:
        at = unpack_patched(data, words, at, data[codes + wanted], row[7], gaps, 0)
    else:
        at = decode_position_tail(data, at, row[7], gaps, 0, row[5] - full * BLOCK)
    if at < 0:
        return -1
    state[_DECODED] = wanted
    state[_NEXT] = wanted + 1
    state[_AT] = at
    return 0


@lean
def gather_places(
    data, words, placed, placed_words, row, mask, doc_count, candidates, first, after, state, docs, freqs, gaps, keys
):
    """List the places of a term in the articles of a part of a bitmap, ascending.

    Args:
        data, words, placed, placed_words: the sections of postings and positions, as bytes and as uint32.
        row: int64[8], the term's, as `SearchSegment.find` gives it.
        mask: of the text fields to look in.
        doc_count: the segment's.
        candidates: the bitmap; its words [first, after) are looked at, at most 2^21 of them.
        state: int64[3]; docs: uint32[128]; freqs: uint32[F, 128]; gaps: uint32[128]; all overwritten.
        keys: int64[m], overwritten.

    Returns:
        The number of places, -1 when postings or positions cannot be read, -2 when there are more than `keys` holds.
    """
    if row[2] == 0 or row[1] & mask == 0:
        return 0
    field_count = freqs.shape[0]
    full = row[2] // BLOCK
    begin = row[6]
    if not is_readable(data, row, doc_count) or begin < 0 or begin > row[7] or row[7] > placed.size or row[5] < 0:
        return -1
    if row[5] >= BLOCK:
        begin = (((begin + 3) & ~3) + row[5] // BLOCK + 3) & ~3
        if begin > row[7]:
            return -1
    state[_DECODED] = -1
    state[_NEXT] = 0
    state[_AT] = begin
    found = np.int64(0)
    block = np.int64(-1)
    size = np.int64(0)
    last = np.int64(-1)
    posting = np.int64(0)
    before = np.int64(0)
    with_freqs = row[2] > 0  # always; a constant would have the function compiled once more
    for at in range(first, after):
        left = candidates[at]
        while left:
            doc = at * 64 + lowest_bit(left)
            left &= left - np.uint64(1)
            if last < doc:
                block = find_block(words, row, block + 1, doc)
                if block * BLOCK >= row[2]:
                    return found
                size = load_block(data, words, row, block, field_count, doc_count, with_freqs, docs, freqs)
                if size < 0:
                    return -1
                last = np.int64(docs[size - 1])
                posting = np.int64(0)
                skip = (((row[3] + 3) & ~3) >> 2) + min(block, full - 1) * SKIP_WORDS
                before = row[5]
                if block < full:
                    before = np.int64(words[skip + 2])
                else:
                    # Those of the tail are counted from the end.
                    for field in range(field_count):
                        for i in range(size):
                            before -= np.int64(freqs[field, i])
                if full:
                    hint = np.int64(words[skip + 2]) // BLOCK
                    if hint > state[_NEXT]:
                        state[_NEXT] = hint
                        state[_AT] = begin + np.int64(words[skip + 3])
            while posting < size and np.int64(docs[posting]) < doc:
                for field in range(field_count):
                    before += np.int64(freqs[field, posting])
                posting += 1
            if posting == size or np.int64(docs[posting]) != doc:
                continue
            number = before
            for field in range(field_count):
                freq = np.int64(freqs[field, posting])
                if mask >> field & 1 == 0:
                    number += freq
                    continue
                if number < 0 or number + freq > row[5]:
                    return -1
                if found + freq > keys.size:
                    return -2
                key = ((doc - first * 64) << ARTICLE_SHIFT) + (field << FIELD_SHIFT)
                position = np.int64(0)
                for j in range(freq):
                    if number >> 7 != state[_DECODED] and (
                        _load_gaps(placed, placed_words, row, number >> 7, state, gaps) < 0
                    ):
                        return -1
                    gap = np.int64(gaps[number & 127])
                    number += 1
                    position += gap
                    if (gap == 0 and j) or position > 0xFFFFFFFF:
                        return -1
                    keys[found] = key + position
                    found += 1
    return found
