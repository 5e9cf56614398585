"""The best hits by brute force: every posting decoded, every article scored, in plain Python."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from newsindex.search.scoring import ROUNDING, Parameters
from newsindex.search.segment import SearchSegment
from newsindex.search.top import Words

# Of an article that has a term: its frequency in each field, and its positions in each.
Posting = tuple[list[int], list[list[int]]]


@cache
def decoded(segment: SearchSegment, term: bytes) -> dict[int, Posting]:
    """Return all postings of a term by article."""
    info = segment.reader.find(term)
    if info is None:
        return {}
    docs, freqs = segment.reader.postings(info)
    gaps = iter(segment.reader.position_gaps(info).tolist())
    found: dict[int, Posting] = {}
    for doc, times in zip(docs.tolist(), freqs.T.tolist(), strict=True):
        places: list[list[int]] = []
        for count in times:
            at = 0
            places.append([])
            for _ in range(count):
                at += next(gaps)
                places[-1].append(at)
        found[doc] = times, places
    return found


@cache
def lengths(segment: SearchSegment, weights: tuple[float, ...]) -> list[float]:
    """Return the weighted length of each article, in 32 bits."""
    fields = [segment.reader.lengths(name).tolist() for name in segment.reader.schema.text_fields]
    return [
        float(np.float32(sum(weight * length for weight, length in zip(weights, row, strict=True))))
        for row in zip(*fields, strict=True)
    ]


def has_phrase(postings: Sequence[Posting], phrase: Sequence[tuple[int, int]], mask: int) -> bool:
    """Tell whether the words at these offsets stand together in one of the fields; `postings` are the article's."""
    for field in range(len(postings[0][0])):
        if mask >> field & 1:
            begins = [{at - offset for at in postings[place][1][field]} for place, offset in phrase]
            if set.intersection(*begins):
                return True
    return False


def rank(
    segments: Sequence[SearchSegment],
    words: Words,
    parameters: Parameters,
    limit: int,
    allowed: Sequence[Any] | None = None,
    date_range: tuple[int, int] | None = None,
    after: tuple[float, int] | None = None,
) -> list[tuple[float, int]]:
    """Return the (score, number) that `best` should."""
    weights = tuple(parameters.field_weights.tolist())
    base, slope = parameters.k1 * (1.0 - parameters.b), parameters.k1 * parameters.b / parameters.average
    hits: list[tuple[float, int]] = []
    for at, segment in enumerate(segments):
        postings = [decoded(segment, term) for term in words.terms]
        long = lengths(segment, weights)
        dates = segment.dates.tolist() if date_range else []
        bits = allowed[at] if allowed else None
        for doc in range(segment.doc_count):
            if bits is not None and not int(bits[doc >> 6]) >> (doc & 63) & 1:
                continue
            if date_range and not date_range[0] <= dates[doc] < date_range[1]:
                continue
            score, matching = 0.0, 0
            for found, mask, factor in zip(postings, words.masks.tolist(), words.factors.tolist(), strict=True):
                times = found[doc][0] if doc in found else []
                counted = [
                    (weight, n) for f, (weight, n) in enumerate(zip(weights, times, strict=False)) if mask >> f & 1
                ]
                if any(n for _, n in counted):
                    matching += 1
                    frequency = sum(weight * n for weight, n in counted)
                    share = frequency / (frequency + (base + slope * long[doc]))
                    score += (factor * share + ROUNDING) - ROUNDING
            if matching < (len(postings) if words.required else 1):
                continue
            if all(
                has_phrase([found[doc] for found in postings], phrase, mask)
                for phrase, mask in zip(words.phrases, words.phrase_masks, strict=True)
            ):
                hits.append((score, segment.base + doc))
    hits.sort(key=lambda hit: (-hit[0], hit[1]))
    if after is not None:
        hits = [hit for hit in hits if hit[0] < after[0] or (hit[0] == after[0] and hit[1] > after[1])]
    return hits[:limit]
