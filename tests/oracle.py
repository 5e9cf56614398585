"""Brute-force search over lists and dicts, with its own formula. It imports neither search nor store.

The statistics of the ranked fields are counted anew for every query; nothing is clever here.
"""

from __future__ import annotations

import math
from typing import Any

from newsindex.analysis import Analyzer
from newsindex.query.tree import And, Boost, Everything, Not, Nothing, Or, Phrase, Prefix, Range, Value, Word
from newsindex.schema import fold_keyword

LONE_IDEOGRAPHS = ("中", "文")
WEIGHTS = {"title": 3.0, "summary": 1.5, "body": 1.0}


class Oracle:
    """Prepared articles (id and values) to search one by one."""

    def __init__(self, articles: list[tuple[str, dict[str, Any]]], analyzer: Analyzer) -> None:
        self.analyzer = analyzer
        self.articles = articles
        self.terms = [
            {name: analyzer.terms(values[name]) for name in WEIGHTS if name in values} for _, values in articles
        ]
        surfaces = {s for _, values in articles for name in WEIGHTS for s in analyzer.surfaces(values.get(name, ""))}
        self.stems = {surface: analyzer.term(surface) for surface in surfaces}

    def search(self, tree: Any) -> dict[str, float]:
        """Return the ids that match with their scores."""
        scores = [self.score(tree, number) for number in range(len(self.articles))]
        return {self.articles[n][0]: score for n, score in enumerate(scores) if score is not None}

    def score(self, node: Any, number: int) -> float | None:
        """Return the score of one article, None when it does not match."""
        match node:
            case Everything():
                return 0.0
            case Nothing():
                return None
            case Not(child):
                return 0.0 if self.score(child, number) is None else None
            case Boost(child, factor):
                score = self.score(child, number)
                # What is filtered has no score to multiply; what is ranked has nothing else.
                return None if score is None else score * factor
            case And(children):
                scores = [self.score(child, number) for child in children]
                return None if None in scores else sum(s for s in scores if s is not None)
            case Or(children):
                found = [s for child in children if (s := self.score(child, number)) is not None]
                return sum(found) if found else None
            case Word(text, field) | Phrase(text, field):
                return self.words(text, field, number)
            case Prefix(text, field):
                return self.prefix(text, field, number)
            case Value(field, text):
                return 0.0 if self.has_value(field, text, number) else None
            case Range():
                return 0.0 if self.in_range(node, number) else None
        raise AssertionError(node)

    def words(self, text: str, field: str | None, number: int) -> float | None:
        wanted = self.analyzer.terms(text)
        if text in LONE_IDEOGRAPHS:
            names = [field] if field else WEIGHTS
            return 1.0 if any(text in term for name in names for term in self.terms[number].get(name, [])) else None
        scores = []
        for name in [field] if field else WEIGHTS:
            terms = self.terms[number].get(name, [])
            places = range(len(terms) - len(wanted) + 1)
            if any(terms[at : at + len(wanted)] == wanted for at in places):
                scores += [WEIGHTS[name] * self.bm25(name, term, number) for term in wanted]
        return sum(scores) if scores else None

    def bm25(self, name: str, term: str, number: int) -> float:
        everywhere = [terms.get(name, []) for terms in self.terms]
        having = sum(term in terms for terms in everywhere)
        total = len(everywhere)
        average = sum(len(terms) for terms in everywhere) / total or 1.0
        terms = everywhere[number]
        saturation = 1.2 * (0.25 + 0.75 * len(terms) / average)
        rarity = math.log(1 + (total - having + 0.5) / (having + 0.5))
        return rarity * terms.count(term) / (terms.count(term) + saturation)

    def prefix(self, text: str, field: str | None, number: int) -> float | None:
        if field is not None and field not in WEIGHTS:
            values = self.articles[number][1].get(field, [])
            return 0.0 if any(fold_keyword(v).startswith(fold_keyword(text)) for v in values) else None
        start = self.analyzer.surfaces(text)[0]
        wanted = {stem for surface, stem in self.stems.items() if surface.startswith(start) or stem.startswith(start)}
        for name in [field] if field else WEIGHTS:
            if wanted & set(self.terms[number].get(name, [])):
                return 1.0
        return None

    def has_value(self, field: str, text: str, number: int) -> bool:
        if field == "id":
            return self.articles[number][0] == text
        return fold_keyword(text) in {fold_keyword(value) for value in self.articles[number][1].get(field, [])}

    def in_range(self, wanted: Range, number: int) -> bool:
        value = self.articles[number][1].get(wanted.field)
        if value is None:
            return False
        low, high = wanted.low, wanted.high
        above = low is None or (value > low if wanted.low_open else value >= low)
        below = high is None or (value < high if wanted.high_open else value <= high)
        return above and below
