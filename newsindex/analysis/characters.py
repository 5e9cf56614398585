"""One character to its class and its folded form: the table under the tokenizer."""

from __future__ import annotations

import unicodedata

__all__ = [
    "APOSTROPHE",
    "APOSTROPHES",
    "COMMA",
    "DIGIT",
    "DOT",
    "IDEOGRAPH",
    "IGNORED",
    "LETTER",
    "OTHER",
    "compose",
    "lookup",
]

OTHER, LETTER, DIGIT, IDEOGRAPH, IGNORED, APOSTROPHE, DOT, COMMA = range(8)

APOSTROPHES = "'’‘‛ʼ＇"
_DOTS = frozenset(".．")
_COMMAS = frozenset(",")

# Marks that a writer may leave out; vowel signs of the scripts of India are letters, not marks, in this sense.
_IGNORED_RANGES = (
    (0x0300, 0x036F), (0x0591, 0x05BD), (0x05BF, 0x05BF), (0x05C1, 0x05C2), (0x05C4, 0x05C5), (0x05C7, 0x05C7),
    (0x0610, 0x061A), (0x0640, 0x0640), (0x064B, 0x065F), (0x0670, 0x0670), (0x06D6, 0x06DC), (0x06DF, 0x06E4),
    (0x06E7, 0x06E8), (0x06EA, 0x06ED), (0x0730, 0x074A), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF),
    (0xFE00, 0xFE0F), (0xFE20, 0xFE2F), (0xE0100, 0xE01EF),
)  # fmt: skip

# Scripts written without spaces between words, and Hangul, whose particles join the word before them.
_IDEOGRAPH_RANGES = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1100, 0x11FF), (0x1780, 0x17FF), (0x3005, 0x3007), (0x3040, 0x30FF),
    (0x3100, 0x318F), (0x31A0, 0x31BF), (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA960, 0xA97F),
    (0xAC00, 0xD7FF), (0xF900, 0xFAFF), (0xFF66, 0xFFDC), (0x1AFF0, 0x1B16F), (0x20000, 0x3FFFF),
)  # fmt: skip

# Letters that have no decomposition but are commonly typed as others.
_SPECIAL = {
    "ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "ŧ": "t", "ĸ": "k",
    "ƒ": "f", "ŋ": "n", "ɓ": "b", "ɗ": "d", "ƙ": "k", "ɨ": "i", "ⱥ": "a", "ƴ": "y",
    "ё": "е", "ѐ": "е", "ѝ": "и",
    "ٱ": "ا", "ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه",
}  # fmt: skip


class _Table(dict[str, tuple[int, str]]):
    """Fills itself: 1.1 million code points exist, an archive uses some thousands."""

    def __missing__(self, character: str) -> tuple[int, str]:
        entry = self[character] = _classify(character)
        return entry


def _within(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= code <= last for first, last in ranges)


def _fold(character: str) -> str:
    code = ord(character)
    lowered = character.casefold()
    if 0x0400 <= code <= 0x052F:  # й and ї are letters of their own, not и and і with a mark
        return "".join(_SPECIAL.get(part, part) for part in lowered)
    decomposed = unicodedata.normalize("NFKD", lowered).casefold()
    return "".join(
        _SPECIAL.get(part, part)
        for part in unicodedata.normalize("NFKD", decomposed)
        if not _within(ord(part), _IGNORED_RANGES)
    )


def _classify(character: str) -> tuple[int, str]:
    code = ord(character)
    if character in APOSTROPHES:
        return APOSTROPHE, "'"
    if character in _DOTS:
        return DOT, "."
    if character in _COMMAS:
        return COMMA, ","
    category = unicodedata.category(character)
    if category == "Cf" or _within(code, _IGNORED_RANGES):
        return IGNORED, ""
    if category == "Nd":
        return DIGIT, str(unicodedata.digit(character))
    if category[0] in "LM" or category == "Nl":
        if _within(code, _IDEOGRAPH_RANGES):
            whole = unicodedata.normalize("NFKC", character)
            return IDEOGRAPH, whole
        folded = _fold(character)
        # A spacing form of a mark folds to nothing, or to a space and the mark.
        return (LETTER, folded) if folded.strip() == folded != "" else (OTHER, "")
    if category == "No":
        digits = unicodedata.normalize("NFKD", character)
        if digits.isascii() and digits.isdigit():  # m², CO₂
            return DIGIT, digits
    return OTHER, ""


_TABLE = _Table()
_COMPOSED: dict[tuple[str, str], str | None] = {}
lookup = _TABLE.__getitem__
"""Return (class, folded form) of one character; the folded form is "" unless it belongs to a word."""


def compose(folded: str, mark: str) -> str | None:
    """Return the letter that a folded letter and a mark make together, when it is a letter of its own, else None.

    >>> compose("и", "\\u0306"), compose("e", "\\u0301")
    ('й', None)
    """
    key = (folded, mark)
    if key not in _COMPOSED:
        whole = unicodedata.normalize("NFC", folded + mark)
        _COMPOSED[key] = whole if len(whole) == 1 and lookup(whole)[1] == whole else None
    return _COMPOSED[key]
