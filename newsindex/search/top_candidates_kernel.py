"""Kernels that find which articles of a unit may still enter the best hits: see `top_kernel`.

The doc ids of candidates stand in `candidates`, their scores as far as they are known in `bounds` from CANDIDATES on.
Places are unsigned where it matters: for signed ones each access would look whether it counts from the end.
"""

# mypy: allow-untyped-defs, no-check-untyped-defs
from __future__ import annotations

import numpy as np

from newsindex.codec.format import SKIP_WORDS
from newsindex.codec.pack_kernel import BLOCK
from newsindex.kernel import inner
from newsindex.search.block_kernel import (
    BOUNDS,
    FACTOR,
    FULL,
    ORDER,
    PLACES,
    REST,
    SKIPS,
    STEP,
    TAIL,
    find_doc,
    gain_of,
    load_docs,
    load_freqs,
    load_scores,
    part_of,
    seek,
    span,
)
from newsindex.search.heap_kernel import BASE, needed
from newsindex.search.lanes_kernel import lowest_bit
from newsindex.search.top_bounds_kernel import (
    CANDIDATES,
    DATE_HIGH,
    DATE_LOW,
    DOC_COUNT,
    HAS_DATES,
    MARKS,
    REQUIRED,
    SHIFT,
    TERMS,
    window_bound,
)
from newsindex.search.top_phrase_kernel import FOUND

__all__ = ["NEAR", "candidates_of_block", "candidates_of_window", "end_of_block", "let_through", "look_up"]

_PLACE_BITS = 32
NEAR = 1 << 13
"""A block's doc ids that are all nearer together are found by a table of their places, for many candidates."""
_MANY = 8


@inner
def let_through(count, allowed, dates, job, candidates, bounds):
    """Keep the candidates that the filters let through; return how many."""
    kept = np.int64(0)
    for i in range(count):
        doc = candidates[i]
        passes = True
        if allowed.size:
            passes = (allowed[doc >> 6] >> np.uint64(doc & 63)) & np.uint64(1) != np.uint64(0)
        if job[HAS_DATES]:
            passes &= job[DATE_LOW] <= dates[doc] and dates[doc] < job[DATE_HIGH]
        candidates[kept] = doc
        bounds[CANDIDATES + kept] = bounds[CANDIDATES + i]
        kept += 1 if passes else 0
    return kept


