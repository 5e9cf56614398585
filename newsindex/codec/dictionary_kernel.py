"""Kernels of the front-coded term dictionary: see `format.py`."""

from __future__ import annotations

import numpy as np

from newsindex.codec.pack_kernel import get_vbyte, put_vbyte
from newsindex.kernel import brief, inner, kernel

__all__ = ["decode_rows", "decode_terms", "encode_dictionary", "find_terms", "index_dictionary", "place_of"]

_IN_BLOCK = 16
_LONGEST = 255
_BEFORE_KEYS = 2
_DAMAGED = -1
# Columns of a row: what is told of a term.
_NUMBER, _FIELDS, _DOC_FREQ, _POSTINGS, _POSTINGS_END, _POSITION_COUNT, _POSITIONS, _POSITIONS_END = range(8)


@kernel
def encode_dictionary(term_bytes, term_starts, told, blocks, data):
    """Encode a sorted dictionary.

    Args:
        term_bytes: uint8[], the terms joined; term_starts: int64[T + 1]. Each has 1..255 bytes.
        told: int64[T, 5], as `encode_terms` tells it; where the fields are 0, only the second is kept.
        blocks: uint64[⌈T / 16⌉, 3], overwritten.
        data: uint8[m], m ≥ bytes of the terms + 23 · T; overwritten from 0.

    Returns:
        The number of bytes of data.
    """
    at = np.int64(0)
    postings = np.int64(0)
    positions = np.int64(0)
    for term in range(told.shape[0]):
        begin = term_starts[term]
        length = term_starts[term + 1] - begin
        shared = 0
        if term % _IN_BLOCK == 0:
            blocks[term // _IN_BLOCK, 0] = at
            blocks[term // _IN_BLOCK, 1] = postings
            blocks[term // _IN_BLOCK, 2] = positions
        else:
            before = term_starts[term - 1]
            most = min(length, begin - before)
            while shared < most and term_bytes[before + shared] == term_bytes[begin + shared]:
                shared += 1
        data[at] = shared
        data[at + 1] = length - shared
        at += 2
        for i in range(shared, length):
            data[at] = term_bytes[begin + i]
            at += 1
        data[at] = told[term, 0]
        at += 1
        for column in range(1, 5 if told[term, 0] else 2):
            at = put_vbyte(told[term, column], data, at)
        postings += told[term, 2]
        positions += told[term, 4]
    return at


@inner
def _number(data, at, end):
    """Return (a variable byte number, the byte after it); the byte is -1 when there is none before `end`."""
    if 0 <= at < end and data[at] < 128:
        return np.int64(data[at]), at + 1
    value, at = get_vbyte(data, at, end if at >= 0 else at)
    return np.int64(value), at


@inner
def _entry(data, at, length, row):
    """Read the entry at a byte; `length` is that of the term before it in the block, 0 for the first.

    The fields and counts go into the row; its ends are counted on from what the row has as the ends of the term before.

    Returns:
        (the byte after the entry, bytes shared with the term before, where the others begin, how many they are);
        the first is -1 when it cannot be read.
    """
    end = data.size
    if at < 0 or at > end - 3:
        return np.int64(_DAMAGED), np.int64(0), np.int64(0), np.int64(0)
    shared = np.int64(data[at])
    rest = np.int64(data[at + 1])
    begin = np.int64(at + 2)
    if shared > length or shared + rest > _LONGEST or shared + rest == 0 or begin + rest + 2 > end:
        return np.int64(_DAMAGED), np.int64(0), np.int64(0), np.int64(0)
    at = begin + rest
    row[_FIELDS] = data[at]
    row[_DOC_FREQ], at = _number(data, at + 1, end)
    row[_POSTINGS] = row[_POSTINGS_END]
    row[_POSITIONS] = row[_POSITIONS_END]
    row[_POSITION_COUNT] = 0
    if row[_FIELDS]:
        size, at = _number(data, at, end)
        row[_POSTINGS_END] += size
        row[_POSITION_COUNT], at = _number(data, at, end)
        size, at = _number(data, at, end)
        row[_POSITIONS_END] += size
    return np.int64(at), shared, begin, rest


@inner
def _enter(index, block, row):
    """Return the byte at which a block of terms begins, and set the ends in the row to where its postings begin."""
    blocks = np.int64(index[1])
    at = _BEFORE_KEYS + blocks + block
    row[_POSTINGS_END] = np.int64(index[at + blocks])
    row[_POSITIONS_END] = np.int64(index[at + 2 * blocks])
    return np.int64(index[at])


@kernel
def index_dictionary(blocks, data, term_count, index):
    """Make of the blocks what the other kernels use: one array, so that a call has few to hand over.

    Args:
        blocks: uint64[b, 3]; data: uint8[m]; term_count: T, of which b = ⌈T / 16⌉.
        index: uint64[2 + 4 · b], overwritten: T, b, the first 8 bytes of each block's first term as a number, high byte
            first, then the three columns of the blocks.

    Returns:
        0, or -1 when a block cannot be read.
    """
    count = blocks.shape[0]
    row = np.zeros(8, np.int64)
    index[0] = term_count
    index[1] = count
    for block in range(count):
        for column in range(3):
            index[_BEFORE_KEYS + (1 + column) * count + block] = blocks[block, column]
        at, _, begin, rest = _entry(data, np.int64(blocks[block, 0]), np.int64(0), row)
        if at < 0:
            return _DAMAGED
        index[_BEFORE_KEYS + block] = _key(data, begin, begin + rest)
    return 0


@inner
def _key(data, begin, end):
    """Return the first 8 bytes as a number, high byte first; zeros stand for those that there are not."""
    key = np.uint64(0)
    for i in range(begin, begin + 8):
        key <<= np.uint64(8)
        if i < end:
            key |= np.uint64(data[i])
    return key


@inner
def _same(data, begin, rest, wanted, first, last):
    """Return how many bytes of data[begin, begin + rest) and wanted[first, last) are the same, from the first on."""
    most = min(rest, last - first)
    same = 0
    while same < most and data[begin + same] == wanted[first + same]:
        same += 1
    return same


@inner
def _block_of(index, data, wanted, first, last, row):
    """Return the last block whose first term is not after wanted[first, last), -1 when there is none."""
    blocks = np.int64(index[1])
    key = _key(wanted, first, last)
    low = np.int64(0)
    high = blocks
    while low < high:
        middle = (low + high) >> 1
        if index[_BEFORE_KEYS + middle] < key:
            low = middle + 1
        else:
            high = middle
    # Of the blocks with the same key, whole terms are compared.
    high = low
    step = 1
    while high < blocks and index[_BEFORE_KEYS + high] == key:
        high = min(high + step, blocks)
        step *= 2
    while low < high:
        middle = (low + high) >> 1
        later = index[_BEFORE_KEYS + middle] > key
        if not later:
            at, _, begin, rest = _entry(data, _enter(index, middle, row), np.int64(0), row)
            same = _same(data, begin, rest, wanted, first, last)
            if at < 0:
                later = True
            elif same < rest:
                later = same == last - first or data[begin + same] > wanted[first + same]
        if later:
            high = middle
        else:
            low = middle + 1
    return low - 1


@kernel
def place_of(index, data, wanted, first, last, row):
    """Find the term wanted[first, last), or where it would stand.

    Args:
        index, data: the dictionary, as `index_dictionary` made it.
        wanted: bytes.
        row: int64[8], overwritten. When found: number, fields, doc_freq, begin and end of its postings, number of
            positions, begin and end of its positions. When not: the number of the first term after it (T when there
            is none), and doc_freq 0.

    Returns:
        1 when found, 0 when not, -1 when the dictionary cannot be read.
    """
    block = _block_of(index, data, wanted, first, last, row)
    row[_NUMBER] = 0
    row[_DOC_FREQ] = 0
    if block < 0:
        return 0
    at = _enter(index, block, row)
    term = block * _IN_BLOCK
    after = min(term + _IN_BLOCK, np.int64(index[0]))
    # How many bytes of the wanted one the term before has too. That stands before the wanted one; so does each that
    # shares more than those with it; none does that shares fewer.
    matched = np.int64(0)
    length = np.int64(0)
    while term < after:
        at, shared, begin, rest = _entry(data, at, length, row)
        if at < 0:
            return _DAMAGED
        length = shared + rest
        if shared < matched:
            break
        if shared == matched:
            same = _same(data, begin, rest, wanted, first + shared, last)
            matched += same
            if matched == last - first or (same < rest and data[begin + same] > wanted[first + matched]):
                if matched == last - first and same == rest:
                    row[_NUMBER] = term
                    return 1
                break
        term += 1
    row[_NUMBER] = term
    row[_DOC_FREQ] = 0
    return 0


@brief
def find_terms(index, data, wanted, rows):
    """Find terms.

    Args:
        index, data: the dictionary, as `index_dictionary` made it.
        wanted: bytes, the terms, with a byte 255 between two.
        rows: int64[t, 8], overwritten: of each term what `place_of` gives; of absent ones the number is -1, doc_freq 0.

    Returns:
        How many terms there are between bytes of 255, or -1 when the dictionary cannot be read. More than t are
        not looked up.
    """
    found = 0
    first = np.int64(0)
    for last in range(len(wanted) + 1):
        if last < len(wanted) and wanted[last] != 255:
            continue
        if found < rows.shape[0]:
            state = place_of(index, data, wanted, first, last, rows[found])
            if state < 0:
                return _DAMAGED
            if state == 0:
                rows[found, _NUMBER] = -1
        found += 1
        first = last + 1
    return found


@brief
def expand_prefix(index, data, word_index, word_data, bounds, length, rows, row):
    """Give the terms that begin with a prefix, where no other term has a word that does.

    Args:
        index, data: the dictionary of terms, as `index_dictionary` made it; word_index, word_data: that of words, of
            which it tells the number of the term in place of doc_freq.
        bounds: bytes, the prefix and then the least text of the same length that is behind all that begin with it.
        length: of the prefix.
        rows: int64[n, 8], overwritten: of each term what `place_of` gives.
        row: int64[8], overwritten.

    Returns:
        How many terms; -1 when a dictionary cannot be read; -2 when there are more than n, or a word is of another.
    """
    if place_of(index, data, bounds, np.int64(0), length, row) < 0:
        return _DAMAGED
    first = row[_NUMBER]
    if place_of(index, data, bounds, length, 2 * length, row) < 0:
        return _DAMAGED
    after = row[_NUMBER]
    if place_of(word_index, word_data, bounds, np.int64(0), length, row) < 0:
        return _DAMAGED
    word = row[_NUMBER]
    if place_of(word_index, word_data, bounds, length, 2 * length, row) < 0:
        return _DAMAGED
    after_words = row[_NUMBER]
    if after - first > rows.shape[0]:
        return np.int64(-2)
    term = first - first % _IN_BLOCK
    if term < after:
        at = _enter(index, term // _IN_BLOCK, row)
        shares = np.int64(0)
        while term < after:
            at, shared, _, rest = _entry(data, at, shares, row)
            if at < 0:
                return _DAMAGED
            shares = shared + rest
            if term >= first:
                for column in range(8):
                    rows[term - first, column] = row[column]
                rows[term - first, _NUMBER] = term
            term += 1
    number = word - word % _IN_BLOCK
    if number < after_words:
        at = _enter(word_index, number // _IN_BLOCK, row)
        shares = np.int64(0)
        while number < after_words:
            at, shared, _, rest = _entry(word_data, at, shares, row)
            if at < 0:
                return _DAMAGED
            shares = shared + rest
            if number >= word and (row[_DOC_FREQ] < first or row[_DOC_FREQ] >= after):
                return np.int64(-2)
            number += 1
    return after - first


@kernel
def decode_rows(index, data, numbers, rows):
    """Give of the terms with these numbers what is told of them; ascending numbers are the quickest.

    Args:
        index, data: the dictionary, as `index_dictionary` made it.
        numbers: int64[n]; rows: int64[n, 8], overwritten.

    Returns:
        0, or -1 when a number is not one of a term, or the dictionary cannot be read.
    """
    row = np.zeros(8, np.int64)
    term = np.int64(0)
    at = np.int64(0)
    length = np.int64(0)
    for i in range(numbers.size):
        number = numbers[i]
        if number < 0 or number >= np.int64(index[0]):
            return _DAMAGED
        begin = number - number % _IN_BLOCK
        if i == 0 or term > number or term < begin:
            term = begin
            at = _enter(index, begin // _IN_BLOCK, row)
            length = np.int64(0)
        while term <= number:
            at, shared, _, rest = _entry(data, at, length, row)
            if at < 0:
                return _DAMAGED
            length = shared + rest
            term += 1
        row[_NUMBER] = number
        for column in range(8):  # to assign the row as a whole takes a second more to compile
            rows[i, column] = row[column]
    return 0


@kernel
def decode_terms(index, data, first, after, term_bytes, term_starts, told):
    """Decode the terms [first, after); first must begin a block.

    Args:
        index, data: the dictionary, as `index_dictionary` made it.
        term_bytes: uint8[m]; term_starts: int64[after - first + 1]; told: int64[after - first, 7]; all overwritten.
            Told are of each term its fields, doc_freq, begin and end of its postings, number of positions, begin and
            end of its positions.

    Returns:
        The number of bytes of the terms, or -1 on damage, or -2 when term_bytes is too small.
    """
    row = np.zeros(8, np.int64)
    used = np.int64(0)
    before = np.int64(0)
    at = np.int64(0)
    length = np.int64(0)
    if first % _IN_BLOCK or after > np.int64(index[0]):
        return _DAMAGED
    for term in range(first, after):
        if term % _IN_BLOCK == 0:
            at = _enter(index, term // _IN_BLOCK, row)
            length = np.int64(0)
        at, shared, begin, rest = _entry(data, at, length, row)
        if at < 0:
            return _DAMAGED
        length = shared + rest
        if used + length > term_bytes.size:
            return -2
        term_starts[term - first] = used
        for i in range(shared):
            term_bytes[used + i] = term_bytes[before + i]
        for i in range(rest):
            term_bytes[used + shared + i] = data[begin + i]
        before = used
        used += length
        for column in range(7):
            told[term - first, column] = row[1 + column]
    term_starts[after - first] = used
    return used
