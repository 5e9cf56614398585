"""The one door: an index of articles, to add to and to search."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from pydantic import BaseModel

from newsindex.analysis import Analyzer
from newsindex.analysis.stemming import language_name
from newsindex.dates import to_utc
from newsindex.errors import IndexClosed, QueryError, SchemaError
from newsindex.indexer import AnyRecord, Writer
from newsindex.query.diagnostics import Diagnostic
from newsindex.query.filters import Where, filter_nodes
from newsindex.query.parser import ParsedQuery, parse
from newsindex.query.tree import And, Everything, Node
from newsindex.results import AddReport, Explanation, Hit, Results, Snippet
from newsindex.schema import Article, Keyword, Schema
from newsindex.search.cursor import Cursor, search_digest
from newsindex.search.execute import Place, count_values, matching_articles, ranked, sorted_by_date
from newsindex.search.explain import explain
from newsindex.search.plan import Plan, make_plan
from newsindex.search.scoring import Weighting
from newsindex.search.snippets import marked_spans, snippet
from newsindex.store.folder import create_folder, read_schema, size_of
from newsindex.store.segments import ID, STORED, Snapshot, open_segments, snapshot

__all__ = ["NewsIndex", "Stats", "open_index"]

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


@dataclass(frozen=True)
class _Search:
    """A search made ready on one snapshot."""

    snapshot: Snapshot
    plan: Plan
    allowed: set[int] | None
    searched: str
    diagnostics: tuple[Diagnostic, ...]


def open_index(
    location: str | PathLike[str], *, create: bool, model: type[BaseModel] | None, language: str | None
) -> NewsIndex:
    """Open, or make, the index in a folder: see `newsindex.open`."""
    folder = Path(location)
    made = False
    if create and not (folder / "newsindex.json").exists():
        made = create_folder(folder, Schema(model or Article, language_name(language or "english")))
    schema = read_schema(folder, model)
    if language is not None and language_name(language) != schema.language:
        raise SchemaError(f"{folder}: the index is in {schema.language!r}, not {language!r}; index anew to change it")
    return NewsIndex(folder, schema, made=made)


class NewsIndex:
    """An index of articles, as `newsindex.open` gives it.

    A context manager. It may be used by many threads; after a fork the child must open its own. It sees the commit
    that was newest when it was opened, its own commits, and others' after `refresh()`.
    """

    def __init__(self, folder: Path, schema: Schema, *, made: bool = False) -> None:
        self._folder = folder
        self.schema = schema
        self._analyzer = Analyzer(schema.language)
        self._process: int | None = os.getpid()
        # Whoosh's cursors over a file share one position, so searches take turns.
        self._turn = threading.RLock()
        self._segments = open_segments(folder, schema, create=made)
        self._weighting = Weighting()
        self._snapshot = snapshot(folder, self._segments, self._weighting)

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
        if self._process is not None:
            self._process = None
            self._snapshot.searcher.close()
            self._segments.close()

    @property
    def whoosh(self) -> Any:
        """The `whoosh.index.Index` under this index, to read; writing past `add` and `delete` breaks upserts."""
        self._check_open()
        return self._segments

    # Writing

    def writer(self, timeout: float = 10.0) -> Writer:
        """Take the index for writing, waiting for another writer up to `timeout` seconds.

        Raises:
            IndexLocked: another writer still holds it; the error names who and since when.
            StorageError: the folder cannot be written.
        """
        self._check_open()
        return Writer(self._folder, self.schema, self._analyzer, self._segments, timeout, self.refresh)

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

    def delete(self, ids: str | Iterable[str] = (), *, query: str | None = None, where: Where | None = None) -> int:
        """Delete articles by id, or all that a query and filters match, in one commit; return how many there were."""
        with self.writer() as writer:
            wanted = [ids] if isinstance(ids, str) else list(ids)
            if query is not None or where is not None:
                self.refresh()
                search = self._prepare(query or "", where)
                errors = [d for d in search.diagnostics if d.kind not in _HARMLESS]
                if errors:
                    raise QueryError(f"delete: the query is not clear, nothing was deleted: {errors[0]}")
                with self._turn:
                    found = self._matching(search)
                    wanted += [self._stored(search.snapshot, number)["id"] for number in sorted(found)]
            return writer.delete(dict.fromkeys(wanted))

    # Reading

    def refresh(self) -> bool:
        """Open the newest commit; return whether there was one newer than the one in use."""
        self._check_open()
        with self._turn:
            if self._segments.latest_generation() <= self._snapshot.generation:
                return False
            self._snapshot = snapshot(self._folder, self._segments, self._weighting)
            return True

    def get(self, article_id: str) -> BaseModel | None:
        """Return the article with this id, None when there is none."""
        self._check_open()
        with self._turn:
            number = self._number(self._snapshot, article_id)
            return None if number is None else self._load(self._snapshot, number)

    def articles(self) -> Iterator[BaseModel]:
        """Yield every article of the commit in use, in the order of the index."""
        self._check_open()
        used = self._snapshot
        for number in used.searcher.reader().all_doc_ids():
            with self._turn:
                article = self._load(used, number)
            yield article

    def count(self, query: str = "", where: Where | None = None) -> int:
        """Return the number of articles that match."""
        search = self._prepare(query, where)
        with self._turn:
            return len(self._matching(search))

    def values(self, field: str, prefix: str = "", limit: int = 20) -> dict[str, int]:
        """Return the values of a keyword field that begin with `prefix`, with counts, most frequent first."""
        self._check_keyword(field)
        with self._turn:
            used = self._snapshot.searcher
            return count_values(used, self.schema, field, set(used.reader().all_doc_ids()), limit, prefix)

    def search(
        self,
        query: str = "",
        *,
        where: Where | None = None,
        limit: int | None = 10,
        sort: Sort = "relevance",
        facets: Sequence[str] = (),
        after: str | None = None,
    ) -> Results:
        """Search; an empty query finds every article.

        Args:
            query: query text; see the README. It never fails, `results.diagnostics` tells what was not understood.
            where: filters: field to a value, a list (any of them), or a tuple (low, high), None without end.
            limit: the most hits on this page; None for all.
            sort: best first, or by date; articles without a date come last.
            facets: keyword fields whose values are counted over all matches.
            after: `results.next` of the page before.

        Raises:
            QueryError: an argument is misused.
            QueryTooComplex: the query is over a limit.
        """
        if limit is not None and (not isinstance(limit, int) or limit < 0):
            raise QueryError(f"limit: a number from 0, or None for all, not {limit!r}")
        for field in facets:
            self._check_keyword(field)
        search = self._prepare(query, where)
        return self._results(search, limit=limit, sort=sort, facets=facets, after=after)

    def explain(self, query: str, article_id: str, where: Where | None = None) -> Explanation:
        """Return why an article has its score for a query.

        Raises:
            QueryError: there is no such article, or it does not match.
        """
        search = self._prepare(query, where)
        with self._turn:
            number = self._number(search.snapshot, article_id)
            if number is None:
                raise QueryError(f"explain: no article has the id {article_id!r}")
            if number not in self._matching(search):
                raise QueryError(f"explain: the article {article_id!r} does not match {search.searched}")
            return explain(search.plan, self.schema, search.snapshot.searcher, number)

    def highlight(self, query: str, text: str, field: str) -> Snippet:
        """Return a whole text of a field with everything marked that the query matches in it."""
        search = self._prepare(query, None)
        return Snippet(text, marked_spans(text, field, search.plan.leaves, self._analyzer), field)

    def stats(self) -> Stats:
        """Return what the index holds."""
        self._check_open()
        date_field = self.schema.date_field
        oldest = newest = None
        with self._turn:
            reader = self._snapshot.searcher.reader()
            if date_field is not None and reader.doc_count():
                search = self._prepare("", None)
                ends = [self._page(search, sort, 1, None)[0] for sort in ("oldest", "newest")]
                oldest, newest = (self._hit(search, end[0], 1, "oldest").published if end else None for end in ends)
            return Stats(
                location=str(self._folder),
                articles=reader.doc_count(),
                bytes_on_disk=size_of(self._folder),
                generation=self._snapshot.generation,
                language=self.schema.language,
                oldest=oldest,
                newest=newest,
                fields={name: type(field.kind).__name__ for name, field in self.schema.fields.items()},
                segments=len(reader.leaf_readers()) if reader.doc_count_all() else 0,
            )

    # Inside

    def _check_open(self) -> None:
        if self._process is None:
            raise IndexClosed(f"{self._folder}: this index is closed; open it again")
        if self._process != os.getpid():
            raise IndexClosed(f"{self._folder}: this index was opened before a fork; open it again in this process")

    def _check_keyword(self, field: str) -> None:
        self._check_open()
        keywords = self.schema.of_kind(Keyword)
        if field not in keywords:
            raise QueryError(f"{field!r} is no keyword field; values are counted of {', '.join(keywords) or 'none'}")

    def _prepare(self, query: str, where: Where | None) -> _Search:
        self._check_open()
        if not isinstance(query, str):
            raise QueryError(f"query: a string, not {type(query).__name__}")
        return self._ready(parse(query, self.schema, self._analyzer.surfaces), filter_nodes(self.schema, where))

    def _ready(self, parsed: ParsedQuery, filters: tuple[Node, ...]) -> _Search:
        with self._turn:
            used = self._snapshot
            reader = used.searcher.reader()
            plan = make_plan(parsed.tree, self.schema, self._analyzer, reader)
            allowed = None
            diagnostics = [*parsed.diagnostics, *plan.diagnostics]
            if filters:
                filtering = make_plan(And(filters), self.schema, self._analyzer, reader)
                allowed = set(used.searcher.docs_for_query(filtering.query))
                diagnostics += filtering.diagnostics
        nodes: list[Node] = [] if isinstance(parsed.tree, Everything) and filters else [parsed.tree]
        searched = str(And((*nodes, *filters))) if filters else str(parsed.tree)
        return _Search(used, plan, allowed, searched, tuple(diagnostics))

    def _results(
        self,
        search: _Search,
        *,
        limit: int | None,
        sort: str = "relevance",
        facets: Sequence[str] = (),
        after: str | None = None,
    ) -> Results:
        digest = search_digest(search.searched, sort)
        cursor = Cursor.decode(after, digest) if after is not None else None
        with self._turn:
            page, more = self._page(search, sort, limit, cursor)
            counted = {}
            if facets:
                found = self._matching(search)
                used = search.snapshot.searcher
                counted = {field: count_values(used, self.schema, field, found) for field in facets}
            given = cursor.given if cursor else 0
            hits = [self._hit(search, place, given + i + 1, sort) for i, place in enumerate(page)]
        following = None
        if more and page:
            following = Cursor(page[-1], hits[-1].id, given + len(page), search.snapshot.generation, digest).encode()

        def count() -> int:
            with self._turn:
                return len(self._matching(search))

        return Results(
            hits,
            count=count,
            facets=counted,
            next=following,
            searched=search.searched,
            diagnostics=search.diagnostics,
        )

    def _matching(self, search: _Search) -> set[int]:
        return matching_articles(search.snapshot.searcher, search.plan.query, search.allowed)

    def _page(self, search: _Search, sort: str, limit: int | None, cursor: Cursor | None) -> tuple[list[Place], bool]:
        """Return the places of one page, and whether there are more."""
        used = search.snapshot
        if sort == "relevance":
            # A page of an older commit may begin anywhere in this one; then all are ranked.
            moved = cursor is not None and cursor.generation != used.generation
            everything = used.searcher.doc_count_all()
            wanted = everything if limit is None or moved else (cursor.given if cursor else 0) + limit + 1
            places = ranked(used.searcher, search.plan.query, search.allowed, min(wanted, everything))
            places = [Place(-place.key, place.number) for place in places]
        elif sort in ("newest", "oldest"):
            field = self.schema.date_field
            if field is None:
                raise QueryError(f"sort: {sort!r} needs a date field, and {self.schema.model.__name__} has none")
            places = sorted_by_date(used.searcher, field, self._matching(search), newest=sort == "newest")
        else:
            raise QueryError(f"sort: 'relevance', 'newest' or 'oldest', not {sort!r}")
        if cursor is not None:
            places = places[self._begin(used, places, cursor) :]
        if limit is None:
            return places, False
        return places[:limit], len(places) > limit

    def _begin(self, used: Snapshot, places: list[Place], cursor: Cursor) -> int:
        """Return where in the order of places the next page begins."""
        last = (cursor.place.key, cursor.place.number)
        if cursor.generation == used.generation:
            return next((at for at, place in enumerate(places) if (place.key, place.number) > last), len(places))
        number = self._number(used, cursor.article_id)
        behind = next((at + 1 for at, place in enumerate(places) if place.number == number), None)
        return cursor.given if behind is None else behind

    def _hit(self, search: _Search, place: Place, rank: int, sort: str) -> Hit:
        used, number = search.snapshot, place.number
        stored = self._stored(used, number)
        title = stored.get("title") or stored.get(self.schema.text_fields[0])
        if not title:  # no headline: the beginning of what text there is
            title = next((stored[name] for name in self.schema.text_fields if stored.get(name)), "")
            title = title.strip().partition("\n")[0][:100]
        date_field = self.schema.date_field
        published = stored.get(date_field) if date_field else None
        source = stored.get("source")

        def load() -> BaseModel:
            return self.schema.load(json.dumps(stored))

        def snip(article: BaseModel) -> Snippet:
            with self._turn:
                return snippet(article, self.schema.text_fields, search.plan.leaves, self._analyzer)

        return Hit(
            rank=rank,
            score=-place.key if sort == "relevance" else 0.0,
            id=stored["id"],
            title=title,
            published=to_utc(datetime.fromisoformat(published)) if published else None,
            source=source if isinstance(source, str) else None,
            _load=load,
            _snip=snip,
        )

    def _number(self, used: Snapshot, article_id: str) -> int | None:
        reader = used.searcher.reader()
        encoded = article_id.encode("utf-8", "replace")
        if (ID, encoded) not in reader:
            return None
        matcher = reader.postings(ID, encoded)
        return matcher.id() if matcher.is_active() else None

    def _stored(self, used: Snapshot, number: int) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(used.searcher.stored_fields(number)[STORED])
        return data

    def _load(self, used: Snapshot, number: int) -> BaseModel:
        return self.schema.load(used.searcher.stored_fields(number)[STORED])


# Remarks on the archive rather than on the query: a query with them still means what was typed.
_HARMLESS = frozenset({"no-such-term", "no-such-value", "only-excluded"})
