"""The quick way for what most searches are: any or all of some plain words, a phrase, a prefix; perhaps filtered.

No query tree and no plan is made before something other than articles is asked for: diagnostics, snippets, what was
searched. What a commit tells of a word is kept with it, so that it is looked up once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from newsindex.query.plain import MANY_CAPITALS, OPERATORS
from newsindex.query.tree import Node, Range, Value
from newsindex.search.column_sets import bounds_of, range_bitmap
from newsindex.search.deadline import Deadline
from newsindex.search.expansion import MAX_EXPANSIONS
from newsindex.search.joined_terms import TermData, can_be_gathered, can_be_joined, data_of_terms, joined_term
from newsindex.search.parts import Vocabulary
from newsindex.search.plan import known_variants
from newsindex.search.sets import (
    count,
    count_word,
    first_of_union,
    intersection,
    numbers,
    phrase_bitmap,
    terms_and,
    terms_union,
)
from newsindex.search.snapshot import Snapshot
from newsindex.search.top import Words, best
from newsindex.search.values import set_bitmap

__all__ = ["PlainSearch", "plain_search"]

_Array = npt.NDArray[Any]
_REMEMBERED = 4096
_MOST, _LONGEST = 32, 256
_BYTES = bytearray()
_NO_WORDS = Words((), np.empty(0), np.empty(0, np.int64), False)


class _Known(NamedTuple):
    """A word that some article has: its term, its idf, and its row in each segment, int64[1, 8].

    A word with variants is a term that is joined of theirs, in each segment: `variants` are their rows, int64[V, 8].
    """

    term: bytes
    idf: float
    rows: tuple[_Array, ...]
    row_bytes: tuple[bytes, ...]
    """The same as bytes: to join those takes half of the time."""
    alone: Words
    """The word as all that is searched for."""
    variants: tuple[_Array, ...] = ()


class PlainSearch:
    """Words and filters ready to run on a snapshot; all words are looked for in all text fields.

    `dates` is [low, high) of the date by which articles are sorted, `sets` what else must hold. Of words with variants
    `data` has the postings in each segment; of a phrase of such words only the best articles can be asked for.
    """

    __slots__ = ("_bitmaps", "data", "dates", "rows", "sets", "snapshot", "words")

    def __init__(
        self,
        snapshot: Snapshot,
        words: Words,
        rows: Sequence[_Array],
        sets: Sequence[Value],
        dates: tuple[int, int] | None,
        data: Sequence[TermData] | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.data = data
        self.words = words
        self.rows = rows
        self.sets = sets
        self.dates = dates
        self._bitmaps: list[_Array] | None = None

    @property
    def has_sets(self) -> bool:
        """Whether all articles that match can be asked for."""
        return self.data is None or not self.words.phrases

    def best(self, limit: int, deadline: Deadline) -> tuple[_Array, _Array]:
        """Return (scores, numbers) of the best articles, ranked as usual.

        Raises:
            FormatError: a segment is damaged.
            QueryTooComplex: the deadline is over.
        """
        snapshot = self.snapshot
        allowed = snapshot.living
        if self.sets:
            allowed = [self._allowed(at) for at in range(len(snapshot.segments))]
        return best(
            snapshot.segments, self.words, snapshot.usual, limit, allowed=allowed, date_range=self.dates, after=None,
            deadline=deadline, rows=self.rows, data=self.data,
        )  # fmt: skip

    def count(self, deadline: Deadline) -> int:
        """Return how many articles match."""
        segments = self.snapshot.segments
        is_told = self.data is None or not any(segment.live.size for segment in segments)
        if len(self.words.terms) == 1 and not self.sets and self.dates is None and is_told:
            mask = int(self.words.masks[0])
            return sum(
                count_word(segment, rows[0], mask, deadline) for segment, rows in zip(segments, self.rows, strict=True)
            )
        return sum([count(bits) for bits in self.matching(deadline)])

    def matching(self, deadline: Deadline) -> list[_Array]:
        """Return of each segment the bitmap of the articles that match; nobody may change them."""
        assert self.has_sets
        found = self._bitmaps
        if found is None:
            found = self._bitmaps = [self._matching(at, deadline) for at in range(len(self.snapshot.segments))]
        return found

    def _matching(self, at: int, deadline: Deadline) -> _Array:
        segment = self.snapshot.segments[at]
        allowed = self._allowed(at) if self.sets else segment.live
        bits = self._found(at, allowed, deadline)
        if self.dates is not None:
            name = segment.reader.schema.date_field
            assert name is not None
            bits = range_bitmap(segment, name, (self.dates[0], self.dates[1] - 1), bits)
        return bits

    def _found(self, at: int, allowed: _Array, deadline: Deadline) -> _Array:
        """Return the articles that have the words, and are allowed."""
        segment, words, rows = self.snapshot.segments[at], self.words, self.rows[at]
        data = None if self.data is None else self.data[at]
        if words.phrases:
            offsets = np.arange(len(rows))
            return phrase_bitmap(segment, rows, offsets, segment.all_fields, allowed, deadline=deadline)
        if words.required:
            return terms_and(segment, rows, words.masks, allowed, deadline, data)
        bits = terms_union(segment, rows, segment.all_fields, deadline, data)
        if allowed.size:
            bits &= allowed
        return bits

    def _allowed(self, at: int) -> _Array:
        """Return the articles of a segment that live and for which the sets hold; an empty array for all."""
        segment = self.snapshot.segments[at]
        found = [set_bitmap(segment, node) for node in self.sets]
        return found[0] if len(found) == 1 and not segment.live.size else intersection([segment.live, *found])


class PlainPrefix(PlainSearch):
    """The beginning of words, and filters: `rows` are of the terms that it stands for, of which any will do."""

    __slots__ = ()

    def best(self, limit: int, deadline: Deadline) -> tuple[_Array, _Array]:
        """Return (scores, numbers) of the first articles, which all score the same."""
        found = []
        for at, segment in enumerate(self.snapshot.segments):
            if limit > 0:
                rows, mask = self.rows[at], segment.all_fields
                if self.dates is None:
                    allowed = self._allowed(at) if self.sets else segment.live
                    found.append(first_of_union(segment, rows, mask, limit, allowed, deadline=deadline))
                else:
                    found.append(numbers(segment, self.matching(deadline)[at], limit))
                limit -= found[-1].size
        joined = found[0] if len(found) == 1 else np.concatenate([np.empty(0, np.int64), *found])
        return np.ones(joined.size), joined

    def count(self, deadline: Deadline) -> int:
        """Return how many articles match."""
        return sum([count(bits) for bits in self.matching(deadline)])


def plain_search(
    snapshot: Snapshot, vocabulary: Vocabulary, query: str, filters: tuple[Node, ...], deadline: Deadline
) -> PlainSearch | None:
    """Return a query's words and filters; None when it has anything else, or has to be looked at more closely.

    Raises:
        FormatError: a segment is damaged.
        QueryTooComplex: the deadline is over.
    """
    dates: tuple[int, int] | None = None
    sets: list[Value] = []
    for node in filters:
        if type(node) is Value:
            sets.append(node)
        elif type(node) is Range and node.field == vocabulary.schema.date_field and dates is None:
            bounds = bounds_of(vocabulary.schema.fields[node.field], node)
            if bounds is None:
                return None
            dates = int(bounds[0]), min(int(bounds[1]), 2**63 - 2) + 1
        else:
            return None
    one = snapshot.known_words.get(query)
    if one is not None:
        data = _data(snapshot, [one], False, deadline) if one.variants else None
        return PlainSearch(snapshot, one.alone, one.rows, sets, dates, data)
    if len(query) > _LONGEST:
        return None
    if query[-1:] == "*":
        return _prefix(snapshot, query[:-1], sets, dates)
    required, is_phrase = True, query[:1] == '"'
    texts = (query[1:-1] if is_phrase else query).split(" ")
    if is_phrase:
        if query[-1] != '"' or len(texts) == 1:
            return None
    elif "OR" in texts:
        if texts[1::2] != ["OR"] * (len(texts) >> 1) or (len(texts) >= MANY_CAPITALS and query.isupper()):
            return None
        texts, required = texts[::2], False
    if len(texts) > _MOST:
        return None
    known = _look_up(snapshot, vocabulary, texts, deadline)
    if known is None:
        return None
    terms, factors, _, row_bytes, _, variants = zip(*known, strict=True)
    count = len(terms)
    if len(set(terms)) < count:  # asked for twice counts twice, which takes the plan
        return None
    words = Words(terms, np.array(factors), _masks(vocabulary.all_fields, count), required)
    if is_phrase:
        words.phrases, words.phrase_masks = _phrase(count), (vocabulary.all_fields,)
        words.slops = (0,)
    if any(variants):
        joined = _data(snapshot, known, is_phrase, deadline)
        if joined is None:
            return None
        return PlainSearch(snapshot, words, [own.rows for own in joined], sets, dates, joined)
    rows: list[_Array] = [np.ndarray((count, 8), np.int64, _BYTES.join(own)) for own in zip(*row_bytes, strict=True)]
    return PlainSearch(snapshot, words, rows, sets, dates)


def _data(
    snapshot: Snapshot, known: Sequence[_Known], with_positions: bool, deadline: Deadline
) -> list[TermData] | None:
    """Return of each segment the postings of words of which some are joined; None where they are too many to copy."""
    found = []
    for at, segment in enumerate(snapshot.segments):
        if len(known) > 1:
            deadline.check()
            rows = np.concatenate([word.rows[at] for word in known])
            if not can_be_gathered(rows, with_positions=with_positions):
                return None
        terms = [
            joined_term(segment, word.variants[at], deadline) if word.variants else word.rows[at][0] for word in known
        ]
        found.append(data_of_terms(segment, terms, with_positions=with_positions))
    return found


def _prefix(snapshot: Snapshot, text: str, sets: Sequence[Value], dates: tuple[int, int] | None) -> PlainPrefix | None:
    if not (text.isascii() and text.isalpha()):
        return None
    prefix = text.lower().encode()
    rows = []
    left = MAX_EXPANSIONS
    for segment in snapshot.segments:
        own = segment.reader.rows_beginning(prefix, left)
        if own is None:
            return None
        rows.append(own)
        left -= len(own)
    # What stands for nothing, or for too much, takes a remark.
    return PlainPrefix(snapshot, _NO_WORDS, rows, sets, dates) if left < MAX_EXPANSIONS else None


@lru_cache(maxsize=256)
def _masks(mask: int, count: int) -> _Array:
    return np.full(count, mask, np.int64)


@lru_cache(maxsize=_MOST)
def _phrase(size: int) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Return a phrase of so many different words."""
    return (tuple([(place, place) for place in range(size)]),)


