"""Kernel that looks for the beginnings of words in a text, and tells the pieces between white space they stand in."""

from __future__ import annotations

import numpy as np

from newsindex.kernel import brief

__all__ = ["LONGEST_CHUNK", "LONGEST_START", "find_chunks"]

LONGEST_CHUNK = 40
"""Of longer chunks only is told where the word begins."""
LONGEST_START = 31
_MARK, _WORD, _SPACE = range(3)
_UNKNOWN = ord("?")
_FIRSTS = 128
# By ASCII character: what it is, and its small letter.
_KINDS = np.array(
    [_WORD if chr(c).isalnum() else _SPACE if chr(c).isspace() else _MARK for c in range(128)] + [_MARK] * 128, np.uint8
)
_SMALL = np.array([ord(chr(c).lower()) for c in range(128)] + [_UNKNOWN] * 128, np.uint8)


@brief
def find_chunks(text, size, starts, found):
    """Find the chunks, pieces between white space, in which a word may begin with one of some letters.

    Args:
        text: uint8[m], ASCII in [0, size): a question mark where a character is another.
        size: of the text, at most m.
        starts: uint8[128 + S · (1 + LONGEST_START)]: for each ASCII character 1 + the first row whose letters begin
            with it, 0 for none; then the rows, sorted: a length, 1 to LONGEST_START, and so many small letters and
            digits (from the second on any character).
        found: int64[2 n], overwritten with (begin, end) of the chunks, ascending; of a chunk that is long, or has a
            question mark, with (where the word begins, -1) for each word.

    Returns:
        The number of pairs, or -1 when there is no room for them.
    """
    count = np.int64(0)
    begin = np.int64(0)
    at = np.int64(0)
    inside = False
    while at < size:
        kind = _KINDS[text[at]]
        if kind != _WORD:
            if kind == _SPACE:
                begin = at + 1
            inside = False
        elif not inside:
            inside = True
            first = _SMALL[text[at]]
            row = np.int64(starts[first])
            place = _FIRSTS + (row - 1) * (1 + LONGEST_START)
            fits = False
            while row and place < starts.size and starts[place + 1] == first:
                length = np.int64(starts[place])
                same = np.int64(1)
                while same < length and at + same < size and _SMALL[text[at + same]] == starts[place + 1 + same]:
                    same += 1
                if same == length:
                    fits = True
                    break
                place += 1 + LONGEST_START
            if fits:
                end = at
                known = at - begin <= LONGEST_CHUNK
                if known:
                    end = begin
                    while end < size and end - begin <= LONGEST_CHUNK and _KINDS[text[end]] != _SPACE:
                        known &= text[end] != _UNKNOWN
                        end += 1
                    known &= end - begin <= LONGEST_CHUNK
                if 2 * count + 2 > found.size:
                    return -1
                found[2 * count] = begin if known else at
                found[2 * count + 1] = end if known else -1
                count += 1
                if known:
                    at = end
                    inside = False
                    continue
        at += 1
    return count
