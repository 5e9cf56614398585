"""Compiled tokenizer: the words of many texts to numbers, the same words as `tokenizer.words` finds.

Texts come as UTF-8; some at a time, that the processor's cache holds, are laid out as code points, each text followed
by `MARGIN` zeros so that looking ahead needs no test; `extent_kernel` says what is known of each: its shape, of one
byte. A plain word, a run of up to 16 letters and digits that fold to ASCII, is found eight shapes at a time and is its
own key. For other words `extent` applies the rules.

The kernel never grows or fills anything itself: it stops with a request, and goes on when called again. Words interned
until then stay; the text at work is begun again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import types
from numba.extending import intrinsic, overload

from newsindex.analysis.extent_kernel import (
    ALPHA,
    APOSTROPHE,
    BETWEEN,
    DIGIT,
    DOT,
    ENDS_ALONE,
    FOLDED,
    IDEOGRAPH,
    JOINS,
    KINDS,
    LETTER,
    LOWER,
    MARK,
    MULTI,
    ONE,
    SIMPLE,
    SPACE,
    SPECIAL,
    STOPS,
    WIDE,
    WORD,
    extent,
)
from newsindex.analysis.layout_kernel import MARGIN, lay_out
from newsindex.kernel import inner, kernel, lean

__all__ = ["PACKED", "Characters", "Dictionary", "Output", "rehash", "tokenize_texts"]

ONES = 0x0101010101010101
LOWER_SEVEN = 0x00FFFFFFFFFFFFFF  # of eight shapes
POSITIVE = 0x7FFFFFFFFFFFFFFF
TAG = 31  # bits
AFTER_STOP = 3
PACKED = 16  # letters of ASCII that make up the keys of a word
SEED = 2166136261  # of the hash of other words, FNV-1a over code points
LONG = 63  # letters, of a word that may be longer than a term

DONE, NEEDS_LAYOUT, NEEDS_SHAPES, NEEDS_PAIR, NEEDS_ARENA, NEEDS_SLOTS, NEEDS_SCRATCH = range(7)

# Places in the state: how many texts have been laid out, whether one of those that are has a special character; the
# text at work; counts so far; how much of its text has been read for `visible`, and the end of what was written there;
# what a request is about.
LAID, SPECIALS, TEXT, TOKENS, LONGS, SURFACES, ARENA_USED, READ, COMPACTED, NEED, PAIR, STATES = range(12)


class Characters(NamedTuple):
    """What is known of code points, and room for texts with invisible characters and marks."""

    shapes: npt.NDArray[np.uint8]  # [0x110000]
    entries: npt.NDArray[np.int32]  # [0x110000]
    folds: npt.NDArray[np.uint32]
    pair_keys: npt.NDArray[np.int64]  # a cache of compositions: first << 21 | second; its size is a power of two
    pair_wholes: npt.NDArray[np.uint32]  # the letter that they make, or 0
    widest: int  # the longest folded form of one code point so far
    visible: npt.NDArray[np.uint32]  # texts without what is invisible, each beginning where it does in `codes`
    visible_starts: npt.NDArray[np.int64]  # where in `codes` each character stands


class Dictionary(NamedTuple):
    """The surfaces so far: their keys, and the letters of those whose key is below 0."""

    arena: npt.NDArray[np.uint32]
    keys: npt.NDArray[np.int64]  # two for each surface; below 0 the second says where in the arena it begins
    slots: npt.NDArray[np.int64]  # open addressing: tag << 32 | surface + 1, or 0; a power of two
    abbreviations: int  # the first surfaces are these
    elisions: npt.NDArray[np.int64]  # keys of the short words that an apostrophe joins to the next


class Output(NamedTuple):
    """Where tokens go; there is room for as many as there are bytes."""

    surface_ids: npt.NDArray[np.uint32]
    boundaries: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]  # [texts + 1], the first already written


def _low_zeros(number):
    """Return how many bits below the lowest one are 0; 64 for 0."""
    return (number & -number).bit_length() - 1 if number else 64


@intrinsic
def _count_low_zeros(_context, number):
    def generate(context, builder, _signature, arguments):
        return builder.cttz(arguments[0], context.get_constant(types.boolean, 0))

    return number(number), generate


@overload(_low_zeros)
def _low_zeros_compiled(number):
    return lambda number: _count_low_zeros(number)


@inner
def _shift(slots):
    """Return how far to shift a tag to come to its slot."""
    shift, size = TAG, slots.size
    while size > 1:
        size >>= 1
        shift -= 1
    return shift


@inner
def _tag(key, more):
    """Return the hash of a word: its upper bits say which slot."""
    return ((key * 0x1E3779B97F4A7C15 + more * 0x2545F4914F6CDD1D) & POSITIVE) >> 32


@kernel
def rehash(keys, count, slots):
    """Put the surfaces into `slots`: zeros, a power of two. Frequent words, which come first, get the best places."""
    shift = _shift(slots)
    for surface in range(count):
        key = int(keys[2 * surface])
        tag = _tag(key, int(keys[2 * surface + 1]) if key >= 0 else 0)
        at = tag >> shift
        while slots[at]:
            at = (at + 1) & (slots.size - 1)
        slots[at] = tag << 32 | (surface + 1)


@inner
def _is_among(keys, key):
    found = False
    for place in range(keys.size):
        found |= keys[place] == key
    return found


@inner
def _is_blank(code):
    return code == 0x20 or code == 0x09


@inner
def _boundary(codes, entries, gap_start, gap_end):
    """Return what begins at `gap_end`: 2 a paragraph, 1 a sentence, 0 nothing.

    Or `AFTER_STOP`: a sentence, unless the word before the gap is an abbreviation or an initial.
    """
    newline = -1
    unspaced = False
    for at in range(gap_start, gap_end):
        code = codes[at]
        if code == 0x2029:
            return 2
        if code == 0x0A:
            if newline >= 0:
                return 2
            newline = at
        elif newline >= 0:
            if not entries[code] & SPACE:
                newline = -1
            elif at == newline + 2 and _is_blank(code) and _is_blank(codes[at - 1]):
                return 2
        unspaced |= code == 0x3002 or code == 0xFF01 or code == 0xFF1F or code == 0xFF61  # 。！？｡
    if unspaced:
        return 1
    if entries[codes[gap_end]] & LOWER:
        return 0
    for at in range(gap_start, gap_end):
        code = codes[at]
        # . ! ? … ؟ ।
        if code == 0x2E or code == 0x21 or code == 0x3F or code == 0x2026 or code == 0x061F or code == 0x0964:
            after = at + 1
            while after < gap_end:
                c = codes[after]
                # " ' ” ’ » ) ]
                closes = c == 0x22 or c == 0x27 or c == 0x201D or c == 0x2019 or c == 0xBB or c == 0x29 or c == 0x5D
                if not closes:
                    break
                after += 1
            if after < gap_end and entries[codes[after]] & SPACE:
                return AFTER_STOP if code == 0x2E else 1
    return 0


@inner
def _compact(codes, shapes, begin, end, characters, state):
    """Write the text's characters that count to `visible`, composed, and their shapes; return DONE or NEEDS_PAIR."""
    table, _, _, pair_keys, pair_wholes, _, visible, starts = characters
    at, count = state[READ], state[COMPACTED]
    while at < end:
        code = int(codes[at])
        shape = int(table[code])
        ignored = shape >= BETWEEN and shape & SPECIAL
        last = KINDS[shapes[count - 1]] if count > begin else 0
        takes = last & (LETTER | IDEOGRAPH) if ignored else last & IDEOGRAPH
        whole = 0
        if takes and shape & SPECIAL and (not ignored or shape & MARK):
            key = int(visible[count - 1]) << 21 | code
            slot = (key ^ (key >> 21) * 31) & (pair_keys.size - 1)
            if pair_keys[slot] != key:
                state[READ], state[COMPACTED], state[NEED], state[PAIR] = at, count, slot, key
                return NEEDS_PAIR
            whole = int(pair_wholes[slot])
        if whole:
            visible[count - 1] = whole
            shapes[count - 1] = table[whole]
        elif not ignored:
            visible[count] = code
            shapes[count] = shape
            starts[count] = at
            count += 1
        at += 1
    state[READ], state[COMPACTED] = at, count
    for at in range(count, end):
        shapes[at] = BETWEEN
    return DONE


