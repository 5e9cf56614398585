"""Searching through Whoosh's own searcher, on `index.whoosh`: an oracle that shares no code with the engine."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

from newsindex.codec.whoosh_schema import naive
from newsindex.query.tree import And, Boost, Everything, Nothing, Or, Phrase, Prefix, Range, Value, Word
from newsindex.schema import fold_keyword
from newsindex.whoosh_door import collectors, query, scoring

__all__ = ["Weighting", "WhooshSearch"]


class Weighting(scoring.WeightingModel):  # type: ignore[misc]
    """BM25 with Lucene's idf, of each field on its own; lengths are as Whoosh keeps them, in one byte."""

    def idf(self, searcher: Any, fieldname: str, text: Any) -> float:
        """Return the idf over all segments."""
        parent = searcher.get_parent()
        having = parent.doc_frequency(fieldname, text)
        return math.log(1.0 + (parent.doc_count_all() - having + 0.5) / (having + 0.5))

    def scorer(self, searcher: Any, fieldname: str, text: Any, qf: float = 1.0) -> Any:
        """Return the scorer of one term of one field; of a field without lengths, every article scores the same."""
        if not searcher.schema[fieldname].scorable:
            return scoring.WeightScorer.for_(searcher, fieldname, text)
        return _Scorer(searcher, fieldname, text)


class _Scorer(scoring.WeightLengthScorer):  # type: ignore[misc]
    def __init__(self, searcher: Any, fieldname: str, text: Any) -> None:
        parent = searcher.get_parent()
        self._idf = parent.idf(fieldname, text)
        self._average = parent.avg_field_length(fieldname) or 1.0
        self.setup(searcher, fieldname, text)

    def _score(self, weight: float, length: float) -> float:
        return float(self._idf * weight / (weight + 1.2 * (0.25 + 0.75 * length / self._average)))


class WhooshSearch:
    """Query trees run by Whoosh over the text fields of an index.

    Whoosh finds what leaves, And and Or match; Not is taken from all articles here, since its own keeps some. A word
    before stemming is none of its terms, so that prefixes are not compared.
    """

    def __init__(self, index: Any) -> None:
        self.index = index
        self.searcher = index.whoosh.searcher(weighting=Weighting())
        self.fields = index.schema.text_fields
        self.everything = self.found(query.Every())

    def found(self, wanted: Any) -> frozenset[int]:
        return frozenset(self.searcher.docs_for_query(wanted))

    def matching(self, node: Any) -> frozenset[int]:
        """Return the numbers of the articles that match."""
        match node:
            case Nothing():
                return frozenset()
            case And(children):
                return frozenset.intersection(self.everything, *map(self.matching, children))
            case Or(children):
                return frozenset().union(*map(self.matching, children))
            case Boost(child, _):
                return self.matching(child)
            case Everything():
                return self.everything
            case Word() | Phrase() | Value() | Range() | Prefix():
                return self.found(self.leaf(node))
        return self.everything - self.matching(node.child)

    def leaf(self, node: Any) -> Any:
        match node:
            case Word(text, field) | Phrase(text, field):
                terms = self.index._analyzer.terms(text)
                names = [field] if field else self.fields
                one = query.Phrase if len(terms) > 1 else lambda name, words: query.Term(name, words[0])
                return query.Or([one(name, terms) for name in names])
            case Prefix(text, field):
                return query.Prefix(field, fold_keyword(text))
            case Value(field, text):
                return query.Term(field, text.strip() if field == "id" else fold_keyword(text))
        return self.range(node)

    def range(self, node: Range) -> Any:
        low, high = node.low, node.high
        if isinstance(low, bool):
            return query.Term(node.field, low)
        if node.is_date:
            # A range without its lower end finds everything, and one that is open at its upper end is not.
            begin = naive(-(2**55) if low is None else int(low))
            end = naive(2**56 if high is None else int(high)) - timedelta(microseconds=int(node.high_open))
            return query.DateRange(node.field, begin, end) if begin <= end else query.NullQuery()
        least = -(2**40) if low is None else low
        most = 2**40 if high is None else high
        return query.NumericRange(node.field, least, most, node.low_open, node.high_open)

    def ranked(self, words: list[str], *, all_of: bool) -> list[tuple[int, float]]:
        """Return (number, score) of the articles with any, or all, of some terms of the one text field."""
        (field,) = self.fields
        terms = [query.Term(field, word) for word in words]
        collector = collectors.TopCollector(limit=10_000, replace=0)  # what it replaces while it runs loses hits
        self.searcher.search_with_collector((query.And if all_of else query.Or)(terms), collector)
        return [(number, score) for score, number in collector.results().top_n]
