"""Kernels of front-coded strings: see `format.py`."""

from __future__ import annotations

import numpy as np

from newsindex.codec.format import STRINGS_IN_BLOCK
from newsindex.codec.pack_kernel import get_vbyte, put_vbyte
from newsindex.codec.rows_kernel import MOVED, move
from newsindex.kernel import brief, inner, kernel

__all__ = ["decode_front", "encode_front", "pick_shown"]


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


@inner
def _copy(data, at, count, out, used):
    """Copy bytes of `data` to out[used:], which has room for them; what is behind them there is overwritten too."""
    if at + count + MOVED <= data.size and used + count + MOVED <= out.size:
        for j in range(0, count, MOVED):
            move(data, at + j, out, used + j)
    else:
        for j in range(count):
            out[np.uint64(used + j)] = data[np.uint64(at + j)]


@inner
def _place(places, width, number):
    """Return number n of a list of little-endian numbers, as bytes; negative when it is over 63 bits."""
    value = np.uint64(0)
    for i in range(width):
        value |= np.uint64(places[number * width + i]) << np.uint64(8 * i)
    return np.int64(value)


@inner
def _pick_front(data, blocks, width, number, out, used):
    """Decode one string to out[used:]; return its length, -1 for damage, -2 where it has no room."""
    block = number // STRINGS_IN_BLOCK
    if (block + 2) * width > blocks.size:
        return np.int64(-1)
    at = _place(blocks, width, block)
    end = _place(blocks, width, block + 1)
    if at < 0 or end > data.size:
        return np.int64(-1)
    length = np.int64(0)
    # The strings before it are decoded in its place, each over the one before.
    for _ in range(number - block * STRINGS_IN_BLOCK + 1):
        if at >= end:
            return np.int64(-1)
        shared = np.int64(data[at])
        value, at = get_vbyte(data, at + 1, end)
        rest = np.int64(value)
        if at < 0 or rest < 0 or shared > length or rest > end - at:
            return np.int64(-1)
        length = shared + rest
        if used + length > out.size:
            return np.int64(-2)
        _copy(data, at, rest, out, used + shared)
        at += rest
    return length


@brief
def pick_shown(id_data, id_blocks, id_width, title_data, title_starts, title_width, numbers, out):
    """Write ids and titles of some articles, one pair after the other, a NUL behind each string.

    Args:
        id_data: uint8[m], front-coded; id_blocks: uint8[], where each block begins, and the end, as numbers of id_width
            bytes, 0 where ids are not wanted.
        title_data: uint8[k]; title_starts: uint8[], where each begins, and the end, in the same way.
        numbers: int64[n], which articles.
        out: uint8[], overwritten.

    Returns:
        The number of bytes written; -1 when the bytes are not those of such strings, -2 when out is too small.
    """
    used = np.int64(0)
    for i in range(numbers.size):
        number = numbers[i]
        if number < 0:
            return -1
        if id_width:
            length = _pick_front(id_data, id_blocks, id_width, number, out, used)
            if length < 0:
                return length
            used += length
            if used >= out.size:
                return -2
            out[used] = 0
            used += 1
        if title_width:
            if (number + 2) * title_width > title_starts.size:
                return -1
            start = _place(title_starts, title_width, number)
            length = _place(title_starts, title_width, number + 1) - start
            if start < 0 or length < 0 or start + length > title_data.size:
                return -1
            if used + length >= out.size:
                return -2
            _copy(title_data, start, length, out, used)
            used += length
            out[used] = 0
            used += 1
    return used