@inner
def _is_special(shapes, begin, end):
    special = 0
    for at in range(begin, end):
        special |= shapes[at] & (shapes[at] >> 4) & SPECIAL
    return special != 0


@lean
def tokenize_texts(data, ends, layout, characters, dictionary, output, state):
    """Write the tokens of texts.

    Args:
        data: uint8[], the texts in UTF-8, surrogates included.
        ends: int64[texts + 1], 0 and where each ends.
        layout: Layout; overwritten.
        characters: Characters; what is in ASCII has its shapes and entries.
        dictionary: Dictionary.
        output: Output.
        state: int64[STATES]: LAID and TEXT are 0 at first, READ -1; the rest is counts so far. Changed.

    Returns:
        DONE, or what the caller must do before it calls again: give a layout of at least -NEED codes; fill the shapes
        and entries of the 256 code points around NEED; put the pair PAIR with its composition into slot NEED; give an
        arena of at least NEED, larger `slots` and `keys`, or a `visible` and its starts of at least NEED.
    """
    codes, shapes, eights, bounds = layout
    table, entries, folds, _, _, widest, visible, visible_starts = characters
    arena, keys, slots, abbreviations, elisions = dictionary
    surface_ids, boundaries, starts = output
    shift = _shift(slots)
    token = state[TOKENS]
    used = state[ARENA_USED]
    for text in range(state[TEXT], bounds.size - 1):
        state[TEXT], state[TOKENS] = text, token
        if text == state[LAID]:
            laid, state[SPECIALS], state[NEED] = lay_out(data, ends, text, table, layout)
            if laid == text:
                return NEEDS_SHAPES if state[NEED] >= 0 else NEEDS_LAYOUT
            state[LAID] = laid
        begin, end = bounds[text], bounds[text + 1] - MARGIN
        compacted = state[READ] >= 0
        if state[SPECIALS] and not compacted and _is_special(shapes, begin, end):
            if visible.size < codes.size:
                state[NEED] = codes.size
                return NEEDS_SCRATCH
            state[READ] = state[COMPACTED] = begin
            compacted = True
        if compacted and _compact(codes, shapes, begin, end, characters, state) != DONE:
            return NEEDS_PAIR
        chars = visible if compacted else codes
        last_end, dotted = begin, False
        at = begin
        while at < end and shapes[at] >= BETWEEN:
            at += 1
        ending, elided = -1, -1
        while at < end:
            # A plain word of up to 16 letters, and what follows it.
            first = at
            eight = int(eights[np.uint64(at)])
            other = (eight >> 7) & ONES
            key, more = eight & ~other & (other - 1), 0
            after = at + (_low_zeros(other) >> 3)
            if not other:
                eight = int(eights[np.uint64(at + 8)])
                other = (eight >> 7) & ONES
                more = eight & ~other & (other - 1)
                after += _low_zeros(other) >> 3
            last = after
            shape = shapes[np.uint64(after)]
            following = shapes[np.uint64(after + 1)]
            usual = shape == BETWEEN and following < BETWEEN  # one blank, and a word
            is_letter = False
            if not usual:
                plain = shape & 0xC7 == BETWEEN
                if not plain and shape >= BETWEEN and after > first:
                    if shape & APOSTROPHE:
                        third = shapes[after + 2]
                        if following == 115 and third >= BETWEEN and not third & APOSTROPHE:
                            plain = True  # a final 's
                            after += 2
                        elif elided < 0 and KINDS[following] & LETTER and not more and _is_among(elisions, key):
                            elided, at = at, after + 1
                            continue
                    elif key & 0xFF >= 0x40:
                        plain = after > first + 1 or not shape & DOT
                    else:
                        plain = not KINDS[following] & DIGIT
                is_letter = 0x40 <= key < 0x80
                if not plain:
                    first = elided if elided >= 0 else at
                    left_out, apostrophe, last = 0, -1, first
                    if shape & (BETWEEN | ONE) == WIDE | ONE:  # perhaps letters of another script alone, one to one
                        while KINDS[shapes[np.uint64(last)]] & SIMPLE:
                            last += 1
                    after, kind = last, KINDS[shapes[np.uint64(last)]]
                    if last == first or kind & (WORD | JOINS) or (kind & STOPS and last == first + 1):
                        first, last, after, left_out, apostrophe = extent(shapes, first)
                    room = (last - first) * widest
                    if used + room > arena.size:
                        state[NEED] = used + room
                        return NEEDS_ARENA
                    key, more = 0, 0
                    if 0 <= apostrophe < last and apostrophe <= first + 8:
                        for place in range(apostrophe - 1, first - 1, -1):
                            key = key << 8 | int(shapes[place])
                        if _is_among(elisions, key):
                            first = apostrophe + 1
                    # Its folded form, at the end of the arena.
                    stop, mixed, wide = used, SEED, 0
                    for place in range(first, last):
                        if KINDS[shapes[np.uint64(place)]] & left_out:
                            continue
                        entry = int(entries[chars[np.uint64(place)]])
                        fold = entry & FOLDED
                        for part in range(fold + 1, fold + 1 + folds[fold]) if entry & MULTI else range(1):
                            code = int(folds[part]) if entry & MULTI else fold
                            arena[np.uint64(stop)] = code
                            stop += 1
                            mixed, wide = ((mixed ^ code) * 16777619) & 0xFFFFFFFF, wide | code
                    length, key = stop - used, 0
                    if length > PACKED or wide > 127:
                        key = int(~(length << 32 | mixed))
                    else:
                        for place in range(length - 1, -1, -1):
                            more = more << 8 | key >> 56
                            key = (key & LOWER_SEVEN) << 8 | int(arena[used + place])
                    is_letter = length == 1 and entries[chars[first]] & ALPHA != 0
                    state[LONGS] += length > LONG
                elided = -1
            # Its surface.
            tag = _tag(key, more)
            slot = tag >> shift
            while True:
                found = slots[np.uint64(slot)]
                surface = (found & 0xFFFFFFFF) - 1
                if found >> 32 == tag and surface >= 0 and keys[np.uint64(2 * surface)] == key:
                    place = keys[np.uint64(2 * surface + 1)]
                    if place == more:
                        break
                    if key < 0:
                        length, same = ~key >> 32, 0
                        while same < length and arena[place + same] == arena[used + same]:
                            same += 1
                        if same == length:
                            break
                elif not found:
                    surface = state[SURFACES]
                    if 2 * surface >= slots.size or 2 * surface + 1 >= keys.size:
                        return NEEDS_SLOTS
                    slots[slot] = tag << 32 | (surface + 1)
                    keys[2 * surface] = key
                    keys[2 * surface + 1] = more if key >= 0 else used
                    if key < 0:
                        used += ~key >> 32
                    state[SURFACES], state[ARENA_USED] = surface + 1, used
                    break
                slot = (slot + 1) & (slots.size - 1)
            # Whether a sentence or a paragraph begins with it.
            what = 0
            if ending:
                if ending < 0:
                    what = 2
                elif compacted or first != last_end + 1 or shapes[last_end] & ENDS_ALONE:
                    start = visible_starts[first] if compacted else first
                    if start == last_end + 2 and codes[last_end] == 0x2E and codes[last_end + 1] == 0x20:
                        what = 0 if entries[codes[start]] & LOWER else AFTER_STOP  # as below, without a call
                    else:
                        what = _boundary(codes, entries, last_end, start)
                    if what == AFTER_STOP:
                        what = int(not dotted)
            boundaries[np.uint64(token)] = what
            surface_ids[np.uint64(token)] = surface
            token += 1
            if usual:
                at, ending, elided = after + 1, 0, -1
            else:
                # A mark after it counts to the gap here, where it changes nothing.
                last_end = visible_starts[last - 1] + 1 if compacted else last
                dotted = is_letter or surface < abbreviations
                at, ending = after, 0
                while True:
                    eight = int(eights[np.uint64(at)])
                    words = (~(eight & eight << 1) >> 7) & ONES
                    ending |= eight >> 5 & ~words & (words - 1) & ONES
                    at += _low_zeros(words) >> 3
                    if words or at >= end:
                        break
        starts[text + 1] = token
        state[READ] = -1
    state[TEXT], state[TOKENS] = bounds.size - 1, token
    return DONE
