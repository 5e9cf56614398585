"""BM25, written once: how a term's occurrences in a field become a score.

    score = weight · idf · tf / (tf + k1 · (1 − b + b · length / average))
    idf   = ln(1 + (N − n + 0.5) / (n + 0.5))

tf is the term's frequency in the field; length the field's number of words, as Whoosh keeps it in one byte (exact to
10 words, at most 9 % too long above); average its mean over all N articles; n the number of articles with the term in
the field. The score of an article is the sum over terms and fields. Robertson & Zaragoza 2009,
doi:10.1561/1500000019; the idf is Lucene's, never negative.
"""

from __future__ import annotations

import math
from typing import Any

from newsindex.whoosh_door import scoring

__all__ = ["K1", "B", "Weighting", "bm25", "idf"]

K1 = 1.2
B = 0.75


def idf(article_count: int, doc_freq: int) -> float:
    """Return the weight of a term that `doc_freq` of `article_count` articles have."""
    return math.log(1.0 + (article_count - doc_freq + 0.5) / (doc_freq + 0.5))


def bm25(term_freq: float, length: float, average: float) -> float:
    """Return the part of the score that frequency and length make, in 0..1."""
    return term_freq / (term_freq + K1 * (1.0 - B + B * length / average))


class Weighting(scoring.WeightingModel):  # type: ignore[misc]
    """The weighting that Whoosh ranks by."""

    def idf(self, searcher: Any, fieldname: str, text: Any) -> float:
        """Return the idf over all segments."""
        parent = searcher.get_parent()
        return idf(parent.doc_count_all(), parent.doc_frequency(fieldname, text))

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
        return float(self._idf * bm25(weight, length, self._average))
