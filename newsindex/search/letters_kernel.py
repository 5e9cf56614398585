"""Kernel part that reads text, in JSON too, as letters: one of ASCII for each character."""

from __future__ import annotations

import numpy as np

from newsindex.kernel import inner

__all__ = ["IS_ODD", "letters_of"]

IS_ODD = 1
_TOGETHER = 16  # bytes that are looked at at once
_ESCAPE, _U = (np.uint8(ord(one)) for one in "\\u")
_ESCAPED = np.zeros(256, np.uint8)
for _letter, _meant in zip('"\\/bfnrt', '"\\/\b\f\n\r\t', strict=True):
    _ESCAPED[ord(_letter)] = ord(_meant)
_HEX = np.full(256, 255, np.uint8)
for _digit in "0123456789abcdefABCDEF":
    _HEX[ord(_digit)] = int(_digit, 16)


@inner
def _code_of(source, at):
    """Return the number that four hexadecimal digits are, -1 where they are none."""
    code = np.int64(0)
    for place in range(at, at + 4):
        digit = np.int64(_HEX[source[place]])
        if digit > 15:
            return np.int64(-1)
        code = code << 4 | digit
    return code


@inner
def _are_copied(source, at, letters, count):
    """Copy the next TOGETHER bytes; tell whether each is a letter: of ASCII and nothing escaped."""
    others = np.int64(0)
    for place in range(_TOGETHER):
        byte = source[at + place]
        others += (byte >= 128) | (byte == _ESCAPE)
        letters[count + place] = byte
    return others == 0


@inner
def letters_of(source, begin, end, is_json, folds, letters):
    """Write the letters of a text, one for each character.

    Args:
        source: uint8[n], UTF-8; the text is [begin, end).
        is_json: whether it is the content of a JSON string.
        folds: uint8[], by character from U+0080 on: 0 where nobody knows yet, IS_ODD where letters do not stand for
            themselves in a text that has it, UNKNOWN for a mark or a letter that is none of ASCII, else a letter.
        letters: uint8[m], overwritten; m ≥ end - begin.

    Returns:
        (their number, whether the text is ASCII, 0), or (-1, False, a character that nobody knows yet, 0 for a text
        that is not plain).
    """
    count = np.int64(0)
    at = alone = begin
    is_ascii = True
    while at < end:
        if at >= alone:
            while at + _TOGETHER <= end and _are_copied(source, at, letters, count):
                at += _TOGETHER
                count += _TOGETHER
            alone = at + _TOGETHER
            if at >= end:
                break
        code = np.int64(source[at])
        at += 1
        if code < 128:
            if code == _ESCAPE and is_json:
                if at == end:
                    return np.int64(-1), False, np.int64(0)
                kind = source[at]
                at += 1
                if kind != _U:
                    letters[count] = _ESCAPED[kind]
                    count += 1
                    alone = at
                    continue
                if at + 4 > end:
                    return np.int64(-1), False, np.int64(0)
                code = _code_of(source, at)
                at += 4
                if code < 0 or code >> 11 == 0x1B:  # half of a character
                    return np.int64(-1), False, np.int64(0)
            if code < 128:
                letters[count] = np.uint8(code)
                count += 1
                continue
            is_ascii = False
        else:
            is_ascii = False
            more = 1 if code < 0xE0 else 2 if code < 0xF0 else 3
            if code < 0xC2 or code > 0xF4 or at + more > end:
                return np.int64(-1), False, np.int64(0)
            code &= 0x3F >> more
            for place in range(at, at + more):
                part = np.int64(source[place])
                if part >> 6 != 2:
                    return np.int64(-1), False, np.int64(0)
                code = code << 6 | (part & 63)
            at += more
            if code >= folds.size:
                return np.int64(-1), False, np.int64(0)
        letter = folds[code]
        if letter <= IS_ODD:
            return np.int64(-1), False, np.int64(0) if letter else code
        letters[count] = letter
        count += 1
    return count, is_ascii, np.int64(0)
