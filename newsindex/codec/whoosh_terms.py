"""The terms of each kind of field as Whoosh knows them: where stock Whoosh writes them out, they are made here."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.codec.reader import KeywordColumn, SegmentReader, TermInfo
from newsindex.codec.whoosh_matcher import Postings
from newsindex.whoosh_door import FieldCursor, byte_to_length

__all__ = [
    "FieldTerms",
    "TermCursor",
    "flag_terms",
    "id_terms",
    "keyword_terms",
    "length_bytes",
    "text_terms",
    "word_terms",
]

_CACHED_POSTINGS = 1 << 20
_LENGTHS = np.array([byte_to_length(byte) for byte in range(256)], np.int64)
_Array = npt.NDArray[Any]


class FieldTerms:
    """The terms of one field in one segment; every sequence of terms is in order of their bytes."""

    def begin(self, start: bytes) -> Iterator[bytes]:
        """Yield the terms not before `start`."""
        raise NotImplementedError

    def postings(self, term: bytes) -> Postings | None:
        """Return the postings of a term, those of deleted articles too; None when no article has it."""
        raise NotImplementedError

    def starting(self, prefix: bytes) -> Iterator[bytes]:
        """Yield the terms that begin with `prefix`."""
        return takewhile(lambda term: term.startswith(prefix), self.begin(prefix))

    def doc_frequency(self, term: bytes) -> int:
        """Return how many articles have the term, deleted ones counted."""
        postings = self.postings(term)
        return 0 if postings is None else int(postings.ids.size)

    def __contains__(self, term: bytes) -> bool:
        """Tell whether an article has the term."""
        return self.doc_frequency(term) > 0


def text_terms(segment: SegmentReader, name: str, lengths: bytes) -> FieldTerms:
    """Return the terms of a text field; `lengths` are those of `length_bytes`."""
    return _TextTerms(segment, segment.schema.text_fields.index(name), lengths)


def keyword_terms(values: KeywordColumn) -> FieldTerms:
    """Return the folded values of a keyword field."""
    return _ListedTerms(values.sorted_keys(), values.docs)


def flag_terms(flags: _Array) -> FieldTerms:
    """Return Whoosh's "f" and "t", as far as an article has them, of a column of flags."""
    having = {key: np.flatnonzero(flags == flag).astype(np.uint32) for flag, key in enumerate((b"f", b"t"))}
    found = [key for key, docs in having.items() if docs.size]
    return _ListedTerms(found, lambda number: having[found[number]])


def id_terms(segment: SegmentReader) -> FieldTerms:
    """Return the ids of the articles."""
    return _IdTerms(segment)


def word_terms(segment: SegmentReader) -> FieldTerms:
    """Return the words before stemming that are no terms themselves; each has the articles of its term."""
    return _WordTerms(segment)


def length_bytes(lengths: _Array) -> bytes:
    """Return the lengths as stock Whoosh keeps them, in one byte each: its scores depend on what that loses."""
    return np.minimum(np.searchsorted(_LENGTHS, lengths), 255).astype(np.uint8).tobytes()


class _Positions:
    """The positions of a term in one of the text fields, decoded when they are first asked for."""

    def __init__(self, segment: SegmentReader, info: TermInfo, freqs: _Array, field: int, places: _Array) -> None:
        self._segment = segment
        self._info = info
        self._freqs = freqs
        self._field = field
        self._places = places
        self._decoded: tuple[_Array, _Array] | None = None

    def __call__(self, posting: int) -> list[int]:
        gaps, ends = self._decoded or self._decode()
        place = int(self._places[posting])
        end = int(ends[place, self._field])
        found: list[int] = np.cumsum(gaps[end - int(self._freqs[self._field, place]) : end], dtype=np.int64).tolist()
        return found

    def _decode(self) -> tuple[_Array, _Array]:
        gaps = self._segment.position_gaps(self._info)
        ends = np.cumsum(self._freqs.T, dtype=np.int64).reshape(self._freqs.T.shape)
        if int(ends[-1, -1]) != gaps.size:
            raise self._segment.damage(
                f"term {self._info.number} has {gaps.size} positions and a frequency of {ends[-1, -1]}"
            )
        self._decoded = gaps, ends
        return self._decoded


