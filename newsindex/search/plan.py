"""Parts and snapshot to a plan: where each term is, what it weighs, and what there is to say about the query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.query.diagnostics import Diagnostic
from newsindex.query.tree import Exact, Exists, Node, Prefix, Range, Value, Wildcard
from newsindex.search.deadline import Deadline
from newsindex.search.expansion import Expander, Expansion
from newsindex.search.joined_terms import can_be_joined, joined_term
from newsindex.search.nearest import nearest_word
from newsindex.search.parts import (
    AllPart,
    AnyPart,
    CountPart,
    ExpansionPart,
    LeafPart,
    Part,
    PlacePart,
    SetPart,
    TermPart,
    VariantPart,
    Vocabulary,
    leaf_parts,
)
from newsindex.search.scoring import ROUNDING, Parameters, Ranking, idf
from newsindex.search.sets import count, terms_union
from newsindex.search.snapshot import Snapshot
from newsindex.search.tree_parts import to_parts
from newsindex.search.values import has_value, nearest_value

__all__ = ["Plan", "Scorer", "known_variants", "make_plan"]

_Array = npt.NDArray[Any]
_MOST_SUGGESTED = 3


@dataclass(slots=True, eq=False)
class Scorer:
    """What adds to the scores of the articles that match the whole query and all of `gates`.

    A term adds its contribution where it stands in a field of the mask, `factor` being the query's times its idf; an
    expansion (`place` -1) adds `factor`. A word with variants is one term that has all of their frequencies: `others`
    are the places of those.
    """

    gates: tuple[Part, ...]
    place: int
    mask: int
    factor: float
    others: tuple[int, ...] = ()


class Plan:
    """A query ready to run on a snapshot."""

    def __init__(self, vocabulary: Vocabulary, snapshot: Snapshot, parameters: Parameters, root: Part) -> None:
        self.vocabulary = vocabulary
        self.snapshot = snapshot
        self.parameters = parameters
        self.root = root
        self.filters: list[Part] = []
        self.diagnostics: list[Diagnostic] = []
        self.terms: list[bytes] = []
        self.rows: list[_Array] = []
        """Of each segment, what `find` told of the terms: int64[T, 8]."""
        self.fields: list[int] = []
        """Of each term, in which fields any segment has it."""
        self.doc_freqs: list[int] = []
        self.variant_freqs: dict[VariantPart, int] = {}
        """How many articles have the word or one of its variants."""
        self.expansions: dict[ExpansionPart, Expansion] = {}
        self.bitmaps: dict[tuple[int, Part | None], _Array] = {}
        """What was found of each segment: the articles that match (None), or that match and have a part."""
        self.placed: dict[tuple[int, Part], tuple[_Array, _Array]] = {}
        """What was found of each segment by the places of words: among which articles, and which."""
        self.looked_at: dict[int, set[tuple[int, str]]] = {}
        """Of each segment, the articles whose text was looked through, and for which terms."""

    def idf(self, place: int) -> float:
        """Return the idf of a term."""
        return self.snapshot.idf(self.doc_freqs[place])

    def doc_freq(self, places: tuple[int, ...]) -> int:
        """Return how many articles have a term, or one of the terms of a word with variants."""
        if len(places) == 1:
            return self.doc_freqs[places[0]]
        return next(freq for part, freq in self.variant_freqs.items() if part.places == places)

    @cached_property
    def scorers(self) -> list[Scorer]:
        """What makes the scores, in the order of the query."""
        return list(self._scorers(self.root, ()))

    def _scorers(self, part: Part, gates: tuple[Part, ...]) -> Iterator[Scorer]:
        own = gates if part is self.root else (*gates, part)
        if isinstance(part, TermPart):
            yield from self.term_scorers([part], gates if len(part.terms) == 1 else own)
        elif isinstance(part, ExpansionPart):
            yield Scorer(own, -1, part.mask, (part.factor + ROUNDING) - ROUNDING)
        elif isinstance(part, VariantPart):
            yield self._variants_scorer(part, gates)
        elif isinstance(part, AllPart):
            # All of them match together: a word that stands in several of them is one word, asked for several times.
            yield from self.term_scorers([inner for inner in part.parts if isinstance(inner, TermPart)], own)
            for inner in part.parts:
                if not isinstance(inner, TermPart):
                    yield from self._scorers(inner, own)
        elif isinstance(part, AnyPart):
            for inner in part.parts:
                yield from self._scorers(inner, gates)
        elif isinstance(part, CountPart):
            for inner in part.parts:
                yield from self._scorers(inner, own)
        elif isinstance(part, PlacePart):
            for leaf, needed in part.scored:
                if isinstance(leaf, TermPart):
                    yield from self.term_scorers([leaf], (*own, *needed))
                elif isinstance(leaf, VariantPart):
                    yield self._variants_scorer(leaf, (*own, *needed))
                else:
                    factor = (leaf.factor + ROUNDING) - ROUNDING
                    yield Scorer((*own, *needed, leaf), -1, leaf.mask, factor)

    def _variants_scorer(self, part: VariantPart, gates: tuple[Part, ...]) -> Scorer:
        return Scorer(gates, part.places[0], part.mask, self.variants_factor(part), part.places[1:])

    def variants_factor(self, part: VariantPart) -> float:
        """Return the factor, with idf, of a word with variants."""
        return part.factor * self.snapshot.idf(self.variant_freqs[part])

    def term_scorers(self, parts: Sequence[TermPart], gates: tuple[Part, ...]) -> list[Scorer]:
        """Return what the terms of parts that match together add."""
        return [Scorer(gates, *told) for told in zip(*self.term_factors(parts), strict=True)]

    def term_factors(self, parts: Sequence[TermPart]) -> tuple[list[int], list[int], list[float]]:
        """Return the (places, masks, factors with idf) of the terms of parts, each pair of term and fields once."""
        factors: dict[tuple[int, int], float] = {}
        for part in parts:
            mask = part.mask
            for place in part.places:
                key = place, mask
                factors[key] = factors.get(key, 0.0) + part.factor
        articles, doc_freqs = self.snapshot.doc_count, self.doc_freqs
        return (
            [place for place, _ in factors],
            [mask for _, mask in factors],
            [factor * idf(articles, doc_freqs[place]) for (place, _), factor in factors.items()],
        )

    def expansion_label(self, scorer: Scorer) -> str:
        """Return what was typed for a scorer that is an expansion's: the last part that it hangs on."""
        part = scorer.gates[-1] if scorer.gates else self.root
        return str(part.node) if isinstance(part, ExpansionPart) else ""


