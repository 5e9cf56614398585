"""Where sentences and paragraphs begin, judged from the gap between two words."""

from __future__ import annotations

import re

__all__ = ["ABBREVIATIONS", "INSIDE", "PARAGRAPH", "SENTENCE", "boundary"]

INSIDE, SENTENCE, PARAGRAPH = range(3)

# A blank line, or a line that begins indented, as agencies set paragraphs in running lines.
_PARAGRAPH = re.compile(r"\n[^\S\n]*\n|\n[ \t]{2,}|\u2029")
_SPACED_END = re.compile(r"[.!?…؟।][\"'”’»)\]]*\s")
_UNSPACED_END = re.compile(r"[。！？｡]")
ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof gen lt col sgt capt cmdr adm sen rep gov pres rev hon st jr sr vs no nos "
    "jan feb mar apr jun jul aug sep sept oct nov dec".split()
)


def boundary(text: str, gap_start: int, gap_end: int, previous: str | None) -> int:
    """Return what begins with the word at `gap_end`: a paragraph, a sentence, or nothing.

    `previous` is the folded word that ends at `gap_start`, None at the beginning of the text. A full stop after an
    abbreviation or an initial, or before a small letter, ends no sentence.
    """
    if previous is None:
        return PARAGRAPH
    if gap_end - gap_start < 2 and gap_end > gap_start and text[gap_start] == " ":
        return INSIDE  # nearly every gap; the searches below cost more than the whole tokenizer
    gap = text[gap_start:gap_end]
    if ("\n" in gap or "\u2029" in gap) and _PARAGRAPH.search(gap):
        return PARAGRAPH
    if _UNSPACED_END.search(gap):
        return SENTENCE
    end = _SPACED_END.search(gap)
    if end is None or text[gap_end].islower():
        return INSIDE
    if gap[end.start()] == "." and (previous in ABBREVIATIONS or (len(previous) == 1 and previous.isalpha())):
        return INSIDE
    return SENTENCE
