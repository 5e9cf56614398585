"""One segment of a commit as the search kernels take it: arrays made when first needed, and then kept."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from newsindex.codec.format import MISSING
from newsindex.codec.reader import KeywordColumn
from newsindex.search.bits_kernel import sort_ords
from newsindex.search.scoring import Parameters, Ranking, idf, schema_weights
from newsindex.store.live import LiveSegment

__all__ = [
    "FIRSTS",
    "NO_BITS",
    "WINDOW",
    "KeywordValues",
    "SearchSegment",
    "Statistics",
    "bits_of",
    "key_of",
    "open_segments",
]

_Array = npt.NDArray[Any]
WINDOW = 4096
"""Columns are summed up (least and greatest value) in windows of so many articles; 64 words of a bitmap."""
FIRSTS = 1 << 16
"""Of so many articles it is known in which order they are the first by date."""
NO_BITS: _Array = np.empty(0, np.uint64)
"""An empty bitmap, where a kernel takes it for "all articles"."""
_Kept = TypeVar("_Kept")
_FIRST, _LAST = -(2**63), 2**63 - 1
_KEPT = 64


def bits_of(chosen: _Array) -> _Array:
    """Return bool[n] as a bitmap, uint64[⌈n / 64⌉]: article d is bit d & 63 of word d >> 6; bits from n on are 0.

    >>> bits_of(np.array([True, False, True])).tolist()
    [5]
    """
    bits = np.zeros(-(-chosen.size // 64) * 8, np.uint8)
    packed = np.packbits(chosen, bitorder="little")
    bits[: packed.size] = packed
    return bits.view("<u8").astype(np.uint64, copy=False)


class KeywordValues:
    """The values of a keyword field, as counting and filtering need them.

    `count` is the number of different values, `ords` uint32 the numbers of each article's, article by article, from
    `starts` int64[n + 1] on. Where no article has several, `single` uint32[n] has each article's, `count` for none;
    otherwise it is empty. It is uint8 where that holds `count`.
    """

    def __init__(self, column: KeywordColumn) -> None:
        self.column = column
        self.count = len(column.keys)
        self.starts: _Array = column.starts
        self.ords = column.ords.astype(np.uint32)

    @cached_property
    def single(self) -> _Array:
        """Each article's value where no article has several, else an empty array."""
        has = np.diff(self.starts)
        width = np.uint8 if self.count < 256 else np.uint32
        if has.size and int(has.max()) > 1:
            return np.empty(0, width)
        found = np.full(has.size, self.count, width)
        found[has > 0] = self.ords
        return found

    @cached_property
    def postings(self) -> tuple[_Array, _Array]:
        """(docs uint32, ends int64[count + 1]): the articles of value v are docs[ends[v] : ends[v + 1]], ascending."""
        docs, ends = np.empty(self.ords.size, np.uint32), np.zeros(self.count + 1, np.int64)
        sort_ords(self.ords, self.starts, docs, ends)
        return docs, ends