@inner
def look_up(
    data, words, lengths, field_count, norms, term, rest, need, at, count, job, state, small, numbers, bounds,
    candidates, places,
):  # fmt: skip
    """Add what a term contributes to the candidates, ascending; keep those that can still score `need`.

    Args:
        rest: what the terms not looked up yet add at most.
        at, count: the candidates from `at` to before `count`; where the term is required, only those that have it are
            kept, from `at` on.
        places: uint8[NEAR], each below 128.

    Returns:
        Where those that are kept end, or -1 for damage. Where the term is required, FOUND tells where it has them.
    """
    kept = at
    part = part_of(term, field_count)
    full = state[term, FULL]
    required = job[REQUIRED] != 0
    factor = numbers[term, FACTOR]
    base = norms[0]
    slope = norms[1]
    while at < count:
        block = seek(words, state, term, candidates[at])
        start = part
        last = np.int64(-1)
        if block < full:
            last = np.int64(words[state[term, SKIPS] + block * SKIP_WORDS])
        elif state[term, TAIL]:
            start = part + BLOCK
            last = np.int64(small[part + PLACES - 1])
        # The candidates that may be in this block; behind the last posting, all others.
        after = at
        bound = -1.0
        if candidates[at] <= last:
            bound = bounds[state[term, BOUNDS] + block * state[term, STEP]]
            while after < count and candidates[np.uint64(after)] <= last:
                after += 1
        else:
            after = count
        begin = kept
        least = need - (rest + max(bound, 0.0))
        if bound >= 0.0 or not required:
            for i in range(at, after):
                score = bounds[np.uint64(CANDIDATES + i)]
                candidates[np.uint64(kept)] = candidates[np.uint64(i)]
                bounds[np.uint64(CANDIDATES + kept)] = score
                kept += 1 if score >= least else 0
        at = after
        if bound < 0.0 or kept == begin:
            continue
        if load_docs(data, words, job[DOC_COUNT], field_count, term, block, state, small) < 0:
            return -1
        # Which candidates have it, and where; no branch that goes now one way, now the other.
        hits = np.int64(CANDIDATES)
        own = np.int64(BLOCK) if block < full else state[term, TAIL]
        if kept - begin >= _MANY and last - np.int64(small[start]) < NEAR:
            # What others wrote here before points at other doc ids.
            for place in range(own):
                places[np.uint64(small[np.uint64(start + place)] & (NEAR - 1))] = place
            for i in range(begin, kept):
                doc = candidates[np.uint64(i)]
                place = start + np.int64(places[np.uint64(doc & (NEAR - 1))])
                candidates[np.uint64(hits)] = i << _PLACE_BITS | place
                hits += np.int64(np.int64(small[np.uint64(place)]) == doc)
        else:
            for i in range(begin, kept):
                doc = candidates[np.uint64(i)]
                place = find_doc(small, start, doc)
                candidates[np.uint64(hits)] = i << _PLACE_BITS | place
                hits += np.int64(np.int64(small[np.uint64(place)]) == doc)
        chosen = kept
        kept = begin
        if hits > CANDIDATES and load_freqs(data, words, field_count, term, block, state, small) < 0:
            return -1
        for hit in range(CANDIDATES, hits):
            i = candidates[np.uint64(hit)] >> _PLACE_BITS
            place = candidates[np.uint64(hit)] & ((1 << _PLACE_BITS) - 1)
            doc = candidates[np.uint64(i)]
            gain = gain_of(lengths, field_count, base, slope, factor, term, doc, place, small, numbers)
            score = bounds[np.uint64(CANDIDATES + i)] + max(gain, 0.0)
            if required:
                candidates[np.uint64(kept)] = doc
                candidates[np.uint64(FOUND + kept)] = place
                bounds[np.uint64(CANDIDATES + kept)] = score
                kept += np.int64((gain >= 0.0) & (score + rest >= need))
            else:
                bounds[np.uint64(CANDIDATES + i)] = score
        if not required:
            for i in range(begin, chosen):
                score = bounds[np.uint64(CANDIDATES + i)]
                candidates[np.uint64(kept)] = candidates[np.uint64(i)]
                bounds[np.uint64(CANDIDATES + kept)] = score
                kept += np.int64(score + rest >= need)
    return kept


@inner
def end_of_block(words, term, at, count, state, candidates):
    """Return where the candidates end that may be in the same block of a term as the one at `at`."""
    block = seek(words, state, term, candidates[at])
    if block == state[term, FULL]:
        return count
    last = np.int64(words[state[term, SKIPS] + block * SKIP_WORDS])
    after = at + 1
    while after < count and candidates[np.uint64(after)] <= last:
        after += 1
    return after


@inner
def _all_of_block(field_count, term, block, state, small, bounds, candidates):
    """Take all postings of a block whose doc ids are decoded, with 0 for a score; return how many."""
    docs = part_of(term, field_count)
    count = np.int64(BLOCK)
    if block == state[term, FULL]:
        docs += BLOCK
        count = state[term, TAIL]
    for place in range(count):
        candidates[np.uint64(place)] = np.int64(small[np.uint64(docs + place)])
        bounds[np.uint64(CANDIDATES + place)] = 0.0
    return count


@inner
def candidates_of_block(
    data, words, lengths, field_count, norms, term, block, need, job, state, small, numbers, bounds, candidates
):
    """Take the postings of a block that score `need`; return how many, or -1 for damage.

    With a `need` below 0 all are taken, with 0 for a score: most will be dropped for other reasons.
    """
    if load_docs(data, words, job[DOC_COUNT], field_count, term, block, state, small) < 0:
        return -1
    if need < 0.0:
        return _all_of_block(field_count, term, block, state, small, bounds, candidates)
    if load_scores(data, words, lengths, field_count, norms, term, block, state, small, numbers) < 0:
        return -1
    start = np.int64(0)
    end = np.int64(BLOCK)
    if block == state[term, FULL]:
        start = np.int64(BLOCK)
        end = BLOCK + state[term, TAIL]
    docs = part_of(term, field_count)
    count = np.int64(0)
    for place in range(start, end):
        score = numbers[term, np.uint64(place)]
        candidates[np.uint64(count)] = np.int64(small[np.uint64(docs + place)])
        bounds[np.uint64(CANDIDATES + count)] = score
        count += 1 if score >= need else 0
    return count


