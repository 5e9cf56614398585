"""Compiled tokenizer: the words of many texts to numbers, the same words as `tokenizer.words` finds.

A text is an array of code points, followed by `MARGIN` zeros so that looking ahead needs no test. What is known of a
code point is one number, its entry: the folded code point in the low 21 bits (or, for `MULTI`, where in `folds` the
folded form stands: its length, then its code points) and flags above. Entries are filled on demand.

The kernel never grows or fills anything itself: it stops with a request, and goes on when called again. Words interned
until then stay; the text at work is begun again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["MARGIN", "Characters", "Dictionary", "Output", "rehash", "tokenize_texts"]

MARGIN = 3

FOLDED = (1 << 21) - 1
LETTER, DIGIT, IDEOGRAPH, IGNORED, APOSTROPHE, DOT, COMMA = (1 << bit for bit in range(21, 28))
WORD = LETTER | DIGIT
KNOWN = 1 << 28  # set in every entry that has been filled
SPACE = 1 << 29  # white space, as in a regular expression
LOWER = 1 << 30  # a small letter
ALPHA = 1 << 31  # folds to one letter
ENDING = 1 << 32  # may end a sentence or a paragraph
MULTI = 1 << 33  # folds to several code points
COMPOSES = 1 << 34  # may make one letter together with the one before it
SIMPLE = 1 << 35  # a letter that folds to one code point

SEED = 2166136261  # of the hash, FNV-1a over code points
PACKED_LETTERS = 9  # of seven bits
PACKED_BEFORE = (1 << 56) - 1
SHORT = 64  # letters of a word that need no more looking at

DONE, NEEDS_BLOCK, NEEDS_PAIR, NEEDS_ARENA, NEEDS_SLOTS, NEEDS_SCRATCH = range(6)

# Places in the state: the text at work; counts so far; how much of its text has been read for `visible`, and the end of
# what was written there; what a request is about.
TEXT, TOKENS, SURFACES, ARENA_USED, READ, COMPACTED, NEED, PAIR, STATES = range(9)


class Characters(NamedTuple):
    """What is known of code points, and room for a text with invisible characters and marks."""

    entries: npt.NDArray[np.int64]  # [0x110000]
    folds: npt.NDArray[np.uint32]
    pair_keys: npt.NDArray[np.int64]  # a cache of compositions: first << 21 | second; its size is a power of two
    pair_wholes: npt.NDArray[np.uint32]  # the letter that they make, or 0
    widest: int  # the longest folded form of one code point so far
    visible: npt.NDArray[np.uint32]  # one text without what is invisible, between margins
    visible_starts: npt.NDArray[np.uint32]  # where in the text each stands


class Dictionary(NamedTuple):
    """The surfaces so far: surface i is `arena[ends[i]:ends[i + 1]]`."""

    arena: npt.NDArray[np.uint32]
    ends: npt.NDArray[np.int64]
    slots: npt.NDArray[np.int64]  # open addressing, in pairs: key, tag << 32 | surface + 1 (or 0); a power of two
    abbreviations: int  # the first surfaces are these
    elisions: npt.NDArray[np.int64]  # short words that an apostrophe joins to the next, packed


class Output(NamedTuple):
    """Where tokens go; there is room for as many as there are characters."""

    surface_ids: npt.NDArray[np.uint32]
    boundaries: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]  # [texts + 1], the first already written


@njit(cache=True, nogil=True)
def rehash(slots, larger):
    """Put what `slots` hold into `larger`: zeros, a power of two."""
    for slot in range(1, slots.size, 2):
        if slots[slot]:
            at = (slots[slot] >> 31 | 1) & (larger.size - 1)
            while larger[at]:
                at = (at + 2) & (larger.size - 1)
            larger[at - 1], larger[at] = slots[slot - 1], slots[slot]


@njit(cache=True, nogil=True, inline="always")
def _mix(mixed, code):
    return ((mixed ^ code) * 16777619) & 0xFFFFFFFF


@njit(cache=True, nogil=True, inline="always")
def _pack(packed, code):
    return (packed & PACKED_BEFORE) << 7 | code


@njit(cache=True, nogil=True, inline="always")
def _find(arena, ends, slots, used, length, mixed, packed, wide):
    """Return (the surface that equals `arena[used:used + length]`, or -1; its slot, or the free one; tag; key).

    Short words of ASCII are their own key, the rest is compared: most tokens touch one cache line.
    """
    tag = (mixed ^ (mixed >> 15)) & 0x7FFFFFFF
    whole = length <= PACKED_LETTERS and wide < 128
    key = packed if whole else ~(length << 32 | mixed)
    at = (tag << 1 | 1) & (slots.size - 1)
    while slots[at]:
        if slots[at - 1] == key:
            surface = (slots[at] & 0xFFFFFFFF) - 1
            same = length if whole else 0
            begin = np.int64(0) if whole else ends[surface]
            while same < length and arena[begin + same] == arena[used + same]:
                same += 1
            if same == length:
                return surface, at, tag, key
        at = (at + 2) & (slots.size - 1)
    return np.int64(-1), at, tag, key


@njit(cache=True, nogil=True)
def _fold(chars, first, last, left_out, entries, folds, arena, used):
    """Write the folded form of characters to the arena from `used`; return what `_find` takes from it."""
    at = used
    mixed, packed, wide = np.int64(SEED), np.int64(0), np.int64(0)
    for place in range(first, last):
        entry = entries[chars[place]]
        if entry & left_out:
            continue
        fold = entry & FOLDED
        for part in range(fold + 1, fold + 1 + folds[fold]) if entry & MULTI else range(1):
            code = np.int64(folds[part]) if entry & MULTI else fold
            arena[at] = code
            at += 1
            mixed, packed, wide = _mix(mixed, code), _pack(packed, code), wide | code
    return at - used, mixed, packed, wide


@njit(cache=True, nogil=True)
def _is_among(keys, key):
    found = False
    for place in range(keys.size):
        found |= keys[place] == key
    return found


@njit(cache=True, nogil=True)
def _is_possessive(entries, chars, at):
    """Tell whether an apostrophe and a final s stand here."""
    if not entries[chars[at]] & APOSTROPHE:
        return False
    second = entries[chars[at + 1]]
    if second & FOLDED != 115 or second & MULTI:
        return False
    third = entries[chars[at + 2]]
    if third & WORD:
        return False
    return not (third & APOSTROPHE and entries[chars[at + 3]] & LETTER)


@njit(cache=True, nogil=True)
def _initials_end(entries, chars, at):
    """Return the end of `U.S.` or `U.S` that begins here, or `at`."""
    after = at
    while entries[chars[after]] & LETTER and entries[chars[after + 1]] & DOT:
        after += 2
    letters = (after - at) >> 1
    if letters and entries[chars[after]] & LETTER and not entries[chars[after + 1]] & WORD:
        joined = entries[chars[after + 1]] & APOSTROPHE and entries[chars[after + 2]] & LETTER
        if not joined or _is_possessive(entries, chars, after + 1):
            letters += 1
            after += 1
    return after if letters > 1 else at


@njit(cache=True, nogil=True)
def _digits_end(entries, chars, at):
    while entries[chars[at]] & DIGIT:
        at += 1
    return at


@njit(cache=True, nogil=True)
def _number_end(entries, chars, at):
    """Return the end of the number that begins here: digits, groups of three, one decimal point."""
    after = _digits_end(entries, chars, at)
    if entries[chars[at - 1]] & (DOT | COMMA) and entries[chars[at - 2]] & DIGIT:
        return after
    if after - at <= 3:
        while entries[chars[after]] & COMMA and _digits_end(entries, chars, after + 1) == after + 4:
            after += 4
    if entries[chars[after]] & DOT:
        end = _digits_end(entries, chars, after + 1)
        if end > after + 1 and not (entries[chars[end]] & DOT and entries[chars[end + 1]] & DIGIT):
            after = end
    return after


@njit(cache=True, nogil=True)
def _extent(entries, chars, at):
    """Return what the word that begins here takes.

    Returns:
        (first, last, next, left_out, apostrophe): the word is `chars[first:last]` without those whose entries have a
        flag of `left_out`; the search goes on at `next`; its first apostrophe, or -1.
    """
    entry = entries[chars[at]]
    none = np.int64(-1)
    if entry & IDEOGRAPH:
        last = at + 2 if entries[chars[at + 1]] & IDEOGRAPH else at + 1
        return at, last, at + 1 if entries[chars[last]] & IDEOGRAPH else last, 0, none
    if entry & LETTER:
        last = _initials_end(entries, chars, at)
        if last > at:
            return at, last, last + 2 if _is_possessive(entries, chars, last) else last, DOT, none
    after = _number_end(entries, chars, at) if entry & DIGIT else at
    apostrophe = none
    while True:
        entry = entries[chars[after]]
        if not entry & WORD:
            if not (entry & APOSTROPHE and after > at and entries[chars[after + 1]] & LETTER):
                break
            if apostrophe < 0:
                apostrophe = after
        after += 1
    possessive = apostrophe >= 0 and after - 2 > at and _is_possessive(entries, chars, after - 2)
    return at, after - 2 if possessive else after, after, COMMA, apostrophe


@njit(cache=True, nogil=True)
def _is_blank(code):
    return code == 0x20 or code == 0x09


@njit(cache=True, nogil=True)
def _boundary(codes, entries, gap_start, gap_end, dotted):
    """Return what begins at `gap_end`: 2 a paragraph, 1 a sentence, 0 nothing.

    The gap may begin at its first character with `ENDING`. `dotted` says that the word before it is an abbreviation or
    an initial.
    """
    newline = np.int64(-1)
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
                newline = np.int64(-1)
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
                return 0 if code == 0x2E and dotted else 1
    return 0


@njit(cache=True, nogil=True)
def _compact(codes, end, characters, state):
    """Write the text's characters that count to `visible`, composed; return DONE or NEEDS_PAIR."""
    entries, _, pair_keys, pair_wholes, _, visible, starts = characters
    at, count = state[READ], state[COMPACTED]
    while at < end:
        code = np.int64(codes[at])
        entry = entries[code]
        last = entries[visible[count - 1]] if count > MARGIN else np.int64(0)
        takes = last & ((LETTER | IDEOGRAPH) if entry & IGNORED else IDEOGRAPH)
        whole = np.int64(0)
        if takes and entry & COMPOSES:
            key = np.int64(visible[count - 1]) << 21 | code
            slot = (key ^ (key >> 21) * 31) & (pair_keys.size - 1)
            if pair_keys[slot] != key:
                state[READ], state[COMPACTED], state[NEED], state[PAIR] = at, count, slot, key
                return NEEDS_PAIR
            whole = np.int64(pair_wholes[slot])
        if whole:
            visible[count - 1] = whole
        elif not entry & IGNORED:
            visible[count] = code
            starts[count] = at
            count += 1
        at += 1
    for margin in range(MARGIN):
        visible[count + margin] = 0
    state[READ], state[COMPACTED] = at, count
    return DONE


