"""Kernels that open the postings of a term and decode a block of them when it is needed: see `codec/format.py`.

What is open of a query's terms stands in three arrays, made once for many searches:

    state    int64[T, COLUMNS]       where the bytes of each term are, and what of it is decoded
    small    uint32[T, 3 + F, 256]   of each term: doc ids, position gaps, positions before each posting in its block,
                                     and the frequencies in each of the F text fields
    numbers  float64[T, NUMBERS]     of each term: 256 contributions to the score; its factor; the fields' weights

The 256 places are two blocks: the first for the block decoded last; the second for the tail, the postings after the
last full block, decoded when the term is opened. The tail counts as one more block, of number state[t, FULL].

Nothing read is trusted: what is used as a place is compared first, and what does not fit is damage, -1.
"""

from __future__ import annotations

import numpy as np

from newsindex.codec.decode_kernel import decode_tail
from newsindex.codec.format import SKIP_WORDS
from newsindex.codec.pack_kernel import BLOCK, get_vbyte, unpack_patched
from newsindex.kernel import kernel
from newsindex.search.postings_kernel import skip_packed

__all__ = [
    "BOUNDS", "COLUMNS", "CURSOR", "DOCS", "FACTOR", "FIELD_WEIGHTS", "FREQS", "FREQUENCIES", "FULL", "NORMS",
    "NORM_OF_CODE", "NUMBERS", "ORDER", "PLACE", "POSITIONS_BASE", "POSITIONS_BLOCK", "POSITIONS_CODES", "POSITIONS_COUNT", "POSITIONS_END",
    "POSITIONS_FULL", "POSITIONS_HELD", "POSITIONS_NEXT", "POSITIONS_TAIL", "REST", "SKIPS", "TAIL", "TAIL_SUM",
    "WINDOWS", "find_doc", "load_docs", "load_freqs", "load_scores", "load_sums", "open_term", "score_one", "seek",
    "span",
]  # fmt: skip

(
    FULL, TAIL, SKIPS, BASE, END, FIELDS, FILTERED, BOUNDS, WINDOWS, CURSOR, PLACE, DOCS, FREQS_AT, FREQS, SCORES, SUMS,
    POSITIONS_COUNT, POSITIONS_FULL, POSITIONS_CODES, POSITIONS_BASE, POSITIONS_END, POSITIONS_BLOCK, POSITIONS_NEXT,
    POSITIONS_HELD, POSITIONS_TAIL, TAIL_SUM, ORDER, COLUMNS,
) = range(28)  # fmt: skip
FREQUENCIES = 3
"""Where in `small` the frequencies begin."""
FACTOR = 2 * BLOCK
FIELD_WEIGHTS = FACTOR + 1
REST = FIELD_WEIGHTS + 8
"""A number of the place in the order, not of the term: what the terms from there on add to a score at most."""
NUMBERS = REST + 1
NORM_OF_CODE = 8
"""In `norms`, after the formula's: the norms of the codes of lengths, then room for the lengths of a block."""
LONG = NORM_OF_CODE + 256
NORMS = LONG + BLOCK
_ROUNDING = 1.5 * 2.0**24
_PATCHED = 0x40
_WIDTH = 0x3F


@kernel
def open_term(data, words, row, mask, doc_count, field_count, term, state, small):
    """Open a term: check where its parts are and decode its tail.

    Args:
        data: uint8[m], the postings; words: the same as uint32.
        row: int64[8], as `SearchSegment.find` tells it, with doc_freq > 0.
        mask: bit f is set where text field f counts.
        doc_count, field_count: of the segment.
        term: its place in `state` and `small`, which are overwritten there.

    Returns:
        0, or -1 for damage.
    """
    doc_freq = row[2]
    end = row[4]
    full = doc_freq // BLOCK
    tail = doc_freq - full * BLOCK
    at = row[3]
    if doc_freq > doc_count or at < 0 or at > end or end > data.size:
        return -1
    before = np.int64(-1)
    if full:
        at = (at + 3) & ~3
        state[term, SKIPS] = at >> 2
        at += full * SKIP_WORDS * 4
        if at > end or at > words.size * 4:
            return -1
    state[term, FULL] = full
    state[term, TAIL] = tail
    state[term, BASE] = at
    state[term, END] = end
    state[term, FIELDS] = mask
    state[term, FILTERED] = row[1] & ~mask
    state[term, CURSOR] = 0
    state[term, DOCS] = -1
    state[term, FREQS] = -1
    state[term, SCORES] = -1
    state[term, SUMS] = -1
    if tail == 0:
        return 0
    if full:
        skip = state[term, SKIPS] + (full - 1) * SKIP_WORDS
        before = np.int64(words[skip])
        header = at + np.int64(words[skip + 1])
        at = (header + 1 + field_count + 3) & ~3
        if at > end:
            return -1
        for stream in range(1 + field_count):
            at = skip_packed(data, at, data[header + stream], end)
            if at < 0:
                return -1
    docs = small[term, 0]
    freqs = small[term, FREQUENCIES:]
    first = np.int64(BLOCK)
    after = BLOCK + tail
    if decode_tail(data, at, end, before, first, after, doc_count, docs, freqs) < 0:
        return -1
    occurrences = np.int64(0)
    for field in range(field_count):
        for i in range(first, after):
            occurrences += np.int64(freqs[field, i])
        for i in range(after, 2 * BLOCK):
            freqs[field, i] = 0
    state[term, TAIL_SUM] = row[5] - occurrences
    # What is behind the tail must be safe to look at: the last article again.
    for i in range(after, 2 * BLOCK):
        docs[i] = docs[after - 1]
    return 0


