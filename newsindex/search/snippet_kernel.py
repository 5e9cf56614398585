"""Kernels that find in a stored article what a query looks for, and the piece that shows it.

They see what is plain: letters, words with nothing at them that might join them to others. Of the rest they ask.
"""

from __future__ import annotations

import numpy as np

from newsindex.kernel import brief, inner
from newsindex.search.borders_kernel import find_borders, is_last, without_space
from newsindex.search.letters_kernel import letters_of
from newsindex.search.sentences_kernel import JOINING, KINDS, UNKNOWN, WORD
from newsindex.search.window_kernel import best_window, mark

__all__ = [
    "AFTER",
    "AT",
    "BEGIN",
    "CHUNK",
    "COUNT",
    "DONE",
    "ELIDES",
    "END",
    "FIRST",
    "FOUND",
    "GOES_ON",
    "IS_ASCII",
    "IS_CUT",
    "LEAF_WORDS",
    "LEAVES",
    "LENGTHS",
    "LONGEST_WORD",
    "MOST",
    "MOST_FOUND",
    "NEVER",
    "NEW",
    "ODD",
    "PAIRS",
    "SCRATCH",
    "SIZE",
    "SLOTS",
    "SOUGHT",
    "SPANS",
    "START",
    "UNSEEN",
    "WORDS",
    "WORD_ROWS",
    "find_snippet",
    "learn",
]  # fmt: skip

DONE, UNSEEN, NEVER, ODD, NEW, CHUNK = range(6)
"""What `find_snippet` returns: all is told; the borders of the piece are not plain; look in another way; tell of the
character BEGIN what it is; of the word [BEGIN, END) what fits it; of the chunk around BEGIN what begins in it from
there on, and go on behind it."""

LONGEST_WORD = 31
WORD_ROWS = 256
_ROW = 1 + LONGEST_WORD
_FIRSTS = 128

# Of a thread's scratch, int64[SCRATCH]: where to go on; of the piece what is told; the matches; what is marked.
AT, COUNT, SIZE, IS_ASCII, BEGIN, END, FIRST, IS_CUT, START, AFTER, GOES_ON, WORDS, MOST, PAIRS, SPANS = range(15)
MOST_FOUND = 4096
FOUND = SPANS + 2 * MOST_FOUND
_OWN = FOUND + 3 * MOST_FOUND
SLOTS = 62
SCRATCH = _OWN + SLOTS
# Of what is sought, int64[SOUGHT]: what `find_snippet` says.
LEAVES, LENGTHS, LEAF_WORDS, _LEARNT, MASKS = 0, SLOTS, 2 * SLOTS, 3 * SLOTS, 3 * SLOTS + 2
ELIDES = _LEARNT + 1
SOUGHT = MASKS + WORD_ROWS
_MOST_LEARNT = 3 * WORD_ROWS // 4

_SMALL = np.array([ord(chr(c).lower()) for c in range(128)] + [UNKNOWN] * 128, np.uint8)


@inner
def _is_apart(letters, size, begin, end):
    """Tell whether nothing at a word may join it to others."""
    if begin > 0:
        mark = letters[begin - 1]
        if mark == UNKNOWN:
            return False
        if JOINING[mark] and begin > 1 and (KINDS[letters[begin - 2]] >= WORD or letters[begin - 2] == UNKNOWN):
            return False
    if end < size:
        mark = letters[end]
        if mark == UNKNOWN:
            return False
        if JOINING[mark] and end + 1 < size and (KINDS[letters[end + 1]] >= WORD or letters[end + 1] == UNKNOWN):
            return False
    return end - begin <= LONGEST_WORD


@inner
def _begins(letters, size, at, starts):
    """Tell whether what begins here begins as one of the beginnings does."""
    first = _SMALL[letters[at]]
    row = np.int64(starts[first])
    if row == 0:
        return False
    place = _FIRSTS + (row - 1) * _ROW
    while place < starts.size and starts[place + 1] == first:
        length = np.int64(starts[place])
        same = np.int64(1)
        while same < length and at + same < size and _SMALL[letters[at + same]] == starts[place + 1 + same]:
            same += 1
        if same == length:
            return True
        place += _ROW
    return False


@inner
def _row_of(letters, begin, end, words):
    """Return the row of a word in the table, or that where it belongs."""
    key = np.int64(0)
    for at in range(begin, end):
        key = (key * 31 + np.int64(_SMALL[letters[at]])) & 0xFFFFFF
    row = (key ^ (key >> 8)) & (WORD_ROWS - 1)
    length = end - begin
    while True:
        place = row * _ROW
        if words[place] == 0:
            return row
        if words[place] == length:
            same = np.int64(0)
            while same < length and words[place + 1 + same] == _SMALL[letters[begin + same]]:
                same += 1
            if same == length:
                return row
        row = (row + 1) & (WORD_ROWS - 1)


@brief
def learn(letters, begin, end, mask, words, sought):
    """Keep which slots a word fits; what was known before is forgotten when it is much. See `find_snippet`."""
    if sought[_LEARNT] == _MOST_LEARNT:
        for at in range(words.size):
            words[at] = 0
        sought[_LEARNT] = 0
    row = _row_of(letters, begin, end, words)
    if words[row * _ROW] == 0:
        sought[_LEARNT] += 1
    words[row * _ROW] = end - begin
    for at in range(begin, end):
        words[row * _ROW + 1 + at - begin] = _SMALL[letters[at]]
    sought[MASKS + row] = mask


