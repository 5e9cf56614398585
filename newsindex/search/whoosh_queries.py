"""The Whoosh query nodes that the query tree needs and Whoosh does not have, or has with faults."""

from __future__ import annotations

import math
from array import array
from typing import Any

from newsindex.query.tree import Range
from newsindex.schema import Date, Field, Flag
from newsindex.store.segments import naive
from newsindex.whoosh_door import matching, query

__all__ = ["TermSet", "Unscored", "Without", "any_of", "everything", "number_range"]

_LEAST_DATE = -62_135_596_800_000_000  # 0001-01-01, in microseconds since 1970
_LAST_DATE = 253_402_300_799_999_999  # the last microsecond of 9999


class TermSet(query.Query):  # type: ignore[misc]
    """Articles with at least one of the terms; each scores the same."""

    def __init__(self, terms: list[tuple[str, bytes]], score: float) -> None:
        self.boost = 1.0
        self._terms = terms
        self._score = score

    def is_leaf(self) -> bool:
        """Return true: there are no queries inside."""
        return True

    def estimate_size(self, reader: Any) -> int:
        """Return at least the number of articles that match."""
        return sum(reader.doc_frequency(name, term) for name, term in self._terms)

    def estimate_min_size(self, reader: Any) -> int:
        """Return at most the number of articles that match."""
        return 0

    def matcher(self, searcher: Any, context: Any = None) -> Any:
        """Return a matcher over the union of the postings."""
        reader = searcher.reader()
        found: set[int] = set()
        for name, term in self._terms:
            if (name, term) in reader:
                found.update(reader.postings(name, term).all_ids())
        return _same_score(sorted(found), self._score)


class Unscored(query.Query):  # type: ignore[misc]
    """Articles that another query finds, or (without one) all; they add nothing to a score.

    Whoosh's ConstantScoreQuery and Every take a constant of 0 for 1.
    """

    def __init__(self, child: Any = None) -> None:
        self.boost = 1.0
        self._child = child

    def is_leaf(self) -> bool:
        """Return true: what is inside is nobody's business."""
        return True

    def estimate_size(self, reader: Any) -> int:
        """Return at least the number of articles that match."""
        return int(reader.doc_count() if self._child is None else self._child.estimate_size(reader))

    def estimate_min_size(self, reader: Any) -> int:
        """Return at most the number of articles that match."""
        return 0

    def matcher(self, searcher: Any, context: Any = None) -> Any:
        """Return a matcher of score 0."""
        if self._child is None:
            return _same_score(list(searcher.reader().all_doc_ids()), 0.0)
        return _same_score(list(self._child.matcher(searcher, context).all_ids()), 0.0)


class Without(query.Query):  # type: ignore[misc]
    """What one query finds and the other does not.

    Whoosh's AndNot keeps its first article when the excluded ones begin before it.
    """

    def __init__(self, wanted: Any, unwanted: Any) -> None:
        self.boost = 1.0
        self._wanted = wanted
        self._unwanted = unwanted

    def is_leaf(self) -> bool:
        """Return true: what is inside is nobody's business."""
        return True

    def estimate_size(self, reader: Any) -> int:
        """Return at least the number of articles that match."""
        return int(self._wanted.estimate_size(reader))

    def estimate_min_size(self, reader: Any) -> int:
        """Return at most the number of articles that match."""
        return 0

    def matcher(self, searcher: Any, context: Any = None) -> Any:
        """Return the matcher of what is wanted, without the articles that are not."""
        unwanted = frozenset(self._unwanted.matcher(searcher, searcher.boolean_context()).all_ids())
        wanted = self._wanted.matcher(searcher, context)
        return matching.FilterMatcher(wanted, unwanted, exclude=True) if unwanted else wanted


def everything() -> Any:
    """Return the query of all articles, which adds nothing to a score."""
    return Unscored()


def any_of(queries: list[Any]) -> Any:
    """Return the query of articles that at least one of the queries finds, at the sum of their scores.

    Whoosh's Or, on a small index, preloads scores and takes an article that scores 0 for one that does not match.
    """
    return query.compound.DefaultOr(queries)


def _same_score(ids: list[int], score: float) -> Any:
    if not ids:
        return matching.NullMatcher()
    return matching.ListMatcher(array("I", ids), weights=array("d", [score]) * len(ids))


def number_range(field: Field, wanted: Range) -> Any:
    """Return the query of a range, which adds nothing to a score.

    Both ends are always given: stock Whoosh takes a range without its lower end for every article.
    """
    ends: tuple[int | float, int | float]
    if isinstance(field.kind, Flag):
        return Unscored(query.Term(field.name, bool(wanted.low)))
    low, high = wanted.low, wanted.high
    if isinstance(field.kind, Date):
        first = _LEAST_DATE if low is None else max(int(low), _LEAST_DATE)
        last = _LAST_DATE if high is None else int(high) - 1
        if first > last:
            return query.NullQuery
        return Unscored(query.DateRange(field.name, naive(first), naive(last)))
    low_open, high_open = wanted.low_open, wanted.high_open
    if field.type_name == "int":  # 3.5 lies between two of its values
        if low is not None and low != math.floor(low):
            low, low_open = math.ceil(low), False
        if high is not None and high != math.floor(high):
            high, high_open = math.floor(high), False
        least, most = -(2**63) + 1, 2**63 - 2
        ends = (least if low is None else int(low), most if high is None else int(high))
    else:
        ends = (float("-inf") if low is None else float(low), float("inf") if high is None else float(high))
    ranged = query.NumericRange(field.name, *ends, startexcl=low_open, endexcl=high_open)
    return Unscored(ranged)
