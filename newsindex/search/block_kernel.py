"""Kernels that open the postings of a term and decode a block of them when it is needed: see `codec/format.py`.

What is open of a query's terms stands in three arrays, made once for many searches:

    state    int64[T, COLUMNS]       where the bytes of each term are, and what of it is decoded
    small    uint32[T · (3 + F) · 256]   of each term: doc ids, position gaps, how many positions the postings have up
                                     to each, and the frequencies in each of the F text fields
    numbers  float64[T, NUMBERS]     of each term: 256 contributions to the score; its factor; the fields' weights

The 256 places are two blocks: the first for the block decoded last; the second for the tail, the postings after the
last full block, decoded when the term is opened. The tail counts as one more block, of number state[t, FULL].

Nothing read is trusted: what is used as a place is compared first, and what does not fit is damage, -1.
"""

from __future__ import annotations

import numpy as np

from newsindex.codec.decode_kernel import decode_tail
from newsindex.codec.format import SKIP_WORDS
from newsindex.codec.pack_kernel import BLOCK
from newsindex.kernel import inner
from newsindex.search.lanes_kernel import count_less
from newsindex.search.postings_kernel import add_gaps, skip_packed, unpack

__all__ = [
    "BOUNDS",
    "COLUMNS",
    "CURSOR",
    "DOCS",
    "ENDS",
    "ENDS_OF",
    "ENDS_OF_TAIL",
    "FACTOR",
    "FIELD_WEIGHTS",
    "FREQS",
    "FREQUENCIES",
    "FULL",
    "GAPS",
    "NORMS",
    "NORM_OF_CODE",
    "NUMBERS",
    "ORDER",
    "PLACE",
    "PLACES",
    "POSITIONS_BASE",
    "POSITIONS_BLOCK",
    "POSITIONS_CODES",
    "POSITIONS_COUNT",
    "POSITIONS_END",
    "POSITIONS_FULL",
    "POSITIONS_HELD",
    "POSITIONS_NEXT",
    "POSITIONS_TAIL",
    "REST",
    "SKIPS",
    "TAIL",
    "WINDOWS",
    "find_doc",
    "gain_of",
    "load_docs",
    "load_freqs",
    "load_scores",
    "open_term",
    "part_of",
    "present_in",
    "seek",
    "span",
]  # fmt: skip

(
    FULL, TAIL, SKIPS, BASE, END, FIELDS, FILTERED, BOUNDS, WINDOWS, STEP, CURSOR, PLACE, DOCS, FREQS_AT, FREQS, SCORES,
    POSITIONS_COUNT, POSITIONS_FULL, POSITIONS_CODES, POSITIONS_BASE, POSITIONS_END, POSITIONS_BLOCK, POSITIONS_NEXT,
    POSITIONS_HELD, POSITIONS_TAIL, ENDS_OF, ENDS_OF_TAIL, PRESENT,
    ORDER, COLUMNS,
) = range(30)  # fmt: skip
PLACES = 2 * BLOCK
GAPS, ENDS, FREQUENCIES = PLACES, 2 * PLACES, 3 * PLACES
"""Where in a term's part of `small` those begin; doc ids at 0."""
FACTOR = PLACES
FIELD_WEIGHTS = FACTOR + 1
REST = FIELD_WEIGHTS + 8
"""A number of the place in the order, not of the term: what the terms from there on add to a score at most."""
NUMBERS = FACTOR + 16
"""So many that each term's begin where a line of the cache does: a multiple of 8."""
NORM_OF_CODE = 8
"""In `norms`, after the formula's: the norms of the codes of lengths, then room for the lengths of a block."""
LONG = NORM_OF_CODE + 256
NORMS = LONG + BLOCK
_ROUNDING = 1.5 * 2.0**24


@inner
def part_of(term, field_count):
    """Return where a term's part of `small` begins."""
    return term * (3 + field_count) * PLACES


@inner
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
    state[term, PRESENT] = -1
    state[term, SCORES] = -1
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
    part = part_of(term, field_count)
    docs = small[part : part + PLACES]
    freqs = small[part + FREQUENCIES : part + FREQUENCIES + field_count * PLACES].reshape(field_count, PLACES)
    first = np.int64(BLOCK)
    after = BLOCK + tail
    if decode_tail(data, at, end, before, first, after, doc_count, docs, freqs) < 0:
        return -1
    # What is behind the tail must be safe to look at: the last article again, without the word.
    for field in range(field_count):
        for i in range(after, PLACES):
            freqs[field, i] = 0
    for i in range(after, PLACES):
        docs[i] = docs[after - 1]
    return 0


@inner
def span(words, field_count, term, block, state, small):
    """Return the first doc id that can stand in a block that has postings, and the last that does."""
    if block == state[term, FULL]:
        part = part_of(term, field_count)
        return np.int64(small[part + BLOCK]), np.int64(small[part + PLACES - 1])
    skip = state[term, SKIPS] + block * SKIP_WORDS
    first = np.int64(0)
    if block > 0:
        first = np.int64(words[skip - SKIP_WORDS]) + 1
    return first, np.int64(words[skip])


@inner
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


@inner
def load_docs(data, words, doc_count, field_count, term, block, state, small):
    """Decode the doc ids of a block; return 0, or -1 for damage."""
    if block == state[term, DOCS] or block == state[term, FULL]:
        return 0
    return _decode_docs(data, words, doc_count, field_count, term, block, state, small)