@njit(cache=True, nogil=True)
def _tokenize(codes, compacted, begin, end, characters, dictionary, output, state):
    """Write the tokens of one text; return DONE, NEEDS_ARENA or NEEDS_SLOTS."""
    # Taken apart here: each use of a tuple's array counts references.
    entries, folds, _, _, widest, visible, visible_starts = characters
    arena, ends, slots, abbreviations, elisions = dictionary
    surface_ids, boundaries, _ = output
    chars = visible if compacted else codes
    at, stop = (MARGIN, state[COMPACTED]) if compacted else (begin, end)
    first_token = token = state[TOKENS]
    used = state[ARENA_USED]
    last_end = begin
    dotted = False
    while at < stop:
        entry = entries[chars[at]]
        if not entry & (WORD | IDEOGRAPH):
            at += 1
            continue
        if used + SHORT > arena.size:
            state[NEED] = used + SHORT
            return NEEDS_ARENA
        # Nearly every word is letters alone, one to one: folded while they are read.
        first = after = at
        mixed, packed, wide = np.int64(SEED), np.int64(0), np.int64(0)
        limit = first + SHORT
        while entry & SIMPLE and after < limit:
            code = entry & FOLDED
            arena[used + after - first] = code
            mixed, packed, wide = _mix(mixed, code), _pack(packed, code), wide | code
            after += 1
            entry = entries[chars[after]]
        length = last = after - first
        if length and not entry & (WORD | APOSTROPHE) and not (entry & DOT and length == 1):
            at = last = after
        else:
            first, last, at, left_out, apostrophe = _extent(entries, chars, at)
            room = (last - first) * widest
            if used + room > arena.size:
                state[NEED] = used + room
                return NEEDS_ARENA
            if 0 <= apostrophe < last and elisions.size:
                length, _, packed, wide = _fold(chars, first, apostrophe, left_out, entries, folds, arena, used)
                if length <= PACKED_LETTERS and wide < 128 and _is_among(elisions, packed):
                    first = apostrophe + 1
            length, mixed, packed, wide = _fold(chars, first, last, left_out, entries, folds, arena, used)
        surface, slot, tag, key = _find(arena, ends, slots, used, length, mixed, packed, wide)
        if surface < 0:
            surface = state[SURFACES]
            if 4 * surface >= slots.size or surface + 1 >= ends.size:
                return NEEDS_SLOTS
            slots[slot - 1], slots[slot] = key, tag << 32 | surface + 1
            used += length
            ends[surface + 1] = used
            state[SURFACES], state[ARENA_USED] = surface + 1, used
        start = np.int64(visible_starts[first]) if compacted else first
        if token == first_token:
            boundaries[token] = 2
        else:
            while last_end < start and not entries[codes[last_end]] & ENDING:
                last_end += 1
            boundaries[token] = _boundary(codes, entries, last_end, start, dotted) if last_end < start else 0
        surface_ids[token] = surface
        token += 1
        # A mark after it counts to the gap here, where it changes nothing.
        last_end = np.int64(visible_starts[last - 1]) + 1 if compacted else last
        dotted = surface < abbreviations or (length == 1 and entries[chars[first]] & ALPHA != 0)
    state[TOKENS] = token
    return DONE


