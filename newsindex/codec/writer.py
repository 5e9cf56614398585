"""Articles and their tokens to the body of a segment."""

from __future__ import annotations

import itertools
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash

from newsindex.analysis.batch import BatchTokenizer, TokenBatch
from newsindex.codec.columns import ArticleColumns
from newsindex.codec.dictionary_kernel import encode_dictionary
from newsindex.codec.encode_kernel import NO_PIECES, encode_terms, make_room, worst_bytes
from newsindex.codec.format import STRINGS_IN_BLOCK, TERMS_IN_BLOCK
from newsindex.codec.freed import give_back_freed_memory
from newsindex.codec.front_kernel import encode_front
from newsindex.codec.inversion import SortedTexts, TermRange, TermSorter, TextChunk, Vocabulary
from newsindex.codec.joined import Joined
from newsindex.codec.sections import Bytes, SectionWriter
from newsindex.codec.stored import PackedArticles, narrow, pack_articles, packed_sections, stored_sections
from newsindex.codec.words import Words
from newsindex.codec.workers import Shared, in_turn
from newsindex.schema import Date, Flag, Number, PreparedArticle, PreparedArticles, Schema, Text

__all__ = [
    "Occurrences",
    "dictionary_sections",
    "encode_articles",
    "encode_columns",
    "encode_segment",
    "field_weights",
    "id_sections",
    "keyword_sections",
    "narrow",
    "postings_sections",
    "stored_sections",
    "strings_sections",
    "weighted_lengths",
    "word_sections",
]

# Occurrences encoded at a time. Terms begin anew aligned after so many, here as in a merge: the bytes hang on it.
_OCCURRENCES = 4 * 1024 * 1024
_BUFFER_BYTES = 8 * 1024 * 1024
# Positions that wait in memory: nearly all of a segment's, but not of a merged one.
_WAITING_BYTES = 32 * 1024 * 1024
# Ranges of terms that are encoded by other threads while one is written.
_RANGES_AHEAD = 3
_Array = npt.NDArray[Any]
_Piece = tuple[Bytes, Bytes]


@dataclass(frozen=True)
class Occurrences:
    """The occurrences of a range of terms.

    Those of term r are [starts[r], starts[r + 1]); of each the text, and the position in it counted from 0, uint32.
    """

    starts: _Array
    texts: _Array
    positions: _Array

    @property
    def terms(self) -> int:
        """How many terms these are of."""
        return self.starts.size - 1

    def among(self, first: int, after: int) -> Occurrences:
        """Return those of the terms [first, after)."""
        begin, end = int(self.starts[first]), int(self.starts[after])
        return Occurrences(self.starts[first : after + 1] - begin, self.texts[begin:end], self.positions[begin:end])


def field_weights(schema: Schema) -> _Array:
    """Return the weights of the text fields, float64[F]."""
    kinds = [schema.fields[name].kind for name in schema.text_fields]
    return np.array([kind.weight for kind in kinds if isinstance(kind, Text)], np.float64)


def weighted_lengths(lengths: _Array, weights: _Array) -> _Array:
    """Return the weighted length of each article, rounded down: uint32[n] of int64[n, F].

    Added up field by field as scoring does: a product of matrices may round up what stands on the edge of a number.
    """
    total = np.zeros(len(lengths), np.float64)
    for own, weight in zip(lengths.T, weights, strict=True):
        total += own * weight
    return np.floor(total).astype(np.uint32)


def encode_articles(
    schema: Schema, articles: Sequence[PreparedArticle], tokenizer: BatchTokenizer
) -> Iterator[memoryview]:
    """Yield the chunks of the body of a segment that holds the articles in this order."""
    texts = [article.values.get(name, "") for article in articles for name in schema.text_fields]
    batch = tokenizer.tokenize(texts)
    vocabulary = Vocabulary(tokenizer.term_of_surface, tokenizer.terms, tokenizer.surfaces, tokenizer.stemmed)
    return encode_segment(schema, articles, batch, vocabulary)


