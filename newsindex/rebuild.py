"""An index made anew from the articles stored in it: after damage, or to analyse them as this version does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from newsindex.analysis import Analyzer
from newsindex.analysis.batch import BatchTokenizer
from newsindex.codec.reader import SegmentReader
from newsindex.codec.writer import encode_articles
from newsindex.errors import FormatError, SourceError
from newsindex.schema import PreparedArticle, Schema
from newsindex.store.live import living_articles
from newsindex.store.manifest import SegmentEntry
from newsindex.store.store import Store

__all__ = ["RebuildReport", "rebuild"]

_BATCH_CHARACTERS = 24 * 1024 * 1024


@dataclass
class RebuildReport:
    """How many articles were kept, and what could not be read: one line each."""

    articles: int
    lost: list[str]


def rebuild(
    store: Store, schema: Schema, analyzer: Analyzer, progress: Callable[[int], object] | None = None
) -> RebuildReport:
    """Write every segment anew from its stored articles, in one commit.

    The store may be opened without verifying: of a damaged segment every article is kept that can still be read.

    Raises:
        IndexLocked: another writer holds the lock.
        StorageError: the file system refuses; the index is as it was.
    """
    report = RebuildReport(0, [])
    tokenizer = BatchTokenizer(analyzer)
    with store.begin() as files:
        store.refresh()
        entries = []
        batch: list[PreparedArticle] = []
        characters = 0

        def flush() -> None:
            nonlocal batch, characters
            if batch:
                chunks = list(encode_articles(schema, batch, tokenizer))
                entries.append(SegmentEntry(files.add_file("segment", chunks, len(batch))))
                report.articles += len(batch)
                batch, characters = [], 0
                if progress is not None:
                    progress(report.articles)

        for article in _articles(store, schema, report):
            batch.append(article)
            characters += len(article.stored)
            if characters >= _BATCH_CHARACTERS:
                flush()
        flush()
        files.commit(entries)
    return report


def _articles(store: Store, schema: Schema, report: RebuildReport) -> Iterator[PreparedArticle]:
    for segment in store.snapshot.segments:
        name = segment.entry.file.name
        try:
            reader = SegmentReader(np.frombuffer(segment.body, np.uint8), name, schema)
            live = living_articles(segment, reader.doc_count)
        except FormatError as error:
            report.lost.append(f"{name}: all of its {segment.entry.file.doc_count} articles: {error.reason}")
            continue
        for doc in np.flatnonzero(live).tolist():
            try:
                yield schema.prepare(schema.load(reader.stored(doc).decode()))
            except (FormatError, SourceError, ValueError) as error:
                report.lost.append(f"{name}: article {doc}: {error}")