@inner
def _find(letters, starts, words, sought, by_chunk, scratch):
    """Find the matches from scratch[AT] on; return DONE, NEVER, NEW or CHUNK."""
    size = scratch[SIZE]
    at = scratch[AT]
    while at > 0 and at < size and KINDS[letters[at]] >= WORD and KINDS[letters[at - 1]] >= WORD:
        at += 1
    while True:
        while at < size and KINDS[letters[at]] < WORD:
            at += 1
        if at == size:
            return DONE
        begin = at
        while at < size and KINDS[letters[at]] >= WORD:
            at += 1
        if not _begins(letters, size, begin, starts):
            continue
        scratch[AT] = scratch[BEGIN] = begin
        scratch[END] = at
        if by_chunk or not _is_apart(letters, size, begin, at):
            return CHUNK
        row = _row_of(letters, begin, at, words)
        if words[row * _ROW] == 0:
            return NEW
        mask = sought[MASKS + row]
        count = scratch[COUNT]
        slot = np.int64(0)
        while mask >> slot:
            length = sought[LENGTHS + slot] if mask >> slot & 1 else np.int64(0)
            fits = length > 0
            end = at
            for further in range(1, length):
                following = end
                while following < size and KINDS[letters[following]] < WORD:
                    if letters[following] == UNKNOWN:
                        return CHUNK
                    following += 1
                end = following
                while end < size and KINDS[letters[end]] >= WORD:
                    end += 1
                fits = False
                if following == size:
                    break
                if not _is_apart(letters, size, following, end):
                    return CHUNK
                if not _begins(letters, size, following, starts):
                    break
                row = _row_of(letters, following, end, words)
                if words[row * _ROW] == 0:
                    scratch[BEGIN] = following
                    scratch[END] = end
                    return NEW
                fits = sought[MASKS + row] >> (slot + further) & 1 > 0
                if not fits:
                    break
            if fits:
                if count == MOST_FOUND:
                    return NEVER
                # What begins at the same place is in order of where it ends.
                place = FOUND + 3 * count
                while place > FOUND and scratch[place - 3] == begin and scratch[place - 2] > end:
                    for part in range(3):
                        scratch[place + part] = scratch[place + part - 3]
                    place -= 3
                scratch[place] = begin
                scratch[place + 1] = end
                scratch[place + 2] = sought[LEAVES + slot]
                count += 1
            slot += 1
        scratch[COUNT] = count
        scratch[AT] = at


@brief
def find_snippet(source, begin, end, is_json, folds, letters, starts, words, sought, leaves, by_chunk, cuts, scratch):
    """Find what matches in a text, and the piece around it.

    Args:
        source: uint8[n], UTF-8; the text is [begin, end), which has at most as many bytes as `letters`.
        is_json: whether it is the content of a JSON string.
        folds, letters: see `letters_of`.
        starts: see `beginnings.table_of`.
        words: uint8[WORD_ROWS (1 + LONGEST_WORD)], a hash table of small words.
        sought: int64[SOUGHT]: the leaf of each slot; how many slots follow each other from it, as words do
            in a phrase, 0 where none begins; the number of words of each leaf; how many of `words`
            there are; whether the language elides, see `find_borders`; and which slots each of `words` fits.
        leaves: the number of leaves, at most SLOTS.
        by_chunk: whether to ask of each chunk in which something may begin.
        cuts: whether the piece is wanted.
        scratch: int64[SCRATCH]; AT is -1 before the first call for a text, and stays from call to call.

    Returns:
        DONE and what else may be: see there.
    """
    if scratch[AT] < 0:
        size, is_ascii, odd = letters_of(source, begin, end, is_json, folds, letters)
        if size < 0:
            scratch[BEGIN] = odd
            return ODD if odd else NEVER
        scratch[SIZE] = size
        scratch[IS_ASCII] = is_ascii
        scratch[AT] = scratch[COUNT] = 0
    told = _find(letters, starts, words, sought, by_chunk, scratch)
    if told != DONE or not cuts:
        return told
    count = scratch[COUNT]
    focus = after = np.int64(0)
    scratch[FIRST] = scratch[WORDS] = scratch[MOST] = scratch[PAIRS] = 0
    if count:
        first, scratch[WORDS], scratch[MOST] = best_window(
            scratch, FOUND, count, sought, LEAF_WORDS, scratch, SPANS, scratch, _OWN, leaves
        )
        scratch[FIRST] = first
        place = FOUND + 3 * first
        focus = scratch[place]
        while place < FOUND + 3 * count and scratch[place] == focus:
            after = max(after, scratch[place + 1])
            place += 3
    size = scratch[SIZE]
    first, after = find_borders(letters, size, focus, after, sought[ELIDES] > 0)
    if first < 0:
        return UNSEEN
    start, last = without_space(letters, first, after)
    is_end = is_last(letters, size, after)
    if start < 0 or is_end < 0:
        return UNSEEN
    scratch[IS_CUT] = first > 0
    scratch[START] = start
    scratch[AFTER] = last
    scratch[GOES_ON] = 1 - is_end
    scratch[PAIRS] = mark(scratch, FOUND, count, start, last, scratch, SPANS)
    return DONE