def encode_segment(
    schema: Schema, articles: Sequence[PreparedArticle], batch: TokenBatch, vocabulary: Vocabulary
) -> Iterator[memoryview]:
    """Yield the chunks of the body of a segment: `encode_columns` of the articles and their tokens."""
    columns = ArticleColumns(schema)
    columns.extend(PreparedArticles.of(articles))
    sorter = TermSorter(len(schema.text_fields))
    chunk = sorter.chunk(batch, vocabulary.term_of_surface, len(vocabulary.terms))
    packed = pack_articles([article.stored for article in articles])
    return encode_columns(schema, columns, [packed], lambda: SortedTexts.of([chunk], sorter, vocabulary))


def encode_columns(
    schema: Schema,
    columns: ArticleColumns,
    packed: Iterable[PackedArticles],
    texts: Callable[[], SortedTexts],
    executor: Executor | None = None,
) -> Iterator[memoryview]:
    """Yield the chunks of the body of a segment.

    Args:
        schema: the index's.
        columns: the articles but for their text.
        packed: the articles, in chunks.
        texts: their text; asked for when all else is written, and let go when that is.
        executor: threads to share the work with.
    """
    out = SectionWriter()
    yield from packed_sections(out, packed)
    if executor is not None:
        give_back_freed_memory()
    for name, values in columns.keywords.items():
        keys, shown, counts, ords = values.finished()
        yield from keyword_sections(
            out, name, [key.encode() for key in keys], [text.encode() for text in shown], counts, ords
        )
    yield from _column_sections(out, schema, columns)
    yield from id_sections(out, [article_id.encode() for article_id in columns.ids])
    yield from strings_sections(out, "title", columns.titles)
    yield from out.section("digest", b"".join(columns.digests))
    fields = len(schema.text_fields)
    chunks, terms, listed = texts()
    lengths = np.concatenate([np.zeros(0, np.int64), *(chunk.lengths for chunk in chunks)]).reshape(-1, fields)
    weights = field_weights(schema)
    weighted = weighted_lengths(lengths, weights)
    long_words = sum(chunk.long_words for chunk in chunks)
    told = np.zeros((len(terms.texts), 5), np.int64)
    encoding = _Encoding(terms.ranges(_OCCURRENCES), weights, weighted, told, executor)
    for found in in_turn(deque([listed]), encoding.under_way):
        yield from word_sections(out, found)
    yield from _boundary_sections(out, chunks)
    for number, name in enumerate(schema.text_fields):
        yield from out.section(f"lengths.{name}", narrow(lengths[:, number]))
    yield from _piece_sections(out, encoding.pieces())
    yield from dictionary_sections(out, "terms", terms.texts, told)
    yield from out.directory(
        {
            "doc_count": columns.count,
            "long_words": long_words,
            "text_fields": {
                name: {"total": int(lengths[:, number].sum()), "doc_count": int((lengths[:, number] > 0).sum())}
                for number, name in enumerate(schema.text_fields)
            },
        }
    )


def postings_sections(
    out: SectionWriter,
    ranges: Iterable[Occurrences | TermRange],
    weights: _Array,
    weighted: _Array,
    told: _Array,
    executor: Executor | None = None,
) -> Iterator[memoryview]:
    """Yield the sections of postings and positions of ranges of terms; `told` is filled as `encode_terms` fills it.

    `weights` float64[F] of the fields; `weighted` uint32[n], the weighted length of each article; `executor` has
    threads to encode with.
    """
    return _piece_sections(out, _Encoding(ranges, weights, weighted, told, executor).pieces())