class _TextTerms(FieldTerms):
    """The terms of one text field, split from the postings over all of them."""

    def __init__(self, segment: SegmentReader, field: int, lengths: bytes) -> None:
        self._segment = segment
        self._field = field
        self._lengths = np.frombuffer(lengths, np.uint8)
        self._cache: OrderedDict[bytes, Postings] = OrderedDict()
        self._cached = 0
        self._lock = Lock()

    def __contains__(self, term: bytes) -> bool:
        info = self._segment.find(term)
        return info is not None and self._has(info)

    def _has(self, info: TermInfo) -> bool:
        return bool(info.fields >> self._field & 1)

    def begin(self, start: bytes) -> Iterator[bytes]:
        segment = self._segment
        number = bisect_left(range(segment.term_count), start, key=segment.term_bytes) if start else 0
        while number < segment.term_count:
            # The dictionary is gone through by prefixes: by one of which every term is late enough, then by the next.
            term = segment.term_bytes(number)
            shared = next((at for at, byte in enumerate(start) if term[at : at + 1] != bytes([byte])), len(start))
            for found, info in segment.terms(term[: shared + 1] if shared < len(start) else start):
                number = max(number, info.number)
                if self._has(info):
                    yield found
            number += 1

    def starting(self, prefix: bytes) -> Iterator[bytes]:
        return (term for term, info in self._segment.terms(prefix) if self._has(info))

    def doc_frequency(self, term: bytes) -> int:
        info = self._segment.find(term)
        if info is None or not self._has(info):
            return 0
        if info.fields == 1 << self._field:
            return info.doc_freq
        postings = self.postings(term)
        return 0 if postings is None else int(postings.ids.size)

    def postings(self, term: bytes) -> Postings | None:
        with self._lock:
            if term in self._cache:
                self._cache.move_to_end(term)
                return self._cache[term]
        found = self._decode(term)
        if found is not None and found.ids.size <= _CACHED_POSTINGS:
            with self._lock:
                if term not in self._cache:
                    self._cached += found.ids.size
                self._cache[term] = found
                while self._cached > _CACHED_POSTINGS:
                    self._cached -= self._cache.popitem(last=False)[1].ids.size
        return found

    def _decode(self, term: bytes) -> Postings | None:
        info = self._segment.find(term)
        if info is None or not self._has(info):
            return None
        docs, freqs = self._segment.postings(info)
        places = np.flatnonzero(freqs[self._field])
        if not places.size:
            raise self._segment.damage(f"term {info.number} is said to stand in text field {self._field}")
        ids = docs[places]
        return Postings(
            ids,
            freqs[self._field, places],
            _LENGTHS[self._lengths[ids]],
            _Positions(self._segment, info, freqs, self._field, places),
        )


class _ListedTerms(FieldTerms):
    """Terms that stand in a list, and the articles of each: keyword values and flags."""

    def __init__(self, terms: Sequence[bytes], docs: Callable[[int], _Array]) -> None:
        self._terms = terms
        self._docs = docs

    def begin(self, start: bytes) -> Iterator[bytes]:
        return (self._terms[place] for place in range(bisect_left(self._terms, start), len(self._terms)))

    def postings(self, term: bytes) -> Postings | None:
        place = bisect_left(self._terms, term)
        found = place < len(self._terms) and self._terms[place] == term
        return Postings(self._docs(place)) if found else None


class _IdTerms(FieldTerms):
    """The ids of articles; they are put in order when somebody goes through them."""

    def __init__(self, segment: SegmentReader) -> None:
        self._segment = segment
        self._sorted: list[bytes] | None = None

    def begin(self, start: bytes) -> Iterator[bytes]:
        if self._sorted is None:
            self._sorted = sorted(self._segment.ids.texts())
        found = self._sorted
        return (found[place] for place in range(bisect_left(found, start), len(found)))

    def postings(self, term: bytes) -> Postings | None:
        try:
            doc = self._segment.find_id(term.decode())
        except UnicodeDecodeError:
            return None
        return None if doc is None else Postings(np.array([doc], np.uint32))


class _WordTerms(FieldTerms):
    """Looked up in two dictionaries."""

    def __init__(self, segment: SegmentReader) -> None:
        self._segment = segment

    def _info(self, term: bytes) -> TermInfo | None:
        found = next(iter(self._segment.words(term)), None)
        return self._segment.find(self._segment.term_bytes(found[1])) if found and found[0] == term else None

    def begin(self, start: bytes) -> Iterator[bytes]:
        return (word for word, _ in self._segment.words(b"") if word >= start)

    def starting(self, prefix: bytes) -> Iterator[bytes]:
        return (word for word, _ in self._segment.words(prefix))

    def doc_frequency(self, term: bytes) -> int:
        info = self._info(term)
        return 0 if info is None else info.doc_freq

    def postings(self, term: bytes) -> Postings | None:
        info = self._info(term)
        return None if info is None else Postings(self._segment.postings(info)[0])


class TermCursor(FieldCursor):  # type: ignore[misc]
    """The terms of a field that begin with a prefix, to jump about in."""

    def __init__(self, reader: Any, fieldname: str, prefix: bytes) -> None:
        self._reader = reader
        self._fieldname = fieldname
        from_bytes = reader.schema[fieldname].from_bytes
        self._texts = [from_bytes(term) for term in reader.expand_prefix(fieldname, prefix)]
        self._at = 0

    def first(self) -> Any:
        """Go to the first term and return it."""
        self._at = 0
        return self.text()

    def find(self, string: Any) -> Any:
        """Go to the first term not before this one and return it."""
        text = self._reader.schema[self._fieldname].from_bytes(string) if isinstance(string, bytes) else string
        self._at = bisect_left(self._texts, text)
        return self.text()

    def next(self) -> Any:
        """Go on by one term and return it."""
        self._at += 1
        return self.text()

    def text(self) -> Any:
        """Return the term, as the field decodes it; None behind the last."""
        return self._texts[self._at] if self.is_valid() else None

    def term(self) -> Any:
        """Return the same: Whoosh has two names for it."""
        return self.text()

    def term_info(self) -> Any:
        """Return what a scorer asks of the term."""
        return self._reader.term_info(self._fieldname, self.text()) if self.is_valid() else None

    def is_valid(self) -> bool:
        """Tell whether the end is not reached."""
        return self._at < len(self._texts)
