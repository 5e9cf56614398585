"""Kernel of exact phrases: words next to each other, or at given distances, in one field of an article."""

from __future__ import annotations

import numpy as np

from newsindex.codec.decode_kernel import decode_position_tail
from newsindex.codec.format import SKIP_WORDS
from newsindex.codec.pack_kernel import BLOCK, unpack_patched
from newsindex.kernel import inner, kernel
from newsindex.search.lanes_kernel import lowest_bit
from newsindex.search.postings_kernel import find_block, is_readable, load_block, skip_packed
from newsindex.search.sets_kernel import rarest_first

__all__ = ["phrase_bits"]

# Columns of a cursor: block of postings decoded; its size and last article; the posting it is at; how many positions
# stand before that posting; block of positions decoded; the next one not passed yet; and its first byte.
_BLOCK, _SIZE, _LAST, _POSTING, _BEFORE, _DECODED, _NEXT, _AT, _CURSOR = range(9)
# A place is field · 2^33 + position.
_FIELD_SHIFT = 33


@inner
def _positions_begin(rows, word):
    """Return the byte where a word's packed positions begin, after the codes."""
    full = rows[word, 5] // BLOCK
    if full == 0:
        return rows[word, 6]
    return (((rows[word, 6] + 3) & ~3) + full + 3) & ~3


@inner
def _load_positions(data, words, rows, word, cursors, wanted, gaps):
    """Decode a block of a word's positions, not before the one decoded last; return 0, or -1."""
    count = rows[word, 5]
    full = count // BLOCK
    end = rows[word, 7]
    codes = (rows[word, 6] + 3) & ~3
    at = cursors[word, _AT]
    if wanted < cursors[word, _NEXT] or wanted > full:
        return -1
    for block in range(cursors[word, _NEXT], wanted):
        at = skip_packed(data, at, data[codes + block], end)
        if at < 0:
            return -1
    if wanted < full:
        at = unpack_patched(data, words, at, data[codes + wanted], end, gaps[word], 0)
    else:
        at = decode_position_tail(data, at, end, gaps[word], 0, count - full * BLOCK)
    if at < 0:
        return -1
    cursors[word, _DECODED] = wanted
    cursors[word, _NEXT] = wanted + 1
    cursors[word, _AT] = at
    return 0


@inner
def _move(data, words, rows, word, cursors, doc, doc_count, docs, freqs):
    """Bring a word's cursor to an article; return 1 when it is there, 0 when the word is not, -1 on damage."""
    field_count = freqs.shape[1]
    block = cursors[word, _BLOCK]
    if block < 0 or cursors[word, _LAST] < doc:
        row = rows[word]
        full = row[2] // BLOCK
        block = find_block(words, row, block + 1, doc)
        if block * BLOCK >= row[2]:
            return 0
        with_freqs = row[2] > 0  # always; a constant would have the function compiled once more
        size = load_block(data, words, row, block, field_count, doc_count, with_freqs, docs[word], freqs[word])
        if size < 0:
            return -1
        cursors[word, _BLOCK] = block
        cursors[word, _SIZE] = size
        cursors[word, _LAST] = docs[word, size - 1]
        cursors[word, _POSTING] = 0
        skip = (((row[3] + 3) & ~3) >> 2) + min(block, full - 1) * SKIP_WORDS
        before = row[5]
        if block < full:
            before = np.int64(words[skip + 2])
        else:
            for field in range(field_count):
                for i in range(size):
                    before -= np.int64(freqs[word, field, i])
        cursors[word, _BEFORE] = before
        if full:
            # The nearest block of positions that is known to begin before what is needed.
            hint = np.int64(words[skip + 2]) // BLOCK
            if hint > cursors[word, _NEXT]:
                cursors[word, _NEXT] = hint
                cursors[word, _AT] = _positions_begin(rows, word) + np.int64(words[skip + 3])
    posting = cursors[word, _POSTING]
    size = cursors[word, _SIZE]
    before = cursors[word, _BEFORE]
    while posting < size and np.int64(docs[word, posting]) < doc:
        for field in range(field_count):
            before += np.int64(freqs[word, field, posting])
        posting += 1
    cursors[word, _POSTING] = posting
    cursors[word, _BEFORE] = before
    return 1 if posting < size and np.int64(docs[word, posting]) == doc else 0


