"""Kernels that pack integers: blocks of 128 at one bit width, and variable bytes for what is left over.

A block is 32 rows of 4 lanes: value i stands in row i // 4 of lane i % 4, each lane a little-endian stream of `width`
bits a value, so that four values are unpacked by the same shifts. It takes 4 · width words of 32 bits.
A few large values would widen all: they are packed without their high bits, which follow the block as patches.
Lemire & Boytsov 2015, doi:10.1002/spe.2203 (the vertical layout, patching); Zobel & Moffat 2006,
doi:10.1145/1132956.1132959 (variable bytes).
"""

from __future__ import annotations

import numpy as np

from newsindex.codec.rows_kernel import bits, pack_rows
from newsindex.kernel import inner

__all__ = [
    "BLOCK",
    "PLACE_BITS",
    "get_vbyte",
    "pack_bits",
    "pack_block",
    "pack_patched",
    "patches_end",
    "put_vbyte",
    "unpack_bits",
    "unpack_block",
    "unpack_patched",
    "unpack_patches",
]

BLOCK = 128
_PATCHED = 0x40
_WIDTH = 0x3F
PLACE_BITS = 7
"""Of a place in a block."""
_PLACE = 0x7F


@inner
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
    if width:
        pack_rows(values, np.int64(start), np.int64(width), out, np.int64(at))
    return at + 4 * width


@inner
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


@inner
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


@inner
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


@inner
def pack_bits(values, start, after, out, at):
    """Pack values [start, after), fewer than a block: their width in one byte, then so many bits of each, low first.

    Args:
        values: uint32[n], n ≥ after.
        out: uint8[m], with 1 + 4 · (after - start) bytes free at `at`.

    Returns:
        The index after the last byte.
    """
    joined = np.int64(0)
    for i in range(start, after):
        joined |= np.int64(values[i])
    width = bits(joined)
    out[at] = width
    at += 1
    waiting = np.uint64(0)
    filled = 0
    for i in range(start, after):
        waiting |= np.uint64(values[i]) << np.uint64(filled)
        filled += width
        while filled >= 8:
            out[at] = np.uint8(waiting & np.uint64(255))
            waiting >>= np.uint64(8)
            filled -= 8
            at += 1
    if filled:
        out[at] = np.uint8(waiting)
        at += 1
    return at


@inner
def unpack_bits(data, at, end, out, start, after):
    """Unpack values [start, after) as `pack_bits` packed them into uint32[n], n ≥ after.

    Returns:
        The byte after, or -1 when they do not end by `end` or are wider than 32 bits.
    """
    if at < 0 or at >= end or end > data.size:
        return -1
    width = np.int64(data[at])
    at += 1
    if width > 32 or at + (((after - start) * width + 7) >> 3) > end:
        return -1
    mask = np.uint64((1 << width) - 1)
    waiting = np.uint64(0)
    filled = 0
    for i in range(start, after):
        while filled < width:
            waiting |= np.uint64(data[at]) << np.uint64(filled)
            filled += 8
            at += 1
        out[i] = np.uint32(waiting & mask)
        waiting >>= np.uint64(width)
        filled -= width
    return at


