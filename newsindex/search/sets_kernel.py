"""Kernels from postings to sets of articles: bitmaps, uint64[⌈n / 64⌉], article d at bit d & 63 of word d >> 6.

Each does a bounded amount of work and returns 1 when there is more: it is then called again with the same arguments,
of which `state` says how far it is. 0 says that it is done, -1 that the postings cannot be read.
"""

from __future__ import annotations

import numpy as np

from newsindex.codec.pack_kernel import BLOCK
from newsindex.kernel import inner, kernel
from newsindex.search.lanes_kernel import popcount
from newsindex.search.postings_kernel import find_block, is_readable, load_block

__all__ = ["and_terms", "first_of_terms", "or_terms", "rarest_first"]

# Up to so many candidates in a block are looked up one by one; more are compared through a bitmap.
_FEW = 12
# So many candidates a block: all blocks are decoded.
_MANY = 8


@inner
def _keep_masked(docs, freqs, count, mask, field_count):
    """Keep the postings with an occurrence in a masked field, in place; return how many those are."""
    kept = 0
    for i in range(count):
        has = np.uint32(0)
        for field in range(field_count):
            if mask >> field & 1:
                has |= freqs[field, i]
        docs[kept] = docs[i]
        kept += has != 0
    return kept


@inner
def _set_bits(docs, count, bits):
    # By bytes: to add to a word that has just been stored takes longer, and where many articles are it mostly has.
    places = bits.view(np.uint8)
    for i in range(count):
        doc = docs[i]
        places[np.uint64(doc >> np.uint32(3))] |= np.uint8(np.uint32(1) << (doc & np.uint32(7)))


@kernel
def or_terms(data, words, rows, mask, field_count, doc_count, state, budget, bits):
    """Add the articles that have one of the terms in one of the masked text fields.

    Args:
        data: uint8[m], the postings section; words: the same as uint32.
        rows: int64[T, 8], as `SearchSegment.find` returns them.
        mask: bit f for text field f.
        field_count, doc_count: the segment's.
        state: int64[2], zeros at first: term and block.
        budget: the number of blocks (of terms, when they are short) after which to return.
        bits: the bitmap, added to.

    Returns:
        1 when there is more, 0 when done, -1 when postings of term state[0] cannot be read.
    """
    docs = np.empty(BLOCK, np.uint32)
    freqs = np.empty((field_count, BLOCK), np.uint32)
    while state[0] < rows.shape[0]:
        row = rows[state[0]]
        if row[2] and row[1] & mask:
            if not is_readable(data, row, doc_count):
                return -1
            masked = row[1] & ~mask != 0
            blocks = (row[2] + BLOCK - 1) // BLOCK
            while state[1] < blocks:
                if budget <= 0:
                    return 1
                budget -= 1
                count = load_block(data, words, row, state[1], field_count, doc_count, masked, docs, freqs)
                if count < 0:
                    return -1
                if masked:
                    count = _keep_masked(docs, freqs, count, mask, field_count)
                _set_bits(docs, count, bits)
                state[1] += 1
        state[0] += 1
        state[1] = 0
    return 0


@inner
def _filter(data, words, row, mask, field_count, doc_count, found, count, block, docs, freqs, marks):
    """Keep of found[:count] the articles that have the term, in place; return (how many, where to go on).

    Only the blocks are decoded in which there may be one. `marks` is a bitmap of zeros, and is so again afterwards.
    """
    masked = row[1] & ~mask != 0
    blocks = (row[2] + BLOCK - 1) // BLOCK
    full = row[2] // BLOCK
    kept = 0
    i = 0
    while i < count:
        block = find_block(words, row, block, np.int64(found[i]))
        if block >= blocks:
            break
        size = load_block(data, words, row, block, field_count, doc_count, masked, docs, freqs)
        if size < 0:
            return -1, block
        last = np.int64(doc_count)
        if block < full:
            last = np.int64(docs[BLOCK - 1])
        if masked:
            size = _keep_masked(docs, freqs, size, mask, field_count)
        after = i + 1
        while after < count and np.int64(found[after]) <= last:
            after += 1
        if after - i < _FEW:
            place = 0
            for j in range(i, after):
                doc = found[j]
                step = 64
                while step:
                    if place + step <= size and docs[place + step - 1] < doc:
                        place += step
                    else:
                        step >>= 1
                if place < size and docs[place] == doc:
                    found[kept] = doc
                    kept += 1
        else:
            _set_bits(docs, size, marks)
            for j in range(i, after):
                doc = np.int64(found[j])
                found[kept] = np.uint32(doc)
                kept += np.int64(marks[doc >> 6] >> np.uint64(doc & 63) & np.uint64(1))
            for j in range(size):
                marks[np.int64(docs[j]) >> 6] = np.uint64(0)
        i = after
    return kept, block


