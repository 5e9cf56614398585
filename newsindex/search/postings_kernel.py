"""Kernels that read one block of a term's postings or positions, wherever it is: see `codec/format.py`.

A term's row is what `SearchSegment.find` returns. Nothing read from the file is trusted: a block that cannot be read
gives -1, and no byte outside the section is read.
"""

from __future__ import annotations

import numpy as np

from newsindex.codec.decode_kernel import decode_tail
from newsindex.codec.format import SKIP_WORDS
from newsindex.codec.pack_kernel import BLOCK, PLACE_BITS, patches_end, unpack_patched, unpack_patches
from newsindex.kernel import inner
from newsindex.search.lanes_kernel import LARGE_GAP, add_up, unpack_rows

__all__ = ["add_gaps", "find_block", "is_readable", "load_block", "skip_packed", "unpack"]

_PATCHED = 0x40
_WIDTH = 0x3F


@inner
def unpack(data, words, at, code, end, out, start):
    """Unpack 128 values: as `unpack_patched` does, but faster."""
    width = np.int64(code) & _WIDTH
    if width > 31 or at < 0 or (at >> 2) + 4 * width + 4 > words.size:
        return unpack_patched(data, words, at, code, end, out, start)
    if width:
        unpack_rows(words, at >> 2, width, out, start)
        at += 16 * width
    else:
        for i in range(start, start + BLOCK):
            out[np.uint64(i)] = 0
    if code != width:
        if code != width | _PATCHED:
            return -1
        return _patch(data, words, at, width, end, out, start)
    return at if at <= end else -1


@inner
def _patch(data, words, at, width, end, out, start):
    """Do what `unpack_patches` does, but faster: each patch is taken out of two words."""
    after = patches_end(data, at, width, end)
    if after < 0:
        return -1
    count = np.int64(data[at])
    wide = PLACE_BITS + np.int64(data[at + 1])
    if wide > 33 or (after >> 2) >= words.size:
        return unpack_patches(data, at, width, end, out, start)
    mask = (np.int64(1) << wide) - 1
    bit = (at << 3) + 16
    for _ in range(count):
        word = bit >> 5
        patch = ((np.int64(words[np.uint64(word + 1)]) << 32 | np.int64(words[np.uint64(word)])) >> (bit & 31)) & mask
        out[np.uint64(start + (patch & (BLOCK - 1)))] |= np.uint32((patch >> PLACE_BITS) << width)
        bit += wide
    return after


@inner
def add_gaps(data, words, at, code, end, docs, start, before):
    """Make doc ids of the 128 gaps that `unpack` has just put into docs[start:]; return the last, in int64.

    `before` is the doc id before the first. Given again what was unpacked, for gaps so large that their sums overflow.
    """
    reached = add_up(docs, start, before)
    if reached & LARGE_GAP:
        unpack(data, words, at, code, end, docs, start)
        reached = before
        for i in range(start, start + BLOCK):
            reached += np.int64(docs[i])
            docs[i] = reached & 0xFFFFFFFF
    return reached


@inner
def is_readable(data, row, doc_count):
    """Tell whether a term's SKIPs lie within its bytes, those within the section, and its doc_freq in 1..doc_count."""
    begin = row[3]
    end = row[4]
    doc_freq = row[2]
    if doc_freq < 1 or doc_freq > doc_count or begin < 0 or begin > end or end > data.size:
        return False
    full = doc_freq // BLOCK
    return full == 0 or ((begin + 3) & ~3) + full * SKIP_WORDS * 4 <= end


@inner
def skip_packed(data, at, code, end):
    """Return the byte after a packed block of 128 values at byte `at`, or -1; `unpack_patched` without the values."""
    width = np.int64(code) & _WIDTH
    at += 16 * width
    if code == width:
        return at if at <= end else -1
    return patches_end(data, at, width, end)


@inner
def find_block(words, row, block, doc):
    """Return the first full block from `block` on whose last doc id is at least `doc`, or the number of full blocks.

    That is the tail's number. It steps further and further and then halves, so that near blocks are found quickly.
    """
    full = row[2] // BLOCK
    skips = ((row[3] + 3) & ~3) >> 2
    if block >= full or np.int64(words[skips + block * SKIP_WORDS]) >= doc:
        return block
    # The block at `low` ends before the doc.
    low = block
    step = 1
    high = low + step
    while high < full and np.int64(words[skips + high * SKIP_WORDS]) < doc:
        low = high
        step *= 2
        high = low + step
    high = min(high, full)
    while high - low > 1:
        middle = (low + high) >> 1
        if np.int64(words[skips + middle * SKIP_WORDS]) < doc:
            low = middle
        else:
            high = middle
    return high


@inner
def load_block(data, words, row, block, field_count, doc_count, with_freqs, docs, freqs):
    """Decode a block, the tail when `block` is the number of full blocks.

    Args:
        data: uint8[m], the postings section; words: the same as uint32.
        row: the term's, readable.
        block: 0..number of full blocks.
        field_count, doc_count: the segment's.
        with_freqs: whether frequencies are wanted; the tail has them anyway.
        docs: uint32[128], overwritten: ascending, all below doc_count.
        freqs: uint32[F, 128], overwritten.

    Returns:
        The number of postings, or -1.
    """
    doc_freq = row[2]
    end = row[4]
    full = doc_freq // BLOCK
    at = row[3]
    before = np.int64(-1)
    if full:
        skips = ((row[3] + 3) & ~3) >> 2
        base = (skips + full * SKIP_WORDS) << 2
        skip = skips + min(block, full - 1) * SKIP_WORDS
        at = base + np.int64(words[skip + 1])
        header = at
        at = (at + 1 + field_count + 3) & ~3
        if at > end or header & 3:
            return -1
        if block < full:
            if block:
                before = np.int64(words[skip - SKIP_WORDS])
            begin = at
            at = unpack(data, words, begin, data[header], end, docs, np.int64(0))
            if at < 0:
                return -1
            reached = add_gaps(data, words, begin, data[header], end, docs, np.int64(0), before)
            # They never descend, so the last one bounds them all.
            if reached >= doc_count or reached != np.int64(words[skip]):
                return -1
            if with_freqs:
                for field in range(field_count):
                    at = unpack(data, words, at, data[header + 1 + field], end, freqs[field], np.int64(0))
                    if at < 0:
                        return -1
            return BLOCK
        # The tail begins where the last block ends.
        before = np.int64(words[skip])
        for part in range(1 + field_count):
            at = skip_packed(data, at, data[header + part], end)
            if at < 0:
                return -1
    count = doc_freq - full * BLOCK
    return count if decode_tail(data, at, end, before, 0, count, doc_count, docs, freqs) >= 0 else -1
