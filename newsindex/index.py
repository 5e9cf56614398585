"""The one door: an index of articles, to add to and to search."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, tzinfo
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel

from newsindex.analysis import Analyzer
from newsindex.analysis.stemming import language_name
from newsindex.compiled import are_compiled
from newsindex.errors import IndexClosed, IndexNotFound, QueryError, SchemaError, StorageError
from newsindex.query.clock import Clock
from newsindex.query.filters import Where
from newsindex.results import AddReport, Explanation, Results, Snippet
from newsindex.schema import Article, Keyword, Schema
from newsindex.search.deadline import SECONDS, check_timeout
from newsindex.search.parts import Vocabulary
from newsindex.search.plan_text import explain_plan
from newsindex.search.request import Search
from newsindex.search.scoring import K1, USUAL, B, Ranking
from newsindex.search.snapshot import Snapshot, id_text
from newsindex.search.snippets import marked_spans
from newsindex.search.sought import sought_by
from newsindex.search.values import count_values
from newsindex.store.backup import copy_snapshot
from newsindex.store.live import open_live
from newsindex.store.network import network_file_system
from newsindex.store.storage import FolderStorage
from newsindex.store.store import Store
from newsindex.variants import Given, Variants
from newsindex.wrong_value import shown

if TYPE_CHECKING:
    from newsindex.check import Problem
    from newsindex.indexer import Writer
    from newsindex.rebuild import RebuildReport
    from newsindex.taking import AnyRecord

__all__ = ["NewsIndex", "Stats", "open_index", "rebuild_index"]

Sort = Literal["relevance", "newest", "oldest"]


@dataclass(frozen=True)
class Stats:
    """What an index holds: number of articles, bytes on disk, the generation (number) of its last commit.

    `oldest` and `newest` are dates of the field that hits are sorted by; `fields` has the kind of each field.
    """

    location: str
    articles: int
    bytes_on_disk: int
    generation: int
    language: str
    oldest: datetime | None
    newest: datetime | None
    fields: dict[str, str]
    segments: int


# How often this process, or one that it comes from, was forked: cheaper to compare than the process's number.
_forks = 0


def _count_fork() -> None:
    global _forks
    _forks += 1


os.register_at_fork(after_in_child=_count_fork)

# Remarks on the archive rather than on the query: a query with them still means what was typed.
_HARMLESS = frozenset({"no-such-term", "no-such-value", "only-excluded"})


def open_index(
    location: str | PathLike[str],
    *,
    create: bool,
    model: type[BaseModel] | None,
    language: str | None,
    allow_network_fs: bool,
    mapped: bool = True,
    zone: tzinfo | str | None = None,
    variants: Given = None,
) -> NewsIndex:
    """Open, or make, the index in a folder: see `newsindex.open`."""
    if model is not None and not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise SchemaError(f"model: a pydantic model class, as newsindex.Article is one, not {shown(model)}")
    if language is not None and not isinstance(language, str):
        raise SchemaError(f"language: a name or a two-letter code, as 'english' or 'en', not {shown(language)}")
    clock = Clock.of(None, zone)
    table = Variants.of(variants)
    if not isinstance(location, str | PathLike):
        raise IndexNotFound(f"a folder is named by a string or a path, not by {shown(location)}")
    if "\0" in str(location):
        raise IndexNotFound(f"{str(location)!r}: a path cannot have a NUL character in it; give another folder")
    network = None if allow_network_fs else network_file_system(Path(location))
    if network is not None:
        raise StorageError(
            str(location),
            f"on a network file system ({network}), where commits may be lost; use a local folder, or allow_network_fs",
        )
    if not are_compiled():
        from newsindex.compiling import prepare  # a first search need not wait for what only writing takes

        prepare()
    storage = FolderStorage(Path(location), mapped=mapped)
    try:
        store = Store.open(storage)
    except IndexNotFound:
        if not create:
            raise _not_found(Path(location)) from None
        store = Store.create(storage, Schema(model or Article, language_name(language or "english")).to_json())
    schema = Schema.from_json(store.snapshot.manifest.schema, str(location), model)
    if language is not None and language_name(language) != schema.language:
        raise SchemaError(f"{location}: the index is in {schema.language!r}, not {language!r}; index anew to change it")
    return NewsIndex(Path(location), store, schema, clock, table)


def rebuild_index(location: str | PathLike[str], progress: Callable[[int], object] | None = None) -> RebuildReport:
    """Make an index anew, in its folder, from the articles stored in it; damaged ones are reported and left out.

    Raises:
        IndexNotFound: no index there.
        FormatError: the manifest or a file's header is damaged: then nothing tells what belongs to the index.
        IndexLocked: another writer holds the lock.
    """
    from newsindex.rebuild import rebuild

    storage = FolderStorage(Path(location))
    try:
        store = Store.open(storage, verify=False)
    except IndexNotFound:
        raise _not_found(Path(location)) from None
    schema = Schema.from_json(store.snapshot.manifest.schema, str(location))
    return rebuild(store, schema, Analyzer(schema.language), progress)


def _not_found(folder: Path) -> IndexNotFound:
    if not os.path.exists(folder):  # noqa: PTH110 - which does not raise where nobody may look
        return IndexNotFound(f"{folder}: no such folder; create=True makes an index there")
    if not folder.is_dir():
        return IndexNotFound(f"{folder}: a file, not an index folder")
    return IndexNotFound(f"{folder}: a folder, but no index in it; create=True makes one in an empty folder")


class NewsIndex:
    """An index of articles, as `newsindex.open` gives it.

    A context manager. It may be used by many threads; after a fork the child must open its own. It sees the commit
    that was newest when it was opened, its own commits, and others' after `refresh()`.
    """

    def __init__(
        self, folder: Path, store: Store, schema: Schema, clock: Clock, variants: Variants | None = None
    ) -> None:
        self._folder = folder
        self._store = store
        self.schema = schema
        self._analyzer = Analyzer(schema.language)
        self._clock = clock
        self._forks: int | None = _forks
        self._vocabulary = Vocabulary(schema, self._analyzer, variants)
        self._face: Any = None
        self._refreshing = threading.Lock()
        self._snapshot = self._open_snapshot(None)

    def __enter__(self) -> NewsIndex:
        """Return the index."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the index."""
        self.close()

    def __repr__(self) -> str:
        """Name the folder."""
        return f"<NewsIndex {str(self._folder)!r}>"

    def close(self) -> None:
        """Release the files; twice does no harm."""
        self._forks = None
        self._store.close()

    @property
    def whoosh(self) -> Any:
        """A `whoosh.index.Index` over the commit in use, to read; writing through it is refused."""
        self._check_open()
        if self._face is None:
            self._face = _whoosh_face(self)
        return self._face

    # Writing

    def writer(self, timeout: float = 10.0) -> Writer:
        """Take the index for writing, waiting for another writer up to `timeout` seconds.

        Raises:
            IndexLocked: another writer still holds it; the error names who and since when.
            StorageError: the folder cannot be written.
        """
        self._check_open()
        from newsindex.indexer import Writer

        return Writer(self._store, self.schema, self._analyzer, timeout, self.refresh)

    def add(
        self,
        records: Iterable[AnyRecord] | BaseModel | dict[str, Any],
        *,
        strict: bool = False,
        progress: Callable[[int], object] | None = None,
    ) -> AddReport:
        """Add articles in one commit; durable and visible when it returns. See `Writer.add`."""
        given: Iterable[AnyRecord] = [records] if isinstance(records, BaseModel | dict) else records
        with self.writer() as writer:
            return writer.add(given, strict=strict, progress=progress)

    def delete(
        self, ids: str | int | Iterable[str | int] = (), *, query: str | None = None, where: Where | None = None
    ) -> int:
        """Delete articles by id, or all that a query and filters match, in one commit; return how many there were.

        Raises:
            QueryError: the query is empty without a filter ("*" is every article), has something in it that was not
                understood, or excludes what no article has.
        """
        wanted = _ids(ids)
        by_query = query is not None or where is not None
        if by_query and not where and (query is None or (isinstance(query, str) and not query.strip())):
            raise QueryError("delete: an empty query is every article; give query='*' to delete them all")
        with self.writer() as writer:
            if by_query:
                self.refresh()
                wanted += self._to_delete(self._search("" if query is None else query, where))
            return writer.delete(dict.fromkeys(wanted))

    def _to_delete(self, search: Search) -> list[str]:
        found = search.matching().tolist()
        unclear = [remark for remark in search.diagnostics if remark.kind not in _HARMLESS]
        if unclear:
            raise QueryError(f"delete: the query is not clear, nothing was deleted: {unclear[0]}")
        only_excluded = any(remark.kind == "only-excluded" for remark in search.diagnostics)
        if only_excluded and 0 < search.count() == search.candidates():
            raise QueryError("delete: the query excludes nothing, nothing was deleted; query='*' deletes every article")
        return [search.snapshot.article_id(number) for number in found]

    # Reading

    def refresh(self) -> bool:
        """Open the newest commit; return whether there was one newer than the one in use."""
        self._check_open()
        with self._refreshing:
            self._store.refresh()
            if self._store.snapshot.generation == self._snapshot.generation:
                return False
            self._snapshot = self._open_snapshot(self._snapshot)
            return True

    def get(self, article_id: str | int) -> BaseModel | None:
        """Return the article with this id, None when there is none."""
        self._check_open()
        used = self._snapshot
        number = used.number(id_text(article_id))
        return None if number is None else self.schema.load(used.stored(number))

    def articles(self) -> Iterator[BaseModel]:
        """Return an iterator over every article of the commit in use, in the order of the index."""
        self._check_open()
        return map(self.schema.load, self._snapshot.stored_articles())

    def count(self, query: str = "", where: Where | None = None) -> int:
        """Return the number of articles that match."""
        return self._search(query, where).count()

    def values(self, field: str, prefix: str = "", limit: int = 20) -> dict[str, int]:
        """Return the values of a keyword field that begin with `prefix`, with counts, most frequent first."""
        self._check_keyword(field)
        return count_values(self._snapshot, field, limit=limit, prefix=prefix)

    def search(
        self,
        query: str = "",
        *,
        where: Where | None = None,
        limit: int | None = 10,
        sort: Sort = "relevance",
        facets: str | Sequence[str] = (),
        after: str | None = None,
        k1: float = K1,
        b: float = B,
        weights: Mapping[str, float] | None = None,
        timeout: float | None = SECONDS,
        zone: tzinfo | str | None = None,
        now: datetime | None = None,
    ) -> Results:
        """Search; an empty query finds every article.

        Args:
            query: query text; see the README. It never fails, `results.diagnostics` tells what was not understood.
            where: filters: field to a value, a list (any of them), or a tuple (low, high), None without end.
            limit: the most hits on this page; None for all.
            sort: best first, or by date; articles without a date come last.
            facets: keyword fields (or one) whose values are counted over all matches.
            after: `results.next` of the page before.
            k1, b, weights: of the formula, see `newsindex.search.scoring`: how soon a word that comes often counts no
                more, how far long articles count less, and text fields to their weights, the schema's where none is
                given.
            timeout: the seconds of processor time that the search may take; None for any.
            zone: where the dates are that a query names without a zone, as "Europe/London"; None is what the index was
                opened with. Dates in `where` are in UTC if they name none.
            now: the moment by which `yesterday` and the like are read; None is the present.

        Raises:
            QueryError: an argument is misused.
            QueryTooComplex: the query is over a limit.
        """
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
            raise QueryError(f"limit: a number from 0, or None for all, not {shown(limit)}")
        fields = () if facets == () else self._facet_fields(facets)
        if timeout is not SECONDS:
            check_timeout(timeout)
        usual = k1 == K1 and b == B and weights is None
        ranking = USUAL if usual else Ranking.of(self.schema, k1, b, weights)
        given = zone is not None or now is not None
        clock = Clock.of(now, self._clock.zone if zone is None else zone) if given else self._clock
        search = self._search(query, where, ranking, timeout, clock)
        return search.results(limit=limit, sort=sort, facets=fields, after=after)

    def explain(
        self,
        query: str,
        article_id: str | int,
        where: Where | None = None,
        *,
        k1: float = K1,
        b: float = B,
        weights: Mapping[str, float] | None = None,
    ) -> Explanation:
        """Return why an article has its score for a query, ranked as `search` ranks.

        Raises:
            QueryError: there is no such article, or it does not match.
        """
        return self._search(query, where, Ranking.of(self.schema, k1, b, weights)).explain(article_id)

    def explain_query(self, query: str, where: Where | None = None) -> str:
        """Return what a query was taken for, and how it is carried out: its words, how many articles have each."""
        search = self._search(query, where)
        return f"searched: {search.searched}\n{explain_plan(search.plan)}"

    def highlight(self, query: str, text: str, field: str) -> Snippet:
        """Return a whole text of a field with everything marked that the query matches in it."""
        search = self._search(query, None)
        return Snippet(text, marked_spans(text, field, sought_by(search.plan), self._analyzer), field)

    def stats(self) -> Stats:
        """Return what the index holds."""
        self._check_open()
        used = self._snapshot
        oldest, newest = used.date_ends()
        return Stats(
            location=str(self._folder),
            articles=used.article_count,
            bytes_on_disk=_bytes_in(self._folder),
            generation=used.generation,
            language=self.schema.language,
            oldest=oldest,
            newest=newest,
            fields={name: type(field.kind).__name__ for name, field in self.schema.fields.items()},
            segments=len(used.segments),
        )

    # Keeping

    def merge(self) -> int:
        """Merge all segments into one, in one commit; return how many there were, 0 when there was nothing to do.

        A search takes some microseconds a segment, and adding a million articles at once leaves some eighteen. To merge
        takes half as long as to add, and as much room on disk again until the commit after the next.

        Raises:
            IndexLocked: a writer holds the index.
            StorageError: the file system refuses; the index is as it was.
        """
        with self.writer() as writer:
            writer.merge()
        return writer.merged

    def check(self, progress: Callable[[int], object] | None = None) -> list[Problem]:
        """Decode everything, make it again from the stored articles, compare; return what is wrong, file by file."""
        self._check_open()
        opened = self._store.snapshot
        from newsindex.check import check_segments

        return check_segments(opened, open_live(opened, self.schema), self.schema, self._analyzer, progress)

    def backup(self, destination: str | PathLike[str]) -> None:
        """Copy the commit in use into an empty folder, checked and durable; writers need not wait.

        Raises:
            FormatError: a file is damaged.
            StorageError: the folder is not empty, or the file system refuses.
        """
        self._check_open()
        copy_snapshot(self._store.snapshot, FolderStorage(Path(destination)))

    # Inside

    def _check_open(self) -> None:
        if self._forks == _forks:
            return
        if self._forks is None:
            raise IndexClosed(f"{self._folder}: this index is closed; open it again")
        raise IndexClosed(f"{self._folder}: this index was opened before a fork; open it again in this process")

    def _check_keyword(self, field: str) -> None:
        self._check_open()
        keywords = self.schema.of_kind(Keyword)
        if field not in keywords:
            raise QueryError(
                f"{shown(field)} is no keyword field; values are counted of {', '.join(keywords) or 'none'}"
            )

    def _facet_fields(self, facets: str | Sequence[str]) -> tuple[str, ...]:
        if not isinstance(facets, Iterable):
            raise QueryError(f"facets: a keyword field, or a list of them, not {shown(facets)}")
        fields = (facets,) if isinstance(facets, str) else tuple(facets)
        for field in fields:
            self._check_keyword(field)
        return fields

    def _search(
        self,
        query: str,
        where: Where | None,
        ranking: Ranking = USUAL,
        timeout: float | None = SECONDS,
        clock: Clock | None = None,
    ) -> Search:
        self._check_open()
        return Search.of_text(self._snapshot, self._vocabulary, query, where, clock or self._clock, ranking, timeout)

    def _open_snapshot(self, before: Snapshot | None) -> Snapshot:
        opened = self._store.snapshot
        return Snapshot(opened.generation, open_live(opened, self.schema), self.schema, before)


def _whoosh_face(index: NewsIndex) -> Any:
    from newsindex.codec.whoosh_index import Commit, WhooshFace
    from newsindex.codec.whoosh_schema import whoosh_schema

    def commit() -> Commit:
        used = index._snapshot
        live = [segment.segment for segment in used.segments]
        return Commit(used.generation, tuple((one.reader, (~one.live).nonzero()[0].tolist()) for one in live))

    return WhooshFace(whoosh_schema(index.schema), commit, lambda: index._snapshot.generation)


def _bytes_in(folder: Path) -> int:
    """Return the bytes that the files of the folder take; one that a writer deletes meanwhile takes none."""
    total = 0
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            total += path.stat().st_size if path.is_file() else 0
    return total


def _ids(ids: object) -> list[str]:
    if isinstance(ids, str | int):
        return [id_text(ids)]
    if not isinstance(ids, Iterable):
        raise QueryError(f"delete: an id, or several, not {type(ids).__name__}")
    return [id_text(article_id) for article_id in ids]
