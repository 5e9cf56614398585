"""What a prefix, a pattern, a fuzzy word or a lone ideograph stands for in a commit's dictionaries.

The dictionaries have the terms, and the words before stemming with the term of each. Where a word is wanted and others
have the same term, those occurrences of the term count that are of that word: `ins*` means "ins", whose term is that of
"in". Where a term is like the text itself, all its articles are found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.codec.dictionary import Dictionary
from newsindex.search.deadline import Deadline
from newsindex.search.parts import ExpansionPart
from newsindex.search.segment import SearchSegment
from newsindex.search.snapshot import Snapshot
from newsindex.search.wordings import NO_WORDINGS, Wordings, are_among, choose_words

__all__ = ["MAX_EXPANSIONS", "Expander", "Expansion", "changes", "numbers_like"]

MAX_EXPANSIONS = 1024
_REMEMBERED = 64
_Array = npt.NDArray[Any]
_NUMBER, _FIELDS, _DOC_FREQ = 0, 1, 2
_NO_WORDS = np.empty(0, np.int64)
# Words of a dictionary that are looked at before the deadline is.
_WORDS = 1 << 16
_SIGNS = re.compile(r"[*?]")


@dataclass(slots=True, eq=False)
class Expansion:
    """What something stands for.

    `rows` are of each segment: int64[T, 8], as `find` gives them. Of the terms in `worded` only some words count.
    `count` is how many terms there were, counted in each segment; `cut` is what to say when not all were searched.
    `bitmaps` are, of segments where they were needed, the articles that have one of those words.
    """

    prefix: bytes
    rows: list[_Array]
    worded: list[Wordings]
    count: int
    cut: str = ""
    bitmaps: dict[int, _Array] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Tell whether it stands for anything."""
        return bool(self.cut) or any(map(len, self.rows)) or any(len(own.rows) for own in self.worded)

    def terms(self, snapshot: Snapshot) -> tuple[str, ...]:
        """Return the terms, in order."""
        found: set[bytes] = set()
        for segment, rows, worded in zip(snapshot.segments, self.rows, self.worded, strict=True):
            found.update(_names(segment, self.prefix, np.concatenate([rows, worded.rows])))
        return tuple(term.decode() for term in sorted(found))


