"""Why an article has its score, in the terms of the formula."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.codec.reader import TermInfo
from newsindex.results import Explanation
from newsindex.search.execute import Execution
from newsindex.search.plan import Scorer
from newsindex.search.scoring import contribution, idf, norm
from newsindex.search.segment import SearchSegment

__all__ = ["explain", "score_of"]

_Array = npt.NDArray[Any]


def explain(execution: Execution, number: int) -> Explanation:
    """Return the parts of the score of an article that matches: one for each word and prefix that it has."""
    parts = tuple(_parts(execution, number))
    parameters = execution.plan.parameters
    formula = f"k1 {parameters.k1:g}, b {parameters.b:g}"
    return Explanation(sum(part.value for part in parts), f"score, sum of ({formula}):", parts)


def score_of(execution: Execution, number: int) -> float:
    """Return the score of an article that matches."""
    return sum(part.value for part in _parts(execution, number))


def _parts(execution: Execution, number: int) -> Iterator[Explanation]:
    plan = execution.plan
    at, doc = execution.place(number)
    for scorer in plan.scorers:
        if not all(execution.has(at, gate, doc) for gate in scorer.gates):
            continue
        if scorer.place < 0:
            label = plan.expansion_label(scorer)
            yield Explanation(scorer.factor, f"{label}: a word that it stands for, the same for every article")
            continue
        part = _term(execution, scorer, at, doc)
        if part is not None:
            yield part


def _term(execution: Execution, scorer: Scorer, at: int, doc: int) -> Explanation | None:
    plan = execution.plan
    parameters = plan.parameters
    segment = plan.snapshot.segments[at]
    names = segment.reader.schema.text_fields
    together, said, terms = [0] * len(names), [], []
    for place in (scorer.place, *scorer.others):
        times = _frequencies(segment, plan.rows[at][place], doc)
        word = plan.terms[place].decode()
        for field, name in enumerate(names):
            if scorer.mask >> field & 1 and times[field]:
                weight = float(parameters.field_weights[field])
                together[field] += times[field]
                shown = f"{times[field]} in {name} × weight {weight:g}"
                said.append(f"{word}: {shown}" if scorer.others else shown)
        terms.append(word)
    weights = parameters.field_weights.tolist()
    frequency = sum(weight * times for weight, times in zip(weights, together, strict=True))
    if not frequency:
        return None
    length = float(segment.lengths_under(parameters.field_weights.tolist())[doc])
    added = norm(length, parameters)
    doc_freq = plan.doc_freq((scorer.place, *scorer.others))
    rarity = idf(plan.snapshot.doc_count, doc_freq)
    term = " or ".join(terms)
    return Explanation(
        contribution(scorer.factor, frequency, length, parameters),
        f"{term} = factor {scorer.factor / rarity:g} × idf {rarity:.4f} ({doc_freq:,} of "
        f"{plan.snapshot.doc_count:,} articles) × {frequency / (frequency + added):.4f}, which is tf / (tf + norm): "
        f"tf {frequency:g} ({', '.join(said)}), "
        f"norm {added:.4f} (length {length:g}, average {parameters.average:.1f})",
    )


def _frequencies(segment: SearchSegment, row: _Array, doc: int) -> list[int]:
    """Return how often a term stands in each field of an article."""
    if row[2]:
        docs, freqs = segment.reader.postings(TermInfo(*row.tolist()))
        place = int(np.searchsorted(docs, doc))
        if place < docs.size and docs[place] == doc:
            return [int(times) for times in freqs[:, place]]
    return [0] * segment.field_count
