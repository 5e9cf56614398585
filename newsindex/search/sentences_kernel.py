"""Kernels that see in ASCII letters where sentences and paragraphs begin, as `analysis.boundaries` says."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.analysis.boundaries import ABBREVIATIONS
from newsindex.kernel import inner

__all__ = ["CLOSING", "JOINING", "KINDS", "OPENING", "SPACE", "STOP", "UNKNOWN", "WORD", "begins_sentence", "is_joined"]

_Array = npt.NDArray[Any]
_MARK, SPACE, _LETTER, _DIGIT = 0, 1, 2, 3
WORD = 2  # and above


def _kinds() -> _Array:
    kinds = np.full(256, _MARK, np.uint8)
    for code in range(128):
        kinds[code] = (
            _LETTER if chr(code).isalpha() else _DIGIT if chr(code).isdigit() else SPACE if chr(code).isspace() else 0
        )
    return kinds


def _flags(characters: str) -> _Array:
    flags = np.zeros(256, np.bool_)
    flags[[ord(character) for character in characters]] = True
    return flags


KINDS = _kinds()
OPENING, CLOSING, _AFTER_END = _flags("\"'("), _flags(".,;:!?\"')"), _flags("\"')]")
_ENDS, JOINING = _flags(".!?"), _flags("'.,")
# The letters of a word of up to four as one number.
_ABBREVIATED = np.array([int.from_bytes(word.encode(), "big") for word in sorted(ABBREVIATIONS)], np.int64)
_NEWLINE, _BLANK, _TAB, STOP = (np.uint8(ord(one)) for one in "\n \t.")
UNKNOWN = np.uint8(128)
"""Stands for a character that none of ASCII does."""


@inner
def is_joined(text, size, at):
    """Tell whether a mark at a place may join the letters or digits before and after it to one word."""
    return at > 0 and at + 1 < size and JOINING[text[at]] and KINDS[text[at - 1]] >= WORD and (
        KINDS[text[at + 1]] >= WORD
    )  # fmt: skip


@inner
def begins_sentence(text, first, end, start):
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
            while behind < start and KINDS[text[behind]] == SPACE and text[behind] != _NEWLINE:
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
            if behind < start and KINDS[text[behind]] == SPACE:
                if text[at] != STOP or end - first > 4:
                    return True
                if end - first == 1 and KINDS[text[first]] == _LETTER:
                    return False
                word = np.int64(0)
                for place in range(first, end):
                    small = np.int64(text[place])
                    word = word << 8 | (small | 32 if KINDS[text[place]] == _LETTER else small)
                is_abbreviated = False
                for known in _ABBREVIATED:
                    is_abbreviated |= known == word
                return not is_abbreviated
    return False
