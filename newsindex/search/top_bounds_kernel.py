"""Kernels that prepare a search for the best hits in one segment: what its terms contribute at most, and where.

A search takes the articles in units: see `top_kernel`.
"""

# mypy: allow-untyped-defs, no-check-untyped-defs
from __future__ import annotations

import numpy as np

from newsindex.codec.format import ANY_FREQUENCY, SKIP_WORDS
from newsindex.codec.pack_kernel import BLOCK
from newsindex.kernel import inner
from newsindex.search.block_kernel import (
    BOUNDS,
    FACTOR,
    FIELD_WEIGHTS,
    FULL,
    NORM_OF_CODE,
    ORDER,
    REST,
    SKIPS,
    STEP,
    TAIL,
    WINDOWS,
    load_scores,
    open_term,
    span,
)
from newsindex.search.heap_kernel import AFTER
from newsindex.search.top_phrase_kernel import open_positions

__all__ = [
    "AFTER_SCORE", "BASE_NORM", "CANDIDATES", "DATE_HIGH", "DATE_LOW", "DOC_COUNT", "FREQUENCY_BOUND", "HAS_DATES",
    "JOB", "MARKS", "NEED", "PICKS", "REQUIRED", "SHIFT", "SLOPE", "TERMS", "UNIT", "UNITS", "UNITS_AT", "bound_all",
    "may_have_hits", "open_terms", "pick_units", "window_bound",
]  # fmt: skip

(
    DOC_COUNT, REQUIRED, HAS_DATES, DATE_LOW, DATE_HIGH, UNIT, TERMS, NEED, SHIFT, UNITS_AT, UNITS, PICKS,
) = range(AFTER + 1, AFTER + 13)  # fmt: skip
"""Places in `job`, after those of the heap; from PICKS on, the units that come first."""
_FIRST_UNITS = 16
JOB = PICKS + _FIRST_UNITS
BASE_NORM, SLOPE, FREQUENCY_BOUND, AFTER_SCORE = range(4)
"""Places in `norms`."""
CANDIDATES = 1 << 14
"""The most articles in a window, and of a unit that may be candidates."""
MARKS = 2 * CANDIDATES + 1
"""Where in `candidates` a bitmap of a window's articles has room, up to FOUND; it is left all zeros.

Before it is one more place than there are articles: each posting is written behind the last article that was new.
"""
_DATE_WINDOW = 4096
# Windows are so wide that there are some blocks to each.
_LEAST_SHIFT, _MOST_SHIFT = 12, 14
_PER_WINDOW = 2
# Of a word of so many blocks and under so small a part of the greatest factor, one bound is enough.
_MANY, _NEXT_TO_NOTHING = 32, 8.0
_ROUNDING = 1.5 * 2.0**24
# A bound is of greater frequencies and smaller lengths than any contribution, but its own rounding may be down.
_SLACK = 1.0 + 1e-14


@inner
def window_bound(term, window, state, bounds):
    """Return the most that a term contributes in a window, -1 where it has no posting."""
    return bounds[state[term, WINDOWS] + window * state[term, STEP]]


@inner
def _block_bound(words, skip, factor, norms):
    """Return the most that a posting of a full block contributes."""
    best = 0.0
    for word in range(skip + 4, skip + 6):
        pairs = np.int64(words[word])
        for _ in range(2):
            code = pairs & 255
            frequency = np.float64(code) * 0.25 * norms[FREQUENCY_BOUND]
            share = frequency / (frequency + norms[NORM_OF_CODE + (pairs >> 8 & 255)])
            if code == ANY_FREQUENCY:
                share = 1.0
            if share > best:
                best = share
            pairs >>= 16
    return (factor * (best * _SLACK) + _ROUNDING) - _ROUNDING


@inner
def _spread(words, field_count, term, shift, windows, job, state, small, bounds):
    """Make a term's bounds in each window, -1 where it has no posting; return 0, or -1 for damage."""
    begin = state[term, WINDOWS]
    for window in range(begin, begin + windows):
        bounds[window] = -1.0
    blocks = state[term, FULL] + (1 if state[term, TAIL] else 0)
    for block in range(blocks):
        first, last = span(words, field_count, term, block, state, small)
        if first > last or last >= job[DOC_COUNT]:
            return -1
        bound = bounds[state[term, BOUNDS] + block * state[term, STEP]]
        for window in range(begin + (first >> shift), begin + (last >> shift) + 1):
            bounds[window] = max(bounds[window], bound)
    return 0


@inner
def bound_all(words, field_count, block, shift, job, state, small, numbers, bounds):
    """Bound what articles of a block of the rarest term score that have all, -1 when none has; note it by term."""
    rarest = state[0, ORDER]
    total = bounds[state[rarest, BOUNDS] + block]
    if total < 0.0:
        return -1.0
    first, last = span(words, field_count, rarest, block, state, small)
    rest = 0.0
    numbers[job[TERMS], REST] = rest
    for i in range(job[TERMS] - 1, 0, -1):
        term = state[i, ORDER]
        most = -1.0
        for window in range(first >> shift, (last >> shift) + 1):
            most = max(most, window_bound(term, window, state, bounds))
            if state[term, STEP] == 0:
                break
        if most < 0.0:
            return -1.0
        rest += most
        numbers[i, REST] = rest
    return total + rest