@kernel
def span(words, term, block, state, small):
    """Return the first doc id that can stand in a block that has postings, and the last that does."""
    if block == state[term, FULL]:
        return np.int64(small[term, 0, BLOCK]), np.int64(small[term, 0, 2 * BLOCK - 1])
    skip = state[term, SKIPS] + block * SKIP_WORDS
    first = np.int64(0)
    if block > 0:
        first = np.int64(words[skip - SKIP_WORDS]) + 1
    return first, np.int64(words[skip])


@kernel
def seek(words, state, term, doc):
    """Return the block in which a doc id stands if the term has it, and move the term's cursor there.

    It is the number of the tail when the doc id is after the last full block, whether there is a tail or not.
    """
    skips = state[term, SKIPS]
    full = state[term, FULL]
    low = state[term, CURSOR]
    if low > 0 and np.int64(words[skips + (low - 1) * SKIP_WORDS]) >= doc:
        low = np.int64(0)
    if low < full and np.int64(words[skips + low * SKIP_WORDS]) < doc:
        step = np.int64(1)
        while low + step < full and np.int64(words[skips + (low + step) * SKIP_WORDS]) < doc:
            low += step
            step += step
        high = min(low + step, full)
        # Block `low` ends before the doc id; `high` does not, or is the tail.
        while high - low > 1:
            middle = (low + high) >> 1
            if np.int64(words[skips + middle * SKIP_WORDS]) < doc:
                low = middle
            else:
                high = middle
        low = high
    state[term, CURSOR] = low
    return low


@kernel
def load_docs(data, words, doc_count, field_count, term, block, state, small):
    """Decode the doc ids of a block; return 0, or -1 for damage."""
    if block == state[term, DOCS] or block == state[term, FULL]:
        return 0
    skip = state[term, SKIPS] + block * SKIP_WORDS
    last = np.int64(words[skip])
    header = state[term, BASE] + np.int64(words[skip + 1])
    end = state[term, END]
    at = (header + 1 + field_count + 3) & ~3
    if at > end or header & 3 or last >= doc_count:
        return -1
    docs = small[term, 0]
    state[term, DOCS] = -1
    at = unpack_patched(data, words, at, data[header], end, docs, np.int64(0))
    if at < 0:
        return -1
    before = np.int64(-1)
    if block > 0:
        before = np.int64(words[skip - SKIP_WORDS])
    for i in range(0, BLOCK, 4):
        first = np.int64(docs[i])
        second = first + np.int64(docs[i + 1])
        third = np.int64(docs[i + 2])
        fourth = third + np.int64(docs[i + 3])
        docs[i] = (before + first) & 0xFFFFFFFF
        docs[i + 1] = (before + second) & 0xFFFFFFFF
        docs[i + 2] = (before + second + third) & 0xFFFFFFFF
        before += second + fourth
        docs[i + 3] = before & 0xFFFFFFFF
    # They never descend, so the last one bounds them all.
    if before != last:
        return -1
    state[term, DOCS] = block
    state[term, FREQS_AT] = at
    state[term, FREQS] = -1
    state[term, SCORES] = -1
    state[term, SUMS] = -1
    return 0


@kernel
def load_freqs(data, words, field_count, term, block, state, small):
    """Decode the frequencies of the block whose doc ids are decoded; return 0, or -1 for damage."""
    if block == state[term, FREQS] or block == state[term, FULL]:
        return 0
    header = state[term, BASE] + np.int64(words[state[term, SKIPS] + block * SKIP_WORDS + 1])
    at = state[term, FREQS_AT]
    for field in range(field_count):
        out = small[term, FREQUENCIES + field]
        code = data[header + 1 + field]
        if code:
            at = unpack_patched(data, words, at, code, state[term, END], out, np.int64(0))
            if at < 0:
                return -1
        else:
            for i in range(BLOCK):
                out[i] = 0
    state[term, FREQS] = block
    return 0


