"""One commit, opened: its articles under one numbering, and what can be looked up of each."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.analysis.characters import IDEOGRAPH, lookup
from newsindex.codec.format import MISSING
from newsindex.dates import from_microseconds
from newsindex.errors import QueryError
from newsindex.schema import Keyword, Schema
from newsindex.search.facets import Facet
from newsindex.search.scoring import USUAL, Parameters, Ranking, idf, schema_weights
from newsindex.search.segment import SearchSegment, Statistics, open_segments
from newsindex.store.live import LiveSegment

__all__ = ["Snapshot", "id_text"]

_Array = npt.NDArray[Any]


def id_text(article_id: object) -> str:
    """Return an article's id as the index keeps it: ids are text, and a model's whole numbers stand for theirs.

    Raises:
        QueryError: this can be no id.
    """
    if isinstance(article_id, bool) or not isinstance(article_id, str | int):
        raise QueryError(f"id: a string or a whole number, not {type(article_id).__name__}")
    try:
        text = str(article_id).strip()
    except ValueError:  # Python does not write a number of more than 4,300 digits
        raise QueryError("id: no article has a number of so many digits") from None
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise QueryError(f"id: {text[:40]!r} cannot be written in UTF-8, so no article has it")
    return text


class Snapshot:
    """A commit's segments. Articles are numbered over all of them. Any number of threads may use one."""

    def __init__(
        self, generation: int, segments: Sequence[LiveSegment], schema: Schema, before: Snapshot | None = None
    ) -> None:
        """Take a commit's segments; what was made of those that a snapshot before it has too is used again."""
        self.generation = generation
        self.schema = schema
        known = {} if before is None else {(one.segment.entry, one.base): one for one in before.segments}
        opened = open_segments(segments)
        self.segments: tuple[SearchSegment, ...] = tuple(
            [known.get((one.segment.entry, one.base), one) for one in opened]
        )
        self.statistics = Statistics.of(self.segments, schema_weights(schema))
        self.doc_count = self.statistics.article_count
        """The number of articles, deleted ones that were not merged away included."""
        self._starts = [segment.base for segment in self.segments]
        self.usual = self.statistics.parameters(USUAL)
        """The usual formula's parameters over this commit."""
        self.living: list[_Array | None] = [one.live if one.live.size else None for one in self.segments]
        """Of each segment the bitmap of the articles that live, None where all do."""
        source = schema.fields.get("source")
        self._stored_source = source is not None and not source.many and not isinstance(source.kind, Keyword)
        self._source = "source" if source is not None and not source.many and not self._stored_source else None
        self._sources: list[dict[int, str]] = [{} for _ in self.segments]
        """Of each segment, the sources asked for so far, by their numbers."""
        self._dates = [memoryview(segment.dates) for segment in self.segments]  # type: ignore[arg-type]
        self._facets: dict[str, Facet] = {}
        self._pairs: dict[int, dict[str, _Array]] = {}
        self.known_values: dict[object, bool] = {}
        """Whether an article has a value, of values asked for lately."""

        self.known_nearest: dict[tuple[str, int], str | None] = {}
        """Of words that no article has, searched lately, the ones that were perhaps meant, by fields."""
        self.known_expansions: dict[tuple[str, str, int, int], tuple[int, int, Any]] = {}
        """Of prefixes and the like: how many terms they stand for, in how much of a query's budget, and which."""
        self.known_variants: dict[str, tuple[tuple[str, bytes], ...]] = {}
        """Of words searched lately the variants that articles have, and their terms."""
        self.known_words: dict[str, Any] = {}
        """What is known of words searched lately; see `plain_search`."""

    @property
    def article_count(self) -> int:
        """The number of articles that live."""
        return sum(segment.live_count for segment in self.segments)

    def parameters(self, ranking: Ranking) -> Parameters:
        """Return the formula's parameters over this commit."""
        return self.usual if ranking is USUAL else self.statistics.parameters(ranking)

    def idf(self, doc_freq: int) -> float:
        """Return the idf of a word that so many articles have."""
        return idf(self.doc_count, doc_freq)

    # One article

    def number(self, article_id: str) -> int | None:
        """Return the number of the living article with this id, None when there is none."""
        for segment in self.segments:
            doc = segment.reader.find_id(article_id)
            if doc is not None and segment.segment.live[doc]:
                return segment.base + doc
        return None

    def place(self, number: int) -> tuple[SearchSegment, int]:
        """Return the segment of an article, and its number counted from the segment's first."""
        segment = self.segments[bisect_right(self._starts, number) - 1]
        return segment, number - segment.base

    def article_id(self, number: int) -> str:
        """Return the id of an article."""
        segment, doc = self.place(number)
        return segment.reader.ids[doc]

    def shown(self, numbers: _Array) -> tuple[list[str], list[str]]:
        """Return the ids and the titles of articles, int64[n], read together."""
        if len(self.segments) == 1:
            return self.segments[0].reader.shown.both(numbers)  # whose first article is 0
        ids, titles = [""] * numbers.size, [""] * numbers.size
        for segment, places, docs in self._by_segment(numbers):
            found = segment.reader.shown.both(docs)
            for place, own_id, title in zip(places, *found, strict=True):
                ids[place], titles[place] = own_id, title
        return ids, titles

    def article_ids(self, numbers: _Array) -> list[str]:
        """Return the ids of articles, int64[n], read together."""
        if len(self.segments) == 1:
            return self.segments[0].reader.shown.ids(numbers)  # whose first article is 0
        ids = [""] * numbers.size
        for segment, places, docs in self._by_segment(numbers):
            for place, text in zip(places, segment.reader.shown.ids(docs), strict=True):
                ids[place] = text
        return ids

    def titles(self, numbers: _Array) -> list[str]:
        """Return what a list calls articles, int64[n], read together."""
        if len(self.segments) == 1:
            return self.segments[0].reader.shown.titles(numbers)  # whose first article is 0
        titles = [""] * numbers.size
        for segment, places, docs in self._by_segment(numbers):
            for place, text in zip(places, segment.reader.shown.titles(docs), strict=True):
                titles[place] = text
        return titles

    def _by_segment(self, numbers: _Array) -> Iterator[tuple[SearchSegment, list[int], _Array]]:
        """Yield (segment, places in `numbers`, docs) of the segments that have any of the articles."""
        own: dict[int, list[int]] = {}
        starts = self._starts
        for place, number in enumerate(numbers.tolist()):
            own.setdefault(bisect_right(starts, number) - 1, []).append(place)
        for at, places in own.items():
            segment = self.segments[at]
            yield segment, places, numbers[places] - segment.base

    def date(self, number: int) -> datetime | None:
        """Return the date by which articles are sorted."""
        at = bisect_right(self._starts, number) - 1
        date = self._dates[at][number - self._starts[at]]
        return None if date == MISSING else from_microseconds(date)

    def source(self, number: int) -> str | None:
        """Return the source of an article, where the model has a field of that name with one string."""
        if self._stored_source:
            source = json.loads(self.stored(number)).get("source")
            return source if isinstance(source, str) else None
        if self._source is None:
            return None
        at = bisect_right(self._starts, number) - 1
        values = self.segments[at].keywords(self._source)
        doc = number - self._starts[at]
        begin, end = values.starts[doc : doc + 2].tolist()
        if begin == end:
            return None
        value = int(values.ords[begin])
        sources = self._sources[at]
        source = sources.get(value)
        if source is None:
            source = sources[value] = values.column.shown[value]
        return source

    def stored(self, number: int) -> str:
        """Return the stored JSON of an article."""
        segment, doc = self.place(number)
        return _text(segment, doc, segment.reader.stored(doc))

    def stored_articles(self) -> Iterator[str]:
        """Yield the stored JSON of every article, in the order of the numbers."""
        for segment in self.segments:
            live = segment.segment.live
            docs = np.flatnonzero(live).tolist()
            for doc, stored in zip(docs, segment.reader.stored_articles(live), strict=True):
                yield _text(segment, doc, stored)

    # All articles

    def date_ends(self) -> tuple[datetime | None, datetime | None]:
        """Return the oldest and the newest date by which articles are sorted."""
        ends: list[int] = []
        for segment in self.segments:
            dated = segment.dates[(segment.dates != MISSING) & segment.segment.live]
            if dated.size:
                ends += [int(dated.min()), int(dated.max())]
        return (from_microseconds(min(ends)), from_microseconds(max(ends))) if ends else (None, None)

    # Values and terms

    def facet(self, field: str) -> Facet:
        """Return the values of a keyword field over all segments."""
        found = self._facets.get(field)
        if found is None:
            found = self._facets[field] = Facet(self.segments, field)
        return found

    def pairs_ending_with(self, at: int, character: str) -> _Array:
        """Return the numbers (int64, ascending) of a segment's terms of scripts without spaces that end so."""
        found = self._pairs.get(at)
        if found is None:
            found = self._pairs[at] = _by_last_character(self.segments[at])
        return found.get(character[-1:], np.empty(0, np.int64))


def _by_last_character(segment: SearchSegment) -> dict[str, _Array]:
    found: dict[str, list[int]] = {}
    for lead in range(0xE0, 0xF5):  # none of these scripts begins before U+0800
        for encoded, info in segment.reader.terms(bytes([lead])):
            term = encoded.decode()
            if lookup(term[0])[0] == IDEOGRAPH:
                found.setdefault(term[-1], []).append(info.number)
    return {character: np.array(numbers, np.int64) for character, numbers in found.items()}


def _text(segment: SearchSegment, doc: int, stored: bytes) -> str:
    try:
        return stored.decode()
    except UnicodeDecodeError:
        raise segment.reader.damage(f"the stored article {doc} is not UTF-8") from None