@inner
def _decode_docs(data, words, doc_count, field_count, term, block, state, small):
    """Decode the doc ids of a full block, whichever are decoded already."""
    skip = state[term, SKIPS] + block * SKIP_WORDS
    last = np.int64(words[skip])
    header = state[term, BASE] + np.int64(words[skip + 1])
    end = state[term, END]
    at = (header + 1 + field_count + 3) & ~3
    if at > end or header & 3 or last >= doc_count:
        return -1
    part = part_of(term, field_count)
    state[term, DOCS] = -1
    begin = at
    at = unpack(data, words, begin, data[header], end, small, part)
    if at < 0:
        return -1
    before = np.int64(-1)
    if block > 0:
        before = np.int64(words[skip - SKIP_WORDS])
    reached = add_gaps(data, words, begin, data[header], end, small, part, before)
    # They never descend, so the first and the last bound them all.
    if reached != last or np.int64(small[part]) <= before:
        return -1
    state[term, DOCS] = block
    state[term, FREQS_AT] = at
    state[term, FREQS] = -1
    state[term, SCORES] = -1
    return 0


@inner
def load_freqs(data, words, field_count, term, block, state, small):
    """Decode the frequencies of the block whose doc ids are decoded; return 0, or -1 for damage."""
    if block == state[term, FREQS] or block == state[term, FULL]:
        return 0
    return _decode_freqs(data, words, field_count, term, block, state, small)


@inner
def _decode_freqs(data, words, field_count, term, block, state, small):
    """Decode the frequencies of a full block, whichever are decoded already."""
    header = state[term, BASE] + np.int64(words[state[term, SKIPS] + block * SKIP_WORDS + 1])
    at = state[term, FREQS_AT]
    begin = part_of(term, field_count) + FREQUENCIES
    before = state[term, PRESENT]
    present = np.int64(0)
    for field in range(field_count):
        code = data[header + 1 + field]
        # In many blocks some field has the word nowhere, as in the block before.
        if code or before >> field & 1:
            at = unpack(data, words, at, code, state[term, END], small, begin)
            if at < 0:
                return -1
        if code:
            present |= np.int64(1) << field
        begin += PLACES
    state[term, FREQS] = block
    state[term, PRESENT] = present
    return 0


@inner
def present_in(term, block, state):
    """Return the mask of the fields of which a block, whose frequencies are decoded, has some that are not 0."""
    return state[term, PRESENT] if block < state[term, FULL] else np.int64(-1)


@inner
def find_doc(small, start, doc):
    """Return the least of the 128 places from `start` on with a number ≥ doc, the last when there is none."""
    return start + min(count_less(small, start, doc), BLOCK - 1)


@inner
def gain_of(lengths, field_count, base, slope, factor, term, doc, place, small, numbers):
    """Return what a posting contributes whose frequencies are decoded, -1 where no field that counts has the word.

    `base`, `slope` and `factor` are the formula's and the term's; `place` is that of the doc id in `small`.
    """
    frequency = 0.0
    times = place + FREQUENCIES
    for field in range(field_count):
        frequency += numbers[term, FIELD_WEIGHTS + field] * small[np.uint64(times)]
        times += PLACES
    share = frequency / (frequency + (base + slope * lengths[np.uint64(doc)]))
    # Without k1 it is 0 / 0 where the word stands in no field that counts.
    return (factor * share + _ROUNDING) - _ROUNDING if frequency > 0.0 else -1.0


@inner
def load_scores(data, words, lengths, field_count, norms, term, block, state, small, numbers):
    """Make the contributions of all postings of a block whose doc ids are decoded; return 0, or -1 for damage.

    It is -1 where no field that counts has the word. Behind a tail's postings it is anything.
    """
    if block == state[term, SCORES]:
        return 0
    if load_freqs(data, words, field_count, term, block, state, small) < 0:
        return -1
    start = np.int64(BLOCK) if block == state[term, FULL] else np.int64(0)
    docs = part_of(term, field_count) + start
    # What is looked up apart from what is computed, so that the latter is done on several at a time.
    for i in range(BLOCK):
        norms[LONG + i] = lengths[small[np.uint64(docs + i)]]
    present = present_in(term, block, state)
    freqs = docs + FREQUENCIES
    is_first = True
    for field in range(field_count):
        if present >> field & 1:
            weight = numbers[term, FIELD_WEIGHTS + field]
            if is_first:
                for i in range(BLOCK):
                    numbers[term, np.uint64(start + i)] = weight * small[np.uint64(freqs + i)]
            else:
                for i in range(BLOCK):
                    numbers[term, np.uint64(start + i)] += weight * small[np.uint64(freqs + i)]
            is_first = False
        freqs += PLACES
    if is_first:
        for i in range(BLOCK):
            numbers[term, np.uint64(start + i)] = 0.0
    factor = numbers[term, FACTOR]
    base = norms[0]
    slope = norms[1]
    for i in range(BLOCK):
        frequency = numbers[term, np.uint64(start + i)]
        share = frequency / (frequency + (base + slope * norms[LONG + i]))
        numbers[term, np.uint64(start + i)] = (factor * share + _ROUNDING) - _ROUNDING
    if state[term, FILTERED]:
        freqs = docs + FREQUENCIES
        for i in range(BLOCK):
            matches = np.int64(0)
            for field in range(field_count):
                if state[term, FIELDS] >> field & 1:
                    matches |= np.int64(small[freqs + field * PLACES + i])
            if matches == 0:
                numbers[term, start + i] = -1.0
    state[term, SCORES] = block
    return 0