def make_plan(
    tree: Node,
    filters: Sequence[Node],
    vocabulary: Vocabulary,
    snapshot: Snapshot,
    ranking: Ranking,
    deadline: Deadline,
) -> Plan:
    """Return the plan of a query tree, and filters that all must hold, over a snapshot.

    Raises:
        QueryTooComplex: the query has more than 1,024 words, those of phrases counted, or needs too much time.
    """
    diagnostics: list[Diagnostic] = []

    def variants(text: str) -> tuple[tuple[str, bytes], ...]:
        return known_variants(vocabulary, snapshot, text)

    root = to_parts(tree, vocabulary, diagnostics, variants)
    plan = Plan(vocabulary, snapshot, snapshot.parameters(ranking), root)
    leaves: list[LeafPart | SetPart]
    leaves = [root] if type(root) is TermPart else leaf_parts(root)
    for node in filters:
        part = to_parts(node, vocabulary, diagnostics, variants)
        plan.filters.append(part)
        leaves += leaf_parts(part)
    _find_terms(plan, leaves)
    fields = plan.fields
    expander: Expander | None = None
    for leaf in leaves:
        if type(leaf) is TermPart:
            for place in leaf.places:
                if not fields[place] & leaf.mask:
                    _Remarks(plan, diagnostics).missing_word(leaf, deadline)
                    break
        elif type(leaf) is VariantPart:
            plan.variant_freqs[leaf] = _union_freq(plan, leaf, deadline)
            _Remarks(plan, diagnostics).variants(leaf)
        elif type(leaf) is ExpansionPart:
            if expander is None:
                expander = Expander(snapshot, deadline)
            plan.expansions[leaf] = expanded = expander.expand(leaf)
            _Remarks(plan, diagnostics).expansion(leaf, expanded)
        elif (
            isinstance(leaf, SetPart)
            and not isinstance(leaf.node, Range | Exists)
            and not has_value(snapshot, leaf.node)
        ):
            _Remarks(plan, diagnostics).value(leaf, leaf.node)
    if diagnostics:
        plan.diagnostics = sorted(diagnostics, key=lambda said: said.start)
    return plan


def _find_terms(plan: Plan, leaves: list[LeafPart | SetPart]) -> None:
    """Look up the terms, each once, in every segment."""
    terms: dict[bytes, int] = {}
    for leaf in leaves:
        if type(leaf) is TermPart or type(leaf) is VariantPart:
            own = leaf.terms
            if len(own) == 1:
                leaf.places = (terms.setdefault(own[0], len(terms)),)
            else:
                leaf.places = tuple([terms.setdefault(term, len(terms)) for term in own])
    if not terms:
        return
    plan.terms = wanted = list(terms)
    fields, doc_freqs = [0] * len(wanted), [0] * len(wanted)
    for segment in plan.snapshot.segments:
        rows = segment.find(wanted)
        plan.rows.append(rows)
        for place, (where, doc_freq) in enumerate(rows[:, 1:3].tolist()):
            if doc_freq > 0:
                fields[place] |= where
                doc_freqs[place] += doc_freq
    plan.fields, plan.doc_freqs = fields, doc_freqs