@inner
def _filter_all(data, words, row, mask, field_count, doc_count, found, count, first, after, docs, freqs, marks):
    """Do what `_filter` does, where nearly each of the blocks first to after - 1 has some of the candidates."""
    masked = row[1] & ~mask != 0
    low = np.int64(found[0]) >> 6
    high = np.int64(found[count - 1]) >> 6
    _set_bits(found, count, marks)
    kept = np.int64(0)
    for block in range(first, after):
        size = load_block(data, words, row, block, field_count, doc_count, masked, docs, freqs)
        if size < 0:
            return np.int64(-1)
        if masked:
            size = _keep_masked(docs, freqs, size, mask, field_count)
        for i in range(size):
            doc = np.uint64(docs[i])
            # Candidates may be written over, for they are in the bitmap; room is needed for a block more than they are.
            found[np.uint64(kept)] = np.uint32(doc)
            kept += np.int64(marks[doc >> np.uint64(6)] >> (doc & np.uint64(63)) & np.uint64(1))
        if kept > count:  # an article stands there twice
            return np.int64(-1)
    for at in range(low, high + 1):
        marks[at] = np.uint64(0)
    return kept


@inner
def rarest_first(rows, order):
    """Fill order, int64[T], with the places of the rows, those of the rarest terms first."""
    for place in range(order.size):
        at = place
        while at and rows[order[at - 1], 2] > rows[place, 2]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = place


