"""The word of an archive that was perhaps meant by one that no article has."""

from __future__ import annotations

from newsindex.search.deadline import Deadline
from newsindex.search.expansion import changes, numbers_like
from newsindex.search.parts import ExpansionPart
from newsindex.search.snapshot import Snapshot

__all__ = ["nearest_word"]

_LEAST_LETTERS = 3
_LONG_WORD = 6
_REMEMBERED = 1000


def nearest_word(snapshot: Snapshot, word: str, mask: int, deadline: Deadline) -> str | None:
    """Return the most frequent word at the least distance, one change or for long words two; None when there is none.

    Args:
        snapshot: whose words.
        word: folded, as it was before stemming.
        mask: of the text fields in which it is to stand.
        deadline: when to give up.
    """
    if len(word) < _LEAST_LETTERS or not word.isalpha():
        return None
    known = snapshot.known_nearest
    key = word, mask
    if key not in known:
        if len(known) >= _REMEMBERED:
            known.clear()
        known[key] = _nearest(snapshot, word, mask, deadline)
    return known[key]


def _nearest(snapshot: Snapshot, word: str, mask: int, deadline: Deadline) -> str | None:
    part = ExpansionPart(word, "fuzzy", mask, 1.0, None, False, 1 if len(word) < _LONG_WORD else 2)
    first = word[0].encode()
    found: dict[str, int] = {}
    for segment in snapshot.segments:
        reader = segment.reader
        terms = numbers_like(reader.dictionary_of_terms, part, first, deadline)
        words = numbers_like(reader.dictionary_of_words, part, first, deadline)
        for dictionary, numbers, rows in (
            (reader.dictionary_of_terms, terms, reader.rows_of(terms)),
            (reader.dictionary_of_words, words, reader.rows_of(reader.terms_of_words(words))),
        ):
            for number, (fields, doc_freq) in zip(numbers.tolist(), rows[:, 1:3].tolist(), strict=True):
                if fields & mask:
                    text = dictionary.text(number).decode()
                    found[text] = found.get(text, 0) + doc_freq
    return min(found, key=lambda text: (changes(word, text), -found[text], text), default=None)
