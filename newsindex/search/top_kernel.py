"""The kernel of the best hits for any or all of some words: block-max pruning over one segment.

What cannot enter the best hits so far is not decoded. The articles are taken in units, each with a bound of what any of
its articles can score: for one word its blocks; for any of several words windows of articles; for all of several the
blocks of the rarest. The units with the greatest bounds come first, so that the least score of the best hits is soon
high, then the others in order. In a window the words are divided by their bounds: articles that have only words of
small bounds, together under that least score, cannot enter; so the others' postings are read, and the small ones are
looked up for those articles that can still enter. Turtle & Flood 1995, doi:10.1016/0306-4573(95)00020-H (MaxScore);
Ding & Suel 2011, doi:10.1145/2009916.2010048 (block maxima); Chakrabarti, Chaudhuri & Ganti 2011,
doi:10.1109/ICDE.2011.5767855 (the division by intervals).

A bound is at least each contribution that it bounds, rounding included, and mostly equal to the greatest. Contributions
are multiples of 2^-28 and their sums exact, so bounds and scores may be compared, and equal ones told apart by number.
"""

from __future__ import annotations

import numpy as np

from newsindex.codec.pack_kernel import BLOCK
from newsindex.kernel import brief, inner
from newsindex.search.block_kernel import (
    BOUNDS,
    CURSOR,
    FACTOR,
    FULL,
    ORDER,
    PLACE,
    REST,
    find_doc,
    gain_of,
    load_docs,
    load_freqs,
    part_of,
    seek,
    span,
)
from newsindex.search.heap_kernel import AFTER, BASE, COUNT, LIMIT, needed, offer, sort_hits
from newsindex.search.lock_kernel import get_back, give_up
from newsindex.search.top_bounds_kernel import (
    AFTER_SCORE,
    BASE_NORM,
    CANDIDATES,
    DATE_HIGH,
    DATE_LOW,
    DOC_COUNT,
    HAS_DATES,
    PICKS,
    REQUIRED,
    SHIFT,
    SLOPE,
    TERMS,
    UNIT,
    UNITS,
    UNITS_AT,
    bound_all,
    may_have_hits,
    open_terms,
    pick_units,
    window_bound,
)
from newsindex.search.top_candidates_kernel import (
    candidates_of_block,
    candidates_of_window,
    end_of_block,
    let_through,
    look_up,
)
from newsindex.search.top_phrase_kernel import FOUND, PHRASE_HEAD, PHRASE_SIZE, has_phrase

__all__ = ["FIRST", "MORE", "NEXT", "best_of_segment"]

FIRST, NEXT, MORE = range(3)
"""The stages of a search: its first segment, another, going on in the same."""
# Units after which to return, so that somebody looks at the time.
_BUDGET = 256
# Units after which the interpreter's lock is given up, some tens of microseconds: blocks of one word, of all of several
# words, of phrases, windows.
_SMALL, _SMALL_OF_ALL, _SMALL_OF_PHRASES, _SMALL_WINDOWS = 48, 12, 6, 16


@inner
def _any_unit(
    data, words, lengths, allowed, dates, field_count, norms, window, job, state, small, numbers, bounds, candidates,
    places, heap_scores, heap_numbers,
):  # fmt: skip
    """Offer what a window has; return 0, or -1 for damage."""
    begin = window << job[SHIFT]
    end = min(begin + (1 << job[SHIFT]), job[DOC_COUNT])
    terms = job[TERMS]
    # The terms by their bounds here, the greatest first; they are nearly in order from the window before.
    for i in range(1, terms):
        term = state[i, ORDER]
        bound = window_bound(term, window, state, bounds)
        at = i
        while at > 0 and window_bound(state[at - 1, ORDER], window, state, bounds) < bound:
            state[at, ORDER] = state[at - 1, ORDER]
            at -= 1
        state[at, ORDER] = term
    need = needed(job[BASE] + begin, job, heap_scores, heap_numbers)
    numbers[terms, REST] = 0.0
    essential = np.int64(0)
    for i in range(terms - 1, -1, -1):
        bound = window_bound(state[i, ORDER], window, state, bounds)
        numbers[i, REST] = numbers[i + 1, REST] + max(bound, 0.0)
        if essential == 0 and bound >= 0.0 and numbers[i, REST] >= need:
            essential = i + 1
    if essential == 0:
        return 0
    count = candidates_of_window(
        data, words, lengths, field_count, norms, begin, end, essential, job, state, small, numbers, bounds, candidates,
        heap_scores, heap_numbers,
    )  # fmt: skip
    if count > 0 and (allowed.size or job[HAS_DATES]):
        count = let_through(count, allowed, dates, job, candidates, bounds)
    for i in range(essential, terms):
        term = state[i, ORDER]
        if count > 0 and window_bound(term, window, state, bounds) >= 0.0:
            count = look_up(
                data, words, lengths, field_count, norms, term, numbers[i + 1, REST], need, np.int64(0), count, job,
                state, small, numbers, bounds, candidates, places,
            )  # fmt: skip
    for i in range(count):
        score = bounds[np.uint64(CANDIDATES + i)]
        if score >= need:
            offer(score, job[BASE] + candidates[i], norms[AFTER_SCORE], job, heap_scores, heap_numbers)
            need = needed(job[BASE] + begin, job, heap_scores, heap_numbers)
    return min(count, 0)


