"""How the words of terms may begin in a text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.analysis.characters import DIGIT, DOT, IGNORED, LETTER, lookup
from newsindex.search.letters_kernel import IS_ODD
from newsindex.search.sentences_kernel import UNKNOWN
from newsindex.search.snippet_kernel import LONGEST_WORD

__all__ = ["CHANGED", "FOLDS", "MOST_CHANGED", "beginnings", "folded", "table_of", "tell_fold", "without_longer"]

_Array = npt.NDArray[Any]
# How many letters at its end a stem may have that its words have not: "possibl" is of "possibility", "tie" of "tying",
# French "indiqu" of "indication". No word in 280,000 of real articles has more. In other languages all is analysed.
CHANGED = {"english": 1, "french": 2, "spanish": 2, "none": 0}
MOST_CHANGED = 2
_MOST_STARTS = 255
_ODD = re.compile(r"[^\x00-\x7f“”‘’–—…]")

FOLDS = np.zeros(0x110000, np.uint8)
"""What a character is to `find_snippet`; of most nobody ever asks, and then there is nothing in memory."""
FOLDS[:128] = IS_ODD


def tell_fold(code: int) -> None:
    """Write into `FOLDS` what a character is."""
    character = chr(code)
    kind, folded = lookup(character)
    if kind in (IGNORED, DOT) or len(folded) > 1:
        FOLDS[code] = IS_ODD
    elif kind in (LETTER, DIGIT) and folded.isascii():
        FOLDS[code] = ord(folded if character.islower() else folded.upper())
    else:
        FOLDS[code] = UNKNOWN


def beginnings(term: str, changed: int) -> tuple[str, ...]:
    """Return what the words of a term begin with, as they may be written."""
    if not term:
        return ()
    if term[0].isdigit():
        return (term[0],)  # 20,000 is 20000
    changed = MOST_CHANGED if term.endswith("ie") else changed
    start = term[: max(len(term) - changed, 1)] if len(term) > 2 else term
    start = start.partition("'")[0] or start  # an apostrophe may be curly
    return (start, f"{term[0]}.{term[1:2]}")  # U.S. is us


def without_longer(starts: set[str]) -> tuple[str, ...]:
    """Return the strings among these with which all others begin."""
    kept: list[str] = []
    for start in sorted(starts):
        if not kept or not start.startswith(kept[-1]):
            kept.append(start)
    return tuple(kept)


def folded(searched: str) -> tuple[str, list[str]]:
    """Return a text with what folds to one letter folded, and the characters after which words are not as written."""
    odd: list[str] = []
    for character in set(_ODD.findall(searched)):
        kind, letter = lookup(character)
        if kind == IGNORED or len(letter) > 1:
            odd.append(character)
        elif kind in (LETTER, DIGIT, DOT) and letter.isascii():
            searched = searched.replace(character, letter)
    return searched, odd


def table_of(starts: Sequence[str]) -> _Array | None:
    """Return the beginnings as `find_snippet` takes them; None where it cannot.

    That is, uint8[128 + S · (1 + LONGEST_WORD)]: for each ASCII character 1 + the first row whose letters begin with
    it, 0 for none; then the rows, sorted: a length, 1 to LONGEST_WORD, and so many small letters and digits (from the
    second on any character).
    """
    letters = sorted([start[:LONGEST_WORD].encode() for start in starts])
    if len(letters) > _MOST_STARTS or not all(start[:1].isalnum() for start in letters):
        return None
    firsts = bytearray(128)
    for number in range(len(letters), 0, -1):
        firsts[letters[number - 1][0]] = number
    rows = b"".join([bytes((len(start),)) + start.ljust(LONGEST_WORD, b"\0") for start in letters])
    return np.frombuffer(bytes(firsts) + rows, np.uint8)
