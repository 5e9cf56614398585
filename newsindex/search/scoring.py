"""BM25F, written once: how the occurrences of words in an article's fields become its score.

    score        = Σ over the query's scoring words of  rounded(contribution)
    contribution = factor · idf · tf / (tf + k1 · (1 − b + b · dl / average))
    idf          = ln(1 + (N − n + 0.5) / (n + 0.5))

    factor   what the query multiplies the word by: 1, its boosts, and how often it is asked for
    tf       Σ over the text fields that the word is searched in of  weight · times it stands there
    dl       Σ over all text fields of  weight · number of words, whichever the word is searched in; in 32 bits
    average  the mean of dl over all N articles
    n        the number of articles that have the word in any text field

The fields' weights are the schema's, k1 = 1.2 and b = 0.75, unless the search gives others. N and n count deleted
articles until a merge drops them. A phrase scores as its words do, in the articles that have it; a prefix its factor;
filters, ranges, keyword values and exclusions nothing; and a part of a query only in articles that match that part.

This is BM25F in its simple form (Robertson, Zaragoza & Taylor 2004, doi:10.1145/1031171.1031181): frequencies are
added up over fields before they saturate, so that a word in title and body is not counted as two words. The idf is
Lucene's, never negative.

Each contribution is rounded to a multiple of 2^-28, by adding and subtracting 1.5 · 2^24. Sums of such numbers below
2^25 are exact in 64 bits, so a score does not depend on the order in which an engine adds, nor on which engine it was.
The order of equal scores is that of the articles' numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.errors import QueryError
from newsindex.schema import Schema, Text
from newsindex.wrong_value import shown

__all__ = ["K1", "ROUNDING", "USUAL", "B", "Parameters", "Ranking", "contribution", "idf", "norm", "schema_weights"]

K1 = 1.2
B = 0.75
ROUNDING = 1.5 * 2.0**24
_LARGEST = 1e6
_Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Parameters:
    """The numbers of the formula that are the same for every word of a search.

    A segment's blocks know bounds of frequencies and lengths under the schema's weights. Under other weights no
    frequency is more than `frequency_bound` times, and no length less than `length_bound` times, what the bound says.
    """

    k1: float
    b: float
    average: float
    field_weights: _Array
    frequency_bound: float = 1.0
    length_bound: float = 1.0


@dataclass(frozen=True, slots=True)
class Ranking:
    """What a search asks of the formula: k1, b, and the weights of all text fields in order (None: the schema's)."""

    k1: float = K1
    b: float = B
    weights: tuple[float, ...] | None = None

    @classmethod
    def of(cls, schema: Schema, k1: float, b: float, weights: Mapping[str, float] | None) -> Ranking:
        """Check what a caller gave.

        Raises:
            QueryError: k1 < 0, b not in 0..1, a weight not above 0 or over a million, or a name of no text field.
        """
        if not _is_number(k1) or not 0 <= k1 <= _LARGEST:
            raise QueryError(f"k1: a number from 0 to a million, not {shown(k1)}")
        if not _is_number(b) or not 0 <= b <= 1:
            raise QueryError(f"b: a number from 0 to 1, not {shown(b)}")
        if weights is None:
            return cls(float(k1), float(b))
        if not isinstance(weights, Mapping):
            raise QueryError(f'weights: a dict as {{"title": 5}}, not {shown(weights)}')
        for name, weight in weights.items():
            if name not in schema.text_fields:
                raise QueryError(f"weights: {shown(name)} is no text field; those are {', '.join(schema.text_fields)}")
            if not _is_number(weight) or not 1 / _LARGEST <= weight <= _LARGEST:
                raise QueryError(f"weights: {name!r} takes a number from a millionth to a million, not {shown(weight)}")
        own = schema_weights(schema)
        found = tuple(float(weights.get(name, weight)) for name, weight in zip(schema.text_fields, own, strict=True))
        return cls(float(k1), float(b), None if found == own else found)

    def parameters(self, own: Sequence[float], totals: Sequence[int], article_count: int) -> Parameters:
        """Return the parameters over articles that have `totals` words in each text field of the weights `own`."""
        weights = own if self.weights is None else self.weights
        words = sum(weight * total for weight, total in zip(weights, totals, strict=True))
        ratios = [weight / before for weight, before in zip(weights, own, strict=True)]
        average = words / article_count if words else 1.0
        return Parameters(self.k1, self.b, average, np.array(weights, np.float64), max(ratios), min(ratios))


USUAL = Ranking()


def idf(article_count: int, doc_freq: int) -> float:
    """Return the weight of a word that `doc_freq` of `article_count` articles have."""
    return math.log(1.0 + (article_count - doc_freq + 0.5) / (doc_freq + 0.5))


def contribution(factor: float, frequency: float, length: float, parameters: Parameters) -> float:
    """Return what a word adds to a score, rounded.

    Args:
        factor: the query's factor times idf.
        frequency, length: tf and dl.
        parameters: the rest.
    """
    return (factor * (frequency / (frequency + norm(length, parameters))) + ROUNDING) - ROUNDING


def norm(length: float, parameters: Parameters) -> float:
    """Return what the formula adds to tf in the denominator, multiplied out; kernels compute it in the same order."""
    k1, b = parameters.k1, parameters.b
    return k1 * (1.0 - b) + k1 * b / parameters.average * length


def schema_weights(schema: Schema) -> tuple[float, ...]:
    """Return the weights of the text fields in order."""
    kinds = (schema.fields[name].kind for name in schema.text_fields)
    return tuple(float(kind.weight) for kind in kinds if isinstance(kind, Text))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
