"""Articles and their tokens to the body of a segment."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash
import zstandard

from newsindex.analysis.batch import BatchTokenizer
from newsindex.codec.dictionary_kernel import encode_dictionary
from newsindex.codec.encode_kernel import encode_boundaries, encode_terms, worst_bytes
from newsindex.codec.format import DIGEST_BYTES, MISSING, STRINGS_IN_BLOCK, TERMS_IN_BLOCK
from newsindex.codec.front_kernel import encode_front
from newsindex.codec.invert_kernel import invert
from newsindex.codec.sections import Bytes, SectionWriter
from newsindex.schema import Date, Flag, Keyword, Number, PreparedArticle, Schema, Text, fold_keyword

__all__ = [
    "Occurrences",
    "Tokens",
    "dictionary_sections",
    "encode_articles",
    "encode_segment",
    "field_weights",
    "id_sections",
    "keyword_sections",
    "narrow",
    "postings_sections",
    "stored_sections",
    "strings_sections",
]

_BUFFER_BYTES = 8 * 1024 * 1024
_WAITING_BYTES = 64 * 1024 * 1024
_STORED_BLOCK = 32 * 1024
_ZSTD_LEVEL = 1
_Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Tokens:
    """The tokens of articles' texts: text = number of the article · F + number of the field, absent fields empty.

    `surface_ids` uint32[n]; `boundaries` uint8[n]; `starts` int64[texts + 1]; `term_of_surface` uint32[s]; `terms` and
    `surfaces` the strings; `long_words` counts the words over 255 bytes.
    """

    surface_ids: _Array
    boundaries: _Array
    starts: _Array
    term_of_surface: _Array
    terms: Sequence[str]
    surfaces: Sequence[str]
    long_words: int = 0


@dataclass(frozen=True)
class Occurrences:
    """The occurrences of a range of terms, as `invert` returns them.

    Those of term r are [starts[r], starts[r + 1]); texts and positions are uint32.
    """

    starts: _Array
    texts: _Array
    positions: _Array


def field_weights(schema: Schema) -> _Array:
    """Return the weights of the text fields, float64[F]."""
    kinds = [schema.fields[name].kind for name in schema.text_fields]
    return np.array([kind.weight for kind in kinds if isinstance(kind, Text)], np.float64)


def encode_articles(
    schema: Schema, articles: Sequence[PreparedArticle], tokenizer: BatchTokenizer
) -> Iterator[memoryview]:
    """Yield the chunks of the body of a segment: `encode_segment` of the articles' tokens."""
    batch = tokenizer.tokenize([article.values.get(name, "") for article in articles for name in schema.text_fields])
    tokens = Tokens(
        batch.surface_ids,
        batch.boundaries,
        batch.starts,
        tokenizer.term_of_surface,
        tokenizer.terms,
        tokenizer.surfaces,
        batch.long_words,
    )
    return encode_segment(schema, articles, tokens)


def encode_segment(schema: Schema, articles: Sequence[PreparedArticle], tokens: Tokens) -> Iterator[memoryview]:
    """Yield the chunks of the body of a segment that holds the articles in this order."""
    out = SectionWriter()
    count = len(articles)
    fields = len(schema.text_fields)
    lengths = np.diff(tokens.starts).reshape(count, fields)
    weights = field_weights(schema)
    weighted = np.floor(lengths @ weights).astype(np.uint32)
    yield from _text_sections(out, tokens, fields, weights, weighted)
    for number, name in enumerate(schema.text_fields):
        yield from out.section(f"lengths.{name}", narrow(lengths[:, number]))
    yield from _boundary_sections(out, tokens, count, fields)
    for name in schema.of_kind(Keyword):
        yield from _keyword_sections(out, name, [article.values.get(name, ()) for article in articles])
    yield from _column_sections(out, schema, articles)
    yield from _article_sections(out, schema, articles)
    yield from out.directory(
        {
            "doc_count": count,
            "long_words": tokens.long_words,
            "text_fields": {
                name: {"total": int(lengths[:, number].sum()), "doc_count": int((lengths[:, number] > 0).sum())}
                for number, name in enumerate(schema.text_fields)
            },
        }
    )


