"""Query tree and snapshot to a plan: the Whoosh query to run, and what there is to say about it."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from newsindex.analysis import Analyzer
from newsindex.analysis.characters import IDEOGRAPH, lookup
from newsindex.codec.whoosh_schema import ID
from newsindex.errors import QueryTooComplex
from newsindex.query.diagnostics import Diagnostic
from newsindex.query.parser import MAX_CLAUSES
from newsindex.query.tree import (
    And,
    Boost,
    Everything,
    Node,
    Not,
    Nothing,
    Or,
    Phrase,
    Prefix,
    Range,
    Value,
    Word,
)
from newsindex.schema import Keyword, Schema, Text, fold_keyword
from newsindex.search.choices import (
    Choose,
    anything,
    in_range,
    nothing,
    with_id,
    with_terms,
    with_values,
)
from newsindex.search.deadline import Deadline
from newsindex.search.snapshot import Expansion, Snapshot
from newsindex.search.whoosh_queries import AllOf, AnyOf, Chosen, NextToEachOther, Without
from newsindex.whoosh_door import query

__all__ = ["MAX_EXPANSIONS", "Leaf", "Plan", "Step", "make_plan"]

MAX_EXPANSIONS = 1024
_NEAREST_AMONG = 2000


@dataclass(frozen=True)
class Leaf:
    """What a word, phrase or prefix of the query looks for: in which fields, at which weight.

    `terms` are consecutive for a word or phrase; for a prefix they are alternatives and `prefix` is set.
    """

    fields: tuple[str, ...]
    terms: tuple[str, ...]
    factor: float
    label: str
    prefix: str | None = None


@dataclass(frozen=True)
class Step:
    """A part of the query as Whoosh runs it: one leaf, or the parts whose scores it adds up where they match."""

    query: Any
    leaf: Leaf | None = None
    parts: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A query ready to run: `top` is the whole, `leaves` are what it looks for, in the order of the query."""

    top: Step
    leaves: list[Leaf]
    diagnostics: list[Diagnostic]
    deadline: Deadline

    @property
    def query(self) -> Any:
        """The whole query as Whoosh runs it."""
        return self.top.query


def make_plan(tree: Node, analyzer: Analyzer, snapshot: Snapshot) -> Plan:
    """Return the plan of a query tree over a snapshot.

    Raises:
        QueryTooComplex: the query has more than 1,024 words, those of phrases counted, or needs too much time.
    """
    planner = _Planner(analyzer, snapshot)
    top = planner.visit(tree, 1.0, False)
    return Plan(top, planner.leaves, planner.diagnostics, planner.deadline)