class Expander:
    """Expands what in one query stands for many words, together for 1,024 terms at most."""

    def __init__(self, snapshot: Snapshot, deadline: Deadline) -> None:
        self._snapshot = snapshot
        self._deadline = deadline
        self._left = MAX_EXPANSIONS
        self._expanded: dict[tuple[str, str, int, int], Expansion] = {}

    def expand(self, part: ExpansionPart) -> Expansion:
        """Return what a part stands for; the same again for the same."""
        key = part.text, part.kind, part.edits, part.mask
        expanded = self._expanded.get(key)
        if expanded is None:
            # What was expanded lately, whole: the next page of a search expands the same again.
            known, before = self._snapshot.known_expansions, self._left
            count, spent, expanded = known.get(key, (0, 0, None))
            if expanded is not None and count <= before:
                self._left -= spent
            else:
                expanded = self._expand(part)
                # Over a smaller budget it would take another part of it.
                if expanded.count <= before:
                    if len(known) >= _REMEMBERED:
                        known.clear()
                    known[key] = expanded.count, before - self._left, expanded
            self._expanded[key] = expanded
        return expanded

    def _expand(self, part: ExpansionPart) -> Expansion:
        self._deadline.check()
        prefix = _beginning(part).encode("utf-8", "replace")
        found, doubtful, fitting = [], [], []
        for at in range(len(self._snapshot.segments)):
            rows, doubts, words = self._rows(at, part, prefix)
            fitting.append(words)
            kept = (rows[:, _DOC_FREQ] > 0) & (rows[:, _FIELDS] & part.mask != 0)
            found.append(rows[kept])
            doubtful.append(doubts[kept])
        cut = ""
        total = sum(map(len, found))
        if total > self._left:
            if self._left:
                count, kept_rows = self._most_frequent(prefix, found)
                if count > self._left:
                    cut = f"{part.node} stands for {count:,} words; the {self._left:,} most frequent were searched"
                self._left -= min(count, self._left)
            else:
                kept_rows = [np.empty(0, np.int64) for _ in found]
                cut = f"none of the words that {part.node} stands for was searched, since those of others before it are"
                cut = f"{cut} {MAX_EXPANSIONS:,}"
            found = [rows[kept] for rows, kept in zip(found, kept_rows, strict=True)]
            doubtful = [doubts[kept] for doubts, kept in zip(doubtful, kept_rows, strict=True)]
        else:
            self._left -= max(map(len, found), default=0)
        if not any(doubts.any() for doubts in doubtful):
            return Expansion(prefix, found, [NO_WORDINGS for _ in found], total, cut)
        sure, worded = [], []
        for segment, rows, doubts, words in zip(self._snapshot.segments, found, doubtful, fitting, strict=True):
            whole, own = choose_words(segment.reader, rows[doubts], words)
            sure.append(np.concatenate([rows[~doubts], whole]))
            worded.append(own)
        return Expansion(prefix, sure, worded, total, cut)

    def _rows(self, at: int, part: ExpansionPart, prefix: bytes) -> tuple[_Array, _Array, _Array]:
        """Return the rows of all terms that a part stands for, which of them are not like it, and the words like it."""
        reader = self._snapshot.segments[at].reader
        own = numbers_like(reader.dictionary_of_terms, part, prefix, self._deadline)
        if part.kind == "pair":
            own = np.union1d(own, self._snapshot.pairs_ending_with(at, part.text))
            return reader.rows_of(own), np.zeros(own.size, bool), _NO_WORDS
        words = numbers_like(reader.dictionary_of_words, part, prefix, self._deadline)
        told = reader.terms_of_words(words)
        if part.kind == "prefix" and own.size:  # its terms are a range: most words are of one of them
            told = told[(told < own[0]) | (told > own[-1])]
        others = np.unique(told) if told.size else told
        if part.kind != "prefix" and others.size and own.size:
            others = others[~are_among(others, own)]
        if not others.size:
            return reader.rows_of(own), np.zeros(own.size, bool), _NO_WORDS
        rows = np.concatenate([reader.rows_of(own), reader.rows_of(others)])
        return rows, np.repeat([False, True], [own.size, others.size]), words

    def _most_frequent(self, prefix: bytes, found: list[_Array]) -> tuple[int, list[_Array]]:
        """Return how many different terms there are, and which rows are of the most frequent, as many as may be."""
        if len(found) == 1:
            (rows,) = found
            order = np.lexsort((rows[:, _NUMBER], -rows[:, _DOC_FREQ]))
            return len(rows), [np.sort(order[: self._left])]
        freqs: dict[bytes, int] = {}
        names: list[list[bytes]] = []
        for segment, rows in zip(self._snapshot.segments, found, strict=True):
            self._deadline.check()
            names.append(_names(segment, prefix, rows))
            for term, doc_freq in zip(names[-1], rows[:, _DOC_FREQ].tolist(), strict=True):
                freqs[term] = freqs.get(term, 0) + doc_freq
        kept = set(sorted(freqs, key=lambda term: (-freqs[term], term))[: self._left])
        return len(freqs), [
            np.array([place for place, term in enumerate(own) if term in kept], np.int64) for own in names
        ]


def numbers_like(words: Dictionary, part: ExpansionPart, prefix: bytes, deadline: Deadline) -> _Array:
    """Return the numbers of the words of a dictionary that a part stands for, int64, ascending; all begin with prefix.

    Raises:
        QueryTooComplex: the deadline is over.
    """
    first, after = words.between(prefix)
    if part.kind in ("prefix", "pair"):
        return np.arange(first, after, dtype=np.int64)
    found = []
    for begin in range(first, after, _WORDS):
        deadline.check()
        end = min(begin + _WORDS, after)
        if part.kind == "pattern":
            found.append(words.fitting(part.text, begin, end))
        else:
            found.append(words.fuzzy(part.text, part.edits, begin, end))
    return np.concatenate(found) if found else np.empty(0, np.int64)


def _beginning(part: ExpansionPart) -> str:
    """Return what all words begin with that a part stands for."""
    if part.kind == "pattern":
        return _SIGNS.split(part.text, maxsplit=1)[0]
    return part.text[:1] if part.kind == "fuzzy" else part.text


def changes(word: str, other: str) -> int:
    """Return how many changes lead from one word to another: a letter more, less or other, two neighbours exchanged.

    >>> changes("minister", "minsiter"), changes("oil", "foils")
    (1, 2)
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(word, 1):
        following = [i]
        for j, wanted in enumerate(other, 1):
            least = min(row[j] + 1, following[j - 1] + 1, row[j - 1] + (letter != wanted))
            if before and j > 1 and letter == other[j - 2] and word[i - 2] == wanted:
                least = min(least, before[j - 2] + 1)
            following.append(least)
        before, row = row, following
    return row[-1]


def _names(segment: SearchSegment, prefix: bytes, rows: _Array) -> list[bytes]:
    """Return the terms of rows; those that begin with the prefix are read together."""
    if not len(rows):
        return []
    known = {info.number: term for term, info in segment.reader.terms(prefix)} if prefix else {}
    return [known.get(number) or segment.reader.term_bytes(number) for number in rows[:, _NUMBER].tolist()]
