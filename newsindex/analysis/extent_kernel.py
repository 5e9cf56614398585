"""Compiled tokenizer, the rules: what is known of a character, and how far a word that is no plain run reaches.

Words are found on shapes, one byte for each character:

- below 0x80: a letter or digit that folds to this byte, a small letter or digit of ASCII;
- 0x80 to 0xBF: another character of words, `WIDE` and its flags;
- from 0xC0: a character between words, `BETWEEN` and its flags;
- 0: not known yet; it is filled in on demand.
"""

from __future__ import annotations

import numpy as np

from newsindex.kernel import inner

WIDE, BETWEEN = 0x80, 0xC0
LETTER, DIGIT, IDEOGRAPH = 1, 2, 4  # flags of WIDE, and of a kind
ONE = 0x10  # flag of WIDE: a letter that folds to one code point
APOSTROPHE, DOT, COMMA = 1, 2, 4  # flags of BETWEEN
MARK = 0x10  # flag of BETWEEN: may make one letter together with the one before it
ENDS_ALONE = 0x10  # flag of BETWEEN with ENDING: ends a sentence or paragraph without white space
ENDING = 0x20  # flag of BETWEEN: may end a sentence or a paragraph
SPECIAL = 0x08  # flag of both: invisible, or may make one letter together with the one before it
UNKNOWN = 0

# An entry: the folded code point (or, for MULTI, where in `folds` the folded form stands: its length, then its code
# points), and flags.
FOLDED = (1 << 21) - 1
SPACE = 1 << 21  # white space, as in a regular expression
LOWER = 1 << 22  # a small letter
ALPHA = 1 << 23  # folds to one letter
MULTI = 1 << 24  # folds to several code points

# A kind: what a shape says, each flag with one meaning.
WORD = LETTER | DIGIT
JOINS, STOPS, GROUPS, SIMPLE = 8, 16, 32, 64  # apostrophe; dot; comma; a letter that folds to one code point


def _kind(shape: int) -> int:
    if shape < WIDE:
        return DIGIT if shape < 0x40 else LETTER | SIMPLE
    if shape < BETWEEN:
        return shape & (LETTER | DIGIT | IDEOGRAPH) | (SIMPLE if shape & ONE else 0)
    return (shape & (APOSTROPHE | DOT | COMMA)) << 3


KINDS = np.array([_kind(shape) for shape in range(256)], np.uint8)


@inner
def is_possessive(shapes, at):
    """Tell whether an apostrophe and a final s stand here."""
    if shapes[at] != BETWEEN | APOSTROPHE or shapes[at + 1] != 115:
        return False
    kind = KINDS[shapes[at + 2]]
    return not (kind & WORD or (kind & JOINS and KINDS[shapes[at + 3]] & LETTER))


@inner
def extent(shapes, at):
    """Return what the word that begins here takes.

    Returns:
        (first, last, next, left_out, apostrophe): the word is `[first, last)` without the characters whose kind has a
        flag of `left_out`; the search goes on at `next`; its first apostrophe, or -1.
    """
    kind = KINDS[shapes[at]]
    if kind & IDEOGRAPH:
        last = at + 2 if KINDS[shapes[at + 1]] & IDEOGRAPH else at + 1
        return at, last, at + 1 if KINDS[shapes[last]] & IDEOGRAPH else last, 0, -1
    after = at
    if kind & LETTER:  # U.S. or U.S
        while KINDS[shapes[after]] & LETTER and KINDS[shapes[after + 1]] & STOPS:
            after += 2
        if after > at and KINDS[shapes[after]] & LETTER:
            kind = KINDS[shapes[after + 1]]
            joined = kind & JOINS and KINDS[shapes[after + 2]] & LETTER
            if not kind & WORD and (not joined or is_possessive(shapes, after + 1)):
                after += 1
        if after > at + 2:
            return at, after, after + 2 if is_possessive(shapes, after) else after, STOPS, -1
        after = at
    else:  # a number: digits, groups of three, one decimal point; but 1.2.3 is three of them
        while KINDS[shapes[after]] & DIGIT:
            after += 1
        grouped = after <= at + 3
        inside = KINDS[shapes[at - 1]] & (STOPS | GROUPS) and KINDS[shapes[at - 2]] & DIGIT
        while not inside and KINDS[shapes[after]] & (STOPS | GROUPS):
            end = after + 1
            while KINDS[shapes[end]] & DIGIT:
                end += 1
            if KINDS[shapes[after]] & STOPS:
                if end > after + 1 and not (KINDS[shapes[end]] & STOPS and KINDS[shapes[end + 1]] & DIGIT):
                    after = end
                break
            if not grouped or end != after + 4:
                break
            after = end
    apostrophe = -1
    while True:
        kind = KINDS[shapes[after]]
        if not kind & WORD:
            if not (kind & JOINS and after > at and KINDS[shapes[after + 1]] & LETTER):
                break
            if apostrophe < 0:
                apostrophe = after
        after += 1
    possessive = apostrophe >= 0 and after - 2 > at and is_possessive(shapes, after - 2)
    return at, after - 2 if possessive else after, after, GROUPS, apostrophe
