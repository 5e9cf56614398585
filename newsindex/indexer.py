"""Articles to segments to a commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, cast

import numpy as np

from newsindex.analysis import Analyzer
from newsindex.codec.builder import SegmentBuilder
from newsindex.codec.freed import give_back_freed_memory
from newsindex.codec.merge import Part, merge_segments
from newsindex.codec.reader import SegmentReader
from newsindex.codec.workers import Workers
from newsindex.errors import IndexClosed, SourceError
from newsindex.limits import MOST_METADATA_BYTES, check_size
from newsindex.results import AddReport
from newsindex.schema import PreparedArticle, PreparedArticles, Schema
from newsindex.sources.record import Record
from newsindex.store.commit import StoreWriter
from newsindex.store.envelope import ENVELOPE_BYTES, HEADER_BYTES
from newsindex.store.live import LiveSegment, WrittenIds, deletion_chunks, find_ids, open_live
from newsindex.store.manifest import FileEntry, SegmentEntry
from newsindex.store.merge_policy import choose
from newsindex.store.store import Store
from newsindex.taking import AnyRecord, taken

__all__ = ["Writer"]

_PROGRESS_EVERY = 100
# Articles whose ids are looked up together; records that are taken as they are together, or else one by one.
_LOOKED_UP = 1000
# Characters of text that wait at most until ids are looked up together.
_WAITING_SIZE = 4 * 1024 * 1024
_PLAIN_TOGETHER = 250


@dataclass
class _Segment:
    """A segment in the making, and for each of its chunks the report of who added the last article."""

    builder: SegmentBuilder
    reports: list[AddReport] = field(default_factory=list)
    file: Future[FileEntry] | None = None


class Writer:
    """Adds and deletes articles; nothing is seen or kept before `commit()`.

    A context manager: a clean exit commits, an exception rolls back, both free the lock. Only one writer is open on an
    index at a time. Text is analysed and encoded by other threads while the next articles are taken. When that fails,
    or is interrupted, the writer is closed: what was added since the last commit is gone.
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
        self._analyzer = analyzer
        self._done = done
        self._files: StoreWriter = store.begin(timeout)
        self._closed = False
        self.merged = 0
        """How many segments the last commit merged because it was asked to."""
        self._workers = Workers(analyzer)
        self._ending: _Segment | None = None
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

        A record that cannot be indexed is reported and its neighbours are kept; with `strict` it is raised, when about
        a thousand after it were taken from `records`. A dict or a model that an iterator yields may be filled anew for
        the next record; what is in a list or tuple is to stay as it is until this returns.
        `progress` is called with the number of records taken so far, every hundred and at the end. Words that are too
        long are counted when the text is analysed, at the latest by `commit`.

        Raises:
            SourceError: with `strict`, the first bad record.
            StorageError: the file system refuses; what was added since the last commit is gone.
        """
        self._check_open()
        report = AddReport()
        waiting: list[AnyRecord] = []
        count = waiting_size = 0
        for some, size in taken(records, _PROGRESS_EVERY, _WAITING_SIZE):
            if waiting and waiting_size + size > _WAITING_SIZE:
                self._take(waiting, report, strict)
                waiting, waiting_size = [], 0
            waiting += some
            waiting_size += size
            if len(waiting) >= _LOOKED_UP or waiting_size >= _WAITING_SIZE:
                self._take(waiting, report, strict)
                waiting, waiting_size = [], 0
            count += len(some)
            if progress is not None and count % _PROGRESS_EVERY == 0:
                progress(count)
        self._take(waiting, report, strict)
        if progress is not None:
            progress(count)
        return report

    def delete(self, ids: Iterable[str]) -> int:
        """Delete articles by id and return how many there were."""
        self._check_open()
        wanted = list(dict.fromkeys(ids))
        with self._closed_on_error():
            return sum(
                self._remove(article_id, place) for article_id, place in zip(wanted, self._places(wanted), strict=True)
            )

    def merge(self) -> None:
        """Have the next commit merge all segments into one, if there are several, or deleted articles in the one."""
        self._check_open()
        self._merge_all = True

    def commit(self) -> None:
        """Make everything since the last commit durable and visible.

        Raises:
            StorageError: the file system refuses; the articles are as they were before.
            CommitUnknown: the last step failed.
        """
        self._check_open()
        with self._closed_on_error():
            self._collect()
            self._ending = self._ended()
            self._collect()
            segments = self._segments()
            self._merge_all &= len(segments) > 1 or not all(segment.live.all() for segment in segments)
            self.merged = len(segments) if self._merge_all else 0
            if not self._changed and not self._merge_all:
                return
            segments = self._merged(segments)
            self._files.commit([self._entry(segment) for segment in segments])
            self._begin()
        self._done()

    def rollback(self) -> None:
        """Forget everything since the last commit."""
        self._check_open()
        with self._closed_on_error():
            self._segment.builder.cancel()
            self._collect()
            self._files.rollback()
            self._begin()

    def close(self) -> None:
        """Drop what is not committed, and free the lock; twice does no harm."""
        self._closed = True
        self._workers.close()
        self._files.close()

    def _check_open(self) -> None:
        if self._closed:
            raise IndexClosed("this writer is closed; take a new one from index.writer()")

    @contextmanager
    def _closed_on_error(self) -> Iterator[None]:
        """Close the writer when this cannot be done whole: what it knows may no longer be what there is."""
        try:
            yield
        except BaseException:
            self.close()
            raise

    def _begin(self) -> None:
        """Start from the newest commit, which nobody else can change while the lock is held."""
        self._store.refresh()
        self._committed = list(open_live(self._store.snapshot, self._schema))
        # The living articles of each segment as this writer has them; a copy where it has deleted some.
        self._live = {segment.entry.file.name: segment.live for segment in self._committed}
        self._new: list[LiveSegment] = []
        self._written_ids = WrittenIds()
        self._segment = _Segment(SegmentBuilder(self._schema, self._workers))
        self._ending = None
        self._last_report = AddReport()
        self._changed = False
        self._merge_all = False

    def _take(self, records: list[AnyRecord], report: AddReport, strict: bool) -> None:
        """Add records: look the ids of the valid ones up together."""
        self._check_open()
        articles = PreparedArticles()
        for first in range(0, len(records), _PLAIN_TOGETHER):
            some = records[first : first + _PLAIN_TOGETHER]
            articles.extend(self._prepared_together(some) or self._prepared(some, report, strict))
        with self._closed_on_error():
            self._add(articles, report)

    def _prepared_together(self, records: list[AnyRecord]) -> PreparedArticles | None:
        """Return records that all are plain, none of which is large, as articles; None of others."""
        values = [record.values if isinstance(record, Record) else record for record in records]
        if not all(type(value) is dict for value in values):
            return None
        articles = self._schema.prepare_plain(cast(list[dict[str, Any]], values))
        if articles is not None and max(map(len, articles.stored), default=0) > MOST_METADATA_BYTES:
            return None
        return articles

    def _prepared(self, records: list[AnyRecord], report: AddReport, strict: bool) -> PreparedArticles:
        """Return the valid ones of some records; the others are reported, or raised."""
        articles: list[PreparedArticle] = []
        for record in records:
            try:
                articles.append(self._prepare(record))
            except SourceError as error:
                if strict:
                    raise
                report.reject(error)
        return PreparedArticles.of(articles)

    def _prepare(self, record: AnyRecord) -> PreparedArticle:
        if isinstance(record, SourceError):
            raise record
        values, file, line = record, None, None
        if isinstance(record, Record):
            values, file, line = record.values, record.file, record.line
        assert not isinstance(values, Record)
        try:
            article = self._schema.prepare(values)
            check_size(article, self._schema, self._analyzer)
        except SourceError as error:
            raise SourceError(error.reason, file, line) from None
        return article

    def _add(self, articles: PreparedArticles, report: AddReport) -> None:
        first = 0
        while first < len(articles):
            ids = articles.ids[first:]
            places, unique = self._places(ids), set(ids)
            pending = self._segment.builder.has_any(unique) or (
                self._ending is not None and self._ending.builder.has_any(unique)
            )
            if pending or len(unique) < len(ids) or any(place is not None for place in places):
                first = self._add_until_written(articles, first, places, report)
                continue
            report.added += len(ids)
            while first < len(articles):
                first = self._hand_on(articles, first, len(articles), report)

    def _add_until_written(
        self,
        articles: PreparedArticles,
        first: int,
        places: list[tuple[LiveSegment, int] | None],
        report: AddReport,
    ) -> int:
        """Add articles one by one, up to the first after which another segment was written; return where."""
        written = len(self._new)
        for number, place in enumerate(places, first):
            if self._is_news(articles[number], place, report):
                self._hand_on(articles, number, number + 1, report)
                if len(self._new) > written:
                    return number + 1
        return len(articles)

    def _hand_on(self, articles: PreparedArticles, first: int, after: int, report: AddReport) -> int:
        """Give the builder articles up to `after`, or till it has a chunk; return where."""
        self._changed = True
        self._last_report = report
        after = self._segment.builder.add(articles, first, after)
        report.naive_dates += sum(map(bool, articles.naive_dates[first:after]))
        for keys in filter(None, articles.unknown_keys[first:after]):
            for key in keys:
                report.count_key(key)
        if self._segment.builder.has_chunk:
            self._flush()
        return after

    def _is_news(self, article: PreparedArticle, place: tuple[LiveSegment, int] | None, report: AddReport) -> bool:
        """Count the article; tell whether it is to be added. What it replaces is removed."""
        article_id = article.article_id
        pending = self._pending(article_id)
        if pending is not None:
            known = pending.digest(article_id)
        elif place is not None and self._live[place[0].entry.file.name][place[1]]:
            known = place[0].reader.digest(place[1])
        else:
            report.added += 1
            return True
        if article.digest == known:
            report.unchanged += 1
            return False
        self._remove(article_id, place)
        report.updated += 1
        return True

    def _pending(self, article_id: str) -> SegmentBuilder | None:
        """Return the segment in the making that has the article."""
        if article_id in self._segment.builder:
            return self._segment.builder
        if self._ending is not None and article_id in self._ending.builder:
            return self._ending.builder
        return None

    def _places(self, ids: list[str]) -> list[tuple[LiveSegment, int] | None]:
        places = find_ids(self._committed, ids)
        maybe = self._written_ids.among(ids)
        for at, place in zip(maybe, find_ids(self._new, [ids[at] for at in maybe]), strict=True):
            places[at] = place or places[at]
        return places

    def _remove(self, article_id: str, place: tuple[LiveSegment, int] | None) -> bool:
        pending = self._pending(article_id)
        if pending is not None:
            pending.remove(article_id)
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

    def _flush(self) -> None:
        """Hand what waits to the threads; end the segment when it has its size, and write the one before."""
        segment = self._segment
        if segment.builder.flush():
            segment.reports.append(self._last_report)
        if segment.builder.is_full:
            self._collect()
            self._ending = self._ended()
            if self._workers.finishing is None:
                self._collect()
            elif self._ending is not None:
                self._ending.file = self._workers.finishing.submit(
                    self._write, segment.builder.chunks(), len(segment.builder)
                )
        elif (
            self._ending is not None
            and self._ending.file is not None
            # Two whole segments in memory would be too much.
            and (self._ending.file.done() or segment.builder.is_half_full)
        ):
            self._collect()

    def _ended(self) -> _Segment | None:
        """Return the segment with all its articles, and begin another."""
        segment = self._segment
        if not len(segment.builder):
            return None
        if segment.builder.flush():
            segment.reports.append(self._last_report)
        self._segment = _Segment(SegmentBuilder(self._schema, self._workers))
        return segment

    def _collect(self) -> None:
        """Wait for the segment that is being ended, or write it now, and open it."""
        segment = self._ending
        if segment is None:
            return
        if segment.file is None:
            entry = self._write(segment.builder.chunks(), len(segment.builder))
        else:
            entry = segment.file.result()
        self._ending = None
        for report, count in zip(segment.reports, segment.builder.long_words, strict=True):
            report.long_terms += count
        written = self._open(entry)
        live = segment.builder.live()
        self._new.append(written)
        self._written_ids.add(segment.builder.living_ids())
        self._live[entry.name] = written.live if live.all() else live
        if segment.file is not None:
            del segment
            give_back_freed_memory()

    def _write(self, chunks: Iterator[memoryview], count: int) -> FileEntry:
        """Write a segment; while another thread does so, nobody else uses the store's writer."""
        return self._files.add_file("segment", chunks, count)

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
            places = list(range(len(segments))) if self._merge_all else choose(sizes)
            self._merge_all = False
            if not places:
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