@inner
def _has_phrases(
    data, words, position_data, position_words, field_count, phrases, doc, job, state, small, candidates
):  # fmt: skip
    """Tell whether an article that has all terms has all phrases: 1, 0, or -1 for damage.

    The first and the last term of the order are at the article: CURSOR and PLACE in `state`.
    """
    for i in range(1, job[TERMS] - 1):
        term = state[i, ORDER]
        block = seek(words, state, term, doc)
        if load_docs(data, words, job[DOC_COUNT], field_count, term, block, state, small) < 0:
            return -1
        part = part_of(term, field_count)
        start = part + BLOCK if block == state[term, FULL] else part
        state[term, PLACE] = find_doc(small, start, doc) - part
    at = np.int64(0)
    while at < phrases.size:
        found = has_phrase(
            data, words, position_data, position_words, field_count, phrases, at, state, small, candidates
        )
        if found != 1:
            return found
        at += PHRASE_HEAD + 2 * phrases[at + PHRASE_SIZE]
    return 1


@inner
def _all_unit(
    data, words, position_data, position_words, lengths, allowed, dates, field_count, norms, block, phrases, job, state,
    small, numbers, bounds, candidates, places, heap_scores, heap_numbers,
):  # fmt: skip
    """Offer what a block of the rarest term has in common with all others; return 0, or -1 for damage."""
    rarest = state[0, ORDER]
    first, _ = span(words, field_count, rarest, block, state, small)
    need = needed(job[BASE] + first, job, heap_scores, heap_numbers)
    bound_all(words, field_count, block, job[SHIFT], job, state, small, numbers, bounds)
    terms = job[TERMS]
    rest = numbers[1, REST] if terms > 1 else 0.0
    least = max(need - rest, 0.0)
    # While all that match enter, the rarest term's contribution is computed for those only.
    is_late = need < 0.0 and terms > 1
    late = 0.0
    if is_late:
        least = -1.0
        late = bounds[state[rarest, BOUNDS] + block]
    count = candidates_of_block(
        data, words, lengths, field_count, norms, rarest, block, least, job, state, small, numbers, bounds, candidates
    )
    if count > 0 and (allowed.size or job[HAS_DATES]):
        count = let_through(count, allowed, dates, job, candidates, bounds)
    # Where phrases are looked for, the last term's blocks are taken one by one: they are still decoded then.
    by_block = terms > 1 and phrases.size != 0
    for i in range(1, terms - 1 if by_block else terms):
        if count > 0:
            count = look_up(
                data, words, lengths, field_count, norms, state[i, ORDER], late + numbers[i + 1, REST], need,
                np.int64(0), count, job, state, small, numbers, bounds, candidates, places,
            )  # fmt: skip
    last = state[terms - 1, ORDER]
    docs = part_of(rarest, field_count)
    if block == state[rarest, FULL]:
        docs += BLOCK
    state[rarest, CURSOR] = block
    at = np.int64(0)
    while at < count:
        after = count
        kept = count
        if by_block:
            after = end_of_block(words, last, at, count, state, candidates)
            kept = look_up(
                data, words, lengths, field_count, norms, last, late + numbers[terms, REST], need, at, after, job,
                state, small, numbers, bounds, candidates, places,
            )  # fmt: skip
            if kept < 0:
                return -1
        if is_late and at < kept and load_freqs(data, words, field_count, rarest, block, state, small) < 0:
            return -1
        for i in range(at, kept):
            doc = candidates[i]
            score = bounds[np.uint64(CANDIDATES + i)]
            if is_late:
                place = find_doc(small, docs, doc)
                state[rarest, PLACE] = place - part_of(rarest, field_count)
                gain = gain_of(
                    lengths, field_count, norms[BASE_NORM], norms[SLOPE], numbers[rarest, FACTOR], rarest, doc, place,
                    small, numbers,
                )  # fmt: skip
                if gain < 0.0:
                    continue
                score += gain
            if score < need:
                continue
            if phrases.size:
                if not is_late:
                    state[rarest, PLACE] = find_doc(small, docs, doc) - part_of(rarest, field_count)
                if by_block:
                    state[last, PLACE] = candidates[np.uint64(FOUND + i)] - part_of(last, field_count)
                found = _has_phrases(
                    data, words, position_data, position_words, field_count, phrases, doc, job, state, small,
                    candidates,
                )  # fmt: skip
                if found < 0:
                    return -1
                if found == 0:
                    continue
            offer(score, job[BASE] + doc, norms[AFTER_SCORE], job, heap_scores, heap_numbers)
            need = needed(job[BASE] + doc, job, heap_scores, heap_numbers)
        at = after
    return min(count, 0)


