"""Kernel that tells where the piece of a text around a match begins and ends, where words are plainly seen."""

from __future__ import annotations

import numpy as np

from newsindex.kernel import brief
from newsindex.search.sentences_kernel import CLOSING, KINDS, OPENING, UNKNOWN, WORD, begins_sentence, is_joined

__all__ = ["BEFORE", "LEAD_IN", "WIDTH", "find_borders"]

WIDTH = 240
LEAD_IN = 60
BEFORE = LEAD_IN + 100
"""How many characters before a match are looked at at most."""


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
            if not is_ascii and text[at] == UNKNOWN:
                return -1
            is_word = KINDS[text[at]] >= WORD
            words += inside and not is_word
            inside = is_word
        if words < 2:
            return -1
        at += 1
        first = end = np.int64(0)
        start = np.int64(-1)
        while at <= focus:
            if not is_ascii and text[at] == UNKNOWN:
                return -1
            if is_joined(text, size, at):
                return -1
            if KINDS[text[at]] >= WORD:
                begin = at
                while at < size and KINDS[text[at]] >= WORD:
                    at += 1
                if at == size and not is_whole & 2:
                    return -1
                if begin >= earliest:
                    if end == 0:
                        return -1
                    if start < 0:
                        start = begin
                    if begins_sentence(text, first, end, begin):
                        start = begin
                        break
                first = begin
                end = at
            else:
                at += 1
        if start < 0:
            return -1
        while start > 0 and OPENING[text[start - 1]]:
            start -= 1
        if start == 0 or (text[start - 1] == UNKNOWN and not is_ascii):
            return -1
    limit = max(start + WIDTH, after)
    end = size
    if limit < size:
        end = limit
        if KINDS[text[end - 1]] >= WORD and KINDS[text[end]] >= WORD:  # the word there ends later
            while end > 0 and KINDS[text[end - 1]] >= WORD:
                end -= 1
            if is_joined(text, size, end - 1):
                return -1
        while end > 0 and KINDS[text[end - 1]] < WORD:
            if text[end - 1] == UNKNOWN and not is_ascii:
                return -1
            end -= 1
        begin = end
        while begin > 0 and KINDS[text[begin - 1]] >= WORD:
            begin -= 1
        if begin == 0 or is_joined(text, size, begin - 1) or is_joined(text, size, end):
            return -1
        if not is_ascii and (text[begin - 1] == UNKNOWN or text[end] == UNKNOWN):
            return -1
        end = max(start, end)
        while end < size and CLOSING[text[end]]:
            if text[end] == UNKNOWN and not is_ascii:
                return -1
            end += 1
        if end == size and not is_whole & 2:
            return -1
    elif not is_whole & 2:
        return -1
    return start << 32 | end
