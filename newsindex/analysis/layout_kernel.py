"""Compiled tokenizer: texts in UTF-8 to code points, and what is known of each, as `tokenize_texts` reads them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from newsindex.analysis.extent_kernel import APOSTROPHE, BETWEEN, COMMA, DOT, ENDING, SPECIAL, UNKNOWN
from newsindex.kernel import inner

__all__ = ["MARGIN", "PADDING", "Layout", "lay_out"]

MARGIN = 3
PADDING = 24  # shapes after the last code point, so that eight can be read at any
LAST_CODE_POINT = 0x10FFFF
TOGETHER = 16  # bytes, of which most texts have many without a letter that is not of ASCII


class Layout(NamedTuple):
    """Where some of the texts are laid out."""

    codes: npt.NDArray[np.uint32]  # [n]
    shapes: npt.NDArray[np.uint8]  # [n + PADDING]
    eights: npt.NDArray[np.int64]  # [n + PADDING - 7], the same memory read eight shapes at a time, from each shape
    bounds: npt.NDArray[np.int64]  # [texts + 1]; text i is `codes[bounds[i]:bounds[i + 1] - MARGIN]`


@inner
def _lay_ascii(data, begin, end, codes, shapes, at):
    """Write code points and shapes of bytes below 128, a vector of them at a time; of others nonsense.

    Returns:
        Whether there are others.
    """
    every = np.uint8(0)
    for i in range(np.uint64(end - begin)):
        code = data[np.uint64(begin) + i]
        every |= code
        codes[np.uint64(at) + i] = code
        small = np.uint8(code | np.uint8(0x20))
        shape = np.uint8(BETWEEN)
        shape = np.uint8(BETWEEN | APOSTROPHE) if code == np.uint8(0x27) else shape
        shape = np.uint8(BETWEEN | COMMA) if code == np.uint8(0x2C) else shape
        shape = np.uint8(BETWEEN | DOT | ENDING) if code == np.uint8(0x2E) else shape
        ends = (code == np.uint8(0x0A)) | (code == np.uint8(0x21)) | (code == np.uint8(0x3F))
        shape = np.uint8(BETWEEN | ENDING) if ends else shape
        shape = code if (code >= np.uint8(0x30)) & (code <= np.uint8(0x39)) else shape
        shapes[np.uint64(at) + i] = small if (small >= np.uint8(0x61)) & (small <= np.uint8(0x7A)) else shape
    return every >= np.uint8(0x80)


@inner
def _lay_utf8(data, begin, end, codes, shapes, at, table):
    """Write code points and shapes; return (the end of them, special), or (-1, a code point that has no shape yet)."""
    special = np.int64(0)
    alone = begin
    while begin < end:
        if begin >= alone:
            while begin + TOGETHER <= end and not _lay_ascii(data, begin, begin + TOGETHER, codes, shapes, at):
                begin += TOGETHER
                at += TOGETHER
            alone = begin + TOGETHER
            if begin >= end:
                break
        first = np.int64(data[begin])
        more = 0 if first < 0xC0 else 1 if first < 0xE0 else 2 if first < 0xF0 else 3
        code = first if first < 0x80 else first & (0x3F >> more)
        begin += 1
        for _ in range(more):
            code = code << 6 | np.int64(data[min(begin, data.size - 1)] & 0x3F)
            begin += 1
        code = min(code, LAST_CODE_POINT)
        shape = np.int64(table[code])
        if shape == UNKNOWN:
            return np.int64(-1), code
        special |= shape & (shape >> 4) & SPECIAL
        codes[at] = code
        shapes[at] = shape
        at += 1
    return np.int64(at), special


@inner
def lay_out(data, ends, first, table, layout):
    """Lay out texts, as many as there is room for.

    Args:
        data, ends: see `tokenize_texts`.
        first: the first text to lay out.
        table: uint8[0x110000], the shapes of code points; those of ASCII are known.
        layout: Layout; overwritten.

    Returns:
        (the text after the last, whether any has a special character, 0); or (first, 0, need): need is a code point
        that has no shape yet, or below 0, and -need codes are needed.
    """
    codes, shapes, _, bounds = layout
    special = np.int64(0)
    for at in range(MARGIN):
        codes[at] = 0
        shapes[at] = BETWEEN
    at = np.int64(MARGIN)
    text = np.int64(first)
    bounds[text] = at
    while text < bounds.size - 1:
        begin, end = ends[text], ends[text + 1]
        if at + end - begin + MARGIN > codes.size:
            if text > first:
                break
            return text, np.int64(0), begin - end - 2 * MARGIN
        if _lay_ascii(data, begin, end, codes, shapes, at):
            at, found = _lay_utf8(data, begin, end, codes, shapes, at, table)
            if at < 0:
                return np.int64(first), np.int64(0), found
            special |= found
        else:
            at += end - begin
        for place in range(at, at + MARGIN):
            codes[place] = 0
            shapes[place] = BETWEEN
        at += MARGIN
        text += 1
        bounds[text] = at
    for place in range(at, at + PADDING):
        shapes[place] = BETWEEN
    return text, special, np.int64(0)
