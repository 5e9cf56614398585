"""Kernels of the lists that tell which occurrences of a term are of which of its words: see `format.py`."""

from __future__ import annotations

import numpy as np

from newsindex.codec.rows_kernel import bits
from newsindex.kernel import lean

__all__ = ["decode_lists", "encode_lists", "lay_others", "lay_words"]

_WIDEST = 31


@lean
def lay_words(words, counts, words_at, bases, starts, free, others):
    """Put occurrences told by word where those of their words go.

    Args:
        words: uint32[n], words below free.size.
        counts: uint32[n], how many follow of each.
        words_at: uint32[all of them], where each stands; those of one word in their order.
        bases: int64[all words]: what to add to that for the place of the occurrence among those of the word's term.
        starts: int64[all words], where those of each word begin.
        free: int64[all words], where the next of each goes; moved on.
        others: uint32[all occurrences told], written: how many of the term, but not of the word, stand before.
    """
    i = np.uint64(0)
    for told in range(words.size):
        word = words[told]
        begin = free[word]
        end = begin + counts[told]
        free[word] = end
        # Before the n-th of a word, counted from 0, stand n of the word itself.
        base = bases[word] + starts[word]
        for at in range(np.uint64(begin), np.uint64(end)):
            others[at] = np.int64(words_at[i]) + base - np.int64(at)
            i += np.uint64(1)


@lean
def lay_others(lists, starts, ends, marks, others, found):
    """List the occurrences of terms that are none of the words told.

    Args:
        lists: int64[n, 3], of each term: the first of its words, the one after its last, and its occurrences.
        starts, ends: int64[all words], where the occurrences of each word are, as `lay_words` put them.
        marks: uint8[m], zeros, m ≥ the most occurrences; so they are again afterwards.
        others: uint32, as `lay_words` wrote it.
        found: uint32[all that are listed], overwritten in the same way.

    Returns:
        The number listed.
    """
    at = np.int64(0)
    for term in range(lists.shape[0]):
        for word in range(lists[term, 0], lists[term, 1]):
            for i in range(starts[word], ends[word]):
                marks[others[i] + (i - starts[word])] = 1
        before = np.int64(0)
        for i in range(lists[term, 2]):
            if marks[i]:
                before += 1
                marks[i] = 0
            else:
                found[at] = before
                at += 1
    return at


@lean
def encode_lists(begins, counts, others, data, sizes):
    """Encode lists.

    Args:
        begins, counts: int64[n], where those of each word are; none is empty.
        others: uint32, as `lay_words` and `lay_others` write them.
        data: uint8[m], overwritten; m ≥ 2 + 5 · count for each.
        sizes: int64[n], overwritten with the bytes of each.

    Returns:
        The number of bytes.
    """
    at = np.int64(0)
    for word in range(begins.size):
        start = at
        count = counts[word]
        begin = begins[word]
        width = max(0, bits(np.int64(others[begin + count - 1]) // count) - 1)
        low = (np.int64(1) << width) - 1
        data[at] = width
        at += 1
        waiting = np.uint64(0)
        filled = np.int64(0)
        before = np.int64(0)
        for i in range(begin, begin + count):
            gap = np.int64(others[i]) - before
            before += gap
            filled += gap >> width
            while filled >= 8:
                data[at] = np.uint8(waiting & np.uint64(255))
                waiting >>= np.uint64(8)
                filled -= 8
                at += 1
            waiting |= np.uint64(1 + ((gap & low) << 1)) << np.uint64(filled)
            filled += 1 + width
            while filled >= 8:
                data[at] = np.uint8(waiting & np.uint64(255))
                waiting >>= np.uint64(8)
                filled -= 8
                at += 1
        if filled:
            data[at] = np.uint8(waiting)
            at += 1
        sizes[word] = at - start
    return at


@lean
def decode_lists(data, rows, totals, found):
    """Decode lists.

    Args:
        data: uint8[m], the section.
        rows: int64[n, 8], of each word, as a dictionary gives them.
        totals: int64[n], the occurrences of each word's term.
        found: uint32[the counts of all, each at least 0], overwritten: their places among those of the term, ascending.

    Returns:
        0, or -1 when one of the lists is not so many places below its total.
    """
    put = np.int64(0)
    for word in range(rows.shape[0]):
        count = rows[word, 5]
        at = rows[word, 6]
        end = rows[word, 7]
        if count < 0 or count > found.size - put or at < 0 or at >= end or end > data.size or data[at] > _WIDEST:
            return -1
        width = np.int64(data[at])
        at += 1
        low = np.uint64((np.int64(1) << width) - 1)
        place = np.int64(0)
        waiting = np.uint64(0)
        filled = np.int64(0)
        for _ in range(count):
            high = np.int64(0)
            while True:
                while filled <= 48 and at < end:
                    waiting |= np.uint64(data[at]) << np.uint64(filled)
                    filled += 8
                    at += 1
                if waiting:
                    break
                if at >= end:
                    return -1
                high += filled
                filled = np.int64(0)
            while waiting & np.uint64(1) == np.uint64(0):
                waiting >>= np.uint64(1)
                high += 1
                filled -= 1
            waiting >>= np.uint64(1)
            filled -= 1
            while filled < width and at < end:
                waiting |= np.uint64(data[at]) << np.uint64(filled)
                filled += 8
                at += 1
            if filled < width:
                return -1
            place += (high << width) + np.int64(waiting & low)
            waiting >>= np.uint64(width)
            filled -= width
            if place >= totals[word]:
                return -1
            found[put] = place
            put += 1
            place += 1
    return 0
