"""A plan and a snapshot to article numbers, in order, and to counts of values."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.codec.reader import Strings
from newsindex.schema import fold_keyword
from newsindex.search.deadline import Deadline
from newsindex.search.snapshot import Snapshot
from newsindex.whoosh_door import collectors

__all__ = ["Order", "Place", "count_values", "is_matched", "matching_articles", "ranked", "sorted_by_date"]

_Array = npt.NDArray[Any]
_LAST = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Place:
    """An article's place in an order: `key` is what the order ascends by, `number` the article's in the snapshot.

    The key is the score or the date, negated when the greatest comes first. Equal keys keep the order of the index,
    which is the same each time on one snapshot.
    """

    key: float
    number: int


@dataclass(frozen=True, slots=True)
class Order:
    """Articles in order: the keys and numbers of their places, arrays of one size."""

    keys: _Array
    numbers: _Array

    def place(self, at: int) -> Place:
        """Return one."""
        return Place(self.keys[at].item(), int(self.numbers[at]))

    def behind(self, place: Place) -> int | None:
        """Return where what comes after a place begins, None when nothing does."""
        later = (self.keys > place.key) | ((self.keys == place.key) & (self.numbers > place.number))
        return int(later.argmax()) if later.any() else None

    def find(self, number: int | None) -> int | None:
        """Return where an article is, None when it is not among them."""
        found = np.flatnonzero(self.numbers == (-1 if number is None else number))
        return int(found[0]) if found.size else None


class _Top(collectors.TopCollector):  # type: ignore[misc]
    def __init__(self, limit: int, deadline: Deadline) -> None:
        # Whoosh's search() replaces matchers while it runs and loses hits by that; replace=0 is exact.
        super().__init__(limit=limit, replace=0)
        self._deadline = deadline

    def matches(self) -> Iterator[int]:
        return self._deadline.over(super().matches())


def matching_articles(searcher: Any, query: Any, deadline: Deadline) -> _Array:
    """Return the numbers of all articles that match, ascending."""
    return np.fromiter(deadline.over(searcher.docs_for_query(query)), np.int64)


def is_matched(searcher: Any, query: Any, number: int) -> bool:
    """Tell whether an article matches."""
    leaf, offset = next(pair for pair in reversed(searcher.leaf_searchers()) if pair[1] <= number)
    matcher = query.matcher(leaf, leaf.boolean_context())
    if matcher.is_active() and matcher.id() < number - offset:
        matcher.skip_to(number - offset)
    return bool(matcher.is_active() and matcher.id() == number - offset)


def ranked(searcher: Any, query: Any, allowed: set[int] | None, limit: int, deadline: Deadline) -> Order:
    """Return the best `limit` articles, best first."""
    top = _Top(limit, deadline)
    # FilterCollector takes an empty set for no filter, TopCollector cannot do with a limit of 0.
    if limit > 0 and (allowed is None or allowed):
        collector = top if allowed is None else collectors.FilterCollector(top, allow=allowed)
        searcher.search_with_collector(query, collector)
        best = top.results().top_n
    else:
        best = []
    scores = np.array([score for score, _ in best], np.float64)
    return Order(-scores, np.array([number for _, number in best], np.int64))


def sorted_by_date(snapshot: Snapshot, found: _Array, *, newest: bool) -> Order:
    """Return the articles (ascending numbers) in order of their date, those without one last."""
    keys = np.full(found.size, _LAST, np.int64)
    at = 0
    for segment, docs in snapshot.split(found):
        values, present = snapshot.dates(segment)
        dates = values[docs]
        keys[at : at + docs.size] = np.where(present[docs], -dates if newest else dates, _LAST)
        at += docs.size
    order = np.argsort(keys, kind="stable")
    return Order(keys[order], found[order])


def count_values(
    snapshot: Snapshot, field: str, found: _Array, limit: int | None = None, prefix: str = ""
) -> dict[str, int]:
    """Return the values of a keyword field in articles (ascending numbers), most frequent first, then by name.

    A value is shown as it was first written in the first segment that has it in one of the articles.
    """
    counts: Counter[bytes] = Counter()
    shown: dict[bytes, tuple[Strings, int]] = {}
    start = fold_keyword(prefix).encode("utf-8", "replace")
    for segment, docs in snapshot.split(found):
        column = snapshot.keywords(field, segment)
        chosen = np.zeros(column.starts.size - 1, bool)
        chosen[docs] = True
        ords = column.ords[np.repeat(chosen, np.diff(column.starts))]
        first = bisect_left(range(len(column.keys)), start, key=column.keys.encoded)
        own = np.bincount(ords, minlength=len(column.keys))
        for number in (first + np.flatnonzero(own[first:])).tolist():
            key = column.keys.encoded(number)
            if not key.startswith(start):
                break
            counts[key] += int(own[number])
            shown.setdefault(key, (column.shown, number))
    frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]
    return {shown[key][0][shown[key][1]]: count for key, count in frequent}