class _Planner:
    def __init__(self, analyzer: Analyzer, snapshot: Snapshot) -> None:
        self.analyzer = analyzer
        self.snapshot = snapshot
        self.schema: Schema = snapshot.schema
        self.deadline = Deadline()
        self.leaves: list[Leaf] = []
        self.diagnostics: list[Diagnostic] = []
        self.words_seen = 0
        self.expansions_left = MAX_EXPANSIONS
        self.expanded: dict[tuple[str, bool, tuple[str, ...]], tuple[tuple[str, ...], bool]] = {}

    def visit(self, node: Node, factor: float, excluded: bool) -> Step:
        """Return the step of a node; what is excluded is neither scored nor shown."""
        self.deadline.check()
        match node:
            case Everything():
                return self.chosen(anything)
            case Nothing():
                return self.chosen(nothing)
            case And(children):
                return self.all_of(children, factor, excluded)
            case Or(children):
                parts = tuple(self.visit(child, factor * times, excluded) for child, times in _merged(children))
                return Step(AnyOf([part.query for part in parts], self.deadline), parts=parts)
            case Not(child):
                everything = self.chosen(anything).query
                return Step(Without(everything, self.visit(child, factor, True).query, self.deadline))
            case Boost(child, boost):
                return self.visit(child, factor * boost, excluded)
            case Word() | Phrase():
                return self.words(node, factor, excluded)
            case Prefix():
                return self.prefix(node, factor, excluded)
            case Value():
                return self.value(node, excluded)
            case Range():
                return self.chosen(in_range(self.schema.fields[node.field], node))

    def chosen(self, choose: Choose) -> Step:
        return Step(Chosen(choose, self.snapshot, self.deadline))

    def all_of(self, children: tuple[Node, ...], factor: float, excluded: bool) -> Step:
        kept = _merged(children)
        wanted = tuple(self.visit(child, factor * n, excluded) for child, n in kept if not isinstance(child, Not))
        unwanted = [self.visit(child.child, factor, True).query for child, _ in kept if isinstance(child, Not)]
        found = AllOf([part.query for part in wanted], self.deadline) if wanted else self.chosen(anything).query
        return Step(Without(found, AnyOf(unwanted, self.deadline), self.deadline) if unwanted else found, parts=wanted)

    def words(self, node: Word | Phrase, factor: float, excluded: bool) -> Step:
        terms = tuple(self.analyzer.terms(node.text))
        self.words_seen += len(terms)
        if self.words_seen > MAX_CLAUSES:
            raise QueryTooComplex("the number of words", self.words_seen, MAX_CLAUSES)
        names = self.names(node)
        if len(terms) == 1 and _is_lone_ideograph(node.text):
            return self.expansion(node, terms[0], factor, excluded)
        leaf = Leaf(names, terms, factor, str(node))
        if not excluded:
            self.leaves.append(leaf)
        for term in dict.fromkeys(terms):
            if not self.snapshot.has_term(term, self.mask(names)):
                word = next(word for word in self.analyzer.surfaces(node.text) if self.analyzer.term(word) == term)
                shown = node.text if len(terms) == 1 else word
                place = f" in {node.field}" if node.field else ""
                self.say_missing("no-such-term", f"no article has the word {shown!r}{place}", node, excluded)
        parts = []
        for name in names:
            boost = factor * self.weight(name)
            if len(terms) == 1:
                parts.append(query.Term(name, terms[0], boost=boost))
            else:
                parts.append(NextToEachOther(name, terms, boost, self.snapshot, self.deadline))
        return Step(AnyOf(parts, self.deadline), leaf)

    def names(self, node: Word | Phrase | Prefix) -> tuple[str, ...]:
        return (node.field,) if node.field else self.schema.text_fields

    def mask(self, names: Iterable[str]) -> int:
        return sum(1 << self.schema.text_fields.index(name) for name in names)

    def weight(self, name: str) -> float:
        kind = self.schema.fields[name].kind
        assert isinstance(kind, Text)
        return kind.weight

    def say(self, kind: str, message: str, node: Any, suggestion: str | None = None) -> None:
        self.diagnostics.append(Diagnostic(kind, message, node.start, node.end, node.text, suggestion))

    def say_missing(self, kind: str, message: str, node: Any, excluded: bool, suggestion: str | None = None) -> None:
        if excluded:
            kind, message = "no-such-exclusion", f"{message}; it excludes nothing"
        self.say(kind, message, node, suggestion)

    def prefix(self, node: Prefix, factor: float, excluded: bool) -> Step:
        if node.field and isinstance(self.schema.fields[node.field].kind, Keyword):
            folded = fold_keyword(node.text)
            choose = with_values(self.snapshot, node.field, folded, prefix=True)
            if not self.finds(choose):
                self.say_missing("no-such-value", f"no {node.field} begins with {node.text!r}", node, excluded)
            return self.chosen(choose)
        start = "".join(self.analyzer.surfaces(node.text)[:1]) or node.text
        return self.expansion(node, start, factor, excluded)

    def expand(
        self, start: str, names: tuple[str, ...], node: Word | Phrase | Prefix, *, pairs: bool = False
    ) -> tuple[tuple[str, ...], bool]:
        """Return the terms that a prefix, or a lone ideograph, stands for, and whether there are any.

        There are as many as the query may still have.
        """
        key = start, pairs, names
        if key in self.expanded:
            return self.expanded[key]
        found: dict[str, Expansion] = (
            self.snapshot.pairs_with(start)
            if pairs
            else self.snapshot.beginning(start, self.analyzer.term, self.deadline.over)
        )
        mask = self.mask(names)
        kept = sorted(term for term, told in found.items() if told.fields & mask)
        some = bool(kept)
        if len(kept) > self.expansions_left:
            message = f"{node} stands for {len(kept):,} words; "
            message += (
                f"the {self.expansions_left:,} most frequent were searched"
                if self.expansions_left
                else f"none was searched, since those before it stand for {MAX_EXPANSIONS:,}"
            )
            self.say("cut-expansion", message, node)
            frequent = sorted(kept, key=lambda term: (-found[term].doc_freq, term))
            kept = sorted(frequent[: self.expansions_left])
        self.expansions_left -= len(kept)
        self.expanded[key] = tuple(kept), some
        return self.expanded[key]

    def expansion(self, node: Word | Phrase | Prefix, start: str, factor: float, excluded: bool) -> Step:
        """Return the step of all terms that a prefix, or a lone ideograph, stands for; each counts the same."""
        names = self.names(node)
        is_prefix = isinstance(node, Prefix)
        terms, some = self.expand(start, names, node, pairs=not is_prefix)
        leaf = Leaf(names, terms, factor, str(node), start)
        if not some:
            said = "a word that begins with" if is_prefix else "the word"
            self.say_missing("no-such-term", f"no article has {said} {node.text!r}", node, excluded)
        if not excluded:
            self.leaves.append(leaf)
        choose = with_terms(terms, self.mask(names), self.deadline)
        return Step(Chosen(choose, self.snapshot, self.deadline, factor), leaf)

    def value(self, node: Value, excluded: bool) -> Step:
        if node.field == ID:
            choose = with_id(node.text.strip())
            if not self.finds(choose):
                self.say_missing("no-such-value", f"no article has the id {node.text!r}", node, excluded)
            return self.chosen(choose)
        text = fold_keyword(node.text)
        choose = with_values(self.snapshot, node.field, text)
        if not self.finds(choose):
            nearest = self.nearest_value(node.field, text)
            self.say_missing("no-such-value", f"no article has the {node.field} {node.text!r}", node, excluded, nearest)
        return self.chosen(choose)

    def finds(self, choose: Choose) -> bool:
        return any(bool((choose(segment) & segment.live).any()) for segment in self.snapshot.segments)

    def nearest_value(self, name: str, text: str) -> str | None:
        known = list(dict.fromkeys(itertools.islice(self.snapshot.known_values(name), _NEAREST_AMONG)))
        found = difflib.get_close_matches(text, known, n=1, cutoff=0.6)
        if not found:
            found = [value for value in known if text and text in value][:1]
        return f'{name}:"{found[0]}"' if found else None


def _merged(children: Iterable[Node]) -> list[tuple[Node, float]]:
    """Return the different nodes among these; what is asked for twice counts twice."""
    factors: dict[Node, float] = {}
    for child in children:
        inner, factor = child, 1.0
        while isinstance(inner, Boost):
            inner, factor = inner.child, factor * inner.factor
        factors[inner] = factors.get(inner, 0.0) + factor
    return list(factors.items())


def _is_lone_ideograph(text: str) -> bool:
    """Tell whether a word is one character of a script without spaces, which the index has mostly in pairs."""
    word = text.strip()
    return len(word) == 1 and lookup(word)[0] == IDEOGRAPH
