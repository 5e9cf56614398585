"""Kernel that tells where the piece of a text around a match begins and ends, where words are plainly seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.analysis.boundaries import ABBREVIATIONS
from newsindex.kernel import brief, inner

__all__ = ["BEFORE", "LEAD_IN", "WIDTH", "find_borders"]

_Array = npt.NDArray[Any]
WIDTH = 240
LEAD_IN = 60
BEFORE = LEAD_IN + 100
"""How many characters before a match are looked at at most."""
_MARK, _SPACE, _LETTER, _DIGIT = 0, 1, 2, 3
_WORD = 2  # and above


def _kinds() -> _Array:
    kinds = np.full(256, _MARK, np.uint8)
    for code in range(128):
        kinds[code] = (
            _LETTER if chr(code).isalpha() else _DIGIT if chr(code).isdigit() else _SPACE if chr(code).isspace() else 0
        )
    return kinds


def _flags(characters: str) -> _Array:
    flags = np.zeros(256, np.bool_)
    flags[[ord(character) for character in characters]] = True
    return flags


_KINDS = _kinds()
_OPENING, _CLOSING, _AFTER_END = _flags("\"'("), _flags(".,;:!?\"')"), _flags("\"')]")
_ENDS, _JOINING = _flags(".!?"), _flags("'.,")
# The letters of a word of up to four as one number.
_ABBREVIATED = np.array([int.from_bytes(word.encode(), "big") for word in sorted(ABBREVIATIONS)], np.int64)
_UNKNOWN, _NEWLINE, _BLANK, _TAB, _STOP = (np.uint8(ord(one)) for one in "?\n \t.")


@inner
def _is_joined(text, size, at):
    """Tell whether a mark at a place may join the letters or digits before and after it to one word."""
    return at > 0 and at + 1 < size and _JOINING[text[at]] and _KINDS[text[at - 1]] >= _WORD and (
        _KINDS[text[at + 1]] >= _WORD
    )  # fmt: skip


@inner
def _begins_sentence(text, first, end, start):
    """Tell whether the word at `start` begins a sentence or a paragraph; [first, end) is the word before it."""
    if end + 1 == start and text[end] == _BLANK:
        return False
    for at in range(end, start):
        if text[at] == _NEWLINE:
            if at + 2 < start and (text[at + 1] == _BLANK or text[at + 1] == _TAB) and (
                text[at + 2] == _BLANK or text[at + 2] == _TAB
            ):  # fmt: skip
                return True
            behind = at + 1
            while behind < start and _KINDS[text[behind]] == _SPACE and text[behind] != _NEWLINE:
                behind += 1
            if behind < start and text[behind] == _NEWLINE:
                return True
    if 97 <= text[start] <= 122:
        return False
    for at in range(end, start):
        if _ENDS[text[at]]:
            behind = at + 1
            while behind < start and _AFTER_END[text[behind]]:
                behind += 1
            if behind < start and _KINDS[text[behind]] == _SPACE:
                if text[at] != _STOP or end - first > 4:
                    return True
                if end - first == 1 and _KINDS[text[first]] == _LETTER:
                    return False
                word = np.int64(0)
                for place in range(first, end):
                    small = np.int64(text[place])
                    word = word << 8 | (small | 32 if _KINDS[text[place]] == _LETTER else small)
                is_abbreviated = False
                for known in _ABBREVIATED:
                    is_abbreviated |= known == word
                return not is_abbreviated
    return False


@brief
def find_borders(text, size, focus, after, is_whole, is_ascii):
    """Find where the piece of a text around a match begins and ends.

    Args:
        text: uint8[m], ASCII in [0, size): a question mark where a character is another.
        size: of the text, at most m.
        focus: where the match begins.
        after: where what matches there ends.
        is_whole: bit 0: the text begins with [0, size); bit 1: it ends so.
        is_ascii: whether each question mark is one.

    Returns:
        begin << 32 | end, or -1 where one has to look more closely.
    """
    start = np.int64(0)
    if focus > LEAD_IN or not is_whole & 1:
        earliest = focus - LEAD_IN
        # From two words before on, so that the word before is known of each that may be the first.
        at = earliest
        words = 0
        inside = False
        while at > 0 and words < 2:
            at -= 1
            if not is_ascii and text[at] == _UNKNOWN:
                return -1
            is_word = _KINDS[text[at]] >= _WORD
            words += inside and not is_word
            inside = is_word
        if words < 2:
            return -1
        at += 1
        first = end = np.int64(0)
        start = np.int64(-1)
        while at <= focus:
            if not is_ascii and text[at] == _UNKNOWN:
                return -1
            if _is_joined(text, size, at):
                return -1
            if _KINDS[text[at]] >= _WORD:
                begin = at
                while at < size and _KINDS[text[at]] >= _WORD:
                    at += 1
                if at == size and not is_whole & 2:
                    return -1
                if begin >= earliest:
                    if end == 0:
                        return -1
                    if start < 0:
                        start = begin
                    if _begins_sentence(text, first, end, begin):
                        start = begin
                        break
                first = begin
                end = at
            else:
                at += 1
        if start < 0:
            return -1
        while start > 0 and _OPENING[text[start - 1]]:
            start -= 1
        if start == 0 or (text[start - 1] == _UNKNOWN and not is_ascii):
            return -1
    limit = max(start + WIDTH, after)
    end = size
    if limit < size:
        end = limit
        if _KINDS[text[end - 1]] >= _WORD and _KINDS[text[end]] >= _WORD:  # the word there ends later
            while end > 0 and _KINDS[text[end - 1]] >= _WORD:
                end -= 1
            if _is_joined(text, size, end - 1):
                return -1
        while end > 0 and _KINDS[text[end - 1]] < _WORD:
            if text[end - 1] == _UNKNOWN and not is_ascii:
                return -1
            end -= 1
        begin = end
        while begin > 0 and _KINDS[text[begin - 1]] >= _WORD:
            begin -= 1
        if begin == 0 or _is_joined(text, size, begin - 1) or _is_joined(text, size, end):
            return -1
        if not is_ascii and (text[begin - 1] == _UNKNOWN or text[end] == _UNKNOWN):
            return -1
        end = max(start, end)
        while end < size and _CLOSING[text[end]]:
            if text[end] == _UNKNOWN and not is_ascii:
                return -1
            end += 1
        if end == size and not is_whole & 2:
            return -1
    elif not is_whole & 2:
        return -1
    return start << 32 | end