@inner
def open_terms(
    data, words, position_data, lengths, rows, masks, factors, field_weights, phrases, norms, job, state, small,
    numbers, bounds,
):  # fmt: skip
    """Open the terms and make the bounds of blocks, windows and units; return 0 or as `best_of_segment` does."""
    doc_count = job[DOC_COUNT]
    count = np.int64(0)
    blocks = np.int64(0)
    most = 0.0
    job[TERMS] = 0
    for term in range(rows.shape[0]):
        if rows[term, 2] <= 0 or rows[term, 1] & masks[term] == 0:
            if job[REQUIRED]:
                return 0
            continue
        if open_term(data, words, rows[term], masks[term], doc_count, field_weights.size, term, state, small) < 0:
            return -1
        if phrases.size and open_positions(position_data, rows[term], term, state) < 0:
            return -1
        numbers[term, FACTOR] = factors[term]
        for field in range(field_weights.size):
            numbers[term, FIELD_WEIGHTS + field] = field_weights[field] if masks[term] >> field & 1 else 0.0
        most = max(most, factors[term])
        blocks += state[term, FULL] + 1
        # The rarest first.
        at = count
        while at > 0 and rows[state[at - 1, ORDER], 2] > rows[term, 2]:
            state[at, ORDER] = state[at - 1, ORDER]
            at -= 1
        state[at, ORDER] = term
        count += 1
    if count == 0:
        return 0
    shift = np.int64(_LEAST_SHIFT)
    while shift < _MOST_SHIFT and (doc_count >> shift) * _PER_WINDOW > blocks:
        shift += 1
    job[SHIFT] = shift
    windows = (doc_count + (1 << shift) - 1) >> shift
    # First the cells of a window, all -1, then the scores of candidates.
    need = np.int64(2 * CANDIDATES)
    for i in range(count):
        term = state[i, ORDER]
        # What adds next to nothing is not worth the looking at its blocks' bounds.
        state[term, STEP] = 1
        if state[term, FULL] >= _MANY and factors[term] * _NEXT_TO_NOTHING < most and (i or not job[REQUIRED]):
            state[term, STEP] = 0
        state[term, BOUNDS] = need
        need += state[term, STEP] * state[term, FULL] + 1
        state[term, WINDOWS] = need
        if count > 1:
            need += state[term, STEP] * (windows - 1) + 1
    job[UNITS_AT] = state[state[0, ORDER], BOUNDS]
    job[UNITS] = state[state[0, ORDER], FULL] + 1
    if count > 1:
        job[UNITS_AT] = need
        if not job[REQUIRED]:
            job[UNITS] = windows
        need += job[UNITS]
    job[NEED] = need
    if need > bounds.size:
        return 2
    for i in range(count):
        term = state[i, ORDER]
        out = state[term, BOUNDS]
        full = state[term, FULL]
        if state[term, STEP] == 0:
            bounds[out] = (factors[term] + _ROUNDING) - _ROUNDING
            bounds[state[term, WINDOWS]] = bounds[out]
            continue
        skip = state[term, SKIPS]
        for block in range(full):
            bounds[out + block] = _block_bound(words, skip + block * SKIP_WORDS, factors[term], norms)
        most = -1.0
        if state[term, TAIL]:
            if load_scores(data, words, lengths, field_weights.size, norms, term, full, state, small, numbers) < 0:
                return -1
            for place in range(BLOCK, BLOCK + state[term, TAIL]):
                most = max(most, numbers[term, place])
        bounds[out + full] = most
        if count > 1 and _spread(words, field_weights.size, term, shift, windows, job, state, small, bounds) < 0:
            return -1
    job[TERMS] = count
    if count > 1:
        at = job[UNITS_AT]
        if job[REQUIRED]:
            for block in range(job[UNITS]):
                bounds[at + block] = bound_all(
                    words, field_weights.size, block, shift, job, state, small, numbers, bounds
                )
        else:
            for window in range(windows):
                most = -1.0
                for i in range(count):
                    bound = window_bound(state[i, ORDER], window, state, bounds)
                    if bound >= 0.0:
                        most = max(most, 0.0) + bound
                bounds[at + window] = most
    return 0


@inner
def pick_units(job, bounds):
    """Put the units with the greatest bounds where they come first, in order of them."""
    picked = np.int64(0)
    for unit in range(job[UNITS]):
        bound = bounds[job[UNITS_AT] + unit]
        if bound < 0.0:
            continue
        at = picked
        if picked == _FIRST_UNITS:
            at -= 1
            if bound <= bounds[job[UNITS_AT] + job[PICKS + at]]:
                continue
        while at > 0 and bounds[job[UNITS_AT] + job[PICKS + at - 1]] < bound:
            job[PICKS + at] = job[PICKS + at - 1]
            at -= 1
        job[PICKS + at] = unit
        picked = min(picked + 1, _FIRST_UNITS)
    job[UNIT] = -picked


@inner
def may_have_hits(first, last, allowed, minima, maxima, job):
    """Tell whether the filters let through any article of these and those near them."""
    if job[HAS_DATES]:
        some = False
        for window in range(first // _DATE_WINDOW, last // _DATE_WINDOW + 1):
            some |= maxima[window] >= job[DATE_LOW] and minima[window] < job[DATE_HIGH]
        if not some:
            return False
    if allowed.size == 0:
        return True
    bits = np.uint64(0)
    for word in range(first >> 6, (last >> 6) + 1):
        bits |= allowed[word]
    return bits != np.uint64(0)
