"""Query tree to parts: what is looked for, flattened, what is asked for twice counted twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from newsindex.analysis import Analyzer
from newsindex.analysis.characters import IDEOGRAPH, lookup
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
from newsindex.schema import Keyword, Schema

__all__ = [
    "MAX_FACTOR",
    "AllPart",
    "AnyPart",
    "ExpansionPart",
    "Part",
    "SetPart",
    "TermPart",
    "Vocabulary",
    "is_scored",
    "leaf_parts",
    "to_parts",
]

MAX_FACTOR = 1000.0
# Texts whose terms are remembered.
_REMEMBERED = 4096


@dataclass(slots=True, eq=False)
class TermPart:
    """A word, or words next to each other in one of the fields of `mask` (bit f for text field f).

    `places` are those of the terms in the plan's list of them.
    """

    terms: tuple[bytes, ...]
    mask: int
    factor: float
    node: Word | Phrase
    excluded: bool
    places: tuple[int, ...] = ()


@dataclass(slots=True, eq=False)
class ExpansionPart:
    """Any word that begins with `start`, or any pair with the lone ideograph that `start` is; all score the same."""

    start: str
    pairs: bool
    mask: int
    factor: float
    node: Word | Phrase | Prefix
    excluded: bool


@dataclass(slots=True, eq=False)
class SetPart:
    """Articles that have a value, or one in a range; they score nothing."""

    node: Value | Range | Prefix
    excluded: bool


@dataclass(slots=True, eq=False)
class AllPart:
    """What all parts have, and none of `without`; every article when there are none of either."""

    parts: list[Part] = field(default_factory=list)
    without: list[Part] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class AnyPart:
    """What at least one of the parts has."""

    parts: list[Part] = field(default_factory=list)


Part = TermPart | ExpansionPart | SetPart | AllPart | AnyPart


class Vocabulary:
    """What is known of an index before any commit is looked at: its fields, and the terms of texts seen lately.

    Any number of threads may use one.
    """

    def __init__(self, schema: Schema, analyzer: Analyzer) -> None:
        self.schema = schema
        self.analyzer = analyzer
        self.all_fields = (1 << len(schema.text_fields)) - 1
        self.masks: dict[str | None, int] = {name: 1 << place for place, name in enumerate(schema.text_fields)}
        self.masks[None] = self.all_fields
        """The mask of each text field, and of all of them where none is named: bit f for text field f."""
        self.keywords = frozenset(schema.of_kind(Keyword))
        self._terms: dict[str, tuple[bytes, ...]] = {}

    def terms(self, text: str) -> tuple[bytes, ...]:
        """Return the terms of a text in order, encoded."""
        found = self._terms.get(text)
        if found is None:
            found = tuple([term.encode() for term in self.analyzer.terms(text)])
            if len(self._terms) >= _REMEMBERED:
                self._terms.clear()
            self._terms[text] = found
        return found

    def names(self, mask: int) -> tuple[str, ...]:
        """Return the text fields of a mask."""
        return tuple(name for place, name in enumerate(self.schema.text_fields) if mask >> place & 1)


def to_parts(tree: Node, vocabulary: Vocabulary, diagnostics: list[Diagnostic]) -> Part:
    """Return the parts of a query tree; what there is to say is added to `diagnostics`.

    Raises:
        QueryTooComplex: the query has more than 1,024 words, those of phrases counted.
    """
    kind = type(tree)
    if kind is Word:
        words = _plain_words((tree,), vocabulary)
        if words is not None:
            return words[0]
    elif kind is And or kind is Or:
        words = _plain_words(tree.children, vocabulary)  # type: ignore[union-attr]
        if words is not None and len(words) > 1:
            return AllPart(words) if kind is And else AnyPart(words)
    return _Builder(vocabulary, diagnostics).visit(tree, 1.0, False)


def leaf_parts(part: Part) -> list[TermPart | ExpansionPart | SetPart]:
    """Return the parts that have no parts, of each part what is excluded last."""
    found: list[TermPart | ExpansionPart | SetPart] = []
    _gather(part, found)
    return found


def _gather(part: Part, found: list[TermPart | ExpansionPart | SetPart]) -> None:
    if isinstance(part, AllPart | AnyPart):
        for inner in part.parts:
            if type(inner) is TermPart:
                found.append(inner)
            else:
                _gather(inner, found)
        if type(part) is AllPart:
            for inner in part.without:
                _gather(inner, found)
    else:
        found.append(part)


def is_scored(part: Part) -> bool:
    """Tell whether an article can have a score for a part."""
    if isinstance(part, AllPart | AnyPart):
        return any(is_scored(inner) for inner in part.parts)
    return not isinstance(part, SetPart)


def _plain_words(nodes: Iterable[Any], vocabulary: Vocabulary) -> list[Part] | None:
    """Return the parts of different words of one term each; None when there is anything else: most queries have not."""
    found: list[Part] = []
    seen = set()
    masks = vocabulary.masks
    for node in nodes:
        if type(node) is not Word or not (text := node.text).isascii():
            return None
        terms, mask = vocabulary.terms(text), masks[node.field]
        if len(terms) != 1 or (terms, mask) in seen:
            return None
        seen.add((terms, mask))
        found.append(TermPart(terms, mask, 1.0, node, False))
    return found


class _Builder:
    def __init__(self, vocabulary: Vocabulary, diagnostics: list[Diagnostic]) -> None:
        self.vocabulary = vocabulary
        self.diagnostics = diagnostics
        self.words_seen = 0

    def visit(self, node: Node, factor: float, excluded: bool) -> Part:
        kind = type(node)
        if kind is Word or kind is Phrase:
            return self.words(node, factor, excluded)  # type: ignore[arg-type]
        if kind is And:
            return self.all_of(node.children, factor, excluded)  # type: ignore[union-attr]
        match node:
            case Or(children):
                return self.any_of(children, factor, excluded)
            case Not(child):
                return AllPart([], [self.visit(child, factor, True)])
            case Boost(child, boost):
                return self.visit(child, self.boosted(node, factor * boost), excluded)
            case Prefix():
                return self.prefix(node, factor, excluded)
            case Value() | Range():
                return SetPart(node, excluded)
            case Everything():
                return AllPart()
            case Nothing():
                return AnyPart()
        message = f"{node} cannot be searched yet: it finds nothing"
        self.diagnostics.append(Diagnostic("not-supported", message, text=str(node)))
        return AnyPart()

    def boosted(self, node: Boost, factor: float) -> float:
        if factor <= MAX_FACTOR:
            return factor
        message = f"boosts together are at most {MAX_FACTOR:,.0f}; {node} was taken for that"
        self.diagnostics.append(Diagnostic("bad-boost", message, text=str(node)))
        return MAX_FACTOR

    def all_of(self, children: Iterable[Node], factor: float, excluded: bool) -> Part:
        parts: list[Part] = []
        without: list[Part] = []
        for child in children:
            part = self.visit(child, factor, excluded)
            if type(part) is AllPart:
                parts += part.parts
                without += part.without
            else:
                parts.append(part)
        parts = _merged(parts)
        return parts[0] if len(parts) == 1 and not without else AllPart(parts, without)

    def any_of(self, children: Iterable[Node], factor: float, excluded: bool) -> Part:
        parts: list[Part] = []
        for child in children:
            part = self.visit(child, factor, excluded)
            if type(part) is AnyPart:
                parts += part.parts
            else:
                parts.append(part)
        parts = _merged(parts)
        return parts[0] if len(parts) == 1 else AnyPart(parts)

    def words(self, node: Word | Phrase, factor: float, excluded: bool) -> Part:
        terms = self.vocabulary.terms(node.text)
        self.words_seen += len(terms)
        if self.words_seen > MAX_CLAUSES:
            raise QueryTooComplex("the number of words", self.words_seen, MAX_CLAUSES)
        mask = self.vocabulary.masks[node.field]
        if len(terms) == 1 and not node.text.isascii() and _is_lone_ideograph(node.text):
            return ExpansionPart(terms[0].decode(), True, mask, factor, node, excluded)
        return TermPart(terms, mask, factor, node, excluded) if terms else AnyPart()

    def prefix(self, node: Prefix, factor: float, excluded: bool) -> Part:
        if node.field in self.vocabulary.keywords:
            return SetPart(node, excluded)
        start = "".join(self.vocabulary.analyzer.surfaces(node.text)[:1]) or node.text
        return ExpansionPart(start, False, self.vocabulary.masks[node.field], factor, node, excluded)


def _merged(parts: list[Part]) -> list[Part]:
    """Return the different parts among these; what is asked for twice counts twice."""
    if len(parts) < 2:
        return parts
    kept: list[Part] = []
    seen: dict[object, TermPart | ExpansionPart] = {}
    for part in parts:
        key: object
        if type(part) is TermPart:
            key = part.terms, part.mask
        elif type(part) is ExpansionPart:
            key = part.start, part.pairs, part.mask
        else:
            kept.append(part)
            continue
        before = seen.get(key)
        if before is None:
            seen[key] = part
            kept.append(part)
        else:
            before.factor += part.factor
    return kept


def _is_lone_ideograph(text: str) -> bool:
    """Tell whether a word is one character of a script without spaces, which the index has mostly in pairs."""
    word = text.strip()
    return len(word) == 1 and lookup(word)[0] == IDEOGRAPH
