"""Kernel parts that tell where the piece of a text around a match begins and ends, where words are plainly seen."""

from __future__ import annotations

import numpy as np

from newsindex.kernel import inner
from newsindex.search.sentences_kernel import (
    CLOSING,
    KINDS,
    OPENING,
    SPACE,
    STOP,
    UNKNOWN,
    WORD,
    begins_sentence,
    is_joined,
)

__all__ = ["LEAD_IN", "WIDTH", "find_borders", "is_last", "without_space"]

_APOSTROPHE = np.uint8(ord("'"))
WIDTH = 240
LEAD_IN = 60


@inner
def _has_closing(text, at, end):
    while at < end and not CLOSING[text[at]]:
        at += 1
    return at < end


@inner
def _start(text, size, focus, elides):
    """Return where the sentence of a match begins when that is near, else the first word that is near, or -1."""
    earliest = focus - LEAD_IN
    # From two words before on, so that the word before is known of each that may be the first.
    at = earliest
    words = 0
    inside = False
    while at > 0 and words < 2:
        at -= 1
        if text[at] == UNKNOWN:
            return np.int64(-1)
        is_word = KINDS[text[at]] >= WORD
        words += inside and not is_word
        inside = is_word
    first = end = np.int64(0)
    start = np.int64(-1)
    while at <= focus:
        if text[at] == UNKNOWN:
            return np.int64(-1)
        if KINDS[text[at]] < WORD:
            at += 1
            continue
        begin = at
        while at < size and KINDS[text[at]] >= WORD:
            at += 1
        if begin >= earliest:
            if (
                elides
                and at < size
                and (text[at] == UNKNOWN or (text[at] == _APOSTROPHE and is_joined(text, size, at)))
            ):
                return np.int64(-1)
            if end == 0:  # there is no word before
                return np.int64(0 if begin <= WIDTH else -1)
            if begin < focus and is_joined(text, size, begin - 1):
                if start < 0:
                    return np.int64(-1)
            else:
                if start < 0:
                    start = begin
                # Of a word of several parts the last is not the word, and its full stop may be the word's.
                is_part = text[end] == STOP and is_joined(text, size, first - 1)
                if is_part and (end > first + 1 or text[first - 1] != STOP or _has_closing(text, end + 1, begin)):
                    return np.int64(-1)
                if begins_sentence(text, first, end, begin):
                    return begin
        first = begin
        end = at
    return start


@inner
def find_borders(text, size, focus, after, elides):
    """Return where the piece of a text around a match begins and ends, (-1, -1) where one has to look more closely.

    Args:
        text: uint8[m], letters in [0, size).
        focus: where the match begins.
        after: where what matches there ends.
        elides: whether what stands before an apostrophe may be no part of a word.
    """
    start = np.int64(0)
    if focus > LEAD_IN:
        start = _start(text, size, focus, elides)
        if start < 0:
            return start, start
        while start > 0 and OPENING[text[start - 1]]:
            start -= 1
        if start > 0 and text[start - 1] == UNKNOWN:
            return np.int64(-1), np.int64(-1)
    limit = max(start + WIDTH, after)
    end = size
    if limit < size:
        end = limit
        if KINDS[text[end - 1]] >= WORD and KINDS[text[end]] >= WORD:  # the word there ends later
            while end > 0 and KINDS[text[end - 1]] >= WORD:
                end -= 1
            if is_joined(text, size, end - 1):
                return np.int64(-1), np.int64(-1)
        while end > 0 and KINDS[text[end - 1]] < WORD:
            if text[end - 1] == UNKNOWN:
                return np.int64(-1), np.int64(-1)
            end -= 1
        begin = end
        while begin > 0 and KINDS[text[begin - 1]] >= WORD:
            begin -= 1
        if begin == 0 or is_joined(text, size, end):
            return np.int64(-1), np.int64(-1)
        # Of what was joined to a single letter that may be left out, or have its full stop.
        if end == begin + 1 and is_joined(text, size, begin - 1):
            return np.int64(-1), np.int64(-1)
        if text[begin - 1] == UNKNOWN or text[end] == UNKNOWN:
            return np.int64(-1), np.int64(-1)
        word = end = max(start, end)
        while end < size and CLOSING[text[end]]:
            end += 1
        if end < size and (text[end] == UNKNOWN or (end > word and KINDS[text[end]] >= WORD)):
            return np.int64(-1), np.int64(-1)
    return start, end


@inner
def without_space(text, start, end):
    """Return where a piece begins and ends without the white space around it, (-1, -1) as `find_borders`."""
    while start < end and KINDS[text[start]] == SPACE:
        start += 1
    while end > start and KINDS[text[end - 1]] == SPACE:
        end -= 1
    if start == end or text[start] == UNKNOWN or text[end - 1] == UNKNOWN:
        return np.int64(-1), np.int64(-1)
    return start, end


@inner
def is_last(text, size, end):
    """Tell whether nothing but white space follows: 1, 0, or -1 where one has to look more closely."""
    while end < size and KINDS[text[end]] == SPACE:
        end += 1
    if end < size and text[end] == UNKNOWN:
        return -1
    return 1 if end == size else 0
