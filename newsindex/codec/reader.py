"""A segment, open: terms, postings, columns and stored articles, as views of its memory map."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash

from newsindex.codec.decode_kernel import decode_positions, decode_postings
from newsindex.codec.dictionary import Dictionary, TermInfo
from newsindex.codec.format import DIGEST_BYTES, MISSING
from newsindex.codec.sections import Bytes, SectionReader
from newsindex.codec.shown import ShownStrings
from newsindex.codec.stored import StoredArticles
from newsindex.codec.strings import FrontCoded, Strings, ascend
from newsindex.codec.words_kernel import decode_lists
from newsindex.errors import FormatError
from newsindex.schema import Date, Flag, Number, Schema

__all__ = ["FrontCoded", "KeywordColumn", "SegmentReader", "Strings", "TermInfo"]

# The dates that Python has, in microseconds since 1970.
_EARLIEST, _LATEST = -62_135_596_800_000_000, 253_402_300_799_999_999
_Array = npt.NDArray[Any]


class KeywordColumn:
    """The values of a keyword field: `keys` folded and sorted, `shown` as first written.

    The values of article d are `ords[starts[d] : starts[d + 1]]`, numbers into both.
    """

    def __init__(self, sections: SectionReader, name: str, doc_count: int) -> None:
        self._sections = sections
        self._name = name
        told = sections.said.get("keywords")
        count = told.get(name) if isinstance(told, dict) else None
        if not isinstance(count, int) or not 0 <= count < 2**32:
            raise sections.damage(f"the directory does not tell the number of values of {name}")
        self.keys = Strings(sections, f"key.{name}", count)
        self.shown = Strings(sections, f"shown.{name}", count)
        counts = sections.numbers(f"ords.{name}.counts", doc_count)
        self.starts = np.zeros(doc_count + 1, np.int64)
        np.cumsum(counts, dtype=np.int64, out=self.starts[1:])
        if (self.starts[1:] < self.starts[:-1]).any():  # a sum over 64 bits
            raise sections.damage(f"the numbers of values of {name} are out of range")
        self.ords = sections.numbers(f"ords.{name}", int(self.starts[-1]))
        if self.ords.size and int(self.ords.max()) >= count:
            raise sections.damage(f"the values of {name} are out of range")

    def sorted_keys(self) -> list[bytes]:
        """Return the bytes of all keys, ascending; each can be decoded to text."""
        found = self.keys.texts()
        if not ascend(found):
            raise self._sections.damage(f"the values of {self._name} are not in order")
        return found

    @cached_property
    def _numbers(self) -> dict[bytes, int]:
        return {key: number for number, key in enumerate(self.sorted_keys())}

    def number(self, key: bytes) -> int | None:
        """Return the number of a folded value, None when no article has it."""
        return self._numbers.get(key)

    @cached_property
    def _postings(self) -> tuple[_Array, _Array]:
        docs = np.repeat(np.arange(self.starts.size - 1, dtype=np.uint32), np.diff(self.starts))
        order = np.argsort(self.ords, kind="stable")
        ends = np.concatenate([[0], np.cumsum(np.bincount(self.ords, minlength=len(self.keys)))])
        return docs[order], ends

    def docs(self, number: int) -> _Array:
        """Return the articles that have a value, uint32, ascending."""
        docs, ends = self._postings
        return docs[ends[number] : ends[number + 1]]


class SegmentReader:
    """The content of one segment.

    Articles are numbered from 0 to `doc_count` - 1. What is damaged raises FormatError with the file's name; nothing
    read from the file is trusted for a length or a place.
    """

    def __init__(self, body: Bytes, file: str, schema: Schema) -> None:
        """Open the body, uint8[m]; it stays shared and must not change.

        Raises:
            FormatError: the directory is damaged or does not fit the schema.
        """
        self._sections = sections = SectionReader(body, file)
        self.file = file
        self.schema = schema
        try:
            self.doc_count = int(sections.said["doc_count"])
            self.long_words = int(sections.said.get("long_words", 0))
            told = sections.said["text_fields"]
            self.totals = {str(name): int(told[name]["total"]) for name in schema.text_fields}
            self.doc_counts = {str(name): int(told[name]["doc_count"]) for name in schema.text_fields}
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise sections.damage(f"the directory lacks {error}") from None
        if not 0 <= self.doc_count < 2**31:
            raise sections.damage(f"{self.doc_count} articles")
        for name in schema.text_fields:
            if not 0 <= self.doc_counts[name] <= min(self.doc_count, self.totals[name]) or self.totals[name] >= 2**63:
                raise sections.damage(f"{self.totals[name]} words in {self.doc_counts[name]} articles have a {name}")
        self._columns: dict[str, tuple[_Array, _Array]] = {}
        self._terms = Dictionary(sections, "terms")
        self._words = Dictionary(sections, "words")
        self._postings: Bytes = sections.array("postings", np.uint8)
        self._positions: Bytes = sections.array("positions", np.uint8)
        self._posting_words = self._postings[: self._postings.size & ~3].view(np.uint32)
        self._position_words = self._positions[: self._positions.size & ~3].view(np.uint32)
        self._lists: Bytes = sections.array("words.occurrences", np.uint8)
        self.ids = FrontCoded(sections, "id", self.doc_count)
        self.titles = Strings(sections, "title", self.doc_count)
        self.shown = ShownStrings(self.ids, self.titles)

    # Text

    @property
    def dictionary_of_terms(self) -> Dictionary:
        """The terms."""
        return self._terms

    @property
    def dictionary_of_words(self) -> Dictionary:
        """The words before stemming that are no terms."""
        return self._words

    @cached_property
    def words_of_terms(self) -> tuple[_Array, _Array]:
        """The words of term t, not counting itself: numbers[starts[t] : starts[t + 1]], ascending; both int64."""
        terms = self.terms_of_words(np.arange(self._words.count))
        starts = np.zeros(self._terms.count + 1, np.int64)
        np.cumsum(np.bincount(terms, minlength=self._terms.count), out=starts[1:])
        return np.argsort(terms, kind="stable"), starts

    def rows_of_words(self, numbers: _Array) -> _Array:
        """Return the rows of words of these numbers, int64[n, 8].

        A word's doc_freq is the number of its term, and its fields are 0 where it has no list: it has those occurrences
        of the term that are on no other's.
        """
        return self._words.rows(numbers)

    def occurrences_of_words(self, rows: _Array, totals: _Array) -> tuple[_Array, _Array]:
        """Return which occurrences of its term each of some words has that have a list.

        Args:
            rows: int64[n, 8], theirs.
            totals: int64[n], the position_count of each one's term.

        Returns:
            (places uint32, starts int64[n + 1]): those of word i are places[starts[i] : starts[i + 1]], ascending from
            0 at the term's first occurrence.
        """
        # Each takes a bit at least.
        most = 8 * self._lists.size
        starts = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(np.clip(rows[:, 5], -1, most + 1), out=starts[1:])
        if int(rows[:, 5].min(initial=0)) < 0 or int(starts[-1]) > most:
            raise self._sections.damage(f"the lists of words are longer than {self._lists.size} bytes hold")
        places = np.empty(int(starts[-1]), np.uint32)
        if decode_lists(self._lists, rows, totals, places) < 0:
            raise self._sections.damage("the lists of words cannot be read")
        return places, starts

    def terms_of_words(self, words: _Array) -> _Array:
        """Return the numbers of the terms of words of these numbers, int64[n]."""
        numbers: _Array = self._words.rows(words)[:, 2].copy()  # in one piece: no kernel is compiled for others
        if numbers.size and not 0 <= int(numbers.min()) <= int(numbers.max()) < self._terms.count:
            raise self._sections.damage(f"a word is of term {numbers.max()}")
        return numbers

    @property
    def term_count(self) -> int:
        """The number of different terms over all text fields."""
        return self._terms.count

    def find(self, term: bytes) -> TermInfo | None:
        """Return where a term's postings are, None when no article has it."""
        row = self._terms.find((term,))[0].tolist()
        return TermInfo(*row) if row[0] >= 0 else None

    def find_all(self, terms: Sequence[bytes]) -> _Array:
        """Return a row of each term, int64[t, 8]: what TermInfo has, in order; of an absent one, -1 and doc_freq 0."""
        return self._terms.find(terms)

    def rows_of(self, numbers: _Array) -> _Array:
        """Return the rows, as `find_all` gives them, of the terms of these numbers, int64[n]; ascending is quickest."""
        return self._terms.rows(numbers)

    def rows_beginning(self, prefix: bytes, most: int) -> _Array | None:
        """Return the rows of the terms that begin with a prefix of ASCII letters, at least one; see `find_all`.

        None when they are more than `most`, or another term has a word that begins so.
        """
        return self._terms.expanded(self._words, prefix, most)

    def prefix_rows(self, prefix: bytes, limit: int) -> tuple[_Array, _Array]:
        """Return (numbers int64[m], rows int64[m, 8]) of the first terms, at most `limit`, that begin with `prefix`."""
        first, after = self._terms.between(prefix)
        numbers = np.arange(first, min(after, first + limit), dtype=np.int64)
        return numbers, self._terms.rows(numbers)

    def terms(self, prefix: bytes = b"") -> Iterator[tuple[bytes, TermInfo]]:
        """Yield the terms that begin with `prefix`, in order of their bytes."""
        return self._terms.starting(prefix)

    def all_words(self) -> tuple[list[bytes], _Array]:
        """Return all words before stemming that are no terms, in order, and their rows."""
        words, told = self._words.decode(0, self._words.count)
        rows = np.column_stack([np.arange(len(words)), told])
        if rows.size and not 0 <= int(rows[:, 2].min()) <= int(rows[:, 2].max()) < self._terms.count:
            raise self._sections.damage("a word is of a term that is not there")
        return words, rows

    def words(self, prefix: bytes) -> Iterator[tuple[bytes, int]]:
        """Yield the words before stemming that begin so and are no terms, with the numbers of their terms."""
        for word, info in self._words.starting(prefix):
            if info.doc_freq >= self._terms.count:
                raise self._sections.damage(f"the word {info.number} is of term {info.doc_freq}")
            yield word, info.doc_freq

    def term_bytes(self, number: int) -> bytes:
        """Return the term of a number."""
        return self._terms.text(number)

    def dictionary(self) -> tuple[list[bytes], _Array]:
        """Return all terms in order, and what is told of each: int64[T, 7] as `decode_terms` tells it."""
        terms, told = self._terms.decode(0, self._terms.count)
        # A block of 128 takes a byte at least; who merges makes room for all of them.
        if int(told[:, 4].sum()) > 128 * self._positions.size:
            raise self._sections.damage(f"{told[:, 4].sum()} positions are more than {self._positions.size} bytes hold")
        return terms, told

    def text_arrays(self) -> tuple[Bytes, _Array, Bytes, _Array]:
        """Return the sections of postings and positions, each as bytes and as uint32."""
        return self._postings, self._posting_words, self._positions, self._position_words

    def postings(self, info: TermInfo) -> tuple[_Array, _Array]:
        """Return (doc ids uint32[doc_freq], frequencies uint32[F, doc_freq]) of a term."""
        room = -(-info.doc_freq // 128) * 128
        fields = len(self.schema.text_fields)
        if not 0 < info.doc_freq <= self.doc_count:
            raise self._sections.damage(f"term {info.number} stands in {info.doc_freq} of {self.doc_count} articles")
        docs, freqs = np.empty(room, np.uint32), np.empty((fields, room), np.uint32)
        end = decode_postings(
            self._postings, self._posting_words, info.postings_begin, info.postings_end, info.doc_freq, fields,
            self.doc_count, docs, freqs,
        )  # fmt: skip
        if end < 0:
            raise self._sections.damage(f"the postings of term {info.number} at byte {info.postings_begin}")
        return docs[: info.doc_freq], freqs[:, : info.doc_freq]

    def position_gaps(self, info: TermInfo) -> _Array:
        """Return the position gaps of a term, uint32[position_count]: posting by posting, field by field."""
        # A block of 128 takes a byte at least.
        if info.position_count > 128 * (info.positions_end - info.positions_begin):
            raise self._sections.damage(f"term {info.number} has {info.position_count} positions")
        gaps = np.empty(-(-info.position_count // 128) * 128, np.uint32)
        end = decode_positions(
            self._positions, self._position_words, info.positions_begin, info.positions_end, info.position_count, gaps
        )
        if end < 0:
            raise self._sections.damage(f"the positions of term {info.number} at byte {info.positions_begin}")
        return gaps[: info.position_count]

    def lengths(self, field: str) -> _Array:
        """Return the number of words of a text field in each article, u8, u16 or u32[doc_count]."""
        return self._sections.numbers(f"lengths.{field}", self.doc_count)

    def boundaries(self) -> Strings:
        """Return where sentences and paragraphs begin, coded, of each article."""
        return Strings(self._sections, "boundaries", self.doc_count)

    # Columns

    def keywords(self, field: str) -> KeywordColumn:
        """Return the values of a keyword field."""
        return KeywordColumn(self._sections, field, self.doc_count)

    def column(self, field: str) -> tuple[_Array, _Array]:
        """Return (values, present) of a date (microseconds), number or flag field; present is bool[doc_count]."""
        if field not in self._columns:
            self._columns[field] = self._column(field)
        return self._columns[field]

    def _column(self, field: str) -> tuple[_Array, _Array]:
        kind = self.schema.fields[field].kind
        if isinstance(kind, Date):
            dates = self._sections.array(f"date.{field}", np.int64, self.doc_count)
            present = dates != MISSING
            if (present & ((dates < _EARLIEST) | (dates > _LATEST))).any():
                raise self._sections.damage(f"a date of {field} is not in the years 1 to 9999")
            return dates, present
        if isinstance(kind, Flag):
            flags = self._sections.array(f"flag.{field}", np.uint8, self.doc_count)
            return flags, flags < 2
        assert isinstance(kind, Number)
        is_float = self.schema.fields[field].type_name == "float"
        values = self._sections.array(f"number.{field}", np.float64 if is_float else np.int64, self.doc_count)
        return values, self._sections.array(f"has.{field}", np.uint8, self.doc_count) > 0

    # Articles

    def find_id(self, article_id: str) -> int | None:
        """Return the number of the article with this id, None when there is none."""
        encoded = article_id.encode("utf-8", "replace")
        wanted = np.uint32(xxhash.xxh32_intdigest(encoded))
        hashes = self._sections.array("id.hashes", np.uint32, self.doc_count)
        docs = self._sections.numbers("id.docs", self.doc_count)
        at = int(np.searchsorted(hashes, wanted))
        while at < self.doc_count and hashes[at] == wanted:
            doc = int(docs[at])
            if doc < self.doc_count and self.ids.encoded(doc) == encoded:
                return doc
            at += 1
        return None

    def find_ids(self, ids: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Yield (place in `ids`, number) of each article whose id is among them."""
        hashes = self._sections.array("id.hashes", np.uint32, self.doc_count)
        wanted = np.array(
            [xxhash.xxh32_intdigest(article_id.encode("utf-8", "replace")) for article_id in ids], np.uint32
        )
        at = np.searchsorted(hashes, wanted)
        inside = at < self.doc_count
        for place in np.flatnonzero(inside & (hashes[np.where(inside, at, 0)] == wanted) if self.doc_count else inside):
            doc = self.find_id(ids[int(place)])
            if doc is not None:
                yield int(place), doc

    def digest(self, doc: int) -> bytes:
        """Return an article's digest."""
        return bytes(self.digests()[doc])

    def digests(self) -> _Array:
        """Return the digests of all articles, uint8[doc_count, 8]."""
        return self._sections.array("digest", np.uint8, DIGEST_BYTES * self.doc_count).reshape(-1, DIGEST_BYTES)

    def stored(self, doc: int) -> bytes:
        """Return the stored JSON of an article."""
        return self._stored[doc]

    def stored_articles(self, live: _Array) -> Iterator[bytes]:
        """Yield the stored JSON of the articles that live (bool[doc_count]), in order; each block is unpacked once."""
        return self._stored.living(live)

    @cached_property
    def _stored(self) -> StoredArticles:
        return StoredArticles(self._sections, self.doc_count)

    def damage(self, reason: str) -> FormatError:
        """Return the error that says what is wrong in this segment's file."""
        return self._sections.damage(reason)

    def section(self, name: str) -> tuple[int, Bytes]:
        """Return where a section begins in the file's content, and its bytes."""
        return self._sections.place(name), self._sections.array(name, np.uint8)

    def section_sizes(self) -> dict[str, int]:
        """Return the bytes of each section."""
        return self._sections.sizes()
