"""Kernel that finds the strings in a JSON object."""

from __future__ import annotations

import numpy as np

from newsindex.kernel import brief, inner

__all__ = ["find_strings"]

_TOGETHER = 16  # bytes that are looked at at once
_QUOTE, _ESCAPE, _COMMA, _COLON, _OPEN, _CLOSE = (np.uint8(ord(one)) for one in '"\\,:{}')
_OPENS = np.array([chr(c) in "{[" for c in range(256)])
_CLOSES = np.array([chr(c) in "}]" for c in range(256)])
_BLANKS = np.array([chr(c) in " \t\n\r" for c in range(256)])


@inner
def _are_plain(stored, at):
    """Tell whether in the next TOGETHER bytes no string ends and nothing is escaped."""
    others = np.int64(0)
    for place in range(_TOGETHER):
        byte = stored[at + place]
        others += (byte == _QUOTE) | (byte == _ESCAPE)
    return others == 0


@inner
def _string_end(stored, at):
    """Return where the string ends whose content begins here; the size where it does not."""
    alone = at
    while at < stored.size:
        if at >= alone:
            while at + _TOGETHER <= stored.size and _are_plain(stored, at):
                at += _TOGETHER
            alone = at + _TOGETHER
            if at >= stored.size:
                break
        if stored[at] == _QUOTE:
            return at
        if stored[at] == _ESCAPE:
            at += 2
            alone = at
        else:
            at += 1
    return np.int64(stored.size)


@inner
def _after_blanks(stored, at):
    while at < stored.size and _BLANKS[stored[at]]:
        at += 1
    return at


@inner
def _value_end(stored, at):
    """Return where a value ends that is no string."""
    depth = 0
    while at < stored.size:
        letter = stored[at]
        if letter == _QUOTE:
            at = _string_end(stored, at + 1)
        elif _OPENS[letter]:
            depth += 1
        elif depth == 0 and (letter == _COMMA or _CLOSES[letter]):
            return at
        elif _CLOSES[letter]:
            depth -= 1
        at += 1
    return at


@brief
def find_strings(stored, names, found):
    """Find the strings that some names have in a JSON object.

    Args:
        stored: uint8[n].
        names: uint8[], for each name its length, at most 255, and its bytes.
        found: int64[], its first 2 names overwritten: where the content of each string that is not empty begins and
            ends; 0, 0 where there is none.

    Returns:
        Whether it looks like an object, as far as it was read: until all are found.
    """
    left = np.int64(0)
    row = np.int64(0)
    while row < names.size:
        found[2 * left] = found[2 * left + 1] = 0
        row += 1 + np.int64(names[row])
        left += 1
    at = _after_blanks(stored, np.int64(0))
    if at >= stored.size or stored[at] != _OPEN:
        return False
    at += 1
    while True:
        at = _after_blanks(stored, at)
        if at >= stored.size:
            return False
        if stored[at] == _CLOSE:
            return True
        if stored[at] == _COMMA:
            at += 1
            continue
        if stored[at] != _QUOTE:
            return False
        name = at + 1
        end = _string_end(stored, name)
        at = _after_blanks(stored, end + 1)
        if at >= stored.size or stored[at] != _COLON:
            return False
        at = _after_blanks(stored, at + 1)
        if at >= stored.size:
            return False
        if stored[at] != _QUOTE:
            at = _value_end(stored, at)
            continue
        begin = at + 1
        at = _string_end(stored, begin)
        if at >= stored.size:
            return False
        row = np.int64(0)
        number = 0
        while row < names.size:
            length = np.int64(names[row])
            if length == end - name:
                same = np.int64(0)
                while same < length and stored[name + same] == names[row + 1 + same]:
                    same += 1
                if same == length and at > begin:
                    if found[2 * number + 1] == 0:
                        left -= 1
                    found[2 * number] = begin
                    found[2 * number + 1] = at
                    if left == 0:
                        return True
            row += 1 + length
            number += 1
        at += 1