def known_variants(vocabulary: Vocabulary, snapshot: Snapshot, text: str) -> tuple[tuple[str, bytes], ...]:
    """Return the variants of a word that any article has, as they are shown, and their terms; they are remembered."""
    known = snapshot.known_variants.get(text)
    if known is not None:
        return known
    found = vocabulary.variants(text)
    if found:
        terms = [term for _, term in found]
        freqs = sum((segment.find(terms)[:, 2] for segment in snapshot.segments), np.zeros(len(terms), np.int64))
        found = tuple(pair for pair, freq in zip(found, freqs.tolist(), strict=True) if freq)
    if len(snapshot.known_variants) >= _REMEMBERED:
        snapshot.known_variants.clear()
    snapshot.known_variants[text] = found
    return found


def _union_freq(plan: Plan, part: VariantPart, deadline: Deadline) -> int:
    """Return how many articles have one of the terms, those included that are deleted but not yet merged away."""
    every = plan.vocabulary.all_fields
    total = 0
    for segment, known in zip(plan.snapshot.segments, plan.rows, strict=True):
        rows = known[list(part.places)]
        if can_be_joined(rows):
            total += int(joined_term(segment, rows, deadline).rows[0, 2])
        else:
            total += count(terms_union(segment, rows, every, deadline))
    return total


_REMEMBERED = 4096
# Words of a query for which others are suggested: each time the dictionaries are walked through.
_SUGGESTED = 4
_SAID = {
    "prefix": "a word that begins with",
    "pair": "the word",
    "pattern": "a word that fits",
    "fuzzy": "a word that is like",
}


class _Remarks:
    """What there is to say of a query, where the archive has not what it looks for."""

    def __init__(self, plan: Plan, diagnostics: list[Diagnostic]) -> None:
        self.plan = plan
        self.diagnostics = diagnostics

    def say(self, kind: str, message: str, node: Any, suggestion: str | None = None) -> None:
        self.diagnostics.append(Diagnostic(kind, message, node.start, node.end, node.text, suggestion))

    def missing(self, kind: str, message: str, part: Any, suggestion: str | None = None) -> None:
        if part.excluded:
            kind, message = "no-such-exclusion", f"{message}; it excludes nothing"
        self.say(kind, message, part.node, suggestion)

    def missing_word(self, part: TermPart, deadline: Deadline) -> None:
        node = part.node
        analyzer = self.plan.vocabulary.analyzer
        surfaces = {analyzer.term(surface).encode(): surface for surface in reversed(analyzer.surfaces(node.text))}
        for term, at in dict(zip(part.terms, part.places, strict=True)).items():
            if not self.plan.fields[at] & part.mask:
                nearest = None
                if sum(said.kind == "no-such-term" for said in self.diagnostics) < _SUGGESTED:
                    nearest = nearest_word(self.plan.snapshot, surfaces[term], part.mask, deadline)
                shown = node.text if len(analyzer.surfaces(node.text)) == 1 else surfaces[term]
                place = f" in {node.field}" if node.field else ""
                self.missing("no-such-term", f"no article has the word {shown!r}{place}", part, nearest)

    def variants(self, part: VariantPart) -> None:
        names = ", ".join(part.names)
        node = part.node
        tokens = list(self.plan.vocabulary.analyzer.tokens(node.text))
        typed = node.text[tokens[0].start : tokens[-1].end]
        message = f"also matched: {names}; {Exact(typed)} finds just {typed!r}"
        if all(said.message != message for said in self.diagnostics):
            self.say("also-matched", message, node)

    def expansion(self, part: ExpansionPart, expanded: Expansion) -> None:
        node = part.node
        if not expanded.is_known:
            self.missing("no-such-term", f"no article has {_SAID[part.kind]} {node.text!r}", part)
        elif expanded.cut:
            self.say("cut-expansion", expanded.cut, node)

    def value(self, part: SetPart, node: Value | Prefix | Wildcard) -> None:
        if isinstance(node, Wildcard):
            self.missing("no-such-value", f"no {node.field} fits {node.text!r}", part)
        elif isinstance(node, Prefix):
            self.missing("no-such-value", f"no {node.field} begins with {node.text!r}", part)
        elif node.field == "id":
            self.missing("no-such-value", f"no article has the id {node.text!r}", part)
        else:
            # Each takes up to 150 ms in a large archive; who is told that much is wrong needs no help with all of it.
            few = len(self.diagnostics) < _MOST_SUGGESTED
            nearest = nearest_value(self.plan.snapshot, node.field, node.text) if few else None
            self.missing("no-such-value", f"no article has the {node.field} {node.text!r}", part, nearest)
