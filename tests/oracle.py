"""Brute-force search over lists and dicts, with its own formula. It imports neither search nor store.

The statistics of the words are counted anew for every query; nothing is clever here.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from newsindex.analysis import Analyzer
from newsindex.query.tree import (
    And,
    AtLeast,
    Boost,
    Cased,
    Everything,
    Exact,
    Exists,
    Fuzzy,
    Near,
    Not,
    Nothing,
    Or,
    Phrase,
    Prefix,
    Range,
    SomeOf,
    Value,
    Wildcard,
    Word,
)
from newsindex.schema import fold_keyword
from tests.plain_places import LONE_IDEOGRAPHS, Places, tokens_of

WEIGHTS = {"title": 3.0, "summary": 1.5, "body": 1.0}


@dataclass(frozen=True)
class Formula:
    """What a search may ask of the formula."""

    k1: float = 1.2
    b: float = 0.75
    weights: dict[str, float] = field(default_factory=lambda: WEIGHTS)


class Oracle:
    """Prepared articles (id and values) to search one by one.

    `lives` tells which are not deleted; those deleted still count in the statistics.
    """

    def __init__(
        self,
        articles: list[tuple[str, dict[str, Any]]],
        analyzer: Analyzer,
        lives: list[bool] | None = None,
        weights: dict[str, float] = WEIGHTS,
    ) -> None:
        self.analyzer = analyzer
        self.articles = articles
        self.lives = lives or [True] * len(articles)
        self.names = list(weights)
        self.formula = Formula(weights=weights)
        self.terms = [
            {name: analyzer.terms(values[name]) for name in self.names if name in values} for _, values in articles
        ]
        self.places = [
            Places(analyzer, tokens_of(analyzer, values, self.names), {n: values.get(n, "") for n in self.names})
            for _, values in articles
        ]

    def ranked(self, tree: Any, filters: Iterable[Any] = (), formula: Formula | None = None) -> list[tuple[int, float]]:
        """Return (number, score) of the articles that match, best first, equal ones in order of their numbers."""
        self.formula = formula or Formula(weights=self.formula.weights)
        self.weigh()
        found = []
        for number in range(len(self.articles)):
            score = self.score(tree, number) if self.lives[number] else None
            if score is not None and all(self.score(one, number) is not None for one in filters):
                found.append((number, score))
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))

    def weigh(self) -> None:
        """Add up the weighted lengths, which the engine keeps as 32-bit floats."""
        weights = self.formula.weights
        lengths = [sum(weights[name] * len(terms.get(name, [])) for name in weights) for terms in self.terms]
        self.lengths = [struct.unpack("f", struct.pack("f", length))[0] for length in lengths]
        words = {name: sum(len(terms.get(name, [])) for terms in self.terms) for name in weights}
        self.average = sum(weights[name] * count for name, count in words.items()) / max(1, len(lengths)) or 1.0
        self.having: dict[str, int] = {}

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
                total = 0.0
                for child in children:
                    score = self.score(child, number)
                    if score is None:
                        return None
                    total += score
                return total
            case Or(children):
                found = [s for child in children if (s := self.score(child, number)) is not None]
                return sum(found) if found else None
            case SomeOf(children, count):
                found = [s for child in children if (s := self.score(child, number)) is not None]
                return sum(found) if len(found) >= count else None
            case Near():
                return self.placed(node, number) if self.places[number].spans(node) else None
            case AtLeast(child, count):
                return self.placed(child, number) if len(self.places[number].spans(child)) >= count else None
            case Exists(field):
                return 0.0 if self.has_anything(field, number) else None
            case Prefix(text, field) | Wildcard(text, field) if field in ("source", "tags"):
                return 0.0 if self.has_like(node, number) else None
            case Exact() | Cased() | Wildcard() | Fuzzy():
                return self.placed(node, number) if self.places[number].spans(node) else None
            case Phrase() | Word() | Prefix() if node.field == "lead" or getattr(node, "slop", 0):
                return self.placed(node, number) if self.places[number].spans(node) else None
            case Word(text, field) | Phrase(text, field):
                return self.words(text, field, number)
            case Prefix(text, field):
                return self.prefix(text, field, number)
            case Value(field, text):
                return 0.0 if self.has_value(field, text, number) else None
            case Range():
                return 0.0 if self.in_range(node, number) else None
        raise AssertionError(node)

    def placed(self, node: Any, number: int) -> float:
        """Return the sum of the scores of all words, but for alternatives that do not match."""
        match node:
            case Near():
                return self.placed(node.left, number) + (0.0 if node.negated else self.placed(node.right, number))
            case Or(children):
                return sum(self.placed(child, number) for child in children if self.places[number].spans(child))
            case Boost(child, factor):
                return factor * self.placed(child, number)
            case Prefix() | Wildcard() | Fuzzy():
                return 1.0
        if node.text in LONE_IDEOGRAPHS:
            return 1.0
        names = self.names if node.field is None else ["body" if node.field == "lead" else node.field]
        return sum(self.bm25f(names, term, number) for term in self.analyzer.terms(node.text))

    def has_anything(self, field: str, number: int) -> bool:
        values = self.articles[number][1]
        return bool(self.terms[number].get(field)) if field in self.names else values.get(field, []) != []

    def has_like(self, node: Any, number: int) -> bool:
        start, values = fold_keyword(node.text), self.articles[number][1].get(node.field, [])
        if isinstance(node, Prefix):
            return any(fold_keyword(value).startswith(start) for value in values)
        pattern = re.escape(start).replace(r"\*", ".*").replace(r"\?", ".")
        return any(re.fullmatch(pattern, fold_keyword(value), re.DOTALL) for value in values)

    def words(self, text: str, field: str | None, number: int) -> float | None:
        wanted = self.analyzer.terms(text)
        names = [field] if field else self.names
        if text in LONE_IDEOGRAPHS:
            return 1.0 if any(text in term for name in names for term in self.terms[number].get(name, [])) else None
        for name in names:
            terms = self.terms[number].get(name, [])
            if any(terms[at : at + len(wanted)] == wanted for at in range(len(terms) - len(wanted) + 1)):
                return sum(self.bm25f(names, term, number) for term in wanted)
        return None

    def bm25f(self, names: list[str], term: str, number: int) -> float:
        if term not in self.having:
            self.having[term] = sum(any(term in words for words in terms.values()) for terms in self.terms)
        having, total = self.having[term], len(self.terms)
        rarity = math.log(1 + (total - having + 0.5) / (having + 0.5))
        terms = self.terms[number]
        frequency = sum(self.formula.weights[name] * terms.get(name, []).count(term) for name in names)
        k1, b = self.formula.k1, self.formula.b
        saturation = k1 * (1 - b + b * self.lengths[number] / self.average)
        return rarity * frequency / (frequency + saturation)

    def prefix(self, text: str, field: str | None, number: int) -> float | None:
        if field is not None and field not in self.names:
            values = self.articles[number][1].get(field, [])
            return 0.0 if any(fold_keyword(v).startswith(fold_keyword(text)) for v in values) else None
        return 1.0 if self.places[number].spans(Prefix(text, field)) else None

    def has_value(self, field: str, text: str, number: int) -> bool:
        if field == "id":
            return self.articles[number][0] == text
        return fold_keyword(text) in {fold_keyword(value) for value in self.articles[number][1].get(field, [])}

    def in_range(self, wanted: Range, number: int) -> bool:
        value = self.articles[number][1].get(wanted.field)
        if wanted.field == "wc":
            value = sum(map(len, self.terms[number].values()))
        if value is None:
            return False
        low, high = wanted.low, wanted.high
        above = low is None or (value > low if wanted.low_open else value >= low)
        below = high is None or (value < high if wanted.high_open else value <= high)
        return above and below
