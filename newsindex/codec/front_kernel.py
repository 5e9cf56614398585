"""Kernels of front-coded strings: see `format.py`."""

from __future__ import annotations

import numpy as np

from newsindex.codec.format import STRINGS_IN_BLOCK
from newsindex.codec.pack_kernel import get_vbyte, put_vbyte
from newsindex.kernel import brief, kernel

__all__ = ["decode_front", "encode_front", "pick_front"]


@kernel
def encode_front(joined, starts, blocks, data):
    """Encode strings.

    Args:
        joined: uint8[], the strings one after the other; starts: int64[n + 1].
        blocks: uint64[⌈n / 16⌉ + 1], overwritten: where each block begins in `data`, and the end.
        data: uint8[m], m ≥ bytes of the strings + 6 · n; overwritten from 0.

    Returns:
        The number of bytes of data.
    """
    at = 0
    before = starts[0]
    for number in range(starts.size - 1):
        begin = starts[number]
        length = starts[number + 1] - begin
        shared = 0
        if number % STRINGS_IN_BLOCK == 0:
            blocks[number // STRINGS_IN_BLOCK] = at
        else:
            most = min(length, begin - before, 255)
            while shared < most and joined[before + shared] == joined[begin + shared]:
                shared += 1
        before = begin
        data[at] = shared
        at = put_vbyte(length - shared, data, at + 1)
        for i in range(begin + shared, begin + length):
            data[at] = joined[i]
            at += 1
    blocks[blocks.size - 1] = at
    return at


@kernel
def decode_front(data, at, end, out, starts):
    """Decode strings from the first of a block on.

    Args:
        data: uint8[m]; [at, end) are the bytes of the strings, or more.
        out: uint8[k], overwritten with the strings one after the other.
        starts: int64[n + 1], overwritten with where each of the n strings to decode begins in `out`, and the end.

    Returns:
        The number of bytes of out, or -1 when the bytes are not those of so many strings, or out is too small.
    """
    used = 0
    before = 0
    if at < 0 or end > data.size:
        return -1
    starts[0] = 0
    for number in range(starts.size - 1):
        if at >= end:
            return -1
        shared = int(data[at])
        value, at = get_vbyte(data, at + 1, end)
        rest = int(value)
        if at < 0 or shared > used - before or rest > end - at or used + shared + rest > out.size:
            return -1
        for i in range(shared):
            out[used + i] = out[before + i]
        before = used
        used += shared
        for i in range(rest):
            out[used + i] = data[at + i]
        used += rest
        at += rest
        starts[number + 1] = used
    return used


@brief
def pick_front(data, blocks, numbers, out, ends):
    """Decode some strings.

    Args:
        data: uint8[m]; blocks: int64[b + 1], where each block begins, and the end.
        numbers: int64[n], which strings.
        out: uint8[k], overwritten with them one after the other, and what was needed to decode the last.
        ends: int64[n], overwritten with where each ends in `out`.

    Returns:
        0, -1 when the bytes are not those of such strings, -2 when out is too small.
    """
    used = 0
    for i in range(numbers.size):
        number = numbers[i]
        block = number // STRINGS_IN_BLOCK
        if number < 0 or block >= blocks.size - 1:
            return -1
        at = blocks[block]
        end = blocks[block + 1]
        if at < 0 or end > data.size:
            return -1
        length = 0
        # The strings before it are decoded in its place, each over the one before.
        for _ in range(number - block * STRINGS_IN_BLOCK + 1):
            if at >= end:
                return -1
            shared = np.int64(data[at])
            value, at = get_vbyte(data, at + 1, end)
            rest = np.int64(value)
            if at < 0 or shared > length or rest > end - at:
                return -1
            length = shared + rest
            if used + length > out.size:
                return -2
            for j in range(rest):
                out[used + shared + j] = data[at + j]
            at += rest
        used += length
        ends[i] = used
    return 0