def _piece_sections(out: SectionWriter, pieces: Iterator[_Piece]) -> Iterator[memoryview]:
    # Positions wait; what is too much for memory waits in a file without a name.
    waiting: list[Bytes | bytes] = []
    with tempfile.SpooledTemporaryFile(1) as others:

        def postings() -> Iterator[Bytes]:
            size = 0
            for encoded, positions in pieces:
                size += positions.size
                if size <= _WAITING_BYTES:
                    waiting.append(positions)
                else:
                    others.write(positions.data)
                yield encoded

        yield from out.section("postings", postings())
        others.seek(0)
        yield from out.section("positions", itertools.chain(waiting, iter(lambda: others.read(_BUFFER_BYTES), b"")))


class _Encoding:
    """Ranges of terms that become postings and positions; where there are threads the first are begun at once."""

    def __init__(
        self,
        ranges: Iterable[Occurrences | TermRange],
        weights: _Array,
        weighted: _Array,
        told: _Array,
        executor: Executor | None,
    ) -> None:
        self.under_way: deque[Shared[list[_Piece]]] = deque()
        self._ranges = iter(ranges)
        self._weights, self._weighted, self._told = weights, weighted, told
        self._executor = executor
        self._buffers: list[_Buffers] = []
        self._terms = 0
        for _ in range(0 if executor is None else _RANGES_AHEAD):
            self._begin()

    def _begin(self) -> None:
        """Begin with the next range, if there is one."""
        for occurrences in itertools.islice(self._ranges, 1):
            first = self._terms
            self._terms += occurrences.starts.size - 1
            rows = self._told[first : self._terms]
            self.under_way.append(
                Shared(self._executor, _encoded, occurrences, self._weights, self._weighted, rows, self._buffers)
            )

    def pieces(self) -> Iterator[_Piece]:
        """Yield postings and positions, as they are to stand."""
        self._begin()
        for encoded in in_turn(self.under_way):
            yield from encoded
            self._begin()


class _Buffers:
    """Memory to encode a range of terms in, used for one after the other: new memory costs as much as the encoding."""

    def __init__(self, fields: int) -> None:
        self.texts = self.positions = np.empty(0, np.uint32)
        self.postings = self.placed = np.empty(0, np.uint8)
        self.room = make_room(fields)

    def make_room(self, occurrences: int, encoded: int) -> None:
        if self.texts.size < occurrences:
            self.texts, self.positions = np.empty(occurrences, np.uint32), np.empty(occurrences, np.uint32)
        if self.postings.size < encoded:
            self.postings, self.placed = np.empty(encoded, np.uint8), np.empty(encoded, np.uint8)


def _encoded(
    occurrences: Occurrences | TermRange, weights: _Array, weighted: _Array, told: _Array, free: list[_Buffers]
) -> list[_Piece]:
    """Return postings and positions of a range of terms, in pieces; `free` are buffers that nobody uses."""
    fields, starts = weights.size, occurrences.starts
    longest = int((starts[1:] - starts[:-1]).max()) if starts.size > 1 else 0
    own = free.pop() if free else _Buffers(fields)
    encoded = max(_BUFFER_BYTES, (worst_bytes(longest, fields) + 3) & ~3)
    if isinstance(occurrences, TermRange):
        own.make_room(longest, encoded)
        texts, positions, pieces = own.texts, own.positions, occurrences.pieces
    else:
        own.make_room(0, encoded)
        texts, positions, pieces = occurrences.texts, occurrences.positions, NO_PIECES
    found = []
    term = 0
    while term < starts.size - 1:
        term, used, put = encode_terms(
            term, starts, texts, positions, pieces, fields, weights, weighted, own.room, own.postings, own.placed, told
        )
        found.append((own.postings[:used].copy(), own.placed[:put].copy()))
    free.append(own)
    return found