@inner
def pack_patched(values, start, scratch, out, words, at):
    """Pack 128 values at the width that takes the fewest bytes, patches included.

    Args:
        values: uint32[n], n ≥ start + 128.
        start: index of the first.
        scratch: uint32[128], overwritten.
        out: uint8[m], m ≥ at + 512; words: the same as uint32.
        at: the byte to begin at, a multiple of 4.

    Returns:
        (code, the byte after): the code holds the width, and 0x40 when patches follow: their number u8, how many bits
        more than the width the widest has u8, then of each patch its place in 7 bits and its value's high bits in so
        many, low bits first; then zeros up to a multiple of 4.
    """
    # Places are unsigned so that the compiler treats many at once: it need not look for those that count from the end.
    first = np.uint64(start)
    joined = np.uint32(0)
    for i in range(np.uint64(BLOCK)):
        joined |= values[first + np.uint64(i)]
    if joined == 0:
        return np.int64(0), at
    widest = bits(np.int64(joined))
    # From the widest down: the more values are wider, and the higher their bits, the dearer the patches.
    width = widest
    least = 16 * widest
    for narrower in range(widest - 1, -1, -1):
        most = np.uint32((1 << narrower) - 1)
        wider = np.uint32(0)
        for i in range(np.uint64(BLOCK)):
            wider += np.uint32(values[first + np.uint64(i)] > most)
        patches = 2 + ((np.int64(wider) * (PLACE_BITS + widest - narrower) + 7) >> 3)
        if patches > least:
            break
        cost = 16 * narrower + ((patches + 3) & ~3)
        if cost < least or (cost == least and width < widest):
            least = cost
            width = narrower
    if width:
        pack_rows(values, np.int64(start), width, words, np.int64(at >> 2))
    at += 16 * width
    if width == widest:
        return width, at
    count = np.int64(0)
    most = np.uint32((1 << width) - 1)
    for i in range(BLOCK):
        scratch[count] = i
        count += np.int64(values[start + i] > most)
    out[at] = count
    out[at + 1] = widest - width
    at += 2
    waiting = np.uint64(0)
    filled = 0
    for patch in range(count):
        place = np.int64(scratch[patch])
        high = np.int64(values[start + place] >> np.uint32(width))
        waiting |= np.uint64(place | high << PLACE_BITS) << np.uint64(filled)
        filled += PLACE_BITS + widest - width
        while filled >= 8:
            out[at] = np.uint8(waiting & np.uint64(255))
            waiting >>= np.uint64(8)
            filled -= 8
            at += 1
    if filled:
        out[at] = np.uint8(waiting)
        at += 1
    while at & 3:
        out[at] = 0
        at += 1
    return width | _PATCHED, at


@inner
def unpack_patched(data, words, at, code, end, out, start):
    """Unpack 128 values as `pack_patched` packed them.

    Args:
        data: uint8[m]; words: the same as uint32.
        at: the byte to begin at, a multiple of 4.
        code: as `pack_patched` returned it.
        end: what may be read ends here, at most m.
        out: uint32[n], n ≥ start + 128; 128 values from `start` are overwritten.
        start: index of the first value.

    Returns:
        The byte after, or -1 when this is no block that ends by `end`.
    """
    width = np.int64(code) & _WIDTH
    word = unpack_block(words, at >> 2, width, out, start)
    if word < 0:
        return -1
    at = word << 2
    if code == width:
        return at if at <= end else -1
    if code != width | _PATCHED:
        return -1
    return unpack_patches(data, at, width, end, out, start)


@inner
def patches_end(data, at, width, end):
    """Return the byte after the patches of a block of this width, from byte `at` on, or -1 when they are none."""
    if at < 0 or at + 2 > end or end > data.size:
        return -1
    high = np.int64(data[at + 1])
    after = (at + 2 + ((np.int64(data[at]) * (PLACE_BITS + high) + 7) >> 3) + 3) & ~3
    return after if width + high <= 32 and after <= end else -1


@inner
def unpack_patches(data, at, width, end, out, start):
    """Put the high bits of values of 128 from `start` on where they are; as `patches_end` otherwise."""
    after = patches_end(data, at, width, end)
    if after < 0:
        return -1
    count = np.int64(data[at])
    wide = np.uint64(PLACE_BITS + np.int64(data[at + 1]))
    mask = (np.uint64(1) << wide) - np.uint64(1)
    at += 2
    waiting = np.uint64(0)
    filled = np.uint64(0)
    for _ in range(count):
        while filled < wide:
            waiting |= np.uint64(data[at]) << filled
            filled += np.uint64(8)
            at += 1
        patch = waiting & mask
        waiting >>= wide
        filled -= wide
        out[np.uint64(start + np.int64(patch & np.uint64(_PLACE)))] |= np.uint32(
            (patch >> np.uint64(PLACE_BITS)) << np.uint64(width)
        )
    return after
