"""Articles to segments to a commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from pydantic import BaseModel

from newsindex.analysis import LONGEST_TERM_BYTES, Analyzer
from newsindex.errors import IndexClosed, SourceError, StorageError
from newsindex.results import AddReport
from newsindex.schema import PreparedArticle, Schema
from newsindex.sources.record import Record
from newsindex.store.folder import storage_errors, sync_folder
from newsindex.store.lock import WriterLock
from newsindex.store.segments import DIGEST, ID, SEGMENTS_FOLDER, whoosh_fields

__all__ = ["MAX_ARTICLE_CHARACTERS", "Writer"]

MAX_ARTICLE_CHARACTERS = 10 * 1024 * 1024
_PROGRESS_EVERY = 100

AnyRecord = BaseModel | Mapping[str, Any] | Record | SourceError


class Writer:
    """Adds and deletes articles; nothing is seen or kept before `commit()`.

    A context manager: a clean exit commits, an exception rolls back, both free the lock. Only one writer is open on an
    index at a time.
    """

    def __init__(
        self,
        folder: Path,
        schema: Schema,
        analyzer: Analyzer,
        segments: Any,
        timeout: float,
        done: Callable[[], object],
    ) -> None:
        """Take the lock, waiting up to `timeout` seconds; `done` is called after each commit.

        Raises:
            IndexLocked: another writer still holds it.
            StorageError: the folder cannot be written.
        """
        self._place = folder / SEGMENTS_FOLDER
        self._schema = schema
        self._analyzer = analyzer
        self._segments = segments
        self._done = done
        self._lock = WriterLock(folder)
        self._lock.acquire(timeout)
        self._closed = False
        self._whoosh: Any = None
        self._reader: Any = None
        self._forget()

    def __enter__(self) -> Writer:
        """Return the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commit, or roll back after an exception, and free the lock."""
        try:
            if kind is None:
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
        is called with the number of records taken so far, every hundred and at the end.

        Raises:
            SourceError: with `strict`, the first bad record.
            StorageError: the file system refuses; what was added since the last commit is gone.
        """
        self._check_open()
        report = AddReport()
        taken = 0
        for record in records:
            taken += 1
            try:
                self._add_one(record, report)
            except SourceError as error:
                if strict:
                    raise
                report.rejected.append(error)
            if progress is not None and taken % _PROGRESS_EVERY == 0:
                progress(taken)
        if progress is not None:
            progress(taken)
        return report

    def delete(self, ids: Iterable[str]) -> int:
        """Delete articles by id and return how many there were."""
        self._check_open()
        self._open()
        return sum(self._remove(article_id) for article_id in list(ids))

    def commit(self) -> None:
        """Make everything since the last commit durable and visible.

        Raises:
            StorageError: the file system refuses; the articles are as they were before.
        """
        self._check_open()
        if self._whoosh is None:
            return
        if not self._changed:
            self.rollback()
            return
        with storage_errors(self._place):
            try:
                self._whoosh.commit()
            except BaseException:
                self.rollback()
                raise
            self._whoosh = None
            self._forget()
            sync_folder(self._place)
        self._done()

    def rollback(self) -> None:
        """Forget everything since the last commit."""
        whoosh, self._whoosh = self._whoosh, None
        self._forget()
        if whoosh is None:
            return
        try:
            if not whoosh.is_closed:
                whoosh.cancel()
        except OSError as error:
            raise StorageError(str(self._place), f"{error.strerror or error}; nothing was changed") from error
        finally:
            if whoosh.writelock.fd is not None:  # Whoosh keeps it when its own commit or cancel fails
                whoosh.writelock.release()

    def close(self) -> None:
        """Roll back what is not committed, and free the lock."""
        if self._closed:
            return
        self._closed = True
        try:
            self.rollback()
        finally:
            self._lock.release()

    def _check_open(self) -> None:
        if self._closed:
            raise IndexClosed("this writer is closed; take a new one from index.writer()")

    def _open(self) -> None:
        if self._whoosh is None:
            with storage_errors(self._place):
                self._whoosh = self._segments.writer(limitmb=256)
                self._reader = self._whoosh.reader()

    def _forget(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = None
        self._changed = False
        # What this session has written: id to its number in the new segment and its digest.
        self._written: dict[str, tuple[int, str]] = {}
        # What it has deleted of the articles committed before.
        self._deleted: set[str] = set()

    def _add_one(self, record: AnyRecord, report: AddReport) -> None:
        if isinstance(record, SourceError):
            raise record
        article = self._prepare(record)
        self._open()
        known = self._digest(article.article_id)
        if known == article.digest:
            report.unchanged += 1
            return
        terms, surfaces, cut = self._analyse(article)
        if known is not None:
            self._remove(article.article_id)
        with storage_errors(self._place):
            try:
                self._whoosh.add_document(**whoosh_fields(self._schema, article, terms, surfaces))
            except BaseException:
                self.rollback()  # a half-written article would poison every later one
                raise
        self._written[article.article_id] = (self._whoosh.docnum - 1, article.digest)
        self._changed = True
        report.long_terms += cut
        report.naive_dates += bool(article.naive_dates)
        for key in article.unknown_keys:
            report.unknown_keys[key] = report.unknown_keys.get(key, 0) + 1
        if known is None:
            report.added += 1
        else:
            report.updated += 1

    def _prepare(self, record: BaseModel | Mapping[str, Any] | Record) -> PreparedArticle:
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

    def _analyse(self, article: PreparedArticle) -> tuple[dict[str, list[str]], set[str], int]:
        """Return the terms of each text field, the words whose term is another, and how many terms were cut."""
        terms: dict[str, list[str]] = {}
        surfaces: set[str] = set()
        cut = 0
        for name in self._schema.text_fields:
            if name not in article.values:
                continue
            found = terms[name] = []
            for surface in self._analyzer.surfaces(article.values[name]):
                term = self._analyzer.term(surface)
                found.append(term)
                if len(surface) * 4 > LONGEST_TERM_BYTES and len(surface.encode()) > LONGEST_TERM_BYTES:
                    cut += 1
                elif surface != term:
                    surfaces.add(surface)
        return terms, surfaces, cut

    def _committed(self, article_id: str) -> int | None:
        """Return the number of an article that was committed before and not deleted since, or None."""
        if article_id in self._deleted or (ID, article_id.encode()) not in self._reader:
            return None
        matcher = self._reader.postings(ID, article_id)
        return matcher.id() if matcher.is_active() else None

    def _digest(self, article_id: str) -> str | None:
        if article_id in self._written:
            return self._written[article_id][1]
        number = self._committed(article_id)
        return None if number is None else str(self._reader.stored_fields(number)[DIGEST])

    def _remove(self, article_id: str) -> bool:
        if article_id in self._written:
            # Whoosh's own writer deletes only in segments committed before: two copies would stay.
            self._whoosh.newsegment.delete_document(self._written.pop(article_id)[0])
        else:
            number = self._committed(article_id)
            if number is None:
                return False
            self._whoosh.delete_document(number)
            self._deleted.add(article_id)
        self._changed = True
        return True
