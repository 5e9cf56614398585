"""A search made ready on one snapshot, and what is asked of it: pages, counts, facets, explanations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy.typing as npt
from pydantic import BaseModel

from newsindex.errors import QueryError, QueryTooComplex
from newsindex.query.clock import Clock
from newsindex.query.diagnostics import Diagnostic
from newsindex.query.filters import Where, filter_nodes
from newsindex.query.parser import ParsedQuery, parse
from newsindex.query.tree import And, Everything, Node
from newsindex.results import Explanation, Results, Snippet
from newsindex.search.cursor import Cursor, Place, search_digest
from newsindex.search.deadline import SECONDS, Deadline
from newsindex.search.execute import MOST_BY_SHAPE, Execution
from newsindex.search.explain import explain, score_of
from newsindex.search.matches import Sought
from newsindex.search.ordering import top_by_date
from newsindex.search.parts import Vocabulary
from newsindex.search.plain_search import PlainSearch, plain_search
from newsindex.search.plan import Plan, make_plan
from newsindex.search.scoring import USUAL, Ranking
from newsindex.search.snapshot import Snapshot, id_text
from newsindex.search.snippets import Snippets
from newsindex.search.sought import plainly_sought, sought_by
from newsindex.search.values import count_values
from newsindex.wrong_value import shown

__all__ = ["SORTS", "Search"]

_FIRST = 20
SORTS = ("relevance", "newest", "oldest")
_Array = npt.NDArray[Any]


class Search:
    """A query with filters on one snapshot; nothing of it changes with later commits.

    Any number of threads may ask it.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        vocabulary: Vocabulary,
        query: str | ParsedQuery,
        filters: tuple[Node, ...] = (),
        clock: Clock | None = None,
        ranking: Ranking = USUAL,
        timeout: float | None = SECONDS,
    ) -> None:
        """Take what is asked. It may take `timeout` seconds, and what is asked later each as many; None for any time.

        What is asked first raises QueryTooComplex when the query is over a limit.
        """
        self.snapshot = snapshot
        self.timeout = timeout
        self.ranking = ranking
        self._vocabulary = vocabulary
        self._query = query
        self._filters = filters
        self._clock = clock
        self._deadline = Deadline(timeout)
        """Of making the plan, and of the first page."""
        # No cached_property: up to Python 3.11 all instances share its lock.
        self._parsed: ParsedQuery | None = None
        self._plan: Plan | None = None
        self._found_plain: PlainSearch | None = None
        self._is_plain_told = False

    @classmethod
    def of_text(
        cls,
        snapshot: Snapshot,
        vocabulary: Vocabulary,
        query: str,
        where: Where | None,
        clock: Clock | None = None,
        ranking: Ranking = USUAL,
        timeout: float | None = SECONDS,
    ) -> Search:
        """Take what a caller wrote.

        Raises:
            QueryError: an argument is misused.
        """
        if not isinstance(query, str):
            raise QueryError(f"query: a string, not {type(query).__name__}")
        filters = filter_nodes(snapshot.schema, where) if where is not None else ()
        return cls(snapshot, vocabulary, query, filters, clock, ranking, timeout)

    @property
    def parsed(self) -> ParsedQuery:
        """The query tree and the departures from what was typed."""
        found = self._parsed
        if found is None:
            query, analyzer = self._query, self._vocabulary.analyzer
            if isinstance(query, str):
                query = parse(query, self.snapshot.schema, analyzer.surfaces, self._clock)
            found = self._parsed = query
        return found

    @property
    def plan(self) -> Plan:
        """How it is carried out."""
        found = self._plan
        if found is None:
            self._deadline = deadline = Deadline(self.timeout)
            parsed = self.parsed
            found = make_plan(parsed.tree, self._filters, self._vocabulary, self.snapshot, self.ranking, deadline)
            self._plan = found
        return found

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The departures from what was typed."""
        return (*self.parsed.diagnostics, *self.plan.diagnostics)

    @property
    def searched(self) -> str:
        """The query as it was understood, filters included."""
        tree, filters = self.parsed.tree, self._filters
        if not filters:
            return str(tree)
        return str(And(filters if isinstance(tree, Everything) else (tree, *filters)))

    @cached_property
    def snippets(self) -> Snippets:
        """What makes the snippets of hits."""
        return Snippets(self.sought(), self.snapshot.schema.text_fields, self._vocabulary.analyzer)

    def sought(self) -> list[Sought]:
        """Return what the query looks for in text."""
        plain = self._plain
        if plain is not None and plain.data is None and plain.words.terms:
            return plainly_sought(plain.words, self.snapshot.schema.text_fields)
        return sought_by(self.plan)

    # Sets

    def execution(self) -> Execution:
        """Return the plan ready to be carried out, in the time that is allowed from now on."""
        return Execution(self.plan, Deadline(self.timeout))

    def matching(self) -> _Array:
        """Return the numbers of all articles that match, ascending."""
        return self.execution().numbers()

    def candidates(self) -> int:
        """Return the number of articles that the filters leave."""
        return self.execution().count_filtered()

    def count(self) -> int:
        """Return the number of articles that match."""
        plain = self._plain
        if plain is not None and not plain.has_sets:
            plain = None
        return self.execution().count() if plain is None else plain.count(Deadline(self.timeout))

    def explain(self, article_id: str | int) -> Explanation:
        """Return why an article has its score.

        Raises:
            QueryError: there is no such article, or it does not match.
        """
        number = self.snapshot.number(id_text(article_id))
        if number is None:
            raise QueryError(f"explain: no article has the id {article_id!r}")
        execution = self.execution()
        if not execution.is_matched(number):
            raise QueryError(f"explain: the article {article_id!r} does not match {self.searched}")
        return explain(execution, number)

    # Pages

    def results(
        self, *, limit: int | None, sort: str = "relevance", facets: Sequence[str] = (), after: str | None = None
    ) -> Results:
        """Return a page."""
        if sort not in SORTS:
            raise QueryError(f"sort: 'relevance', 'newest' or 'oldest', not {shown(sort)}")
        if sort != "relevance" and self.snapshot.schema.date_field is None:
            raise QueryError(f"sort: {sort!r} needs a date field, and {self.snapshot.schema.model.__name__} has none")
        most = self.snapshot.doc_count if limit is None else limit
        given = 0
        counted: dict[str, dict[str, int]] = {}
        self._deadline.check()
        plain = self._plain if after is None else None
        if plain is not None and not plain.has_sets and (facets or sort != "relevance"):
            plain = None
        if plain is not None and (sort != "relevance" or (self.ranking is USUAL and most < MOST_BY_SHAPE)):
            found = (
                plain.best(most + 1, self._deadline) if sort == "relevance" else self._by_date(plain, sort, most + 1)
            )
            if facets:
                matching = plain.matching(self._deadline)
                counted = {
                    name: count_values(self.snapshot, name, matching, deadline=self._deadline) for name in facets
                }
        else:
            execution = Execution(self.plan, self._deadline)
            if after is None:
                found = self._order(execution, sort, most + 1, None)
            else:
                cursor = Cursor.decode(after, self.digest(sort))
                found = self._order_behind(execution, sort, most + 1, cursor)
                given = cursor.given
            counted = {field: execution.facets(field) for field in facets}
        keys, numbers = found
        more = numbers.size > most
        if more:
            keys, numbers = keys[:most], numbers[:most]
        return Results(_Page(self, sort, keys, numbers, given, counted, more))

    @property
    def _plain(self) -> PlainSearch | None:
        """The search without a plan; None when it needs one, or has it already."""
        query = self._query
        if self._plan is not None or not isinstance(query, str):
            return None
        if not self._is_plain_told:
            self._found_plain = plain_search(self.snapshot, self._vocabulary, query, self._filters, self._deadline)
            self._is_plain_told = True
        return self._found_plain

    def _by_date(self, plain: PlainSearch, sort: str, limit: int) -> tuple[_Array, _Array]:
        segments, deadline = self.snapshot.segments, self._deadline
        return top_by_date(segments, plain.matching(deadline), limit, newest=sort == "newest", deadline=deadline)

    def digest(self, sort: str) -> str:
        """Return what tells this search, in this order, from another."""
        # By its text rather than its meaning: `when:7d` means another range a second later.
        query = self._query
        typed = " ".join([query, *map(str, self._filters)]) if isinstance(query, str) else self.searched
        return search_digest(typed, sort if self.ranking == USUAL else f"{sort} {self.ranking}")

    def _order(self, execution: Execution, sort: str, limit: int, after: Place | None) -> tuple[_Array, _Array]:
        """Return (keys, numbers) of the first articles behind a place; a key is a score or a date."""
        if sort == "relevance":
            return execution.best(limit, None if after is None else (after.key, after.number))
        return execution.by_date(sort == "newest", limit, None if after is None else (int(after.key), after.number))

    def _order_behind(self, execution: Execution, sort: str, limit: int, cursor: Cursor) -> tuple[_Array, _Array]:
        """Return the order behind the last hit of the page before, or behind where it would be."""
        moved = cursor.generation != self.snapshot.generation
        place: Place | None = None
        if moved:
            number = self.snapshot.number(cursor.article_id)
            if number is not None and execution.is_matched(number):
                place = Place(self._key(execution, sort, number), number)
        keys, numbers = self._order(execution, sort, limit, place or cursor.place)
        if not numbers.size and moved and place is None:
            keys, numbers = self._order(execution, sort, cursor.given + limit, None)
            return keys[cursor.given :], numbers[cursor.given :]
        return keys, numbers

    def _key(self, execution: Execution, sort: str, number: int) -> float:
        if sort == "relevance":
            return score_of(execution, number)
        segment, doc = self.snapshot.place(number)
        return int(segment.dates[doc])


class _Page:
    """A page of hits: see `newsindex.results.Page`."""

    __slots__ = (
        "_keys", "_left", "_more", "_numbers", "_search", "_sort", "facets", "given", "ids", "scores", "titles"
    )  # fmt: skip

    def __init__(
        self,
        search: Search,
        sort: str,
        keys: _Array,
        numbers: _Array,
        given: int,
        facets: dict[str, dict[str, int]],
        more: bool,
    ) -> None:
        self._search = search
        self._sort = sort
        self._keys = keys
        self._more = more
        self._left = search.timeout
        self._numbers = numbers
        self.ids: list[str] = []
        self.titles: list[str] = []
        self.given = given
        self.facets = facets
        self.scores: list[float] = keys.tolist() if sort == "relevance" else [0.0] * numbers.size

    def __len__(self) -> int:
        return self._numbers.size

    # Threads may read at the same time: each makes a list of its own, whichever is kept is right.

    def read_ids(self, place: int) -> list[str]:
        if self._numbers.size <= _FIRST:  # who asks for one mostly asks for all, and for the titles
            self.ids, self.titles = found = self._search.snapshot.shown(self._numbers)
            return found[0]
        known = self.ids
        self.ids = known = known + self._search.snapshot.article_ids(self._next(known, place))
        return known

    def read_titles(self, place: int) -> list[str]:
        if self._numbers.size <= _FIRST:
            self.ids, self.titles = found = self._search.snapshot.shown(self._numbers)
            return found[1]
        known = self.titles
        self.titles = known = known + self._search.snapshot.titles(self._next(known, place))
        return known

    def _next(self, known: list[str], place: int) -> _Array:
        """Return the articles to read next, up to one place at least: ever more."""
        return self._numbers[len(known) : max(_FIRST, 2 * len(known), place + 1)]

    def published(self, place: int) -> datetime | None:
        return self._search.snapshot.date(int(self._numbers[place]))

    def source(self, place: int) -> str | None:
        return self._search.snapshot.source(int(self._numbers[place]))

    def article(self, place: int) -> BaseModel:
        snapshot = self._search.snapshot
        return snapshot.schema.load(snapshot.stored(int(self._numbers[place])))

    def snippet(self, place: int) -> Snippet:
        search = self._search
        segment, doc = search.snapshot.place(int(self._numbers[place]))
        # However long after the search they are asked for, the snippets of a page together have the time of a search.
        deadline = Deadline(self._left)
        try:
            return search.snippets.of_stored(segment.reader.stored(doc), deadline)
        except QueryTooComplex:
            raise
        except ValueError as error:
            raise segment.reader.damage(f"the stored article {doc}: {error}") from None
        finally:
            self._left = deadline.left()

    def count(self) -> int:
        return self._search.count()

    def cursor(self) -> str | None:
        if not self._more or not self._numbers.size:
            return None
        search, number = self._search, int(self._numbers[-1])
        place = Place(self._keys[-1].item(), number)
        given = self.given + len(self)
        article_id = search.snapshot.article_id(number)
        return Cursor(place, article_id, given, search.snapshot.generation, search.digest(self._sort)).encode()

    def searched(self) -> str:
        return self._search.searched

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        return self._search.diagnostics
