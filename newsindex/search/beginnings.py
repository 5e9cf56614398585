"""How the words of terms may begin in a text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.analysis.characters import DIGIT, DOT, IGNORED, LETTER, lookup
from newsindex.search.chunks_kernel import LONGEST_START

__all__ = ["CHANGED", "MOST_CHANGED", "beginnings", "folded", "table_of", "without_longer"]

_Array = npt.NDArray[Any]
# How many letters at its end a stem may have that its words have not: "possibl" is of "possibility", "tie" of "tying",
# French "indiqu" of "indication". No word in 280,000 of real articles has more. In other languages all is analysed.
CHANGED = {"english": 1, "french": 2, "spanish": 2, "none": 0}
MOST_CHANGED = 2
_MOST_STARTS = 255
_ODD = re.compile(r"[^\x00-\x7f“”‘’–—…]")


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
    """Return the beginnings as `find_chunks` takes them; None where it cannot."""
    letters = sorted([start[:LONGEST_START].encode() for start in starts])
    if len(letters) > _MOST_STARTS or not all(start[:1].isalnum() for start in letters):
        return None
    firsts = bytearray(128)
    for number in range(len(letters), 0, -1):
        firsts[letters[number - 1][0]] = number
    rows = b"".join([bytes((len(start),)) + start.ljust(LONGEST_START, b"\0") for start in letters])
    return np.frombuffer(bytes(firsts) + rows, np.uint8)