def _text_sections(
    out: SectionWriter, tokens: Tokens, fields: int, weights: _Array, weighted: _Array
) -> Iterator[memoryview]:
    term_of_surface = tokens.term_of_surface
    used_surfaces = np.flatnonzero(np.bincount(tokens.surface_ids, minlength=term_of_surface.size))
    used_terms = np.unique(term_of_surface[used_surfaces])
    encoded = sorted((tokens.terms[number].encode(), number) for number in used_terms.tolist())
    rank = np.zeros(len(tokens.terms), np.uint32)
    rank[[number for _, number in encoded]] = np.arange(len(encoded), dtype=np.uint32)
    rank_of_surface = rank[term_of_surface]
    occurrences = Occurrences(*invert(tokens.surface_ids, rank_of_surface, tokens.starts, len(encoded)))
    told = np.zeros((len(encoded), 5), np.int64)
    yield from postings_sections(out, [occurrences], weights, weighted, told)
    yield from dictionary_sections(out, "terms", [term for term, _ in encoded], told)
    words = sorted(
        (tokens.surfaces[number].encode(), int(rank_of_surface[number]))
        for number in used_surfaces.tolist()
        if tokens.surfaces[number] != tokens.terms[term_of_surface[number]]
    )
    words = [(word, term) for word, term in words if len(word) <= 255]
    told_words = np.zeros((len(words), 5), np.int64)
    told_words[:, 1] = [term for _, term in words]
    yield from dictionary_sections(out, "words", [word for word, _ in words], told_words)


def postings_sections(
    out: SectionWriter, ranges: Iterable[Occurrences], weights: _Array, weighted: _Array, told: _Array
) -> Iterator[memoryview]:
    """Yield the sections of postings and positions of ranges of terms; `told` is filled as `encode_terms` fills it.

    `weights` float64[F] of the fields; `weighted` uint32[n], the weighted length of each article.
    """
    fields = weights.size
    # Positions wait, those of a large segment in a file without a name: they would not fit in memory.
    with tempfile.SpooledTemporaryFile(_WAITING_BYTES) as waiting:

        def encoded() -> Iterator[Bytes]:
            first = 0
            for occurrences in ranges:
                starts = occurrences.starts
                longest = int((starts[1:] - starts[:-1]).max()) if starts.size > 1 else 0
                size = max(_BUFFER_BYTES, (worst_bytes(longest, fields) + 3) & ~3)
                postings, placed = np.empty(size, np.uint8), np.empty(size, np.uint8)
                rows = told[first : first + starts.size - 1]
                term = 0
                while term < starts.size - 1:
                    term, used, put = encode_terms(
                        term, starts, occurrences.texts, occurrences.positions, fields, weights, weighted, postings,
                        placed, rows,
                    )  # fmt: skip
                    waiting.write(placed[:put].data)
                    yield postings[:used].copy()
                first += starts.size - 1

        yield from out.section("postings", encoded())
        waiting.seek(0)
        yield from out.section("positions", iter(lambda: waiting.read(_BUFFER_BYTES), b""))


