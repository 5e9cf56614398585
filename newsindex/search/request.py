"""A search made ready on one snapshot, and what is asked of it: pages, counts, facets, explanations."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from newsindex.analysis import Analyzer
from newsindex.errors import QueryError
from newsindex.query.filters import Where, filter_nodes
from newsindex.query.parser import ParsedQuery, parse
from newsindex.query.tree import And, Everything, Node
from newsindex.results import Explanation, Hit, Results, Snippet
from newsindex.search.cursor import Cursor, search_digest
from newsindex.search.execute import (
    Order,
    Place,
    count_values,
    is_matched,
    matching_articles,
    ranked,
    sorted_by_date,
)
from newsindex.search.explain import explain
from newsindex.search.plan import make_plan
from newsindex.search.snapshot import Snapshot, id_text
from newsindex.search.snippets import snippet

__all__ = ["SORTS", "Search"]

SORTS = ("relevance", "newest", "oldest")
_Array = npt.NDArray[Any]


class Search:
    """A query with filters on one snapshot; nothing of it changes with later commits.

    What Whoosh keeps of a snapshot is not made for several threads: `turn` is held while it runs.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        analyzer: Analyzer,
        turn: AbstractContextManager[object],
        parsed: ParsedQuery,
        filters: tuple[Node, ...],
    ) -> None:
        self.snapshot = snapshot
        self._analyzer = analyzer
        self._turn = turn
        diagnostics = list(parsed.diagnostics)
        with self._turn:
            self.plan = make_plan(parsed.tree, analyzer, snapshot)
            diagnostics += self.plan.diagnostics
            self._allowed: _Array | None = None
            if filters:
                filtering = make_plan(And(filters), analyzer, snapshot)
                diagnostics += filtering.diagnostics
                self._allowed = matching_articles(snapshot.searcher, filtering.query, filtering.deadline)
        self.diagnostics = tuple(diagnostics)
        nodes: list[Node] = [] if isinstance(parsed.tree, Everything) and filters else [parsed.tree]
        self.searched = str(And((*nodes, *filters))) if filters else str(parsed.tree)

    @classmethod
    def of_text(
        cls,
        snapshot: Snapshot,
        analyzer: Analyzer,
        turn: AbstractContextManager[object],
        query: str,
        where: Where | None,
    ) -> Search:
        """Make ready what a caller wrote.

        Raises:
            QueryError: an argument is misused.
            QueryTooComplex: the query is over a limit.
        """
        if not isinstance(query, str):
            raise QueryError(f"query: a string, not {type(query).__name__}")
        filters = filter_nodes(snapshot.schema, where)
        return cls(snapshot, analyzer, turn, parse(query, snapshot.schema, analyzer.surfaces), filters)

    # Sets

    @cached_property
    def matching(self) -> _Array:
        """The numbers of all articles that match, ascending."""
        with self._turn:
            self.plan.deadline.start()
            found = matching_articles(self.snapshot.searcher, self.plan.query, self.plan.deadline)
        return found if self._allowed is None else np.intersect1d(found, self._allowed, assume_unique=True)

    @property
    def candidates(self) -> int:
        """The number of articles that the filters leave."""
        return self.snapshot.article_count if self._allowed is None else int(self._allowed.size)

    def count(self) -> int:
        """Return the number of articles that match."""
        return int(self.matching.size)

    def explain(self, article_id: str | int) -> Explanation:
        """Return why an article has its score.

        Raises:
            QueryError: there is no such article, or it does not match.
        """
        with self._turn:
            self.plan.deadline.start()
            searcher = self.snapshot.searcher
            number = self.snapshot.number(id_text(article_id))
            if number is None:
                raise QueryError(f"explain: no article has the id {article_id!r}")
            allowed = self._allowed is None or number in self._allowed
            if not allowed or not is_matched(searcher, self.plan.query, number):
                raise QueryError(f"explain: the article {article_id!r} does not match {self.searched}")
            return explain(self.plan, self.snapshot.schema, searcher, number)

    # Pages

    def results(
        self, *, limit: int | None, sort: str = "relevance", facets: Sequence[str] = (), after: str | None = None
    ) -> Results:
        """Return a page."""
        if sort not in SORTS:
            raise QueryError(f"sort: 'relevance', 'newest' or 'oldest', not {sort!r}")
        digest = search_digest(self.searched, sort)
        cursor = Cursor.decode(after, digest) if after is not None else None
        given = cursor.given if cursor else 0
        with self._turn:
            self.plan.deadline.start()
            places, more = self._page(sort, limit, cursor)
            hits = [self._hit(place, given + number, sort) for number, place in enumerate(places, 1)]
            counted = {field: count_values(self.snapshot, field, self.matching) for field in facets}
        following = None
        if more and hits:
            last = Cursor(places[-1], hits[-1].id, given + len(hits), self.snapshot.generation, digest)
            following = last.encode()
        return Results(
            hits,
            count=self.count,
            facets=counted,
            next=following,
            searched=self.searched,
            diagnostics=self.diagnostics,
        )

    def _page(self, sort: str, limit: int | None, cursor: Cursor | None) -> tuple[list[Place], bool]:
        """Return the places of one page, and whether there are more."""
        used = self.snapshot
        if sort == "relevance":
            # A page of an older commit may begin anywhere in this one; then all are ranked.
            moved = cursor is not None and cursor.generation != used.generation
            everything = used.article_count
            wanted = everything if limit is None or moved else (cursor.given if cursor else 0) + limit + 1
            allowed = None if self._allowed is None else set(self._allowed.tolist())
            order = ranked(used.searcher, self.plan.query, allowed, min(wanted, everything), self.plan.deadline)
        else:
            if used.schema.date_field is None:
                raise QueryError(f"sort: {sort!r} needs a date field, and {used.schema.model.__name__} has none")
            order = sorted_by_date(used, self.matching, newest=sort == "newest")
        begin = 0 if cursor is None else self._begin(order, cursor)
        count = order.numbers.size
        end = count if limit is None else min(begin + limit, count)
        return [order.place(at) for at in range(begin, end)], end < count

    def _begin(self, order: Order, cursor: Cursor) -> int:
        """Return where the next page begins: behind the last hit of the page before, or behind where it would be."""
        if cursor.generation != self.snapshot.generation:
            at = order.find(self.snapshot.number(cursor.article_id))
            if at is not None:
                return at + 1
        behind = order.behind(cursor.place)
        if behind is None and cursor.generation != self.snapshot.generation:
            return min(cursor.given, order.numbers.size)
        return order.numbers.size if behind is None else behind

    def _hit(self, place: Place, rank: int, sort: str) -> Hit:
        used = self.snapshot
        number = place.number

        def load() -> BaseModel:
            return used.schema.load(used.stored(number))

        def snip(article: BaseModel) -> Snippet:
            with self._turn:
                return snippet(article, used.schema.text_fields, self.plan.leaves, self._analyzer)

        return Hit(
            rank=rank,
            score=-place.key if sort == "relevance" else 0.0,
            id=used.article_id(number),
            title=used.title(number),
            published=used.date(number),
            source=used.source(number),
            _load=load,
            _snip=snip,
        )