def _look_up(
    snapshot: Snapshot, vocabulary: Vocabulary, texts: Sequence[str], deadline: Deadline
) -> list[_Known] | None:
    """Return what is known of words; None where one has to be looked at more closely."""
    known: dict[str, _Known] = snapshot.known_words
    found = [known.get(text) for text in texts]
    if None not in found:
        return found  # type: ignore[return-value]
    new: dict[str, tuple[bytes, ...]] = {}
    for text, one in zip(texts, found, strict=True):
        if one is None:
            # What is more than letters and digits may mean something, and an operator does.
            if not (text.isascii() and text.isalnum()) or text in OPERATORS:
                return None
            terms = vocabulary.terms(text)
            if len(terms) != 1:
                return None
            new[text] = terms[0], *[term for _, term in known_variants(vocabulary, snapshot, text)]
    learnt: dict[str, _Known] = {}
    for text, terms in new.items():
        rows = [segment.find(terms) for segment in snapshot.segments]
        variants: tuple[_Array, ...] = ()
        if len(terms) > 1:
            if not all(map(can_be_joined, rows)):
                return None
            segments = zip(snapshot.segments, rows, strict=True)
            variants, rows = tuple(rows), [joined_term(segment, own, deadline).rows for segment, own in segments]
        freq = sum([int(own[0, 2]) for own in rows])
        if not freq:
            return None
        term, idf = b"\xff".join(terms), snapshot.idf(freq)
        alone = Words((term,), np.array([idf]), _masks(vocabulary.all_fields, 1), True)
        learnt[text] = _Known(term, idf, tuple(rows), tuple([own.tobytes() for own in rows]), alone, variants)
    if len(known) + len(new) > _REMEMBERED:
        known.clear()
    # Where words are joined, their postings are kept by the segments, which let go of the oldest.
    known.update(learnt)
    return [learnt[text] if one is None else one for text, one in zip(texts, found, strict=True)]
