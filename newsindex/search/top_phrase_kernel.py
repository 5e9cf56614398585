"""Kernels that tell whether an article has a phrase, from the positions of its words: see `codec/format.py`."""

from __future__ import annotations

import numpy as np

from newsindex.codec.decode_kernel import decode_position_tail
from newsindex.codec.format import SKIP_WORDS
from newsindex.codec.pack_kernel import BLOCK
from newsindex.kernel import inner
from newsindex.search.block_kernel import (
    CURSOR,
    FREQUENCIES,
    FULL,
    GAPS,
    PLACE,
    PLACES,
    POSITIONS_BASE,
    POSITIONS_BLOCK,
    POSITIONS_CODES,
    POSITIONS_COUNT,
    POSITIONS_END,
    POSITIONS_FULL,
    POSITIONS_HELD,
    POSITIONS_NEXT,
    POSITIONS_TAIL,
    SKIPS,
    load_freqs,
    part_of,
)  # fmt: skip
from newsindex.search.lanes_kernel import sum_first
from newsindex.search.postings_kernel import skip_packed, unpack

__all__ = ["PHRASE_FIELDS", "PHRASE_HEAD", "PHRASE_SIZE", "ROOM", "SPANS", "has_phrase", "open_positions"]

PHRASE_SIZE, PHRASE_FIELDS, PHRASE_HEAD = range(3)
"""A phrase in `phrases`: its number of words and its mask of fields; then of each word its term and its offset."""
ROOM = 1 << 14
"""The kernels here use of `room` ROOM numbers from ROOM on, and from SPANS on two for each word of a phrase."""
SPANS = 2 * ROOM + 1 + ROOM // 64


@inner
def open_positions(data, row, term, state):
    """Note where the positions of a term are.

    Args:
        data: uint8[m], the positions.
        row: int64[8], as `SearchSegment.find` tells it.
        term: its row in `state`.

    Returns:
        0, or -1 for damage.
    """
    count = row[5]
    at = row[6]
    end = row[7]
    full = count // BLOCK
    if count < 0 or at < 0 or at > end or end > data.size:
        return -1
    state[term, POSITIONS_CODES] = (at + 3) & ~3
    if full:
        at = (((at + 3) & ~3) + full + 3) & ~3
        if at > end:
            return -1
    state[term, POSITIONS_COUNT] = count
    state[term, POSITIONS_FULL] = full
    state[term, POSITIONS_BASE] = at
    state[term, POSITIONS_END] = end
    state[term, POSITIONS_BLOCK] = 0
    state[term, POSITIONS_NEXT] = at
    state[term, POSITIONS_HELD] = -1
    state[term, POSITIONS_TAIL] = 0
    return 0


@inner
def _load_gaps(data, words, posting_words, field_count, term, wanted, state, small):
    """Decode a block of position gaps, number `wanted` of the term's; return where it begins in `small`, or -1.

    `state` knows where one block begins, number POSITIONS_BLOCK at byte POSITIONS_NEXT; the SKIP of the term's posting
    tells of another. The nearest before is gone on from.
    """
    full = state[term, POSITIONS_FULL]
    gaps = part_of(term, field_count) + GAPS
    if wanted == full and state[term, POSITIONS_TAIL]:
        return gaps + BLOCK
    if wanted == state[term, POSITIONS_HELD]:
        return gaps
    base = state[term, POSITIONS_BASE]
    end = state[term, POSITIONS_END]
    codes = state[term, POSITIONS_CODES]
    block = state[term, POSITIONS_BLOCK]
    at = state[term, POSITIONS_NEXT]
    if block > wanted:
        block = np.int64(0)
        at = base
    if state[term, FULL]:
        skip = state[term, SKIPS] + min(state[term, CURSOR], state[term, FULL] - 1) * SKIP_WORDS
        told = np.int64(posting_words[skip + 2]) // BLOCK
        if block < told <= wanted:
            block = told
            at = base + np.int64(posting_words[skip + 3])
            if at > end:
                return -1
    while block < wanted:
        at = skip_packed(data, at, data[codes + block], end)
        if at < 0:
            return -1
        block += 1
    if wanted == full:
        first = gaps + BLOCK
        after = first + state[term, POSITIONS_COUNT] - full * BLOCK
        if decode_position_tail(data, at, end, small, first, after) < 0:
            return -1
        state[term, POSITIONS_TAIL] = 1
        return first
    state[term, POSITIONS_HELD] = -1
    if at & 3:
        return -1
    at = unpack(data, words, at, data[codes + wanted], end, small, gaps)
    if at < 0:
        return -1
    state[term, POSITIONS_HELD] = wanted
    state[term, POSITIONS_BLOCK] = wanted + 1
    state[term, POSITIONS_NEXT] = at
    return gaps


@inner
def _first_position(posting_words, field_count, term, state, small):
    """Return the number of a term's first position in the article that it is at, whose block is decoded."""
    block = state[term, CURSOR]
    freqs = part_of(term, field_count) + FREQUENCIES
    place = state[term, PLACE]
    first = np.int64(0)
    if block < state[term, FULL]:
        first = np.int64(posting_words[state[term, SKIPS] + block * SKIP_WORDS + 2])
    else:
        # Those of the tail are counted from the end.
        freqs += BLOCK
        place -= BLOCK
        first = state[term, POSITIONS_COUNT]
        for field in range(field_count):
            first -= sum_first(small, freqs + field * PLACES, np.int64(BLOCK))
    for field in range(field_count):
        first += sum_first(small, freqs + field * PLACES, place)
    return first


