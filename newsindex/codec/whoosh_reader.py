"""A segment as Whoosh reads it: the leaf under Whoosh's own searcher."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NoReturn

import numpy as np

from newsindex.codec.reader import SegmentReader
from newsindex.codec.whoosh_columns import YEAR_ONE, value_column
from newsindex.codec.whoosh_matcher import Postings, PostingsMatcher
from newsindex.codec.whoosh_numbers import number_terms
from newsindex.codec.whoosh_schema import ID, STORED, WORDS
from newsindex.codec.whoosh_terms import (
    FieldTerms,
    TermCursor,
    flag_terms,
    id_terms,
    keyword_terms,
    length_bytes,
    text_terms,
    word_terms,
)
from newsindex.errors import FormatError
from newsindex.schema import Date, Flag, Keyword, Number, Text
from newsindex.whoosh_door import Automata, byte_to_length, columns, reading

__all__ = ["ArticlesReader"]

_BYTE_LENGTHS = [byte_to_length(byte) for byte in range(256)]


class ArticlesReader(reading.IndexReader):  # type: ignore[misc]
    """The articles of one segment without the deleted ones, for Whoosh's searcher, queries, sorting and facets.

    As in stock Whoosh deleted articles are not found, but count in statistics until a merge drops them. What is
    read is read from the segment's memory: nothing is opened, closed or pickled, and threads may share one.
    """

    def __init__(
        self, segment: SegmentReader, whoosh_schema: Any, deleted: Collection[int] = (), generation: int = -1
    ) -> None:
        """Take the schema that Whoosh is to see, the numbers of deleted articles, and the generation of the commit."""
        self.schema = whoosh_schema
        self._generation = generation
        self._segment = segment
        self._deleted = np.zeros(segment.doc_count, np.bool_)
        self._deleted[np.fromiter(deleted, np.int64, len(deleted))] = True
        self._deleted_count = int(np.count_nonzero(self._deleted))
        self._terms: dict[str, FieldTerms] = {}
        self._lengths: dict[str, bytes] = {}

    def __copy__(self) -> ArticlesReader:
        """Return the reader itself, which never changes."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> ArticlesReader:
        """Return the reader itself, which never changes."""
        return self

    def __reduce__(self) -> NoReturn:
        """Refuse: what is read is memory of this process."""
        raise TypeError("a reader of an index cannot be pickled; open the index in the other process")

    # Articles

    def generation(self) -> int:
        """Return the generation of the commit."""
        return self._generation

    def doc_count_all(self) -> int:
        """Return the number of articles, deleted ones counted."""
        return self._segment.doc_count

    def doc_count(self) -> int:
        """Return the number of articles that are not deleted."""
        return self._segment.doc_count - self._deleted_count

    def deleted_count(self) -> int:
        """Return the number of deleted articles."""
        return self._deleted_count

    def has_deletions(self) -> bool:
        """Tell whether an article is deleted."""
        return self._deleted_count > 0

    def is_deleted(self, docnum: int) -> bool:
        """Tell whether this article is deleted; Whoosh asks of one behind the last, too."""
        return docnum < self._deleted.size and bool(self._deleted[docnum])

    def all_doc_ids(self) -> Iterator[int]:
        """Return the numbers of the articles that are not deleted."""
        return iter(np.flatnonzero(~self._deleted).tolist())

    def stored_fields(self, docnum: int) -> dict[str, Any]:
        """Return the id and the stored JSON of an article."""
        try:
            stored = self._segment.stored(docnum).decode()
        except UnicodeDecodeError:
            raise FormatError(
                self._segment.file,
                f"damaged: the stored article {docnum} is not UTF-8; restore it from a copy, or rebuild the index",
            ) from None
        told = {ID: self._segment.ids[docnum], STORED: stored}
        return {name: value for name, value in told.items() if name in self.schema}

    # Lengths of text fields

    def _length_bytes(self, fieldname: str) -> bytes:
        if fieldname not in self._lengths:
            self._lengths[fieldname] = length_bytes(self._segment.lengths(fieldname))
        return self._lengths[fieldname]

    def doc_field_length(self, docnum: int, fieldname: str, default: int = 0) -> int:
        """Return the number of words in the field of an article, as stock Whoosh keeps it in one byte."""
        if fieldname not in self._segment.schema.text_fields:
            return default
        length: int = _BYTE_LENGTHS[self._length_bytes(fieldname)[docnum]]
        return length or default

    def field_length(self, fieldname: str) -> int:
        """Return the number of words in the field over all articles, exactly."""
        return self._segment.totals.get(fieldname, 0)

    def min_field_length(self, fieldname: str) -> int:
        """Return the least number of words in the field of an article."""
        return (
            _BYTE_LENGTHS[min(self._length_bytes(fieldname), default=0)]
            if fieldname in self._segment.schema.text_fields
            else 0
        )

    def max_field_length(self, fieldname: str) -> int:
        """Return the greatest number of words in the field of an article."""
        return (
            _BYTE_LENGTHS[max(self._length_bytes(fieldname), default=0)]
            if fieldname in self._segment.schema.text_fields
            else 0
        )

    # Terms

    def indexed_field_names(self) -> list[str]:
        """Return the names of the fields that have terms."""
        return sorted(name for name in self.schema.names() if self.schema[name].format is not None)

    def _field(self, fieldname: str) -> FieldTerms:
        if fieldname not in self.schema or self.schema[fieldname].format is None:
            raise reading.TermNotFound(f"no field {fieldname!r} with terms")
        if fieldname not in self._terms:
            self._terms[fieldname] = self._make_terms(fieldname)
        return self._terms[fieldname]

    def _make_terms(self, name: str) -> FieldTerms:
        segment = self._segment
        if name == ID:
            return id_terms(segment)
        if name == WORDS:
            return word_terms(segment)
        kind = segment.schema.fields[name].kind
        if isinstance(kind, Text):
            return text_terms(segment, name, self._length_bytes(name))
        if isinstance(kind, Keyword):
            return keyword_terms(segment.keywords(name))
        values, present = segment.column(name)
        if isinstance(kind, Flag):
            return flag_terms(values)
        if isinstance(kind, Date):
            values = np.where(present, values, 0) + YEAR_ONE
        return number_terms(values, present, self.schema[name].shift_step)

    def __contains__(self, term: tuple[str, Any]) -> bool:
        """Tell whether an article, deleted or not, has the term (field, text)."""
        fieldname, text = term
        if fieldname not in self.schema or self.schema[fieldname].format is None:
            return False
        return self._text_to_bytes(fieldname, text) in self._field(fieldname)

    def all_terms(self) -> Iterator[tuple[str, bytes]]:
        """Yield every (field, term)."""
        return self._terms_after("")

    def _terms_after(self, fieldname: str) -> Iterator[tuple[str, bytes]]:
        for name in self.indexed_field_names():
            if name > fieldname:
                for term in self._field(name).begin(b""):
                    yield name, term

    def terms_from(self, fieldname: str, prefix: Any) -> Iterator[tuple[str, bytes]]:
        """Yield the (field, term) from this one on, then those of the fields after it."""
        terms = self._field(fieldname).begin(self._text_to_bytes(fieldname, prefix))
        for term in terms:
            yield fieldname, term
        yield from self._terms_after(fieldname)

    def expand_prefix(self, fieldname: str, prefix: Any) -> Iterator[bytes]:
        """Return the terms of the field that begin so."""
        return self._field(fieldname).starting(self._text_to_bytes(fieldname, prefix))

    def lexicon(self, fieldname: str) -> Iterator[bytes]:
        """Return the terms of the field."""
        return self._field(fieldname).begin(b"")

    def _postings(self, fieldname: str, text: Any) -> Postings:
        postings = self._field(fieldname).postings(self._text_to_bytes(fieldname, text))
        if postings is None:
            raise reading.TermNotFound(f"{fieldname}:{text!r}")
        return postings

    def term_info(self, fieldname: str, text: Any) -> Any:
        """Return what a scorer asks of a term; a new object each time, since Whoosh's MultiReader changes it."""
        postings = self._postings(fieldname, text)
        weight, shortest, longest, heaviest = postings.numbers
        return reading.TermInfo(
            weight, int(postings.ids.size), shortest, longest, heaviest, int(postings.ids[0]), int(postings.ids[-1])
        )

    def frequency(self, fieldname: str, text: Any) -> float:
        """Return how often the term stands in the field, 0 when it does not."""
        postings = self._field(fieldname).postings(self._text_to_bytes(fieldname, text))
        return 0.0 if postings is None else postings.numbers[0]

    def doc_frequency(self, fieldname: str, text: Any) -> int:
        """Return how many articles have the term in the field, deleted ones counted."""
        return self._field(fieldname).doc_frequency(self._text_to_bytes(fieldname, text))

    def postings(self, fieldname: str, text: Any, scorer: Any = None) -> PostingsMatcher:
        """Return a matcher of the articles that have the term and are not deleted.

        Raises:
            TermNotFound: no article has it.
        """
        postings = self._postings(fieldname, text)
        if self._deleted_count:
            postings = postings.without(self._deleted)
        term = fieldname, self._text_to_bytes(fieldname, text)
        return PostingsMatcher(postings, self.schema[fieldname].format, term, scorer)

    def has_vector(self, docnum: int, fieldname: str) -> bool:
        """Return false: term vectors are not kept."""
        return False

    def vector(self, docnum: int, fieldname: str, format_: Any = None) -> Any:
        """Refuse: term vectors are not kept."""
        raise KeyError(f"{fieldname}: term vectors are not kept")

    def cursor(self, fieldname: str) -> TermCursor:
        """Return a cursor over the terms of the field."""
        return TermCursor(self, fieldname, b"")

    def terms_within(self, fieldname: str, text: str, maxdist: int, prefix: int = 0) -> Iterator[str]:
        """Yield the terms at most so many edits from `text`, with as many characters before that must be the same."""
        cursor = TermCursor(self, fieldname, text[:prefix].encode())
        found: Iterator[str] = Automata().terms_within(cursor, text, maxdist, prefix)
        return found

    # Columns

    def has_column(self, fieldname: str) -> bool:
        """Tell whether values of the field can be had by article."""
        if fieldname not in self._segment.schema.fields or not self.schema[fieldname].column_type:
            return False
        return isinstance(self._segment.schema.fields[fieldname].kind, Date | Number | Keyword)

    def column_reader(self, fieldname: str, column: Any = None, reverse: bool = False, translate: bool = True) -> Any:
        """Return the values of the field by article: dates and numbers as sortable integers, the first keyword.

        Articles without a value have what stock Whoosh's column gives: the greatest number, or no bytes.
        """
        if not self.has_column(fieldname):
            raise ValueError(f"{fieldname}: no column; columns are for dates, and for numbers and keywords if sortable")
        found = value_column(self._segment, fieldname)
        if reverse:
            found.set_reverse()
        return columns.TranslatingColumnReader(found, self.schema[fieldname].from_column_value) if translate else found