@kernel
def phrase_bits(
    data,
    words,
    placed,
    placed_words,
    rows,
    offsets,
    mask,
    field_count,
    doc_count,
    candidates,
    state,
    budget,
    keys,
    bits,
):
    """Add the articles in which the words stand at their offsets from one place, in one of the masked text fields.

    Args:
        data, words, rows, mask, field_count, doc_count: as for `or_terms`; a row for each word of the phrase.
        placed: uint8[m], the positions section; placed_words: the same as uint32.
        offsets: int64[W], ascending from 0, below 2^31.
        candidates: a bitmap of the articles to look at, all of which have all words.
        state: int64[1], zero at first: the first word of the bitmap that is not done.
        budget: the number of postings and positions after which to return.
        keys: int64[k], overwritten: room for where the rarest word stands in an article.
        bits: the bitmap, added to.

    Returns:
        2 when `keys` is too small, 1 when there is more, 0 when done, -1 when postings or positions cannot be read.
    """
    count = rows.shape[0]
    cursors = np.zeros((count, _CURSOR), np.int64)
    order = np.empty(count, np.int64)
    for word in range(count):
        if rows[word, 2] == 0:
            return 0
        if not is_readable(data, rows[word], doc_count):
            return -1
        if rows[word, 6] < 0 or rows[word, 6] > rows[word, 7] or rows[word, 7] > placed.size or rows[word, 5] < 0:
            return -1
        begin = _positions_begin(rows, word)
        if begin > rows[word, 7]:
            return -1
        cursors[word, _BLOCK] = -1
        cursors[word, _DECODED] = -1
        cursors[word, _AT] = begin
    rarest_first(rows, order)
    docs = np.empty((count, BLOCK), np.uint32)
    freqs = np.empty((count, field_count, BLOCK), np.uint32)
    gaps = np.empty((count, BLOCK), np.uint32)
    while state[0] < candidates.size:
        left = candidates[state[0]]
        while left:
            doc = state[0] * 64 + lowest_bit(left)
            left &= left - np.uint64(1)
            # Where the phrase may begin, by the words looked at so far.
            starts = 0
            for place in range(count):
                word = order[place]
                moved = _move(data, words, rows, word, cursors, doc, doc_count, docs, freqs)
                if moved < 0:
                    return -1
                budget -= 1
                kept = 0
                at = 0
                number = cursors[word, _BEFORE]
                posting = cursors[word, _POSTING]
                offset = offsets[word]
                for field in range(field_count if moved else 0):
                    freq = np.int64(freqs[word, field, posting])
                    if mask >> field & 1 == 0:
                        number += freq
                        continue
                    if number < 0 or number + freq > rows[word, 5]:
                        return -1
                    budget -= freq
                    position = np.int64(0)
                    key = (field << _FIELD_SHIFT) - offset
                    for j in range(freq):
                        if number >> 7 != cursors[word, _DECODED] and (
                            _load_positions(placed, placed_words, rows, word, cursors, number >> 7, gaps) < 0
                        ):
                            return -1
                        gap = np.int64(gaps[word, number & 127])
                        number += 1
                        position += gap
                        if (gap == 0 and j) or position > 0xFFFFFFFF:
                            return -1
                        if position < offset:
                            continue
                        start = key + position
                        if place == 0:
                            if kept == keys.size:
                                return 2
                            keys[kept] = start
                            kept += 1
                        else:
                            while at < starts and keys[at] < start:
                                at += 1
                            if at < starts and keys[at] == start:
                                keys[kept] = start
                                kept += 1
                                at += 1
                starts = kept
                if starts == 0:
                    break
            if starts:
                bits[doc >> 6] |= np.uint64(1) << np.uint64(doc & 63)
        state[0] += 1
        if budget <= 0 and state[0] < candidates.size:
            return 1
    return 0