@inner
def _keep(data, words, posting_words, field_count, term, offset, index, count, state, small, room, found):
    """Keep of the `found` places those that have the term `offset` further on; return how many, or -1 for damage."""
    end = index + count
    position = -offset
    kept = np.int64(ROOM)
    at = np.int64(ROOM)
    after = ROOM + found
    wanted = room[at]
    while index < end:
        gaps = _load_gaps(data, words, posting_words, field_count, term, index // BLOCK, state, small)
        if gaps < 0:
            return -1
        place = index & (BLOCK - 1)
        last = min(np.int64(BLOCK), place + end - index)
        index += last - place
        for i in range(gaps + place, gaps + last):
            position += np.int64(small[np.uint64(i)])
            while wanted < position:
                at += 1
                if at == after:
                    return kept - ROOM
                wanted = room[at]
            if wanted == position:
                room[kept] = position
                kept += 1
                at += 1
                if at == after:
                    return kept - ROOM
                wanted = room[at]
    return kept - ROOM


@inner
def _first_in_field(posting_words, field_count, phrases, at, part, field, state, small, room):
    """Return the number of the first position in a field of a phrase's word, -1 for damage."""
    term = phrases[at + PHRASE_HEAD + 2 * part]
    first = room[SPANS + 2 * part]
    if first < 0:
        first = _first_position(posting_words, field_count, term, state, small)
        room[SPANS + 2 * part] = first
    freq = part_of(term, field_count) + FREQUENCIES + state[term, PLACE]
    for before in range(field):
        first += np.int64(small[freq + before * PLACES])
    if first + room[SPANS + 2 * part + 1] > state[term, POSITIONS_COUNT]:
        return -1
    return first


@inner
def _has_in_field(posting_words, data, words, field_count, phrases, at, field, state, small, room):
    """Tell whether the phrase at `phrases[at]` stands in a field: 1, 0, or -1 for damage."""
    size = phrases[at + PHRASE_SIZE]
    rarest = np.int64(0)
    for part in range(size):
        term = phrases[at + PHRASE_HEAD + 2 * part]
        count = np.int64(small[part_of(term, field_count) + FREQUENCIES + field * PLACES + state[term, PLACE]])
        if count == 0:
            return 0
        room[SPANS + 2 * part + 1] = count
        if count < room[SPANS + 2 * rarest + 1]:
            rarest = part
    term = phrases[at + PHRASE_HEAD + 2 * rarest]
    offset = phrases[at + PHRASE_HEAD + 2 * rarest + 1]
    index = _first_in_field(posting_words, field_count, phrases, at, rarest, field, state, small, room)
    if index < 0:
        return -1
    end = index + room[SPANS + 2 * rarest + 1]
    position = np.int64(0)
    # The places where the phrase would begin by its rarest word, as many at a time as there is room for.
    while index < end:
        found = np.int64(0)
        while index < end and found < ROOM:
            gaps = _load_gaps(data, words, posting_words, field_count, term, index // BLOCK, state, small)
            if gaps < 0:
                return -1
            place = index & (BLOCK - 1)
            last = min(np.int64(BLOCK), place + min(end - index, ROOM - found))
            index += last - place
            for i in range(gaps + place, gaps + last):
                position += np.int64(small[np.uint64(i)])
                room[ROOM + found] = position - offset
                found += 1
        for part in range(size):
            if part != rarest and found > 0:
                first = _first_in_field(posting_words, field_count, phrases, at, part, field, state, small, room)
                if first < 0:
                    return -1
                other = at + PHRASE_HEAD + 2 * part
                found = _keep(
                    data, words, posting_words, field_count, phrases[other], phrases[other + 1], first,
                    room[SPANS + 2 * part + 1], state, small, room, found,
                )  # fmt: skip
        if found < 0:
            return -1
        if found > 0:
            return 1
    return 0


@inner
def has_phrase(posting_data, posting_words, data, words, field_count, phrases, at, state, small, room):
    """Tell whether an article has a phrase in one of its fields.

    Args:
        posting_data, posting_words, data, words: the postings and the positions, as bytes and as uint32.
        field_count: F.
        phrases: int64[], the phrase from `at` on; each of its terms is at the article: CURSOR and PLACE in `state`.
        room: int64[SPANS + 2 · words], overwritten there and from ROOM to 2 · ROOM.

    Returns:
        1, 0, or -1 for damage.
    """
    for part in range(phrases[at + PHRASE_SIZE]):
        term = phrases[at + PHRASE_HEAD + 2 * part]
        if load_freqs(posting_data, posting_words, field_count, term, state[term, CURSOR], state, small) < 0:
            return -1
        room[SPANS + 2 * part] = -1
    for field in range(field_count):
        if phrases[at + PHRASE_FIELDS] >> field & 1:
            found = _has_in_field(posting_words, data, words, field_count, phrases, at, field, state, small, room)
            if found != 0:
                return found
    return 0
