"""Is the index what its articles say? Everything is decoded, made again from the stored articles, and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from newsindex.analysis import Analyzer
from newsindex.analysis.batch import BatchTokenizer
from newsindex.codec.merge import Part, merge_segments
from newsindex.codec.reader import SegmentReader
from newsindex.codec.writer import encode_articles
from newsindex.errors import FormatError, SourceError
from newsindex.schema import PreparedArticle, Schema
from newsindex.store.live import LiveSegment
from newsindex.store.snapshot import StoreSnapshot

__all__ = ["Problem", "check_segments"]

_SLICE_CHARACTERS = 16 * 1024 * 1024
# Compressed bytes differ between versions of the library.
_COMPARED_BY_CONTENT = ("stored.",)


@dataclass(frozen=True)
class Problem:
    """Something that is not as it should be: the file, where in it (a byte, when known), and what."""

    file: str
    reason: str
    byte: int | None = None

    def __str__(self) -> str:
        """Return it in one line."""
        return f"{self.file}{'' if self.byte is None else f', byte {self.byte:,}'}: {self.reason}"


def check_segments(
    snapshot: StoreSnapshot,
    segments: Sequence[LiveSegment],
    schema: Schema,
    analyzer: Analyzer,
    progress: Callable[[int], object] | None = None,
) -> list[Problem]:
    """Return what is wrong with a commit's files; an empty list is a clean bill.

    Args:
        snapshot, segments: the commit, opened.
        schema, analyzer: the index's.
        progress: called with the number of articles compared so far.
    """
    problems: list[Problem] = []
    done = 0
    for segment in segments:
        name = segment.entry.file.name
        try:
            snapshot.verify(name)
            problems += _compare(segment.reader, schema, analyzer)
        except FormatError as error:
            problems.append(Problem(name, error.reason))
        done += segment.reader.doc_count
        if progress is not None:
            progress(done)
    return problems


def _compare(reader: SegmentReader, schema: Schema, analyzer: Analyzer) -> Iterator[Problem]:
    tokenizer = BatchTokenizer(analyzer)
    parts = []
    for articles in _slices(reader, schema):
        if isinstance(articles, Problem):
            yield articles
            return
        body = b"".join(encode_articles(schema, articles, tokenizer))
        piece = SegmentReader(np.frombuffer(body, np.uint8), reader.file, schema)
        parts.append(Part(piece, np.ones(piece.doc_count, bool)))
    expected = SegmentReader(np.frombuffer(b"".join(merge_segments(schema, parts)), np.uint8), reader.file, schema)
    for name in sorted(expected.section_sizes().keys() | reader.section_sizes().keys()):
        if not name.startswith(_COMPARED_BY_CONTENT):
            yield from _difference(reader, expected, name)


def _slices(reader: SegmentReader, schema: Schema) -> Iterator[list[PreparedArticle] | Problem]:
    articles: list[PreparedArticle] = []
    characters = 0
    for doc in range(reader.doc_count):
        try:
            article = schema.prepare(schema.load(reader.stored(doc).decode()))
        except (SourceError, ValueError) as error:
            yield Problem(reader.file, f"the stored article {doc} cannot be read: {error}")
            return
        if article.article_id != reader.ids[doc]:
            yield Problem(reader.file, f"the stored article {doc} has the id {article.article_id!r}")
            return
        articles.append(article)
        characters += len(article.stored)
        if characters >= _SLICE_CHARACTERS:
            yield articles
            articles, characters = [], 0
    if articles:
        yield articles


def _difference(reader: SegmentReader, expected: SegmentReader, name: str) -> Iterator[Problem]:
    if name not in reader.section_sizes() or name not in expected.section_sizes():
        yield Problem(
            reader.file, f"the section {name} is {'missing' if name in expected.section_sizes() else 'unknown'}"
        )
        return
    begin, have = reader.section(name)
    _, want = expected.section(name)
    shared = min(have.size, want.size)
    different = np.flatnonzero(have[:shared] != want[:shared])
    if different.size or have.size != want.size:
        at = int(different[0]) if different.size else shared
        yield Problem(reader.file, f"the section {name} is not what the stored articles give", begin + at)
