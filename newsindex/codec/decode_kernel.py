"""Kernels from the bytes of postings and positions back to arrays: see `format.py`. None trusts what it reads."""

from __future__ import annotations

import numpy as np
from numba import njit

from newsindex.codec.pack_kernel import BLOCK, get_vbyte, unpack_patched

__all__ = ["decode_positions", "decode_postings"]

_SKIP_WORDS = 8


@njit(cache=True, nogil=True)
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
        base = at + full * _SKIP_WORDS * 4
        if base > end:
            return -1
        at = base
        for block in range(full):
            if words[(skips >> 2) + block * _SKIP_WORDS + 1] != at - base:
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
            if words[(skips >> 2) + block * _SKIP_WORDS] != before:
                return -1
    for i in range(full * BLOCK, doc_freq):
        gap, at = get_vbyte(data, at, end)
        if at < 0 or at >= end or gap == 0:
            return -1
        before += np.int64(gap)
        if before >= doc_count:
            return -1
        docs[i] = before
        for field in range(field_count):
            freqs[field, i] = 0
        code = np.int64(data[at])
        at += 1
        if code < 0x80:
            field = code >> 4
            if field >= field_count or code & 15 == 0:
                return -1
            freqs[field, i] = code & 15
        else:
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
    if end - at > 3:
        return -1
    return at


@njit(cache=True, nogil=True)
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
    for i in range(full * BLOCK, count):
        value, at = get_vbyte(data, at, end)
        if at < 0:
            return -1
        gaps[i] = value
    if end - at > 3:
        return -1
    return at