@inner
def candidates_of_window(
    data, words, lengths, field_count, norms, begin, end, essential, job, state, small, numbers, bounds, candidates,
    heap_scores, heap_numbers,
):  # fmt: skip
    """Add up the first `essential` terms of the order in a window, and take the articles that may enter; or -1."""
    need = needed(job[BASE] + begin, job, heap_scores, heap_numbers)
    window = begin >> job[SHIFT]
    rest = numbers[essential, REST]
    count = np.int64(0)
    for i in range(essential):
        term = state[i, ORDER]
        others = numbers[0, REST] - window_bound(term, window, state, bounds)
        part = part_of(term, field_count)
        block = seek(words, state, term, begin)
        last_block = state[term, FULL] if state[term, TAIL] else state[term, FULL] - 1
        while block <= last_block:
            first, last = span(words, field_count, term, block, state, small)
            if first >= end:
                break
            # Articles of a block that is left out here cannot enter, whatever else they have.
            if others + bounds[state[term, BOUNDS] + block * state[term, STEP]] >= need:
                if load_docs(data, words, job[DOC_COUNT], field_count, term, block, state, small) < 0:
                    return -1
                if load_scores(data, words, lengths, field_count, norms, term, block, state, small, numbers) < 0:
                    return -1
                start = part
                after = part + BLOCK
                if block == state[term, FULL]:
                    start = part + BLOCK
                    after = start + state[term, TAIL]
                place = start
                if first < begin:
                    place = find_doc(small, start, begin)
                if last >= end:
                    after = find_doc(small, start, end)
                if essential == 1:
                    if count + after - place > CANDIDATES:
                        return -1  # an article stands in two postings
                    for at in range(place, after):
                        score = numbers[term, np.uint64(at - part)]
                        candidates[np.uint64(count)] = np.int64(small[np.uint64(at)])
                        bounds[np.uint64(CANDIDATES + count)] = score
                        count += np.int64((score >= 0.0) & (score + rest >= need))
                else:
                    for at in range(place, after):
                        score = numbers[term, np.uint64(at - part)]
                        if score >= 0.0:
                            cell = np.int64(small[np.uint64(at)]) - begin
                            before = bounds[np.uint64(cell)]
                            bounds[np.uint64(cell)] = (before if before > 0.0 else 0.0) + score
                            candidates[np.uint64(CANDIDATES + count)] = cell
                            count += 1 if before < 0.0 else 0
            block += 1
    if essential == 1:
        return count
    touched = CANDIDATES + count
    count = np.int64(0)
    for i in range(CANDIDATES, touched):
        cell = candidates[np.uint64(i)]
        score = bounds[np.uint64(cell)]
        enters = score + rest >= need
        bounds[np.uint64(cell)] = score if enters else -1.0
        candidates[np.uint64(count)] = cell
        count += np.int64(enters)
    if essential < job[TERMS]:
        _put_in_order(count, (end - begin + 63) >> 6, candidates)
    for i in range(count):
        cell = candidates[np.uint64(i)]
        candidates[np.uint64(i)] = begin + cell
        bounds[np.uint64(CANDIDATES + i)] = bounds[np.uint64(cell)]
        bounds[np.uint64(cell)] = -1.0
    return count


@inner
def _put_in_order(count, width, candidates):
    """Put cells, all different, in order, by a bitmap of so many words, which is zeros and is so again afterwards."""
    for i in range(count):
        cell = candidates[np.uint64(i)]
        candidates[np.uint64(MARKS + (cell >> 6))] |= np.int64(1) << (cell & 63)
    at = np.int64(0)
    for i in range(width):
        word = np.uint64(candidates[np.uint64(MARKS + i)])
        candidates[np.uint64(MARKS + i)] = 0
        while word:
            candidates[np.uint64(at)] = i * 64 + lowest_bit(word)
            word &= word - np.uint64(1)
            at += 1
