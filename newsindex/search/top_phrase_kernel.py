"""Kernels that tell whether an article has a phrase, from the positions of its words: see `codec/format.py`."""

from __future__ import annotations

import numpy as np

from newsindex.codec.decode_kernel import decode_position_tail
from newsindex.codec.format import SKIP_WORDS
from newsindex.codec.pack_kernel import BLOCK
from newsindex.kernel import inner
from newsindex.search.block_kernel import (
    CURSOR,
    ENDS,
    ENDS_OF,
    ENDS_OF_TAIL,
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
    present_in,
)  # fmt: skip
from newsindex.search.lanes_kernel import add_up
from newsindex.search.postings_kernel import skip_packed, unpack

__all__ = ["FOUND", "PHRASE_FIELDS", "PHRASE_HEAD", "PHRASE_SIZE", "ROOM", "SPANS", "has_phrase", "open_positions"]

PHRASE_SIZE, PHRASE_FIELDS, PHRASE_HEAD = range(3)
"""A phrase in `phrases`: its number of words and its mask of fields; then of each word its term and its offset."""
ROOM = 1 << 14
"""The kernels here use of `room` ROOM numbers from ROOM on, and from SPANS on one for each word of a phrase."""
FOUND = 2 * ROOM + 1 + ROOM // 64
"""Where in `room`, BLOCK numbers, the places of the term stand that was looked up last, one for each candidate."""
SPANS = FOUND + BLOCK


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
    state[term, ENDS_OF] = -1
    state[term, ENDS_OF_TAIL] = 0
    return 0


@inner
def _load_gaps(data, words, posting_words, field_count, term, wanted, state, small):
    """Decode a block of position gaps, number `wanted` of the term's; return where it begins in `small`, or -1."""
    gaps = part_of(term, field_count) + GAPS
    if wanted == state[term, POSITIONS_HELD]:
        return gaps
    return _load_other_gaps(data, words, posting_words, gaps, term, wanted, state, small)


@inner
def _load_other_gaps(data, words, posting_words, gaps, term, wanted, state, small):
    """Do so for a block that is not the one held.

    `state` knows where one block begins, number POSITIONS_BLOCK at byte POSITIONS_NEXT; the SKIP of the term's posting
    tells of another. The nearest before is gone on from.
    """
    full = state[term, POSITIONS_FULL]
    if wanted == full and state[term, POSITIONS_TAIL]:
        return gaps + BLOCK
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
def _load_ends(field_count, term, state, small):
    """Make the ENDS of the block that a term is at, whose frequencies are decoded, counted from the block's first."""
    block = state[term, CURSOR]
    ends = part_of(term, field_count) + ENDS
    if block == state[term, FULL]:
        if state[term, ENDS_OF_TAIL]:
            return
        state[term, ENDS_OF_TAIL] = 1
        ends += BLOCK
    else:
        if state[term, ENDS_OF] == block:
            return
        state[term, ENDS_OF] = block
    present = present_in(term, block, state)
    freqs = ends + (FREQUENCIES - ENDS)
    is_first = True
    for field in range(field_count):
        if present >> field & 1:
            if is_first:
                for i in range(BLOCK):
                    small[np.uint64(ends + i)] = small[np.uint64(freqs + i)]
            else:
                for i in range(BLOCK):
                    small[np.uint64(ends + i)] += small[np.uint64(freqs + i)]
            is_first = False
        freqs += PLACES
    if is_first:
        for i in range(BLOCK):
            small[np.uint64(ends + i)] = 0
    add_up(small, ends, np.int64(0))


@inner
def _first_position(posting_words, field_count, term, field, state, small):
    """Return the number of a term's first position in a field of the article that it is at; its ENDS are made.

    In a damaged segment it can be any number.
    """
    block = state[term, CURSOR]
    at = part_of(term, field_count) + state[term, PLACE]
    first = np.int64(small[np.uint64(at + ENDS)])
    if block < state[term, FULL]:
        first += np.int64(posting_words[state[term, SKIPS] + block * SKIP_WORDS + 2])
    else:
        # Those of the tail are counted from the end.
        first += state[term, POSITIONS_COUNT] - np.int64(small[part_of(term, field_count) + ENDS + PLACES - 1])
    at += FREQUENCIES + field * PLACES
    for _ in range(field, field_count):
        first -= np.int64(small[np.uint64(at)])
        at += PLACES
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
def _has_in_field(posting_words, data, words, field_count, phrases, at, field, state, small, room):
    """Tell whether the phrase at `phrases[at]` stands in a field: 1, 0, or -1 for damage."""
    size = phrases[at + PHRASE_SIZE]
    rarest = np.int64(0)
    for part in range(size):
        term = phrases[at + PHRASE_HEAD + 2 * part]
        count = np.int64(small[part_of(term, field_count) + FREQUENCIES + field * PLACES + state[term, PLACE]])
        if count == 0:
            return 0
        room[SPANS + part] = count
        if count < room[SPANS + rarest]:
            rarest = part
    term = phrases[at + PHRASE_HEAD + 2 * rarest]
    offset = phrases[at + PHRASE_HEAD + 2 * rarest + 1]
    index = _first_position(posting_words, field_count, term, field, state, small)
    end = index + room[SPANS + rarest]
    if index < 0 or end > state[term, POSITIONS_COUNT]:
        return -1
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
                place = at + PHRASE_HEAD + 2 * part
                other = phrases[place]
                first = _first_position(posting_words, field_count, other, field, state, small)
                count = room[SPANS + part]
                if first < 0 or first + count > state[other, POSITIONS_COUNT]:
                    return -1
                found = _keep(
                    data, words, posting_words, field_count, other, phrases[place + 1], first, count, state, small,
                    room, found,
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
        room: int64[SPANS + words], overwritten there and from ROOM to 2 · ROOM.

    Returns:
        1, 0, or -1 for damage.
    """
    for part in range(phrases[at + PHRASE_SIZE]):
        term = phrases[at + PHRASE_HEAD + 2 * part]
        if load_freqs(posting_data, posting_words, field_count, term, state[term, CURSOR], state, small) < 0:
            return -1
        _load_ends(field_count, term, state, small)
    for field in range(field_count):
        if phrases[at + PHRASE_FIELDS] >> field & 1:
            found = _has_in_field(posting_words, data, words, field_count, phrases, at, field, state, small, room)
            if found != 0:
                return found
    return 0
