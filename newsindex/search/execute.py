"""A plan and a snapshot to ranked article numbers, counts and facets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from newsindex.schema import Schema, fold_keyword
from newsindex.store.segments import STORED
from newsindex.whoosh_door import collectors

__all__ = ["Place", "count_values", "matching_articles", "ranked", "sorted_by_date"]


@dataclass(frozen=True, slots=True)
class Place:
    """An article's place in an order: `key` is the score or date to sort by, `number` the article's in the snapshot.

    Equal keys keep the order of the index, which is the same each time on one snapshot.
    """

    key: float
    number: int


def matching_articles(searcher: Any, query: Any, allowed: set[int] | None) -> set[int]:
    """Return the numbers of all articles that match the query and the filters."""
    found = set(searcher.docs_for_query(query))
    return found if allowed is None else found & allowed


def ranked(searcher: Any, query: Any, allowed: set[int] | None, limit: int) -> list[Place]:
    """Return the best `limit` articles, best first.

    Whoosh's search() is not used: it replaces matchers while it runs and loses hits by that. `replace=0` is exact.
    """
    if limit == 0 or (allowed is not None and not allowed):
        return []
    top = collectors.TopCollector(limit=limit)
    top.replace = 0
    # FilterCollector takes an empty set for no filter; that case has returned above.
    collector = top if allowed is None else collectors.FilterCollector(top, allow=allowed)
    searcher.search_with_collector(query, collector)
    return [Place(score, number) for score, number in top.results().top_n]


def sorted_by_date(searcher: Any, field: str, found: set[int], *, newest: bool) -> list[Place]:
    """Return the articles in order of their date, those without one last."""
    reader = searcher.reader()
    missing = searcher.schema[field].default  # what Whoosh's column gives for an article without a value
    dates = reader.column_reader(field, translate=False) if found and reader.has_column(field) else None
    places = []
    for number in sorted(found):
        date = missing if dates is None else dates[number]
        key = float("inf") if date == missing else float(-date if newest else date)
        places.append(Place(key, number))
    places.sort(key=lambda place: (place.key, place.number))
    return places


def count_values(
    searcher: Any, schema: Schema, field: str, found: set[int], limit: int | None = None, prefix: str = ""
) -> dict[str, int]:
    """Return the values of a keyword field in these articles with their counts, most frequent first, then by name.

    A value is shown as it is written in the first of the articles that has it.
    """
    reader = searcher.reader()
    counts: Counter[bytes] = Counter()
    for term in list(reader.expand_prefix(field, fold_keyword(prefix))):
        count = sum(number in found for number in reader.postings(field, term).all_ids())
        if count:
            counts[term] = count
    frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]
    return {_written(searcher, schema, field, term, found): count for term, count in frequent}


def _written(searcher: Any, schema: Schema, field: str, term: bytes, found: Iterable[int]) -> str:
    folded = term.decode()
    postings = searcher.reader().postings(field, term).all_ids()
    number = next(number for number in postings if number in found)
    article = schema.load(searcher.stored_fields(number)[STORED])
    value = getattr(article, field)
    values: list[str] = value if schema.fields[field].many else [value]
    return next(text.strip() for text in values if fold_keyword(text) == folded)
