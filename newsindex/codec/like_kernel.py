"""Kernels that look through a front-coded dictionary for words that are like another: see `format.py`."""

from __future__ import annotations

import numpy as np

from newsindex.codec.dictionary_kernel import _enter, _entry
from newsindex.codec.format import TERMS_IN_BLOCK
from newsindex.kernel import inner, lean

__all__ = ["ANY_LETTERS", "ONE_LETTER", "find_fitting", "find_fuzzy"]

ANY_LETTERS, ONE_LETTER = 0xFE, 0xFF
"""Bytes of a pattern; no UTF-8 text has them."""


@inner
def _fits(word, length, pattern):
    """Tell whether a word fits a pattern as a whole: any letters are taken for as few as will do, then for more."""
    at = 0
    place = 0
    star = -1
    resumed = 0
    while at < length:
        if place < pattern.size and pattern[place] == ANY_LETTERS:
            star = place
            resumed = at
            place += 1
        elif place < pattern.size and pattern[place] == ONE_LETTER:
            at += 1
            while at < length and word[at] & 0xC0 == 0x80:
                at += 1
            place += 1
        elif place < pattern.size and pattern[place] == word[at]:
            at += 1
            place += 1
        elif star >= 0:
            resumed += 1
            while resumed < length and word[resumed] & 0xC0 == 0x80:
                resumed += 1
            at = resumed
            place = star + 1
        else:
            return False
    while place < pattern.size and pattern[place] == ANY_LETTERS:
        place += 1
    return place == pattern.size


@inner
def _next_word(index, data, number, at, length, row, word):
    """Write the word of a number over the one before; return (the byte after it, bytes both share, its length).

    The byte is -1 on damage; what is given as the byte and the length does not count where a block begins.
    """
    if number % TERMS_IN_BLOCK == 0:
        at = _enter(index, number // TERMS_IN_BLOCK, row)
        length = np.int64(0)
    at, shared, begin, rest = _entry(data, at, length, row)
    for i in range(rest if at >= 0 else 0):
        word[shared + i] = data[begin + i]
    return at, shared, shared + rest


@lean
def find_fitting(index, data, first, after, pattern, row, word, found):
    """List the words [first, after) of a dictionary that fit a pattern; first must begin a block.

    Args:
        index, data: the dictionary, as `index_dictionary` made it.
        pattern: uint8[p], UTF-8 with ANY_LETTERS and ONE_LETTER.
        row: int64[8]; word: uint8[256]; both overwritten.
        found: int64[after - first], overwritten: the numbers.

    Returns:
        How many there are, or -1 on damage.
    """
    count = np.int64(0)
    length = np.int64(0)
    at = np.int64(0)
    if first % TERMS_IN_BLOCK or after > np.int64(index[0]):
        return -1
    for number in range(first, after):
        at, _shared, length = _next_word(index, data, number, at, length, row, word)
        if at < 0:
            return -1
        if _fits(word, length, pattern):
            found[count] = number
            count += 1
    return count


@lean
def find_fuzzy(index, data, first, after, wanted, edits, row, word, letters, changes, found):
    """List the words [first, after) of a dictionary that are at most so many changes away; first must begin a block.

    A change is a letter more, less or other, or two neighbours exchanged, none of which is changed again (Oommen &
    Loke 1997, doi:10.1016/S0031-3203(96)00101-X).

    Args:
        index, data: the dictionary, as `index_dictionary` made it.
        wanted: int64[m], the letters of the word as code points.
        edits: how many changes are allowed.
        row: int64[8]; word: uint8[256]; letters: int64[257]; changes: int64[257, m + 1]; all overwritten.
        found: int64[after - first], overwritten: the numbers.

    Returns:
        How many there are, or -1 on damage.
    """
    count = np.int64(0)
    length = np.int64(0)
    at = np.int64(0)
    if first % TERMS_IN_BLOCK or after > np.int64(index[0]):
        return -1
    size = wanted.size
    for place in range(size + 1):
        changes[0, place] = place
    for number in range(first, after):
        at, shared, length = _next_word(index, data, number, at, length, row, word)
        if at < 0:
            return -1
        # The rows of the letters that the word before has too are there; a word that is too far away has fewer.
        depth = np.int64(0)
        place = np.int64(0)
        near = True
        while place < length and near:
            after_letter = place + 1
            while after_letter < length and word[after_letter] & 0xC0 == 0x80:
                after_letter += 1
            depth += 1
            if after_letter > shared or letters[depth] < 0:
                letter = np.int64(word[place])
                for i in range(place + 1, after_letter):
                    letter = letter << 8 | np.int64(word[i])
                letters[depth] = letter
                changes[depth, 0] = depth
                for i in range(1, size + 1):
                    least = changes[depth - 1, i - 1] + (wanted[i - 1] != letter)
                    least = min(least, changes[depth - 1, i] + 1, changes[depth, i - 1] + 1)
                    if depth > 1 and i > 1 and wanted[i - 1] == letters[depth - 1] and wanted[i - 2] == letter:
                        least = min(least, changes[depth - 2, i - 2] + 1)
                    changes[depth, i] = least
            closest = changes[depth, 0]
            for i in range(1, size + 1):
                closest = min(closest, changes[depth, i])
            # An exchange may still be made good by the row before.
            near = closest <= edits
            place = after_letter
        if depth < 256:
            letters[depth + 1] = -1
        if near and changes[depth, size] <= edits:
            found[count] = number
            count += 1
    return count
