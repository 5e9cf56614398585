"""One commit, opened: its articles under one numbering, and what can be looked up of each."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.analysis.characters import IDEOGRAPH, lookup
from newsindex.codec.reader import KeywordColumn
from newsindex.dates import from_microseconds
from newsindex.errors import QueryError
from newsindex.schema import Keyword, Schema
from newsindex.store.live import LiveSegment

__all__ = ["Expansion", "Snapshot", "id_text"]

_Array = npt.NDArray[Any]


def id_text(article_id: object) -> str:
    """Return an article's id as the index keeps it: ids are text, and a model's whole numbers stand for theirs.

    Raises:
        QueryError: this can be no id.
    """
    if isinstance(article_id, bool) or not isinstance(article_id, str | int):
        raise QueryError(f"id: a string or a whole number, not {type(article_id).__name__}")
    text = str(article_id).strip()
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise QueryError(f"id: {text[:40]!r} cannot be written in UTF-8, so no article has it")
    return text


@dataclass
class Expansion:
    """A term that a prefix stands for: in how many articles it is, and in which text fields (bit f for field f)."""

    doc_freq: int = 0
    fields: int = 0


@dataclass(frozen=True)
class Snapshot:
    """A commit's segments, and Whoosh's searcher over them. Articles are numbered over all segments."""

    generation: int
    segments: tuple[LiveSegment, ...]
    schema: Schema
    searcher: Any

    @cached_property
    def _starts(self) -> list[int]:
        return list(accumulate((segment.reader.doc_count for segment in self.segments), initial=0))

    @cached_property
    def _places(self) -> dict[int, int]:
        return {id(leaf): place for place, (leaf, _) in enumerate(self.searcher.leaf_searchers())}

    @cached_property
    def _dates(self) -> dict[str, tuple[_Array, _Array]]:
        return {}

    @cached_property
    def _columns(self) -> dict[tuple[str, str], KeywordColumn]:
        return {}

    @cached_property
    def article_count(self) -> int:
        """The number of articles that live."""
        return sum(int(segment.live.sum()) for segment in self.segments)

    def segment_of(self, searcher: Any) -> LiveSegment | None:
        """Return the segment that one of Whoosh's searchers of this snapshot reads; None when there is no segment."""
        place = self._places[id(searcher)]
        return self.segments[place] if self.segments else None

    def split(self, numbers: _Array) -> Iterator[tuple[LiveSegment, _Array]]:
        """Yield each segment and, of these ascending numbers, those in it, counted from its first."""
        bounds = np.searchsorted(numbers, self._starts)
        for place, segment in enumerate(self.segments):
            yield segment, numbers[bounds[place] : bounds[place + 1]] - self._starts[place]

    # One article

    def number(self, article_id: str) -> int | None:
        """Return the number of the living article with this id, None when there is none."""
        for start, segment in zip(self._starts, self.segments, strict=False):
            doc = segment.reader.find_id(article_id)
            if doc is not None and segment.live[doc]:
                return start + doc
        return None

    def article_id(self, number: int) -> str:
        """Return the id of an article."""
        segment, doc = self._place(number)
        return segment.reader.ids[doc]

    def title(self, number: int) -> str:
        """Return what a list calls an article."""
        segment, doc = self._place(number)
        return segment.reader.titles[doc]

    def date(self, number: int) -> datetime | None:
        """Return the date by which articles are sorted."""
        if self.schema.date_field is None:
            return None
        segment, doc = self._place(number)
        values, present = self.dates(segment)
        return from_microseconds(int(values[doc])) if present[doc] else None

    def source(self, number: int) -> str | None:
        """Return the source of an article, where the model has a field of that name with one string."""
        field = self.schema.fields.get("source")
        if field is None or field.many:
            return None
        if not isinstance(field.kind, Keyword):
            source = json.loads(self.stored(number)).get("source")
            return source if isinstance(source, str) else None
        segment, doc = self._place(number)
        column = self.keywords("source", segment)
        begin, end = int(column.starts[doc]), int(column.starts[doc + 1])
        return column.shown[int(column.ords[begin])] if begin < end else None

    def stored(self, number: int) -> str:
        """Return the stored JSON of an article."""
        return _stored_text(*self._place(number))

    def stored_articles(self) -> Iterator[str]:
        """Yield the stored JSON of every article, in the order of the numbers."""
        for segment in self.segments:
            for doc in segment.live.nonzero()[0].tolist():
                yield _stored_text(segment, doc)

    def _place(self, number: int) -> tuple[LiveSegment, int]:
        place = bisect_right(self._starts, number) - 1
        return self.segments[place], number - self._starts[place]

    # All articles

    def everything(self) -> _Array:
        """Return the numbers of all articles, ascending."""
        found = [start + np.flatnonzero(s.live) for start, s in zip(self._starts, self.segments, strict=False)]
        return np.concatenate([np.empty(0, np.int64), *found])

    def keywords(self, field: str, segment: LiveSegment) -> KeywordColumn:
        """Return the values of a keyword field in a segment."""
        key = field, segment.entry.file.name
        if key not in self._columns:
            self._columns[key] = segment.reader.keywords(field)
        return self._columns[key]

    def dates(self, segment: LiveSegment) -> tuple[_Array, _Array]:
        """Return (microseconds, present) of the dates by which articles are sorted; the schema has a date field."""
        name = segment.entry.file.name
        if name not in self._dates:
            assert self.schema.date_field is not None
            self._dates[name] = segment.reader.column(self.schema.date_field)
        return self._dates[name]

    def date_ends(self) -> tuple[datetime | None, datetime | None]:
        """Return the oldest and the newest date by which articles are sorted."""
        if self.schema.date_field is None:
            return None, None
        ends: list[int] = []
        for segment in self.segments:
            values, present = self.dates(segment)
            dated = values[present & segment.live]
            if dated.size:
                ends += [int(dated.min()), int(dated.max())]
        return (from_microseconds(min(ends)), from_microseconds(max(ends))) if ends else (None, None)

    # Terms

    def has_term(self, term: str, fields: int) -> bool:
        """Tell whether an article, perhaps a deleted one, has a term in one of the text fields (bit f for field f)."""
        found = (segment.reader.find(term.encode()) for segment in self.segments)
        return any(info is not None and info.fields & fields for info in found)

    def beginning(self, prefix: str, word_to_term: Any, through: Any) -> dict[str, Expansion]:
        """Return the terms of words that begin so, before stemming or after it; `through` wraps the loops."""
        found: dict[str, Expansion] = defaultdict(Expansion)
        start = prefix.encode("utf-8", "replace")
        for segment in self.segments:
            reader = segment.reader
            own = {term.decode(): info for term, info in through(reader.terms(start))}
            for word, _ in through(reader.words(start)):
                term = word_to_term(word.decode())
                info = own.get(term) or reader.find(term.encode())
                if info is not None:
                    own[term] = info
            for term, info in own.items():
                found[term].doc_freq += info.doc_freq
                found[term].fields |= info.fields
        return found

    def pairs_with(self, character: str) -> dict[str, Expansion]:
        """Return the terms of scripts without spaces that have this character: it alone, and pairs with it."""
        return {
            term: told
            for key in dict.fromkeys((character[0], character[-1]))
            for term, told in self._pairs.get(key, {}).items()
            if term.startswith(character) or term.endswith(character)
        }

    @cached_property
    def _pairs(self) -> dict[str, dict[str, Expansion]]:
        """The terms of scripts without spaces by their first and by their last character."""
        found: dict[str, dict[str, Expansion]] = defaultdict(lambda: defaultdict(Expansion))
        for segment in self.segments:
            for lead in range(0xE0, 0xF5):  # none of these scripts begins before U+0800
                for encoded, info in segment.reader.terms(bytes([lead])):
                    term = encoded.decode()
                    if lookup(term[0])[0] != IDEOGRAPH:
                        continue
                    for key in dict.fromkeys((term[0], term[-1])):
                        told = found[key][term]
                        told.doc_freq += info.doc_freq
                        told.fields |= info.fields
        return found

    def known_values(self, field: str) -> Iterable[str]:
        """Yield the folded values of a keyword field, segment by segment."""
        for segment in self.segments:
            keys = self.keywords(field, segment).keys
            yield from (keys[number] for number in range(len(keys)))


def _stored_text(segment: LiveSegment, doc: int) -> str:
    try:
        return segment.reader.stored(doc).decode()
    except UnicodeDecodeError:
        raise segment.reader.damage(f"the stored article {doc} is not UTF-8") from None
