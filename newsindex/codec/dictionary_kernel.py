"""Kernels of the front-coded term dictionary: see `format.py`."""

from __future__ import annotations

import numpy as np
from numba import njit

from newsindex.codec.pack_kernel import get_vbyte, put_vbyte

__all__ = ["decode_terms", "encode_dictionary", "find_term"]

_IN_BLOCK = 16
_LONGEST = 255
_MOST_EXTRA = 3 + 4 * 5  # two lengths, the fields, four variable bytes


@njit(cache=True, nogil=True)
def encode_dictionary(term_bytes, term_starts, told, blocks, data):
    """Encode a sorted dictionary.

    Args:
        term_bytes: uint8[], the terms joined; term_starts: int64[T + 1]. Each has 1..255 bytes.
        told: int64[T, 5], as `encode_terms` tells it.
        blocks: uint64[⌈T / 16⌉, 3], overwritten.
        data: uint8[m], m ≥ bytes of the terms + 23 · T; overwritten from 0.

    Returns:
        The number of bytes of data.
    """
    at = np.int64(0)
    postings = np.int64(0)
    positions = np.int64(0)
    for term in range(told.shape[0]):
        begin = term_starts[term]
        length = term_starts[term + 1] - begin
        shared = 0
        if term % _IN_BLOCK == 0:
            blocks[term // _IN_BLOCK, 0] = at
            blocks[term // _IN_BLOCK, 1] = postings
            blocks[term // _IN_BLOCK, 2] = positions
        else:
            before = term_starts[term - 1]
            most = min(length, begin - before)
            while shared < most and term_bytes[before + shared] == term_bytes[begin + shared]:
                shared += 1
        data[at] = shared
        data[at + 1] = length - shared
        at += 2
        for i in range(shared, length):
            data[at] = term_bytes[begin + i]
            at += 1
        data[at] = told[term, 0]
        at = put_vbyte(told[term, 1], data, at + 1)
        at = put_vbyte(told[term, 2], data, at)
        at = put_vbyte(told[term, 3], data, at)
        at = put_vbyte(told[term, 4], data, at)
        postings += told[term, 2]
        positions += told[term, 4]
    return at


@njit(cache=True, nogil=True, inline="always")
def _next_term(data, at, end, buffer, length, info):
    """Decode one term into buffer and info; return (the byte after it, its length), or (-1, 0) on damage.

    `length` is that of the term before, whose bytes are in the buffer.
    """
    if at < 0 or at + 3 > end:
        return -1, 0
    shared = np.int64(data[at])
    rest = np.int64(data[at + 1])
    at += 2
    if shared > length or shared + rest > _LONGEST or shared + rest == 0 or at + rest + 5 > end:
        return -1, 0
    for i in range(rest):
        buffer[shared + i] = data[at + i]
    at += rest
    info[0] = data[at]
    at += 1
    for i in range(1, 5):
        value, at = get_vbyte(data, at, end)
        if at < 0:
            return -1, 0
        info[i] = np.int64(value)
    return at, shared + rest


@njit(cache=True, nogil=True, inline="always")
def _compare(buffer, length, wanted):
    """Return -1, 0 or 1 as the term in the buffer stands before, at or after the wanted bytes."""
    for i in range(min(length, wanted.size)):
        if buffer[i] != wanted[i]:
            return -1 if buffer[i] < wanted[i] else 1
    if length == wanted.size:
        return 0
    return -1 if length < wanted.size else 1


@njit(cache=True, nogil=True)
def find_term(blocks, data, term_count, wanted):
    """Find a term, or the first one after where it would stand.

    Args:
        blocks: uint64[b, 3]; data: uint8[m]; term_count: T.
        wanted: uint8[], the term.

    Returns:
        int64[9]: whether found (1), not (0) or damaged (-1); the term's number, T when all are before; its fields,
        doc_freq, begin and end of its postings, number of positions, begin and end of its positions. The last seven
        are meant only when found.
    """
    result = np.zeros(9, np.int64)
    buffer = np.zeros(_LONGEST + 1, np.uint8)
    info = np.zeros(5, np.int64)
    low = np.int64(0)
    high = np.int64(blocks.shape[0])
    # The last block whose first term is not after the wanted one.
    while high - low > 1:
        middle = (low + high) >> 1
        at, length = _next_term(data, np.int64(blocks[middle, 0]), data.size, buffer, 0, info)
        if at < 0:
            result[0] = -1
            return result
        if _compare(buffer, length, wanted) <= 0:
            low = middle
        else:
            high = middle
    if term_count == 0:
        return result
    at = np.int64(blocks[low, 0])
    postings = np.int64(blocks[low, 1])
    positions = np.int64(blocks[low, 2])
    length = 0
    term = low * _IN_BLOCK
    last = min(term + _IN_BLOCK, term_count)
    while term < last:
        at, length = _next_term(data, at, data.size, buffer, length, info)
        if at < 0:
            result[0] = -1
            return result
        order = _compare(buffer, length, wanted)
        if order >= 0:
            result[0] = 1 if order == 0 else 0
            result[1] = term
            result[2] = info[0]
            result[3] = info[1]
            result[4] = postings
            result[5] = postings + info[2]
            result[6] = info[3]
            result[7] = positions
            result[8] = positions + info[4]
            return result
        postings += info[2]
        positions += info[4]
        term += 1
    result[1] = term
    return result


@njit(cache=True, nogil=True)
def decode_terms(blocks, data, term_count, first, after, term_bytes, term_starts, told):
    """Decode the terms [first, after); first must begin a block.

    Args:
        blocks, data, term_count: the dictionary.
        term_bytes: uint8[m]; term_starts: int64[after - first + 1]; told: int64[after - first, 7]; all overwritten.
            Told are of each term its fields, doc_freq, begin and end of its postings, number of positions, begin and
            end of its positions.

    Returns:
        The number of bytes of the terms, or -1 on damage, or -2 when term_bytes is too small.
    """
    buffer = np.zeros(_LONGEST + 1, np.uint8)
    info = np.zeros(5, np.int64)
    used = np.int64(0)
    at = np.int64(0)
    length = 0
    postings = np.int64(0)
    positions = np.int64(0)
    if first % _IN_BLOCK or after > term_count:
        return -1
    for term in range(first, after):
        if term % _IN_BLOCK == 0:
            block = term // _IN_BLOCK
            at = np.int64(blocks[block, 0])
            postings = np.int64(blocks[block, 1])
            positions = np.int64(blocks[block, 2])
            length = 0
        at, length = _next_term(data, at, data.size, buffer, length, info)
        if at < 0:
            return -1
        if used + length > term_bytes.size:
            return -2
        term_starts[term - first] = used
        for i in range(length):
            term_bytes[used + i] = buffer[i]
        used += length
        row = term - first
        told[row, 0] = info[0]
        told[row, 1] = info[1]
        told[row, 2] = postings
        told[row, 3] = postings + info[2]
        told[row, 4] = info[3]
        told[row, 5] = positions
        told[row, 6] = positions + info[4]
        postings += info[2]
        positions += info[4]
    term_starts[after - first] = used
    return used