@brief
def best_of_segment(
    data, words, position_data, position_words, lengths, place, allowed, dates, minima, maxima, rows, masks, factors,
    field_weights, phrases, required, limit, date_low, date_high, after_score, after, stage, is_last, norms, job, state,
    small, numbers, bounds, candidates, places, heap_scores, heap_numbers,
):  # fmt: skip
    """Offer the articles of a segment that match to the best so far.

    Args:
        data, words, position_data, position_words: postings and positions, each as uint8 and as uint32.
        lengths: float32[n], the weighted length of each article.
        place: int64[2], the number of the segment's first article, and how many it has.
        allowed: uint64[⌈n / 64⌉], the articles that may be hits; empty: all.
        dates: int64[n], with minima and maxima of each 4,096 articles; empty where none is asked for.
        rows: int64[T, 8], masks: int64[T], factors: float64[T]: the terms, in which fields, their factors times idf.
        field_weights: float64[F].
        phrases: int64[], see `top_phrase_kernel`; only where all terms are required.
        required: whether all terms are.
        limit: how many hits are wanted, at least 1.
        date_low, date_high: only articles with a date in [low, high), where `dates` is not empty.
        after_score, after: only hits behind this score and number.
        stage: FIRST for the first segment of a search, NEXT for others, MORE to go on where it returned.
        is_last: whether it is the last segment; then the hits are put in order, the best first.
        norms: float64[NORMS], those of the formula and of the lengths' codes; the rest is overwritten.
        job: int64[JOB], what is to be done and how far it is.
        state, small, numbers: of T + 1 terms, see `block_kernel`; overwritten.
        bounds: float64[m]; the first CANDIDATES are -1, as they are left.
        candidates: int64[SPANS + the most words of a phrase], overwritten; from MARKS to FOUND 0, and left so.
        places: uint8[NEAR], each below 128, and left so.
        heap_scores, heap_numbers: float64[limit], int64[limit], of many hits those of `many_kernel`; the first
            job[COUNT] are the best so far.

    Returns:
        0 when done; 1 when there is more, to be called again; 2 when `bounds` must have job[NEED] places, to be called
        again; -1 for damage.
    """
    if stage == FIRST:
        job[COUNT] = 0
        job[LIMIT] = limit
        job[REQUIRED] = required
        job[AFTER] = after
        job[HAS_DATES] = dates.size
        job[DATE_LOW] = date_low
        job[DATE_HIGH] = date_high
        norms[AFTER_SCORE] = after_score
    if stage != MORE:
        job[BASE] = place[0]
        job[DOC_COUNT] = place[1]
        told = open_terms(
            data, words, position_data, lengths, rows, masks, factors, field_weights, phrases, norms, job, state, small,
            numbers, bounds,
        )  # fmt: skip
        if told != 0:
            return told
        if job[TERMS] > 0:
            pick_units(job, bounds)
        else:
            job[UNIT] = 0
            job[UNITS] = 0
    first_units = -job[UNIT]
    budget = np.int64(_BUDGET)
    by_window = job[TERMS] > 1 and job[REQUIRED] == 0
    failed = np.int64(0)
    held = np.uintp(0)
    least = _SMALL if job[TERMS] == 1 else _SMALL_WINDOWS if by_window else _SMALL_OF_ALL
    if phrases.size:
        least = _SMALL_OF_PHRASES
    while job[UNIT] < job[UNITS] and budget > 0:
        if held == 0 and (stage == MORE or budget <= _BUDGET - least):
            held = give_up()
        unit = job[UNIT]
        job[UNIT] += 1
        if unit < 0:
            unit = job[PICKS + first_units + unit]
        bound = bounds[job[UNITS_AT] + unit]
        if bound < 0.0:
            continue
        if by_window:
            first = unit << job[SHIFT]
            last = min(first + (1 << job[SHIFT]), job[DOC_COUNT]) - 1
        else:
            first, last = span(words, field_weights.size, state[0, ORDER], unit, state, small)
            if first > last or last >= job[DOC_COUNT]:
                failed = np.int64(-1)
                break
        if bound < needed(job[BASE] + first, job, heap_scores, heap_numbers):
            continue
        if (allowed.size or job[HAS_DATES]) and not may_have_hits(first, last, allowed, minima, maxima, job):
            continue
        budget -= 1
        if by_window:
            failed = _any_unit(
                data, words, lengths, allowed, dates, field_weights.size, norms, unit, job, state, small, numbers,
                bounds, candidates, places, heap_scores, heap_numbers,
            )  # fmt: skip
        else:
            failed = _all_unit(
                data, words, position_data, position_words, lengths, allowed, dates, field_weights.size, norms, unit,
                phrases, job, state, small, numbers, bounds, candidates, places, heap_scores, heap_numbers,
            )  # fmt: skip
        if failed:
            break
        bounds[job[UNITS_AT] + unit] = -1.0
    is_done = job[UNIT] >= job[UNITS] and not failed
    if is_last and is_done:
        sort_hits(job, heap_scores, heap_numbers)
    if held:
        get_back(held)
    if failed:
        return -1
    return 0 if is_done else 1