def dictionary_sections(out: SectionWriter, name: str, terms: Sequence[bytes], told: _Array) -> Iterator[memoryview]:
    """Yield the sections of a dictionary of sorted terms, and of what is told of each (int64[T, 5])."""
    joined, starts = _joined(terms)
    blocks = np.zeros((-(-len(terms) // TERMS_IN_BLOCK), 3), np.uint64)
    data = np.empty(joined.size + 23 * len(terms), np.uint8)
    used = encode_dictionary(joined, starts, told, blocks, data)
    yield from out.section(f"{name}.blocks", blocks)
    yield from out.section(f"{name}.data", data[:used])
    yield from out.section(f"{name}.count", np.array([len(terms)], np.uint64))


def _joined(texts: Sequence[bytes]) -> tuple[Bytes, _Array]:
    starts = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in texts], out=starts[1:])
    return np.frombuffer(b"".join(texts), np.uint8), starts


def _boundary_sections(out: SectionWriter, tokens: Tokens, count: int, fields: int) -> Iterator[memoryview]:
    data = np.empty(5 * int(np.count_nonzero(tokens.boundaries)), np.uint8)
    ends = np.zeros(count + 1, np.uint64)
    used = encode_boundaries(tokens.boundaries, tokens.starts, fields, data, ends)
    yield from out.section("boundaries.data", data[:used])
    yield from out.section("boundaries.starts", narrow(ends))


def _keyword_sections(out: SectionWriter, name: str, values: Sequence[Sequence[str]]) -> Iterator[memoryview]:
    written = dict.fromkeys(itertools.chain.from_iterable(values))
    folded = {text: fold_keyword(text) for text in written}
    shown: dict[str, str] = {}
    for text, key in folded.items():
        shown.setdefault(key, text.strip())
    order = sorted(shown, key=str.encode)
    number = {key: place for place, key in enumerate(order)}
    number_of = {text: number[key] for text, key in folded.items()}
    ords: list[int] = []
    counts = np.zeros(len(values), np.uint32)
    for doc, texts in enumerate(values):
        if texts:
            own = [number_of[text] for text in texts]
            if len(own) > 1:
                own = sorted(set(own))
            ords += own
            counts[doc] = len(own)
    yield from keyword_sections(
        out, name, [key.encode() for key in order], [shown[key].encode() for key in order], counts,
        np.array(ords, np.uint32),
    )  # fmt: skip


def keyword_sections(
    out: SectionWriter, name: str, keys: Sequence[bytes], shown: Sequence[bytes], counts: _Array, ords: _Array
) -> Iterator[memoryview]:
    """Yield the sections of a keyword field: values sorted, as shown, how many each article has, and which."""
    out.keywords[name] = len(keys)
    yield from strings_sections(out, f"key.{name}", keys)
    yield from strings_sections(out, f"shown.{name}", shown)
    yield from out.section(f"ords.{name}.counts", narrow(counts))
    yield from out.section(f"ords.{name}", narrow(ords))


def _column_sections(out: SectionWriter, schema: Schema, articles: Sequence[PreparedArticle]) -> Iterator[memoryview]:
    for name, field in schema.fields.items():
        values = [article.values.get(name) for article in articles]
        if isinstance(field.kind, Date):
            yield from out.section(f"date.{name}", np.array([MISSING if v is None else v for v in values], np.int64))
        elif isinstance(field.kind, Number):
            kind = np.float64 if field.type_name == "float" else np.int64
            yield from out.section(f"number.{name}", np.array([0 if v is None else v for v in values], kind))
            yield from out.section(f"has.{name}", np.array([v is not None for v in values], np.uint8))
        elif isinstance(field.kind, Flag):
            yield from out.section(f"flag.{name}", np.array([2 if v is None else int(v) for v in values], np.uint8))


def _article_sections(out: SectionWriter, schema: Schema, articles: Sequence[PreparedArticle]) -> Iterator[memoryview]:
    ids = [article.article_id.encode() for article in articles]
    yield from id_sections(out, ids)
    yield from strings_sections(out, "title", [_title(schema, article).encode() for article in articles])
    yield from out.section("digest", bytes.fromhex("".join(article.digest[: 2 * DIGEST_BYTES] for article in articles)))
    yield from stored_sections(out, (article.stored.encode() for article in articles))


def id_sections(out: SectionWriter, ids: Sequence[bytes]) -> Iterator[memoryview]:
    """Yield the sections of the articles' ids, and of their hashes in order."""
    hashes = np.array([xxhash.xxh32_intdigest(article_id) for article_id in ids], np.uint32)
    order = np.argsort(hashes, kind="stable")
    joined, starts = _joined(ids)
    blocks = np.zeros(-(-len(ids) // STRINGS_IN_BLOCK) + 1, np.uint64)
    data = np.empty(joined.size + 6 * len(ids), np.uint8)
    used = encode_front(joined, starts, blocks, data)
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


def stored_sections(out: SectionWriter, articles: Iterable[bytes]) -> Iterator[memoryview]:
    """Yield the sections of the stored articles, compressed in blocks of at least 32 KiB, an article in one block."""
    compressor = zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_content_size=True)
    sizes: list[int] = []
    ends = [0]
    starts = [0]

    def blocks() -> Iterator[bytes]:
        block: list[bytes] = []
        size = 0
        for article in articles:
            block.append(article)
            size += len(article)
            starts.append(starts[-1] + len(article))
            if size >= _STORED_BLOCK:
                yield packed(block, size)
                block, size = [], 0
        if block:
            yield packed(block, size)

    def packed(block: list[bytes], size: int) -> bytes:
        data = compressor.compress(b"".join(block))
        sizes.append(size)
        ends.append(ends[-1] + len(data))
        return data

    yield from out.section("stored.data", blocks())
    yield from out.section("stored.blocks", narrow(np.array(ends, np.uint64)))
    yield from out.section("stored.sizes", np.array(sizes, np.uint32))
    yield from out.section("stored.starts", narrow(np.array(starts, np.uint64)))


def _title(schema: Schema, article: PreparedArticle) -> str:
    """Return what a list of hits calls the article: its title, else the first line of what text it has."""
    texts = [article.values[name] for name in ("title", *schema.text_fields) if name in article.values]
    first = next((text for text in texts if isinstance(text, str)), "")
    title: str = first.strip()
    return (
        title
        if "title" in article.values or schema.text_fields[0] in article.values
        else (title.partition("\n")[0][:100])
    )


def narrow(values: _Array) -> _Array:
    """Return unsigned numbers in the least of 8, 16, 32 and 64 bits that holds them all."""
    most = int(values.max()) if values.size else 0
    widths = ((2**8, np.uint8), (2**16, np.uint16), (2**32, np.uint32))
    return values.astype(next((width for limit, width in widths if most < limit), np.uint64))