class SearchSegment:
    """A segment, and what kernels need of it. Its article d has the number base + d.

    Opening makes nothing of the size of the segment. Any number of threads may use one: two may make the same array,
    neither sees half of it. Arrays are shared: nobody writes to them.
    """

    def __init__(self, live: LiveSegment, base: int) -> None:
        self.segment = live
        self.reader = reader = live.reader
        self.base = base
        self.doc_count = reader.doc_count
        self.word_count = (reader.doc_count + 63) >> 6
        """The number of words of a bitmap over the articles."""
        self.weights = schema_weights(reader.schema)
        self.field_count = len(self.weights)
        self.all_fields = (1 << self.field_count) - 1
        """The mask of all text fields."""
        self.postings, self.posting_words, self.positions, self.position_words = reader.text_arrays()
        self.kept_arrays: tuple[Any, tuple[_Array, ...]] | None = None
        """What the kernel of the best hits takes, and under which parameters; see `top`."""
        self._other_lengths: tuple[tuple[float, ...], _Array] | None = None
        self._keys: dict[str, _Array] = {}
        self._windows: dict[str, tuple[_Array, _Array]] = {}
        self._keywords: dict[str, KeywordValues] = {}
        self._present: dict[str, _Array] = {}
        self._orders: dict[bool, tuple[_Array, _Array]] = {}
        self._firsts: dict[bool, _Array] = {}
        self._kept: dict[Any, _Array] = {}
        self.kept_terms: dict[Any, Any] = {}
        """Terms that were kept, by keys; see `joined_terms`."""
        self._keeping = threading.Lock()

    # Text

    def find(self, terms: Sequence[bytes]) -> _Array:
        """Return a row of each term, int64[T, 8]: what TermInfo has, in its order; of an absent one, -1 and doc_freq 0.

        Rows are (number, fields, doc_freq, postings_begin, postings_end, position_count, positions_begin,
        positions_end).
        """
        return self.reader.find_all(terms)

    @cached_property
    def lengths(self) -> _Array:
        """The weighted length dl of each article under the schema's weights, float32[n]; see `weighted_lengths`."""
        return self.weighted_lengths(self.weights)

    def lengths_under(self, weights: Sequence[float]) -> _Array:
        """Return float32[n], dl under other weights; those of the last ones asked for are kept."""
        wanted = tuple(weights)
        if wanted == self.weights:
            return self.lengths
        kept = self._other_lengths
        if kept is None or kept[0] != wanted:
            kept = self._other_lengths = wanted, self.weighted_lengths(wanted)
        return kept[1]

    def weighted_lengths(self, weights: Sequence[float]) -> _Array:
        """Return Σ weight · number of words over the text fields in order, added up in float64, then as float32[n]."""
        total = np.zeros(self.doc_count, np.float64)
        for name, weight in zip(self.reader.schema.text_fields, weights, strict=True):
            total += self.reader.lengths(name) * np.float64(weight)
        return total.astype(np.float32)

    # Articles that live

    @cached_property
    def live_count(self) -> int:
        """The number of articles that are not deleted."""
        return int(np.count_nonzero(self.segment.live))

    @cached_property
    def live(self) -> _Array:
        """The bitmap of the articles that are not deleted; empty when none is deleted."""
        return NO_BITS if self.live_count == self.doc_count else bits_of(self.segment.live)

    # Columns

    @cached_property
    def dates(self) -> _Array:
        """The dates by which articles are sorted, int64[n] in microseconds, MISSING where there is none."""
        name = self.reader.schema.date_field
        if name is not None:
            return self.reader.column(name)[0]
        return _read_only(np.full(self.doc_count, MISSING, np.int64))

    @cached_property
    def date_minima(self) -> _Array:
        """The least date of each window, int64[⌈n / WINDOW⌉]; the greatest number where it has none."""
        return self._date_windows[0]

    @cached_property
    def date_maxima(self) -> _Array:
        """The greatest date of each window; MISSING where it has none."""
        return self._date_windows[1]

    @cached_property
    def _date_windows(self) -> tuple[_Array, _Array]:
        name = self.reader.schema.date_field
        return _windows(self.dates, self.dates != MISSING) if name is None else self.windows(name)

    def keys(self, field: str) -> _Array:
        """Return the values of a date or number field as int64[n] in the order of the values; see `key_of`."""
        values = self.reader.column(field)[0]
        if values.dtype == np.int64:
            return values
        if field not in self._keys:
            self._keys[field] = _read_only(_as_keys(values))
        return self._keys[field]

    def windows(self, field: str) -> tuple[_Array, _Array]:
        """Return (minima, maxima) of the keys of each window of a date or number field, of articles that have a value.

        Of a window without any value the minimum is the greatest number there is, the maximum the least.
        """
        if field not in self._windows:
            self._windows[field] = _windows(self.keys(field), self.reader.column(field)[1])
        return self._windows[field]

    def present(self, field: str) -> _Array:
        """Return the bitmap of the articles that have a value of a date, number or flag field; empty when all have."""
        if field not in self._present:
            present = self.reader.column(field)[1]
            self._present[field] = NO_BITS if present.all() else bits_of(present)
        return self._present[field]

    def date_order(self, newest: bool) -> tuple[_Array, _Array]:
        """Return (the windows in an order good to look for the first dates in, the first of each negated for oldest).

        Both are int64[⌈n / WINDOW⌉].
        """
        if newest not in self._orders:
            bests = self.date_maxima if newest else np.where(self.date_minima == _LAST, MISSING, -self.date_minima)
            self._orders[newest] = np.argsort(~bests, kind="stable"), bests
        return self._orders[newest]

    def date_firsts(self, newest: bool) -> _Array:
        """Return the first articles by date, those of one date in order of number, uint32[m], at most FIRSTS of them.

        All others are behind them, or have no date. Made in some 20 ms for a million articles.
        """
        if newest not in self._firsts:
            keys = self.dates if newest else np.where(self.dates == MISSING, MISSING, -self.dates)
            bound = MISSING
            if self.doc_count > FIRSTS:
                # Of those with the key at the border some might be missing.
                bound = np.partition(keys, self.doc_count - FIRSTS)[self.doc_count - FIRSTS]
            docs = np.flatnonzero(keys > bound).astype(np.uint32)
            self._firsts[newest] = docs[np.argsort(~keys[docs], kind="stable")]
        return self._firsts[newest]

    @cached_property
    def any_order(self) -> tuple[_Array, _Array]:
        """What `date_order` returns, of values that nothing is known of."""
        count = -(-self.doc_count // WINDOW)
        return np.arange(count, dtype=np.int64), np.full(count, _LAST, np.int64)

    def keywords(self, field: str) -> KeywordValues:
        """Return the values of a keyword field."""
        if field not in self._keywords:
            self._keywords[field] = KeywordValues(self.reader.keywords(field))
        return self._keywords[field]

    # Bitmaps that are kept

    def kept(self, key: Any) -> _Array | None:
        """Return the bitmap that was kept under a key, None when there is none or it is gone."""
        return self._kept.get(key)

    def keep(self, key: Any, bits: _Array) -> _Array:
        """Keep a bitmap, drop the oldest of too many, and return it; nobody may change it from now on."""
        with self._keeping:
            self._kept[key] = bits
            while len(self._kept) > _KEPT:
                del self._kept[next(iter(self._kept))]
        return bits

    def keep_term(self, key: Any, term: _Kept) -> _Kept:
        """Keep what was made of terms, drop the oldest of too many, and return it."""
        with self._keeping:
            self.kept_terms[key] = term
            while len(self.kept_terms) > _KEPT:
                del self.kept_terms[next(iter(self.kept_terms))]
        return term


def _windows(values: _Array, present: _Array) -> tuple[_Array, _Array]:
    starts = np.arange(0, values.size, WINDOW)
    if not starts.size:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return (
        np.minimum.reduceat(np.where(present, values, _LAST), starts),
        np.maximum.reduceat(np.where(present, values, _FIRST), starts),
    )


def _as_keys(values: _Array) -> _Array:
    # The bits of floats are in their order, those of negative ones in the opposite one; 0 has but one key.
    bits = (values + 0.0).view(np.int64)
    keys: _Array = bits ^ ((bits >> 63) & _LAST)
    return keys


def key_of(value: int | float) -> int:
    """Return the whole number that stands for a value where kernels compare: of a float one in the order of floats.

    >>> key_of(-1.5) < key_of(-0.0) == key_of(0.0) < key_of(0.5)
    True
    """
    return value if isinstance(value, int) else int(_as_keys(np.array([value]))[0])


def _read_only(column: _Array) -> _Array:
    # As a view of the file is: kernels are compiled for the one kind only.
    column.setflags(write=False)
    return column


@dataclass(frozen=True, slots=True)
class Statistics:
    """What the formula takes of all articles, those included that are deleted but not yet merged away.

    `totals` are the numbers of words in each text field.
    """

    article_count: int
    totals: tuple[int, ...]
    weights: tuple[float, ...]

    @classmethod
    def of(cls, segments: Sequence[SearchSegment], weights: tuple[float, ...]) -> Statistics:
        """Add up over segments; `weights` are the schema's."""
        names = segments[0].reader.schema.text_fields if segments else ()
        totals = tuple(sum(segment.reader.totals[name] for segment in segments) for name in names)
        return cls(sum(segment.doc_count for segment in segments), totals or (0,) * len(weights), weights)

    def parameters(self, ranking: Ranking) -> Parameters:
        """Return the formula's parameters."""
        return ranking.parameters(self.weights, self.totals, self.article_count)

    def idf(self, rows: Sequence[_Array], place: int) -> float:
        """Return the idf of a term, given the rows that `find` returned in each segment and its place in them."""
        # Damaged counts must not end in the logarithm of a negative number.
        return idf(self.article_count, min(self.article_count, sum(int(found[place, 2]) for found in rows)))


def open_segments(live: Sequence[LiveSegment]) -> tuple[SearchSegment, ...]:
    """Return the segments of a commit, their articles numbered from 0 over all of them."""
    found = []
    base = 0
    for segment in live:
        found.append(SearchSegment(segment, base))
        base += segment.reader.doc_count
    return tuple(found)
