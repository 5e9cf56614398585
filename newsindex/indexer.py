"""Articles to segments to a commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any

import numpy as np
from pydantic import BaseModel

from newsindex.analysis import Analyzer
from newsindex.analysis.batch import BatchTokenizer
from newsindex.codec.merge import Part, merge_segments
from newsindex.codec.reader import SegmentReader
from newsindex.codec.writer import encode_articles
from newsindex.errors import IndexClosed, SourceError
from newsindex.results import AddReport
from newsindex.schema import PreparedArticle, Schema
from newsindex.sources.record import Record
from newsindex.store.commit import StoreWriter
from newsindex.store.envelope import ENVELOPE_BYTES, HEADER_BYTES
from newsindex.store.live import LiveSegment, deletion_chunks, find_ids, open_live
from newsindex.store.manifest import FileEntry, SegmentEntry
from newsindex.store.merge_policy import choose
from newsindex.store.storage import storage_refusals
from newsindex.store.store import Store

__all__ = ["MAX_ARTICLE_CHARACTERS", "Writer"]

MAX_ARTICLE_CHARACTERS = 10 * 1024 * 1024
_PROGRESS_EVERY = 100
# Articles whose ids are looked up together.
_LOOKED_UP = 1000
# Characters of text in one segment, before merging; two are under way at a time.
_BATCH_CHARACTERS = 12 * 1024 * 1024
_THREADS = 2
_SMALL_BATCH_CHARACTERS = 256 * 1024

AnyRecord = BaseModel | Mapping[str, Any] | Record | SourceError


@dataclass
class _Batch:
    """Articles of one segment to be, without those replaced or deleted since; and the report of who added the last."""

    articles: dict[str, PreparedArticle] = field(default_factory=dict)
    characters: int = 0
    report: AddReport | None = None


class Writer:
    """Adds and deletes articles; nothing is seen or kept before `commit()`.

    A context manager: a clean exit commits, an exception rolls back, both free the lock. Only one writer is open on an
    index at a time. Text is analysed and encoded by two threads while the next articles are taken.
    """

    def __init__(
        self, store: Store, schema: Schema, analyzer: Analyzer, timeout: float, done: Callable[[], object]
    ) -> None:
        """Take the lock, waiting up to `timeout` seconds; `done` is called after each commit.

        Raises:
            IndexLocked: another writer still holds it.
            StorageError: the folder cannot be written.
        """
        self._store = store
        self._schema = schema
        self._done = done
        self._files: StoreWriter = store.begin(timeout)
        self._closed = False
        self._threads = ThreadPoolExecutor(_THREADS, "newsindex-encode")
        self._analyzer = analyzer
        # The dictionary of each grows with what it has seen; it is one thread's at a time.
        self._tokenizers: SimpleQueue[BatchTokenizer] = SimpleQueue()
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Writer:
        """Return the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commit, or roll back after an exception, and free the lock."""
        try:
            if kind is None and not self._closed:
                self.commit()
        finally:
            self.close()

    def add(
        self,
        records: Iterable[AnyRecord],
        *,
        strict: bool = False,
        progress: Callable[[int], object] | None = None,
    ) -> AddReport:
        """Add articles; one whose id is known replaces the article, an identical one changes nothing.

        A record that cannot be indexed is reported and its neighbours are kept; with `strict` it is raised. `progress`
        is called with the number of records taken so far, every hundred and at the end. Words that are too long are
        counted when the text is analysed, at the latest by `commit`.

        Raises:
            SourceError: with `strict`, the first bad record.
            StorageError: the file system refuses; what was added since the last commit is gone.
        """
        self._check_open()
        report = AddReport()
        waiting: list[PreparedArticle] = []
        taken = 0
        for record in records:
            taken += 1
            try:
                waiting.append(self._prepare(record))
            except SourceError as error:
                if strict:
                    raise
                report.rejected.append(error)
            if len(waiting) >= _LOOKED_UP:
                self._take(waiting, report)
                waiting = []
            if progress is not None and taken % _PROGRESS_EVERY == 0:
                progress(taken)
        self._take(waiting, report)
        if progress is not None:
            progress(taken)
        return report

    def delete(self, ids: Iterable[str]) -> int:
        """Delete articles by id and return how many there were."""
        self._check_open()
        wanted = list(dict.fromkeys(ids))
        return sum(
            self._remove(article_id, place) for article_id, place in zip(wanted, self._places(wanted), strict=True)
        )

    def commit(self) -> None:
        """Make everything since the last commit durable and visible.

        Raises:
            StorageError: the file system refuses; the articles are as they were before.
            CommitUnknown: the last step failed.
        """
        self._check_open()
        self._encode()
        self._collect(0)
        if not self._changed:
            return
        try:
            segments = self._merged(self._segments())
            self._files.commit([self._entry(segment) for segment in segments])
        except BaseException:
            self._closed = True  # the store's writer is over, its files are removed
            raise
        self._begin()
        self._done()

    def rollback(self) -> None:
        """Forget everything since the last commit."""
        self._check_open()
        self._collect(0)
        self._files.rollback()
        self._begin()

    def close(self) -> None:
        """Drop what is not committed, and free the lock; twice does no harm."""
        self._closed = True
        self._threads.shutdown(cancel_futures=True)
        self._files.close()

    def _check_open(self) -> None:
        if self._closed:
            raise IndexClosed("this writer is closed; take a new one from index.writer()")

    def _begin(self) -> None:
        """Start from the newest commit, which nobody else can change while the lock is held."""
        self._store.refresh()
        self._committed = list(open_live(self._store.snapshot, self._schema))
        # The living articles of each segment as this writer has them; a copy where it has deleted some.
        self._live = {segment.entry.file.name: segment.live for segment in self._committed}
        self._new: list[LiveSegment] = []
        self._batch = _Batch()
        self._under_way: list[tuple[_Batch, list[str], Future[list[memoryview]]]] = []
        self._changed = False

    def _prepare(self, record: AnyRecord) -> PreparedArticle:
        if isinstance(record, SourceError):
            raise record
        values, file, line = record, None, None
        if isinstance(record, Record):
            values, file, line = record.values, record.file, record.line
        assert not isinstance(values, Record)
        try:
            article = self._schema.prepare(values)
        except SourceError as error:
            raise SourceError(error.reason, file, line) from None
        length = sum(len(article.values.get(name, "")) for name in self._schema.text_fields)
        if length > MAX_ARTICLE_CHARACTERS:
            reason = f"the text has {length:,} characters, the limit is {MAX_ARTICLE_CHARACTERS:,}; split the article"
            raise SourceError(reason, file, line)
        return article

    def _take(self, articles: list[PreparedArticle], report: AddReport) -> None:
        """Add valid articles: look their ids up together, then one after the other."""
        places = self._places([article.article_id for article in articles])
        for article, place in zip(articles, places, strict=True):
            pending = self._pending(article.article_id)
            if pending is not None:
                known: str | None = pending.articles[article.article_id].digest
            elif place is not None and self._live[place[0].entry.file.name][place[1]]:
                known = place[0].reader.digest(place[1])
            else:
                known = None
            if known is not None and article.digest.startswith(known):
                report.unchanged += 1
                continue
            if known is not None:
                self._remove(article.article_id, place)
                report.updated += 1
            else:
                report.added += 1
            self._changed = True
            self._batch.articles[article.article_id] = article
            self._batch.report = report
            self._batch.characters += len(article.stored)
            report.naive_dates += bool(article.naive_dates)
            for key in article.unknown_keys:
                report.unknown_keys[key] = report.unknown_keys.get(key, 0) + 1
            if self._batch.characters >= _BATCH_CHARACTERS:
                self._encode()

    def _pending(self, article_id: str) -> _Batch | None:
        """Return the batch, not yet a segment, that has the article."""
        for batch in (self._batch, *(batch for batch, _, _ in self._under_way)):
            if article_id in batch.articles:
                return batch
        return None

    def _places(self, ids: list[str]) -> list[tuple[LiveSegment, int] | None]:
        return find_ids((*self._committed, *self._new), ids)

    def _remove(self, article_id: str, place: tuple[LiveSegment, int] | None) -> bool:
        pending = self._pending(article_id)
        if pending is not None:
            del pending.articles[article_id]
        elif place is not None:
            name, doc = place[0].entry.file.name, place[1]
            if not self._live[name][doc]:
                return False
            if self._live[name] is place[0].live:
                self._live[name] = place[0].live.copy()
            self._live[name][doc] = False
        else:
            return False
        self._changed = True
        return True

    def _encode(self) -> None:
        """Hand the batch to a thread."""
        if not self._batch.articles:
            return
        batch, self._batch = self._batch, _Batch()
        articles = list(batch.articles.values())
        future: Future[list[memoryview]]
        if batch.characters < _SMALL_BATCH_CHARACTERS:  # not worth a thread
            future = Future()
            future.set_result(self._encoded(articles))
        else:
            future = self._threads.submit(self._encoded, articles)
        self._under_way.append((batch, [article.article_id for article in articles], future))
        self._collect(_THREADS)

    def _encoded(self, articles: list[PreparedArticle]) -> list[memoryview]:
        try:
            tokenizer = self._tokenizers.get_nowait()
        except Empty:
            tokenizer = BatchTokenizer(self._analyzer)
        chunks = list(encode_articles(self._schema, articles, tokenizer))
        self._tokenizers.put(tokenizer)
        return chunks

    def _collect(self, most: int) -> None:
        """Write the segments that are encoded until at most so many are under way."""
        while len(self._under_way) > most:
            batch, ids, future = self._under_way[0]
            with storage_refusals(self._store.storage.path(), "nothing was committed"):
                chunks = future.result()
            entry = self._files.add_file("segment", chunks, len(ids))
            self._under_way.pop(0)
            segment = self._open(entry)
            if batch.report is not None:
                batch.report.long_terms += segment.reader.long_words
            live = np.array([article_id in batch.articles for article_id in ids], bool)
            self._new.append(segment)
            self._live[entry.name] = live if not live.all() else segment.live

    def _open(self, entry: FileEntry) -> LiveSegment:
        """Open a file that was just written."""
        buffer = self._store.storage.open_read(entry.name).buffer
        body = np.frombuffer(buffer, np.uint8)[HEADER_BYTES:]
        body = body[: entry.length - ENVELOPE_BYTES]
        reader = SegmentReader(body, entry.name, self._schema)
        return LiveSegment(SegmentEntry(entry), reader, np.ones(reader.doc_count, bool))

    def _segments(self) -> list[LiveSegment]:
        """Return all segments with living articles, as this writer has them."""
        now = [replace(segment, live=self._live[segment.entry.file.name]) for segment in (*self._committed, *self._new)]
        return [segment for segment in now if segment.live.any()]

    def _merged(self, segments: list[LiveSegment]) -> list[LiveSegment]:
        while True:
            sizes = [(segment.entry.file.length, float(segment.live.mean())) for segment in segments]
            places = choose(sizes)
            if places is None:
                return segments
            chosen = [segments[place] for place in places]
            committed = {segment.entry.file.name for segment in self._committed}
            # Damage must not be copied under a fresh checksum.
            self._store.snapshot.verify(*(s.entry.file.name for s in chosen if s.entry.file.name in committed))
            parts = [Part(segment.reader, segment.live) for segment in chosen]
            count = int(sum(part.live.sum() for part in parts))
            entry = self._files.add_file("segment", merge_segments(self._schema, parts), count)
            segments = [segment for place, segment in enumerate(segments) if place not in set(places)]
            segments.insert(places[0], self._open(entry))

    def _entry(self, segment: LiveSegment) -> SegmentEntry:
        """Return how the commit names a segment: with new deletions when the writer made some."""
        deleted = segment.entry.deletions.doc_count if segment.entry.deletions else 0
        living = int(segment.live.sum())
        if living == segment.live.size - deleted:
            return segment.entry
        deletions = self._files.add_file("deletion", deletion_chunks(segment.live), segment.live.size - living)
        return SegmentEntry(segment.entry.file, deletions)