def dictionary_sections(out: SectionWriter, name: str, terms: Joined, told: _Array) -> Iterator[memoryview]:
    """Yield the sections of a dictionary of sorted terms, and of what is told of each (int64[T, 5])."""
    blocks = np.zeros((-(-len(terms) // TERMS_IN_BLOCK), 3), np.uint64)
    data = np.empty(terms.data.size + 23 * len(terms), np.uint8)
    used = encode_dictionary(*terms, told, blocks, data)
    yield from out.section(f"{name}.blocks", blocks)
    yield from out.section(f"{name}.data", data[:used])
    yield from out.section(f"{name}.count", np.array([len(terms)], np.uint64))


def word_sections(out: SectionWriter, words: Words) -> Iterator[memoryview]:
    """Yield the sections of the words before stemming, and of which occurrences of their terms are theirs."""
    yield from out.section("words.occurrences", words.lists)
    told = np.zeros((len(words.texts), 5), np.int64)
    told[words.listed, 0] = 1
    told[:, 1] = words.terms
    told[words.listed, 3] = words.counts
    told[words.listed, 4] = words.sizes
    yield from dictionary_sections(out, "words", words.texts, told)


def _boundary_sections(out: SectionWriter, chunks: Sequence[TextChunk]) -> Iterator[memoryview]:
    yield from out.section("boundaries.data", [chunk.boundaries for chunk in chunks])
    ends, size = [np.zeros(1, np.uint64)], 0
    for chunk in chunks:
        ends.append(chunk.boundary_ends[1:] + np.uint64(size))
        size += len(chunk.boundaries)
    yield from out.section("boundaries.starts", narrow(np.concatenate(ends)))


def keyword_sections(
    out: SectionWriter, name: str, keys: Sequence[bytes], shown: Sequence[bytes], counts: _Array, ords: _Array
) -> Iterator[memoryview]:
    """Yield the sections of a keyword field: values sorted, as shown, how many each article has, and which."""
    out.keywords[name] = len(keys)
    yield from strings_sections(out, f"key.{name}", keys)
    yield from strings_sections(out, f"shown.{name}", shown)
    yield from out.section(f"ords.{name}.counts", narrow(counts))
    yield from out.section(f"ords.{name}", narrow(ords))


def _column_sections(out: SectionWriter, schema: Schema, columns: ArticleColumns) -> Iterator[memoryview]:
    for name in schema.of_kind(Date, Number, Flag):
        values, present = columns.column(name)
        kind = schema.fields[name].kind
        if isinstance(kind, Date):
            yield from out.section(f"date.{name}", values)
        elif isinstance(kind, Number):
            yield from out.section(f"number.{name}", values)
            yield from out.section(f"has.{name}", present.astype(np.uint8))
        else:
            yield from out.section(f"flag.{name}", np.where(present, values, np.uint8(2)))


def id_sections(out: SectionWriter, ids: Sequence[bytes]) -> Iterator[memoryview]:
    """Yield the sections of the articles' ids, and of their hashes in order."""
    hashes = np.array([xxhash.xxh32_intdigest(article_id) for article_id in ids], np.uint32)
    # Of articles with one id the last is the one that may live: it is found first.
    order = len(ids) - 1 - np.argsort(hashes[::-1], kind="stable")
    joined = Joined.of(ids)
    blocks = np.zeros(-(-len(ids) // STRINGS_IN_BLOCK) + 1, np.uint64)
    data = np.empty(joined.data.size + 6 * len(ids), np.uint8)
    used = encode_front(*joined, blocks, data)
    yield from out.section("id.data", data[:used])
    yield from out.section("id.blocks", narrow(blocks))
    yield from out.section("id.hashes", hashes[order])
    yield from out.section("id.docs", narrow(order))


def strings_sections(out: SectionWriter, name: str, texts: Sequence[bytes]) -> Iterator[memoryview]:
    """Yield the two sections of a list of strings."""
    starts = np.zeros(len(texts) + 1, np.uint64)
    np.cumsum([len(text) for text in texts], out=starts[1:])
    yield from out.section(f"{name}.data", b"".join(texts))
    yield from out.section(f"{name}.starts", narrow(starts))
