"""Kernels that pack integers: blocks of 128 at one bit width, and variable bytes for what is left over.

A block is 32 rows of 4 lanes: value i stands in row i // 4 of lane i % 4, each lane a little-endian stream of `width`
bits a value, so that four values are unpacked by the same shifts. It takes 4 · width words of 32 bits.
Lemire & Boytsov 2015, doi:10.1002/spe.2203 (the vertical layout); Zobel & Moffat 2006, doi:10.1145/1132956.1132959
(variable bytes).
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["BLOCK", "block_width", "get_vbyte", "pack_block", "put_vbyte", "unpack_block"]

BLOCK = 128


@njit(cache=True, nogil=True, inline="always")
def block_width(values, start):
    """Return the bits that the largest of 128 values needs.

    Args:
        values: uint32[n], n ≥ start + 128.
        start: index of the first.
    """
    seen = np.uint32(0)
    for i in range(start, start + BLOCK):
        seen |= values[i]
    width = 0
    while seen:
        seen >>= np.uint32(1)
        width += 1
    return width


@njit(cache=True, nogil=True)
def pack_block(values, start, width, out, at):
    """Pack 128 values of at most `width` bits each.

    Args:
        values: uint32[n], n ≥ start + 128.
        start: index of the first.
        width: 0..32.
        out: uint32[m], m ≥ at + 4 · width; those words are overwritten.
        at: index of the first word.

    Returns:
        The index after the last word.

    >>> values = np.arange(128, dtype=np.uint32)
    >>> words = np.zeros(28, np.uint32)
    >>> pack_block(values, 0, 7, words, 0)
    28
    >>> again = np.zeros(128, np.uint32)
    >>> unpack_block(words, 0, 7, again, 0)
    28
    >>> bool((again == values).all())
    True
    """
    for word in range(at, at + 4 * width):
        out[word] = 0
    for row in range(32):
        bit = row * width
        word = at + (bit >> 5) * 4
        shift = np.uint64(bit & 31)
        spills = (bit & 31) + width > 32
        for lane in range(4):
            wide = np.uint64(values[start + row * 4 + lane]) << shift
            if width:
                out[word + lane] |= np.uint32(wide & np.uint64(0xFFFFFFFF))
            if spills:
                out[word + 4 + lane] |= np.uint32(wide >> np.uint64(32))
    return at + 4 * width


@njit(cache=True, nogil=True)
def unpack_block(words, at, width, out, start):
    """Unpack 128 values.

    Args:
        words: uint32[m].
        at: index of the first word.
        width: bits a value.
        out: uint32[n], n ≥ start + 128; 128 values from `start` are overwritten.
        start: index of the first value.

    Returns:
        The index after the last word, or -1 when the width is over 32 or the words end before.
    """
    if width < 0 or width > 32 or at < 0 or at + 4 * width > words.size:
        return -1
    if width == 0:
        for i in range(start, start + BLOCK):
            out[i] = 0
        return at
    mask = np.uint64((1 << width) - 1)
    for row in range(32):
        bit = row * width
        word = at + (bit >> 5) * 4
        shift = np.uint64(bit & 31)
        if (bit & 31) + width > 32:
            for lane in range(4):
                wide = np.uint64(words[word + lane]) | (np.uint64(words[word + 4 + lane]) << np.uint64(32))
                out[start + row * 4 + lane] = np.uint32((wide >> shift) & mask)
        else:
            for lane in range(4):
                out[start + row * 4 + lane] = np.uint32((np.uint64(words[word + lane]) >> shift) & mask)
    return at + 4 * width


@njit(cache=True, nogil=True, inline="always")
def put_vbyte(value, out, at):
    """Write a value in groups of seven bits, low group first; a set high bit says that another byte follows.

    `out` is uint8[m] with at least 5 bytes free at `at`. Returns the index after the last byte.
    """
    rest = np.uint64(value)
    while rest >= np.uint64(128):
        out[at] = np.uint8((rest & np.uint64(127)) | np.uint64(128))
        rest >>= np.uint64(7)
        at += 1
    out[at] = np.uint8(rest)
    return at + 1


@njit(cache=True, nogil=True, inline="always")
def get_vbyte(data, at, end):
    """Return (value, index after it); the index is -1 when it does not end before `end`, or is over 32 bits."""
    value = np.uint64(0)
    shift = np.uint64(0)
    while at < end and shift <= np.uint64(28):
        byte = np.uint64(data[at])
        at += 1
        value |= (byte & np.uint64(127)) << shift
        if byte < np.uint64(128):
            if value > np.uint64(0xFFFFFFFF):
                return np.uint64(0), -1
            return value, at
        shift += np.uint64(7)
    return np.uint64(0), -1
