"""Text to words: the analysis contract, in plain Python.

Words are runs of letters and digits, folded (case, accents, widths, ligatures; invisible characters dropped), and:

- an apostrophe, straight or curly, joins letters: `didn’t` is one word; a final `'s` is dropped: `China's` is china;
- single letters with full stops between them are one word: `U.S.` is us;
- a comma before three digits and one full stop between digits belong to the number: `20,000` is 20000, `3.5` is 3.5;
- everything else separates: `COVID-19` is two adjacent words;
- scripts without spaces give overlapping pairs of characters; one alone is a word.

Accents are folded before stemming, so that a word typed without its accents always finds the word with them.
"""

from __future__ import annotations

from dataclasses import dataclass

from newsindex.analysis.boundaries import boundary
from newsindex.analysis.characters import (
    APOSTROPHE,
    COMMA,
    DIGIT,
    DOT,
    IDEOGRAPH,
    IGNORED,
    LETTER,
    compose,
    lookup,
)

__all__ = ["Word", "words"]

_WORD = (LETTER, DIGIT)


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text: its folded form, and the offsets of what was written: `text[start:end]`.

    `boundary` is 0 inside a sentence, 1 when the word begins a sentence, 2 when it begins a paragraph.
    """

    surface: str
    start: int
    end: int
    boundary: int


class _Characters:
    """The characters of a text that count: class, folded form and offsets of each, with a sentinel at the end."""

    def __init__(self, text: str) -> None:
        self.classes: list[int] = []
        self.folded: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        for offset, character in enumerate(text):
            kind, folded = lookup(character)
            if kind == IGNORED:
                if self.classes and self.classes[-1] in (LETTER, IDEOGRAPH):
                    whole = compose(self.folded[-1], character)
                    self.folded[-1] = whole or self.folded[-1]
                    # The mark belongs to what is shown as matched; an invisible character at a word's end does not.
                    if character.isprintable():
                        self.ends[-1] = offset + 1
                continue
            if kind == IDEOGRAPH and self.classes and self.classes[-1] == IDEOGRAPH:
                whole = compose(self.folded[-1], character)
                if whole:
                    self.folded[-1] = whole
                    self.ends[-1] = offset + 1
                    continue
            self.classes.append(kind)
            self.folded.append(folded)
            self.starts.append(offset)
            self.ends.append(offset + 1)
        self.classes += [0, 0, 0]  # so that looking two ahead needs no test


def words(text: str, elisions: frozenset[str] = frozenset()) -> list[Word]:
    """Return the words of a text in order.

    `elisions` are the short words that a language joins to the next with an apostrophe (`l'homme`); they are dropped.

    >>> [word.surface for word in words("The U.S.’s 20,000 didn’t")]
    ['the', 'us', '20000', "didn't"]
    """
    characters = _Characters(text)
    classes, folded = characters.classes, characters.folded
    starts, ends = characters.starts, characters.ends
    found: list[Word] = []
    last_end = 0
    at = 0
    count = len(folded)

    def keep(surface: str, first: int, after: int) -> None:
        nonlocal last_end
        start, end = starts[first], ends[after - 1]
        previous = found[-1].surface if found else None
        found.append(Word(surface, start, end, boundary(text, last_end, start, previous)))
        last_end = end

    while at < count:
        kind = classes[at]
        if kind == IDEOGRAPH:
            after = at + 1
            while after < count and classes[after] == IDEOGRAPH:
                after += 1
            if after == at + 1:
                keep(folded[at], at, after)
            for pair in range(at, after - 1):
                keep(folded[pair] + folded[pair + 1], pair, pair + 2)
            at = after
        elif kind in _WORD:
            after, surface = _initials(classes, folded, at)
            if surface:
                keep(surface, at, after)
                if classes[after] == APOSTROPHE and _is_possessive(classes, folded, after):
                    after += 2
            else:
                after = _number(classes, at) if kind == DIGIT else at
                while classes[after] in _WORD or (
                    classes[after] == APOSTROPHE and after > at and classes[after + 1] == LETTER
                ):
                    after += 1
                first, last = at, after
                if _is_possessive(classes, folded, after - 2) and after - 2 > at:
                    last = after - 2
                for place in range(first, last):
                    if classes[place] == APOSTROPHE:
                        if "".join(folded[first:place]) in elisions:
                            first = place + 1
                        break
                keep("".join(folded[place] for place in range(first, last) if classes[place] != COMMA), first, last)
            at = after
        else:
            at += 1
    return found


def _is_possessive(classes: list[int], folded: list[str], at: int) -> bool:
    """Tell whether an apostrophe and a final s stand here."""
    return (
        at >= 0
        and classes[at] == APOSTROPHE
        and at + 1 < len(folded)
        and folded[at + 1] == "s"
        and classes[at + 2] not in _WORD
        and not (classes[at + 2] == APOSTROPHE and classes[at + 3 : at + 4] == [LETTER])
    )


def _initials(classes: list[int], folded: list[str], at: int) -> tuple[int, str]:
    """Return the end and the joined letters of `U.S.` or `U.S`, or (at, "")."""
    after = at
    letters = []
    while classes[after] == LETTER and classes[after + 1] == DOT:
        letters.append(folded[after])
        after += 2
    if letters and classes[after] == LETTER and classes[after + 1] not in _WORD:
        joined = classes[after + 1] == APOSTROPHE and classes[after + 2] == LETTER
        if not joined or _is_possessive(classes, folded, after + 1):
            letters.append(folded[after])
            after += 1
    return (after, "".join(letters)) if len(letters) > 1 else (at, "")


def _number(classes: list[int], at: int) -> int:
    """Return the end of the number that begins here: digits, groups of three, one decimal point."""

    def digits(place: int) -> int:
        while classes[place] == DIGIT:
            place += 1
        return place

    after = digits(at)
    inside = at >= 2 and classes[at - 1] in (DOT, COMMA) and classes[at - 2] == DIGIT
    if inside:  # the rest of 1.2.3 or 1,2,345, which is a list and not a number
        return after
    if after - at <= 3:
        while classes[after] == COMMA and digits(after + 1) == after + 4:
            after += 4
    end = digits(after + 1)
    if classes[after] == DOT and end > after + 1 and not (classes[end] == DOT and classes[end + 1] == DIGIT):
        after = end
    return after
