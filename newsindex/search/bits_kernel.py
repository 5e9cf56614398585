"""Kernels on bitmaps, uint64[⌈n / 64⌉] with article d at bit d & 63 of word d >> 6, and on columns of values."""

from __future__ import annotations

import numpy as np

from newsindex.kernel import brief, inner, kernel
from newsindex.search.lanes_kernel import lowest_bit, popcount

__all__ = [
    "bits_in_range",
    "count_bits",
    "count_values",
    "first_keys",
    "list_bits",
    "sort_keys",
    "sort_ords",
    "top_keys",
    "value_bits",
]

_WINDOW_WORDS = 64
_MISSING = -(2**63)


@kernel
def count_bits(bits):
    """Return the number of bits set."""
    total = np.int64(0)
    for word in bits:
        total += popcount(word)
    return total


@kernel
def list_bits(bits, base, first, found):
    """List the articles of a bitmap, in order.

    Args:
        bits: the bitmap.
        base: added to each.
        first: the first word to look at.
        found: int64[m], overwritten; it ends the list when it is full.

    Returns:
        The number of articles listed.
    """
    count = 0
    for at in range(first, bits.size):
        word = bits[at]
        while word:
            if count == found.size:
                return count
            found[count] = base + at * 64 + lowest_bit(word)
            count += 1
            word &= word - np.uint64(1)
    return count


@kernel
def bits_in_range(values, low, high, minima, maxima, bits):
    """Take the articles out of a bitmap whose value is not in low..high.

    Args:
        values: int64[n].
        low, high: both are in the range.
        minima, maxima: of the values of each window of 64 words that are to be taken for values.
        bits: the bitmap, changed. Articles without a value are to be taken out by the caller, unless their value says
            it: the windows do not count them.
    """
    for window in range(minima.size):
        begin = window * _WINDOW_WORDS
        after = min(begin + _WINDOW_WORDS, bits.size)
        if maxima[window] < low or minima[window] > high:
            for at in range(begin, after):
                bits[at] = 0
            continue
        if minima[window] >= low and maxima[window] <= high:
            continue
        for at in range(begin, after):
            word = bits[at]
            if word == 0:
                continue
            first = at * 64
            kept = np.uint64(0)
            if word == np.uint64(0xFFFFFFFFFFFFFFFF) and first + 64 <= values.size:
                for place in range(64):
                    value = values[first + place]
                    kept |= np.uint64(low <= value and value <= high) << np.uint64(place)
            else:
                rest = word
                while rest:
                    place = lowest_bit(rest)
                    rest &= rest - np.uint64(1)
                    value = values[first + place]
                    kept |= np.uint64(low <= value and value <= high) << np.uint64(place)
            bits[at] = word & kept


@kernel
def sort_ords(ords, starts, docs, ends):
    """Sort the articles by value.

    Args:
        ords: uint32[m], each less than the number of values; starts: int64[n + 1], of each article's.
        docs: uint32[m], overwritten: the articles that have value 0, then those that have value 1, …
        ends: int64[values + 1], zeros, overwritten: where those of each value begin, and the end.
    """
    for ord_ in ords:
        ends[np.int64(ord_) + 1] += 1
    for value in range(1, ends.size):
        ends[value] += ends[value - 1]
    for doc in range(starts.size - 1):
        for i in range(starts[doc], starts[doc + 1]):
            value = np.int64(ords[i])
            docs[ends[value]] = doc
            ends[value] += 1
    for value in range(ends.size - 1, 0, -1):
        ends[value] = ends[value - 1]
    ends[0] = 0


@kernel
def value_bits(docs, ends, values, bits):
    """Add the articles that have one of the values; docs and ends as `sort_ords` made them, values int64[]."""
    for value in values:
        for i in range(ends[value], ends[value + 1]):
            doc = np.int64(docs[i])
            bits[doc >> 6] |= np.uint64(1) << np.uint64(doc & 63)


@kernel
def count_values(bits, single, ords, starts, counts):
    """Count the values of the articles of a bitmap.

    Args:
        bits: the bitmap.
        single: uint8 or uint32[n], the value of each article where none has several, else empty.
        ords, starts: as for `sort_ords`; not used with `single`.
        counts: int64[values + 1], added to; the last stands for no value in `single`.
    """
    if single.size == 0:
        for at in range(bits.size):
            word = bits[at]
            while word:
                doc = at * 64 + lowest_bit(word)
                word &= word - np.uint64(1)
                for i in range(starts[doc], starts[doc + 1]):
                    counts[ords[i]] += 1
        return
    # Counted in turn in two places: to add to what has just been stored takes longer than to add elsewhere.
    others = np.zeros(counts.size, np.int64)
    for at in range(bits.size):
        word = bits[at]
        first = at * 64
        while word:
            counts[single[first + lowest_bit(word)]] += 1
            word &= word - np.uint64(1)
            if word:
                others[single[first + lowest_bit(word)]] += 1
                word &= word - np.uint64(1)
    for value in range(counts.size):
        counts[value] += others[value]


