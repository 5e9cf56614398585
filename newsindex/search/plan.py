"""Query tree and snapshot to a plan: the Whoosh query to run, and what there is to say about it."""

from __future__ import annotations

import difflib
import itertools
from dataclasses import dataclass
from typing import Any

from newsindex.analysis import Analyzer
from newsindex.query.diagnostics import Diagnostic
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
from newsindex.search.whoosh_queries import TermSet, Without, any_of, everything, number_range
from newsindex.store.segments import ID, WORDS
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

    @property
    def query(self) -> Any:
        """The whole query as Whoosh runs it."""
        return self.top.query


def make_plan(tree: Node, schema: Schema, analyzer: Analyzer, reader: Any) -> Plan:
    """Return the plan of a query tree over the segments that `reader` has open."""
    planner = _Planner(schema, analyzer, reader)
    top = planner.visit(tree, 1.0, False)
    return Plan(top, planner.leaves, planner.diagnostics)


class _Planner:
    def __init__(self, schema: Schema, analyzer: Analyzer, reader: Any) -> None:
        self.schema = schema
        self.analyzer = analyzer
        self.reader = reader
        self.leaves: list[Leaf] = []
        self.diagnostics: list[Diagnostic] = []

    def visit(self, node: Node, factor: float, excluded: bool) -> Step:
        """Return the step of a node; what is excluded is neither scored, shown nor remarked upon."""
        match node:
            case Everything():
                return Step(everything())
            case Nothing():
                return Step(query.NullQuery)
            case And(children):
                return self.all_of(children, factor, excluded)
            case Or(children):
                parts = tuple(self.visit(child, factor, excluded) for child in children)
                return Step(any_of([part.query for part in parts]), parts=parts)
            case Not(child):
                return Step(Without(everything(), self.visit(child, factor, True).query))
            case Boost(child, boost):
                return self.visit(child, factor * boost, excluded)
            case Word() | Phrase():
                return self.words(node, factor, excluded)
            case Prefix():
                return self.prefix(node, factor, excluded)
            case Value():
                return Step(self.value(node, excluded))
            case Range():
                return Step(number_range(self.schema.fields[node.field], node))

    def all_of(self, children: tuple[Node, ...], factor: float, excluded: bool) -> Step:
        wanted = tuple(self.visit(child, factor, excluded) for child in children if not isinstance(child, Not))
        unwanted = [self.visit(child.child, factor, True).query for child in children if isinstance(child, Not)]
        positive = query.And([part.query for part in wanted]) if wanted else everything()
        return Step(Without(positive, any_of(unwanted)) if unwanted else positive, parts=wanted)

    def words(self, node: Word | Phrase, factor: float, excluded: bool) -> Step:
        terms = tuple(self.analyzer.terms(node.text))
        if len(terms) == 1 and len(self.analyzer.surfaces(node.text)[0]) == 1 and not terms[0].isascii():
            # A lone ideograph stands in the index only as part of pairs.
            return self.prefix(Prefix(node.text, node.field, node.start, node.end), factor, excluded)
        names = (node.field,) if node.field else self.schema.text_fields
        leaf = Leaf(names, terms, factor, str(node))
        if not excluded:
            self.leaves.append(leaf)
            for term in dict.fromkeys(terms):
                if not any((name, term.encode()) in self.reader for name in names):
                    self.say_missing(node, term, len(terms))
        parts = []
        for name in names:
            boost = factor * self.weight(name)
            if len(terms) == 1:
                parts.append(query.Term(name, terms[0], boost=boost))
            else:
                parts.append(query.Phrase(name, list(terms), boost=boost))
        return Step(any_of(parts) if len(parts) > 1 else parts[0], leaf)

    def say_missing(self, node: Word | Phrase, term: str, count: int) -> None:
        words = self.analyzer.surfaces(node.text)
        word = next(word for word in words if self.analyzer.term(word) == term)
        shown = node.text if count == 1 else word
        place = f" in {node.field}" if node.field else ""
        self.say("no-such-term", f"no article has the word {shown!r}{place}", node)

    def say(self, kind: str, message: str, node: Any, suggestion: str | None = None) -> None:
        self.diagnostics.append(Diagnostic(kind, message, node.start, node.end, node.text, suggestion))

    def weight(self, name: str) -> float:
        kind = self.schema.fields[name].kind
        assert isinstance(kind, Text)
        return kind.weight

    def prefix(self, node: Prefix, factor: float, excluded: bool) -> Step:
        if node.field and isinstance(self.schema.fields[node.field].kind, Keyword):
            folded = fold_keyword(node.text)
            values = [(node.field, value) for value in self.reader.expand_prefix(node.field, folded)]
            if not values and not excluded:
                self.say("no-such-value", f"no {node.field} begins with {node.text!r}", node)
            return Step(TermSet(values, 0.0))
        names = (node.field,) if node.field else self.schema.text_fields
        start = "".join(self.analyzer.surfaces(node.text)[:1]) or node.text
        words = (word.decode() for word in self.reader.expand_prefix(WORDS, start))
        terms = {self.analyzer.term(word) for word in words}
        for name in names:
            terms.update(term.decode() for term in self.reader.expand_prefix(name, start))
        found = [(name, term.encode()) for term in sorted(terms) for name in names]
        found = [pair for pair in found if pair in self.reader]
        kept = sorted({term.decode() for _, term in found})
        if len(kept) > MAX_EXPANSIONS:
            frequency = {term: sum(self.reader.doc_frequency(name, term) for name in names) for term in kept}
            frequent = set(sorted(kept, key=lambda term: (-frequency[term], term))[:MAX_EXPANSIONS])
            message = f"{node.text}* stands for {len(kept):,} words; the {MAX_EXPANSIONS:,} most frequent were searched"
            self.say("cut-expansion", message, node)
            kept = sorted(frequent)
            found = [(name, term) for name, term in found if term.decode() in frequent]
        leaf = Leaf(names, tuple(kept), factor, str(node), start)
        if not excluded:
            if not found:
                self.say("no-such-term", f"no article has a word that begins with {node.text!r}", node)
            self.leaves.append(leaf)
        return Step(TermSet(found, factor), leaf)

    def value(self, node: Value, excluded: bool) -> Any:
        text = node.text.strip() if node.field == ID else fold_keyword(node.text)
        pair = (node.field, text.encode("utf-8", "replace"))
        if pair not in self.reader and not excluded:
            nearest = None if node.field == ID else self.nearest_value(node.field, text)
            self.say("no-such-value", f"no article has the {node.field} {node.text!r}", node, nearest)
        return TermSet([pair], 0.0)

    def nearest_value(self, name: str, text: str) -> str | None:
        known = [value.decode() for value in itertools.islice(self.reader.lexicon(name), _NEAREST_AMONG)]
        found = difflib.get_close_matches(text, known, n=1, cutoff=0.6)
        if not found:
            found = [value for value in known if text and text in value][:1]
        return f'{name}:"{found[0]}"' if found else None