@kernel
def and_terms(data, words, rows, masks, field_count, doc_count, within, state, places, budget, bits):
    """Add the articles that have all of the terms, each in one of the text fields of its mask.

    Args:
        data, words, rows, field_count, doc_count: as for `or_terms`.
        masks: int64[T].
        within: a bitmap of the articles that may be added; empty: all.
        state: int64[1], zero at first: block of the rarest term; places: int64[T], zeros at first.
        budget: the number of blocks of the rarest term after which to return.
        bits: the bitmap, added to.

    Returns:
        1 when there is more, 0 when done, -1 when postings cannot be read.
    """
    order = np.empty(rows.shape[0], np.int64)
    for term in range(rows.shape[0]):
        if rows[term, 2] == 0 or rows[term, 1] & masks[term] == 0:
            return 0
        if not is_readable(data, rows[term], doc_count):
            return -1
    rarest_first(rows, order)
    row = rows[order[0]]
    mask = masks[order[0]]
    masked = row[1] & ~mask != 0
    blocks = (row[2] + BLOCK - 1) // BLOCK
    after = min(state[0] + budget, blocks)
    docs = np.empty(BLOCK, np.uint32)
    freqs = np.empty((field_count, BLOCK), np.uint32)
    found = np.empty(BLOCK * (after - state[0] + 1), np.uint32)
    marks = np.zeros(bits.size, np.uint64)
    count = np.int64(0)
    for block in range(state[0], after):
        size = load_block(data, words, row, block, field_count, doc_count, masked, docs, freqs)
        if size < 0:
            return -1
        if masked:
            size = _keep_masked(docs, freqs, size, mask, field_count)
        if within.size:
            for i in range(size):
                doc = np.int64(docs[i])
                found[count] = np.uint32(doc)
                count += np.int64(within[doc >> 6] >> np.uint64(doc & 63) & np.uint64(1))
        else:
            for i in range(size):
                found[count + i] = docs[i]
            count += size
    for place in range(1, order.size):
        term = order[place]
        if count:
            first = find_block(words, rows[term], places[term], np.int64(found[0]))
            last = find_block(words, rows[term], first, np.int64(found[count - 1]))
            end = min(last + 1, (rows[term, 2] + BLOCK - 1) // BLOCK)
            if count > _MANY * (end - first):
                count = _filter_all(
                    data, words, rows[term], masks[term], field_count, doc_count, found, count, first, end, docs, freqs,
                    marks,
                )  # fmt: skip
                places[term] = last
            else:
                count, places[term] = _filter(
                    data, words, rows[term], masks[term], field_count, doc_count, found, count, first, docs, freqs,
                    marks,
                )  # fmt: skip
        if count < 0:
            return -1
    _set_bits(found, count, bits)
    state[0] = after
    return 1 if after < blocks else 0


@kernel
def first_of_terms(data, words, rows, mask, field_count, doc_count, allowed, begin, limit, state, budget, bits):
    """Add the first articles, by number, that have one of the terms; no more is decoded than is needed for them.

    Args:
        data, words, rows, mask, field_count, doc_count: as for `or_terms`.
        allowed: a bitmap of the articles that may be added; empty: all.
        begin: the first article that may be added.
        limit: how many are wanted, at least 1.
        state: int64[6]: 0, 0, doc_count, 0, -1, 0 at first. Terms done; bits set; from where on nothing need be found;
            the last word with a bit; of the term at work the block, and how many it has had.
        budget: the number of blocks (of terms, when they are short) after which to return.
        bits: a bitmap of zeros at first. When done, its first `limit` bits are wanted; there may be some more.

    Returns:
        1 when there is more, 0 when done, -1 when postings cannot be read.
    """
    docs = np.empty(BLOCK, np.uint32)
    freqs = np.empty((field_count, BLOCK), np.uint32)
    # The most frequent term comes first: it nearly always has the wanted number early.
    largest = 0
    for term in range(rows.shape[0]):
        if rows[term, 2] > rows[largest, 2]:
            largest = term
    while state[0] < rows.shape[0]:
        term = state[0]
        if term == 0:
            term = largest
        elif term == largest:
            term = 0
        row = rows[term]
        if row[2] and row[1] & mask:
            if not is_readable(data, row, doc_count):
                return -1
            masked = row[1] & ~mask != 0
            blocks = (row[2] + BLOCK - 1) // BLOCK
            if state[4] < 0:
                # A number of its own type, so that the function is compiled once.
                state[4] = 0
                state[4] = find_block(words, row, state[4], begin)
            while state[4] < blocks and state[5] < limit:
                if budget <= 0:
                    return 1
                budget -= 1
                count = load_block(data, words, row, state[4], field_count, doc_count, masked, docs, freqs)
                if count < 0:
                    return -1
                last = np.int64(docs[count - 1])
                if masked:
                    count = _keep_masked(docs, freqs, count, mask, field_count)
                for i in range(count):
                    doc = np.int64(docs[i])
                    if doc >= state[2]:
                        break
                    bit = np.uint64(1) << np.uint64(doc & 63)
                    if doc < begin or (allowed.size and not allowed[doc >> 6] & bit):
                        continue
                    state[5] += 1
                    if not bits[doc >> 6] & bit:
                        bits[doc >> 6] |= bit
                        state[1] += 1
                        state[3] = max(state[3], doc >> 6)
                    if state[5] == limit:
                        state[2] = doc + 1
                if last >= state[2]:
                    break
                state[4] += 1
            while state[1] > limit and state[1] - popcount(bits[state[3]]) >= limit:
                state[1] -= popcount(bits[state[3]])
                bits[state[3]] = 0
                state[3] -= 1
                state[2] = min(state[2], (state[3] + 1) * 64)
        state[0] += 1
        state[4] = -1
        state[5] = 0
    return 0