@kernel
def load_sums(field_count, term, block, state, small):
    """Count the positions before each posting of a block whose frequencies are decoded."""
    start = np.int64(0)
    if block == state[term, FULL]:
        start = np.int64(BLOCK)
    elif block == state[term, SUMS]:
        return
    before = np.int64(0)
    for i in range(start, start + BLOCK):
        small[term, 2, i] = before & 0xFFFFFFFF
        for field in range(field_count):
            before += np.int64(small[term, FREQUENCIES + field, i])
    if start == 0:
        state[term, SUMS] = block


@kernel
def find_doc(docs, start, doc):
    """Return the least of the 128 places from `start` on with docs[place] ≥ doc, the last when there is none."""
    low = start
    step = BLOCK >> 1
    while step:
        if np.int64(docs[low + step - 1]) < doc:
            low += step
        step >>= 1
    return low


@kernel
def score_one(data, words, lengths, field_count, norms, term, block, place, state, small, numbers):
    """Return what a posting of the block whose doc ids are decoded adds to the score, decoding no other's frequencies.

    Args:
        lengths: float32[n], the weighted length of each article.
        norms: float64[2 or more], k1 · (1 - b) and k1 · b / average.
        place: of the posting in `small`.

    Returns:
        The contribution; -1 when no field that counts has the word, -2 for damage.
    """
    frequency = 0.0
    matches = np.int64(0)
    if block == state[term, FULL] or block == state[term, FREQS]:
        for field in range(field_count):
            times = np.int64(small[term, FREQUENCIES + field, place])
            if state[term, FIELDS] >> field & 1:
                frequency += numbers[term, FIELD_WEIGHTS + field] * times
                matches |= times
    else:
        header = state[term, BASE] + np.int64(words[state[term, SKIPS] + block * SKIP_WORDS + 1])
        at = state[term, FREQS_AT]
        end = state[term, END]
        for field in range(field_count):
            code = np.int64(data[header + 1 + field])
            if code == 0:
                continue
            width = code & _WIDTH
            begin = at
            at += 16 * width
            if width > 32 or at > end:
                return -2.0
            times = np.int64(0)
            if width:
                bit = (place >> 2) * width
                word = (begin >> 2) + (bit >> 5) * 4 + (place & 3)
                times = np.int64(words[word]) >> (bit & 31)
                if (bit & 31) + width > 32:
                    times |= np.int64(words[word + 4]) << (32 - (bit & 31))
                times &= (1 << width) - 1
            if code != width:
                if at >= end:
                    return -2.0
                patches = np.int64(data[at])
                at += 1
                for _ in range(patches):
                    if at >= end:
                        return -2.0
                    patched = np.int64(data[at])
                    high, at = get_vbyte(data, at + 1, end)
                    if at < 0:
                        return -2.0
                    if patched == place:
                        if np.int64(high) >> (32 - width):
                            return -2.0
                        times |= np.int64(high) << width
                at = (at + 3) & ~3
            if state[term, FIELDS] >> field & 1:
                frequency += numbers[term, FIELD_WEIGHTS + field] * times
                matches |= times
    if matches == 0:
        return -1.0
    norm = norms[0] + norms[1] * np.float64(lengths[small[term, 0, place]])
    return (numbers[term, FACTOR] * (frequency / (frequency + norm)) + _ROUNDING) - _ROUNDING


@kernel
def load_scores(data, words, lengths, field_count, norms, term, block, state, small, numbers):
    """Make the contributions of all postings of a block whose doc ids are decoded; return 0, or -1 for damage.

    It is -1 where no field that counts has the word. Behind a tail's postings it is anything.
    """
    if block == state[term, SCORES]:
        return 0
    if load_freqs(data, words, field_count, term, block, state, small) < 0:
        return -1
    start = np.int64(BLOCK) if block == state[term, FULL] else np.int64(0)
    docs = small[term, 0]
    out = numbers[term]
    long = norms[LONG:]
    # What is looked up apart from what is computed, so that the latter is done on several at a time.
    for i in range(BLOCK):
        long[i] = lengths[docs[start + i]]
    first = True
    for field in range(field_count):
        weight = numbers[term, FIELD_WEIGHTS + field]
        freqs = small[term, FREQUENCIES + field]
        if first:
            for i in range(start, start + BLOCK):
                out[i] = weight * freqs[i]
            first = False
        elif weight > 0.0:
            for i in range(start, start + BLOCK):
                out[i] += weight * freqs[i]
    factor = numbers[term, FACTOR]
    base = norms[0]
    slope = norms[1]
    for i in range(BLOCK):
        frequency = out[start + i]
        out[start + i] = (factor * (frequency / (frequency + (base + slope * long[i]))) + _ROUNDING) - _ROUNDING
    if state[term, FILTERED]:
        for i in range(start, start + BLOCK):
            matches = np.int64(0)
            for field in range(field_count):
                if state[term, FIELDS] >> field & 1:
                    matches |= np.int64(small[term, FREQUENCIES + field, i])
            if matches == 0:
                out[i] = -1.0
    state[term, SCORES] = block
    return 0