@njit(cache=True, nogil=True)
def tokenize_texts(codes, bounds, characters, dictionary, output, state):
    """Write the tokens of texts.

    Args:
        codes: uint32[n] code points, all below 0x110000; `MARGIN` zeros before the first text and after each.
        bounds: int64[texts + 1]; text i is `codes[bounds[i]:bounds[i + 1] - MARGIN]`.
        characters: Characters; the entry of 0 has been filled.
        dictionary: Dictionary.
        output: Output.
        state: int64[STATES]: TEXT is 0 at first, READ -1; the rest is counts so far. Changed.

    Returns:
        DONE, or what the caller must do before it calls again: fill the block of 256 entries of code point NEED; put
        the pair PAIR with its composition into slot NEED; give an arena of at least NEED, a larger `slots` and `ends`,
        or a `visible` and its starts of at least NEED.
    """
    entries = characters.entries
    for text in range(state[TEXT], bounds.size - 1):
        state[TEXT] = text
        begin, end = bounds[text], bounds[text + 1] - MARGIN
        compacted = state[READ] >= 0
        if not compacted:
            seen, known = np.int64(0), np.int64(KNOWN)
            for at in range(begin, end):
                entry = entries[codes[at]]
                seen |= entry
                known &= entry
            if not known:
                for at in range(begin, end):
                    if not entries[codes[at]]:
                        state[NEED] = codes[at]
                        return NEEDS_BLOCK
            compacted = seen & (IGNORED | COMPOSES) != 0
        if compacted:
            if characters.visible.size < end - begin + 2 * MARGIN:
                state[NEED] = end - begin + 2 * MARGIN
                return NEEDS_SCRATCH
            if state[READ] < 0:
                state[READ], state[COMPACTED] = begin, MARGIN
            request = _compact(codes, end, characters, state)
            if request != DONE:
                return request
        request = _tokenize(codes, compacted, begin, end, characters, dictionary, output, state)
        if request != DONE:
            return request
        output.starts[text + 1] = state[TOKENS]
        state[READ] = -1
    state[TEXT] = bounds.size - 1
    return DONE