@inner
def _sink(keys, numbers, size, place):
    """Bring an entry of a heap, whose worst stands first, down to where it belongs."""
    key = keys[place]
    number = numbers[place]
    while 2 * place + 1 < size:
        child = 2 * place + 1
        other = child + 1
        if other < size and (
            keys[other] < keys[child] or (keys[other] == keys[child] and numbers[other] > numbers[child])
        ):
            child = other
        if keys[child] > key or (keys[child] == key and numbers[child] < number):
            break
        keys[place] = keys[child]
        numbers[place] = numbers[child]
        place = child
    keys[place] = key
    numbers[place] = number


@inner
def _offer(keys, numbers, size, key, number):
    """Put an entry into a heap when it is not full, or for the worst when it is better; return how many it has now."""
    if size < keys.size:
        # It rises past all that are better than it.
        place = size
        while place:
            above = (place - 1) >> 1
            if keys[above] < key or (keys[above] == key and numbers[above] > number):
                break
            keys[place] = keys[above]
            numbers[place] = numbers[above]
            place = above
        keys[place] = key
        numbers[place] = number
        return size + 1
    if key > keys[0] or (key == keys[0] and number < numbers[0]):
        keys[0] = key
        numbers[0] = number
        _sink(keys, numbers, size, np.int64(0))
    return size


@kernel
def first_keys(bits, values, firsts, sign, base, after_key, after_number, keys, numbers, size):
    """Put those of the first articles of all that are in a bitmap into a heap, until no other can enter it.

    Args:
        bits, values, sign, base, after_key, after_number, keys, numbers, size: as for `top_keys`.
        firsts: uint32[m], the first articles of the segment, in order.

    Returns:
        (how many the heap has now, whether articles behind these can enter it).
    """
    for i in range(firsts.size):
        doc = np.int64(firsts[i])
        if bits[doc >> 6] >> np.uint64(doc & 63) & np.uint64(1):
            key = sign * values[doc]
            number = base + doc
            if key < after_key or (key == after_key and number > after_number):
                if size == keys.size and (key < keys[0] or (key == keys[0] and number > numbers[0])):
                    return size, False
                size = _offer(keys, numbers, size, key, number)
    return size, True


@kernel
def top_keys(bits, values, sign, base, order, bests, after_key, after_number, keys, numbers, size):
    """Put the articles of a bitmap with the greatest keys, of equal ones those with the least numbers, into a heap.

    Args:
        bits: the bitmap.
        values: int64[n]; an article's key is sign times its value, MISSING where the value is.
        sign: 1 or -1.
        base: the number of the segment's first article.
        order: int64[windows], in which the windows are gone through.
        bests: int64[windows], the greatest key of each.
        after_key, after_number: only articles behind this place; the greatest key there is and -1: all.
        keys, numbers: int64[k], the heap, k ≥ 1; size: how many it has.

    Returns:
        How many it has now.
    """
    for window in order:
        begin = window * _WINDOW_WORDS
        if size == keys.size and (
            bests[window] < keys[0] or (bests[window] == keys[0] and base + begin * 64 > numbers[0])
        ):
            continue
        for at in range(begin, min(begin + _WINDOW_WORDS, bits.size)):
            word = bits[at]
            while word:
                doc = at * 64 + lowest_bit(word)
                word &= word - np.uint64(1)
                key = values[doc]
                if key != _MISSING:
                    key *= sign
                number = base + doc
                if key > after_key or (key == after_key and number <= after_number):
                    continue
                size = _offer(keys, numbers, size, key, number)
    return size


@brief
def sort_keys(keys, numbers, size):
    """Put the first `size` keys in order, the greatest first, of equal ones the least number: for few, some dozens.

    Args:
        keys, numbers: int64[n], changed.
    """
    for i in range(1, size):
        key = keys[i]
        number = numbers[i]
        at = i
        while at > 0 and (keys[at - 1] < key or (keys[at - 1] == key and numbers[at - 1] > number)):
            keys[at] = keys[at - 1]
            numbers[at] = numbers[at - 1]
            at -= 1
        keys[at] = key
        numbers[at] = number
