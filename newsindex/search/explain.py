"""Why an article has its score, in the terms of the formula."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from newsindex.results import Explanation
from newsindex.schema import Schema, Text
from newsindex.search.execute import is_matched
from newsindex.search.plan import Leaf, Plan, Step
from newsindex.search.scoring import bm25, idf

__all__ = ["explain"]


def explain(plan: Plan, schema: Schema, searcher: Any, number: int) -> Explanation:
    """Return the parts of the score of an article that matches: one for each word, phrase and prefix that it has."""
    parts = tuple(_parts(plan.top, schema, searcher, number))
    return Explanation(sum(part.value for part in parts), "score, sum of:", parts)


def _parts(step: Step, schema: Schema, searcher: Any, number: int) -> Iterator[Explanation]:
    if step.leaf is not None:
        part = _leaf(step.leaf, schema, searcher, number)
        if part is not None:
            yield part
    elif step.parts and is_matched(searcher, step.query, number):
        for inner in step.parts:
            yield from _parts(inner, schema, searcher, number)


def _leaf(leaf: Leaf, schema: Schema, searcher: Any, number: int) -> Explanation | None:
    reader = searcher.reader()
    if leaf.prefix is not None:
        for name in leaf.fields:
            for term in leaf.terms:
                if (name, term.encode()) in reader and _frequency(reader, name, term, number):
                    return Explanation(leaf.factor, f"{leaf.label}: a word that begins so, the same for every article")
        return None
    parts = []
    for name in leaf.fields:
        if len(leaf.terms) > 1 and not _has_phrase(reader, name, leaf.terms, number):
            continue
        parts += [
            part for term in leaf.terms if (part := _term(name, term, leaf, schema, searcher, number)) is not None
        ]
    if not parts:
        return None
    return Explanation(sum(part.value for part in parts), f"{leaf.label}, sum over fields and terms:", tuple(parts))


def _term(name: str, term: str, leaf: Leaf, schema: Schema, searcher: Any, number: int) -> Explanation | None:
    reader = searcher.reader()
    frequency = _frequency(reader, name, term, number)
    if not frequency:
        return None
    kind = schema.fields[name].kind
    assert isinstance(kind, Text)
    weight = leaf.factor * kind.weight
    articles, doc_freq = searcher.doc_count_all(), reader.doc_frequency(name, term)
    length = reader.doc_field_length(number, name, 1)
    average = searcher.avg_field_length(name) or 1.0
    rarity, share = idf(articles, doc_freq), bm25(frequency, length, average)
    return Explanation(
        weight * rarity * share,
        f"{name}:{term} = weight {weight:g} × idf {rarity:.4f} ({doc_freq:,} of {articles:,} articles) × "
        f"tf {share:.4f} ({frequency:g} times in {length:g} words, average {average:.1f})",
    )


def _frequency(reader: Any, name: str, term: str, number: int) -> float:
    if (name, term.encode()) not in reader:
        return 0.0
    matcher = reader.postings(name, term)
    if matcher.is_active():
        matcher.skip_to(number)
    return float(matcher.weight()) if matcher.is_active() and matcher.id() == number else 0.0


def _has_phrase(reader: Any, name: str, terms: tuple[str, ...], number: int) -> bool:
    starts: set[int] | None = None
    for offset, term in enumerate(terms):
        if (name, term.encode()) not in reader:
            return False
        matcher = reader.postings(name, term)
        if matcher.is_active():
            matcher.skip_to(number)
        if not matcher.is_active() or matcher.id() != number:
            return False
        begins = {position - offset for position in matcher.value_as("positions")}
        starts = begins if starts is None else starts & begins
    return bool(starts)
