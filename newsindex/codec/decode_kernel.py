"""Kernels from the bytes of postings and positions back to arrays: see `format.py`. None trusts what it reads."""

from __future__ import annotations

import numpy as np

from newsindex.codec.format import PACKED_TAIL, SKIP_WORDS
from newsindex.codec.pack_kernel import BLOCK, get_vbyte, unpack_bits, unpack_patched
from newsindex.kernel import inner, kernel

__all__ = ["decode_position_tail", "decode_positions", "decode_postings", "decode_tail"]


@inner
def decode_tail(data, at, end, before, first, after, doc_count, docs, freqs):
    """Decode the postings [first, after) of a term, those that fill no block.

    Args:
        data: uint8[m], the postings section; [at, end) are the bytes of the tail, and up to 3 more.
        before: the doc id before, -1 when there is none.
        doc_count: every doc id must be below.
        docs: uint32[n], freqs: uint32[F, n], n ≥ after; both overwritten from `first` on.

    Returns:
        The byte after, or -1 when they are not so many valid postings.
    """
    field_count = freqs.shape[0]
    for i in range(first, after):
        value, at = get_vbyte(data, at, end)
        before += np.int64(value >> np.uint64(1))
        if at < 0 or value < np.uint64(2) or before >= doc_count:
            return -1
        docs[i] = before
        for field in range(field_count):
            freqs[field, i] = 0
        if value & np.uint64(1):
            freqs[field_count - 1, i] = 1
            continue
        if at >= end:
            return -1
        code = np.int64(data[at])
        at += 1
        if code < 0x80:
            field = code >> 4
            if field >= field_count or code & 15 == 0:
                return -1
            freqs[field, i] = code & 15
            continue
        if code != 0x80 or at >= end:
            return -1
        mask = np.int64(data[at])
        at += 1
        if mask == 0 or mask >> field_count:
            return -1
        for field in range(field_count):
            if mask & (1 << field):
                freq, at = get_vbyte(data, at, end)
                if at < 0 or freq == 0:
                    return -1
                freqs[field, i] = freq
    return at


@inner
def decode_position_tail(data, at, end, gaps, first, after):
    """Decode the position gaps [first, after) of a term, those that fill no block, into uint32[n], n ≥ after.

    Returns:
        The byte after, or -1 when they do not end by `end`.
    """
    if after - first >= PACKED_TAIL:
        return unpack_bits(data, at, end, gaps, first, after)
    for i in range(first, after):
        value, at = get_vbyte(data, at, end)
        if at < 0:
            return -1
        gaps[i] = value
    return at


@kernel
def decode_postings(data, words, begin, end, doc_freq, field_count, doc_count, docs, freqs):
    """Decode the postings of one term.

    Args:
        data: uint8[m], the postings section; words: the same as uint32.
        begin, end: the term's bytes; with full blocks the first may be up to 3 bytes before they begin.
        doc_freq: number of postings.
        field_count: F.
        doc_count: every doc id must be below.
        docs: uint32[doc_freq rounded up to 128], overwritten.
        freqs: uint32[F, the same], overwritten.

    Returns:
        The byte after the postings, or -1 when they are not doc_freq valid postings within [begin, end).
    """
    full = doc_freq // BLOCK
    if begin < 0 or end > data.size or begin > end or docs.size < doc_freq:
        return -1
    before = np.int64(-1)
    at = begin
    if full:
        at = (begin + 3) & ~3
        skips = at
        base = at + full * SKIP_WORDS * 4
        if base > end:
            return -1
        at = base
        for block in range(full):
            if words[(skips >> 2) + block * SKIP_WORDS + 1] != at - base:
                return -1
            header = at
            at = (header + 1 + field_count + 3) & ~3
            if at > end:
                return -1
            at = unpack_patched(data, words, at, data[header], end, docs, block * BLOCK)
            if at < 0:
                return -1
            for field in range(field_count):
                at = unpack_patched(data, words, at, data[header + 1 + field], end, freqs[field], block * BLOCK)
                if at < 0:
                    return -1
            for i in range(block * BLOCK, block * BLOCK + BLOCK):
                gap = np.int64(docs[i])
                before += gap
                if gap == 0 or before >= doc_count:
                    return -1
                docs[i] = before
            if words[(skips >> 2) + block * SKIP_WORDS] != before:
                return -1
    at = decode_tail(data, at, end, before, full * BLOCK, doc_freq, doc_count, docs, freqs)
    if at < 0:
        return -1
    if end - at > 3:
        return -1
    return at


@kernel
def decode_positions(data, words, begin, end, count, gaps):
    """Decode the position gaps of one term.

    Args:
        data: uint8[m], the positions section; words: the same as uint32.
        begin, end: the term's bytes; with full blocks the first may be up to 3 bytes before they begin.
        count: number of positions.
        gaps: uint32[count rounded up to 128], overwritten.

    Returns:
        The byte after them, or -1 when they are not `count` values within [begin, end).
    """
    full = count // BLOCK
    if begin < 0 or end > data.size or begin > end or gaps.size < count:
        return -1
    at = begin
    if full:
        widths = (begin + 3) & ~3
        at = (widths + full + 3) & ~3
        if at > end:
            return -1
        for block in range(full):
            at = unpack_patched(data, words, at, data[widths + block], end, gaps, block * BLOCK)
            if at < 0:
                return -1
    at = decode_position_tail(data, at, end, gaps, full * BLOCK, count)
    if at < 0 or end - at > 3:
        return -1
    return at
