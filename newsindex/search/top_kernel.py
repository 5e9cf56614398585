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

from newsindex.codec.format import ANY_FREQUENCY, SKIP_WORDS
from newsindex.codec.pack_kernel import BLOCK
from newsindex.search.block_kernel import (
    BOUNDS,
    DOCS,
    FACTOR,
    FIELD_WEIGHTS,
    FULL,
    NORM_OF_CODE,
    ORDER,
    PLACE,
    PLACES,
    REST,
    SKIPS,
    TAIL,
    WINDOWS,
    find_doc,
    load_docs,
    load_freqs,
    load_scores,
    open_term,
    part_of,
    score_one,
    seek,
    span,
)  # fmt: skip
from newsindex.search.heap_kernel import AFTER, BASE, COUNT, LIMIT, needed, offer
from newsindex.search.lanes_kernel import lean
from newsindex.search.top_phrase_kernel import PHRASE_HEAD, PHRASE_SIZE, has_phrase, open_positions

__all__ = [
    "BASE_NORM", "CANDIDATES", "FIRST", "FREQUENCY_BOUND", "JOB", "MORE", "NEED", "NEXT", "SLOPE", "best_of_segment",
]  # fmt: skip

(
    DOC_COUNT, REQUIRED, HAS_DATES, DATE_LOW, DATE_HIGH, UNIT, TERMS, NEED, SHIFT, UNITS_AT, UNITS, PICKS,
) = range(AFTER + 1, AFTER + 13)  # fmt: skip
"""Places in `job`, after those of the heap; from PICKS on, the units that come first."""
_FIRST_UNITS = 16
JOB = PICKS + _FIRST_UNITS
BASE_NORM, SLOPE, FREQUENCY_BOUND, AFTER_SCORE = range(4)
"""Places in `norms`."""
FIRST, NEXT, MORE = range(3)
CANDIDATES = 1 << 14
"""The most articles in a window, and of a unit that may be candidates."""
_DATE_WINDOW = 4096
# Windows are so wide that there are some blocks to each.
_LEAST_SHIFT, _MOST_SHIFT = 10, 14
_PER_WINDOW = 2
_BUDGET = 256
# So many frequencies of a block are found one by one rather than by decoding all.
_FEW = 4
_ROUNDING = 1.5 * 2.0**24
# A bound is of greater frequencies and smaller lengths than any contribution, but its own rounding may be down.
_SLACK = 1.0 + 1e-14


@lean
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


@lean
def _open(
    data, words, position_data, lengths, rows, masks, factors, field_weights, phrases, norms, job, state, small, numbers,
    bounds,
):  # fmt: skip
    """Open the terms and make the bounds of blocks, windows and units; return 0 or as `best_of_segment` does."""
    doc_count = job[DOC_COUNT]
    count = np.int64(0)
    # First the cells of a window, all -1, then the scores of candidates.
    need = np.int64(2 * CANDIDATES)
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
        state[term, BOUNDS] = need
        need += state[term, FULL] + 1
        # The rarest first.
        at = count
        while at > 0 and rows[state[at - 1, ORDER], 2] > rows[term, 2]:
            state[at, ORDER] = state[at - 1, ORDER]
            at -= 1
        state[at, ORDER] = term
        count += 1
    if count == 0:
        return 0
    rarest = state[0, ORDER]
    shift = np.int64(_LEAST_SHIFT)
    while shift < _MOST_SHIFT and (doc_count >> shift) * _PER_WINDOW > need - 2 * CANDIDATES:
        shift += 1
    job[SHIFT] = shift
    windows = (doc_count + (1 << shift) - 1) >> shift
    job[UNITS_AT] = state[rarest, BOUNDS]
    job[UNITS] = state[rarest, FULL] + 1
    if count > 1:
        for i in range(count):
            state[state[i, ORDER], WINDOWS] = need
            need += windows
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
        skip = state[term, SKIPS]
        full = state[term, FULL]
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
                bounds[at + block] = _bound_all(
                    words, field_weights.size, block, shift, job, state, small, numbers, bounds
                )
        else:
            for window in range(windows):
                most = -1.0
                for i in range(count):
                    bound = bounds[state[state[i, ORDER], WINDOWS] + window]
                    if bound >= 0.0:
                        most = max(most, 0.0) + bound
                bounds[at + window] = most
    return 0


@lean
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
        bound = bounds[state[term, BOUNDS] + block]
        for window in range(begin + (first >> shift), begin + (last >> shift) + 1):
            bounds[window] = max(bounds[window], bound)
    return 0


@lean
def _bound_all(words, field_count, block, shift, job, state, small, numbers, bounds):
    """Bound what articles of a block of the rarest term score that have all, -1 when none has; note it by term."""
    rarest = state[0, ORDER]
    total = bounds[state[rarest, BOUNDS] + block]
    if total < 0.0:
        return -1.0
    first, last = span(words, field_count, rarest, block, state, small)
    rest = 0.0
    numbers[job[TERMS], REST] = rest
    for i in range(job[TERMS] - 1, 0, -1):
        begin = state[state[i, ORDER], WINDOWS]
        most = -1.0
        for window in range(begin + (first >> shift), begin + (last >> shift) + 1):
            most = max(most, bounds[window])
        if most < 0.0:
            return -1.0
        rest += most
        numbers[i, REST] = rest
    return total + rest


@lean
def _may_have_hits(first, last, allowed, minima, maxima, job):
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


@lean
def _let_through(count, allowed, dates, job, candidates, bounds):
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


@lean
def _look_up(
    data, words, lengths, field_count, norms, term, rest, need, count, job, state, small, numbers, bounds, candidates
):  # fmt: skip
    """Add what a term contributes to the candidates, ascending; keep those that can still score `need`.

    Args:
        rest: what the terms not looked up yet add at most.
        count: the number of candidates; where the term is required, only those that have it are kept.

    Returns:
        The number kept, or -1 for damage.
    """
    kept = np.int64(0)
    at = np.int64(0)
    part = part_of(term, field_count)
    full = state[term, FULL]
    required = job[REQUIRED] != 0
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
            bound = bounds[state[term, BOUNDS] + block]
            while after < count and candidates[np.uint64(after)] <= last:
                after += 1
        else:
            after = count
        # Unsigned places here and below: for signed ones each access would look whether it counts from the end.
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
        if block != state[term, DOCS] and block != full:
            if load_docs(data, words, job[DOC_COUNT], field_count, term, block, state, small) < 0:
                return -1
        found = np.int64(0)
        for i in range(begin, kept):
            doc = candidates[np.uint64(i)]
            place = find_doc(small, start, doc)
            candidates[np.uint64(CANDIDATES + i)] = place
            found += 1 if np.int64(small[np.uint64(place)]) == doc else 0
        if found > _FEW and load_freqs(data, words, field_count, term, block, state, small) < 0:
            return -1
        chosen = kept
        kept = begin
        for i in range(begin, chosen):
            doc = candidates[np.uint64(i)]
            score = bounds[np.uint64(CANDIDATES + i)]
            place = candidates[np.uint64(CANDIDATES + i)]
            has = not required
            if np.int64(small[np.uint64(place)]) == doc:
                place -= part
                more = score_one(data, words, lengths, field_count, norms, term, block, place, state, small, numbers)
                if more == -2.0:
                    return -1
                if more >= 0.0:
                    has = True
                    score += more
            candidates[np.uint64(kept)] = doc
            bounds[np.uint64(CANDIDATES + kept)] = score
            kept += 1 if has and score + rest >= need else 0
    return kept


@lean
def _candidates_of_block(
    data, words, lengths, field_count, norms, term, block, need, job, state, small, numbers, bounds, candidates
):
    """Take the postings of a block that score `need`; return how many, or -1 for damage."""
    if load_docs(data, words, job[DOC_COUNT], field_count, term, block, state, small) < 0:
        return -1
    if load_scores(data, words, lengths, field_count, norms, term, block, state, small, numbers) < 0:
        return -1
    start = np.int64(0)
    end = np.int64(BLOCK)
    if block == state[term, FULL]:
        start = np.int64(BLOCK)
        end = BLOCK + state[term, TAIL]
    docs = part_of(term, field_count)
    least = max(need, 0.0)
    count = np.int64(0)
    for place in range(start, end):
        score = numbers[term, np.uint64(place)]
        candidates[np.uint64(count)] = np.int64(small[np.uint64(docs + place)])
        bounds[np.uint64(CANDIDATES + count)] = score
        count += 1 if score >= least else 0
    return count


@lean
def _candidates_of_window(
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
        others = numbers[0, REST] - bounds[state[term, WINDOWS] + window]
        part = part_of(term, field_count)
        block = seek(words, state, term, begin)
        last_block = state[term, FULL] if state[term, TAIL] else state[term, FULL] - 1
        while block <= last_block:
            first, last = span(words, field_count, term, block, state, small)
            if first >= end:
                break
            # Articles of a block that is left out here cannot enter, whatever else they have.
            if others + bounds[state[term, BOUNDS] + block] >= need:
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
                    for at in range(place, after):
                        score = numbers[term, np.uint64(at - part)]
                        candidates[np.uint64(count)] = np.int64(small[np.uint64(at)])
                        bounds[np.uint64(CANDIDATES + count)] = score
                        count += 1 if score >= 0.0 and score + rest >= need else 0
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
        bounds[np.uint64(cell)] = -1.0
        candidates[np.uint64(count)] = begin + cell
        bounds[np.uint64(CANDIDATES + count)] = score
        count += 1 if score + rest >= need else 0
    if essential < job[TERMS]:
        _sort_candidates(count, bounds, candidates)
    return count


@lean
def _sort_candidates(count, bounds, candidates):
    """Put candidates in order; they consist of a few parts that are."""
    for i in range(1, count):
        doc = candidates[i]
        if candidates[i - 1] > doc:
            score = bounds[CANDIDATES + i]
            at = np.int64(i)
            while at > 0 and candidates[at - 1] > doc:
                candidates[at] = candidates[at - 1]
                bounds[CANDIDATES + at] = bounds[CANDIDATES + at - 1]
                at -= 1
            candidates[at] = doc
            bounds[CANDIDATES + at] = score


@lean
def _any_unit(
    data, words, lengths, allowed, dates, field_count, norms, window, job, state, small, numbers, bounds, candidates,
    heap_scores, heap_numbers,
):  # fmt: skip
    """Offer what a window has; return 0, or -1 for damage."""
    begin = window << job[SHIFT]
    end = min(begin + (1 << job[SHIFT]), job[DOC_COUNT])
    terms = job[TERMS]
    # The terms by their bounds here, the greatest first; they are nearly in order from the window before.
    for i in range(1, terms):
        term = state[i, ORDER]
        bound = bounds[state[term, WINDOWS] + window]
        at = i
        while at > 0 and bounds[state[state[at - 1, ORDER], WINDOWS] + window] < bound:
            state[at, ORDER] = state[at - 1, ORDER]
            at -= 1
        state[at, ORDER] = term
    need = needed(job[BASE] + begin, job, heap_scores, heap_numbers)
    numbers[terms, REST] = 0.0
    essential = np.int64(0)
    for i in range(terms - 1, -1, -1):
        bound = bounds[state[state[i, ORDER], WINDOWS] + window]
        numbers[i, REST] = numbers[i + 1, REST] + max(bound, 0.0)
        if essential == 0 and bound >= 0.0 and numbers[i, REST] >= need:
            essential = i + 1
    if essential == 0:
        return 0
    count = _candidates_of_window(
        data, words, lengths, field_count, norms, begin, end, essential, job, state, small, numbers, bounds, candidates,
        heap_scores, heap_numbers,
    )  # fmt: skip
    if count > 0 and (allowed.size or job[HAS_DATES]):
        count = _let_through(count, allowed, dates, job, candidates, bounds)
    for i in range(essential, terms):
        term = state[i, ORDER]
        if count > 0 and bounds[state[term, WINDOWS] + window] >= 0.0:
            count = _look_up(
                data, words, lengths, field_count, norms, term, numbers[i + 1, REST], need, count, job, state, small,
                numbers, bounds, candidates,
            )  # fmt: skip
    for i in range(count):
        offer(bounds[CANDIDATES + i], job[BASE] + candidates[i], norms[AFTER_SCORE], job, heap_scores, heap_numbers)
    return min(count, 0)


@lean
def _has_phrases(
    data, words, position_data, position_words, field_count, phrases, doc, job, state, small, candidates
):  # fmt: skip
    """Tell whether an article that has all terms has all phrases: 1, 0, or -1 for damage."""
    for i in range(job[TERMS]):
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


@lean
def _all_unit(
    data, words, position_data, position_words, lengths, allowed, dates, field_count, norms, block, phrases, job, state,
    small, numbers, bounds, candidates, heap_scores, heap_numbers,
):  # fmt: skip
    """Offer what a block of the rarest term has in common with all others; return 0, or -1 for damage."""
    rarest = state[0, ORDER]
    first, last = span(words, field_count, rarest, block, state, small)
    need = needed(job[BASE] + first, job, heap_scores, heap_numbers)
    _bound_all(words, field_count, block, job[SHIFT], job, state, small, numbers, bounds)
    rest = numbers[1, REST] if job[TERMS] > 1 else 0.0
    count = _candidates_of_block(
        data, words, lengths, field_count, norms, rarest, block, need - rest, job, state, small, numbers, bounds,
        candidates,
    )  # fmt: skip
    if count > 0 and (allowed.size or job[HAS_DATES]):
        count = _let_through(count, allowed, dates, job, candidates, bounds)
    for i in range(1, job[TERMS]):
        if count > 0:
            count = _look_up(
                data, words, lengths, field_count, norms, state[i, ORDER], numbers[i + 1, REST], need, count, job,
                state, small, numbers, bounds, candidates,
            )  # fmt: skip
    for i in range(count):
        doc = candidates[i]
        score = bounds[CANDIDATES + i]
        if phrases.size:
            if score < needed(job[BASE] + doc, job, heap_scores, heap_numbers):
                continue
            found = _has_phrases(
                data, words, position_data, position_words, field_count, phrases, doc, job, state, small, candidates
            )
            if found < 0:
                return -1
            if found == 0:
                continue
        offer(score, job[BASE] + doc, norms[AFTER_SCORE], job, heap_scores, heap_numbers)
    return min(count, 0)


@lean
def _pick_units(job, bounds):
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


@lean
def best_of_segment(
    data, words, position_data, position_words, lengths, place, allowed, dates, minima, maxima, rows, masks, factors,
    field_weights, phrases, required, limit, date_low, date_high, after_score, after, stage, norms, job, state, small,
    numbers, bounds, candidates, heap_scores, heap_numbers,
):  # fmt: skip
    """Offer the articles of a segment that match to a heap of the best.

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
        norms: float64[NORMS], those of the formula and of the lengths' codes; the rest is overwritten.
        job: int64[JOB], what is to be done and how far it is.
        state, small, numbers: of T + 1 terms, see `block_kernel`; overwritten.
        bounds: float64[m]; the first CANDIDATES are -1, as they are left.
        candidates: int64[2 · CANDIDATES + 1 + 2 · (the most words of a phrase)], overwritten.
        heap_scores, heap_numbers: float64[limit], int64[limit]; the first job[COUNT] are a heap.

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
        told = _open(
            data, words, position_data, lengths, rows, masks, factors, field_weights, phrases, norms, job, state, small,
            numbers, bounds,
        )  # fmt: skip
        if told != 0 or job[TERMS] == 0:
            return told
        _pick_units(job, bounds)
    first_units = -job[UNIT]
    budget = np.int64(_BUDGET)
    by_window = job[TERMS] > 1 and job[REQUIRED] == 0
    while job[UNIT] < job[UNITS] and budget > 0:
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
                return -1
        if bound < needed(job[BASE] + first, job, heap_scores, heap_numbers):
            continue
        if (allowed.size or job[HAS_DATES]) and not _may_have_hits(first, last, allowed, minima, maxima, job):
            continue
        budget -= 1
        if by_window:
            failed = _any_unit(
                data, words, lengths, allowed, dates, field_weights.size, norms, unit, job, state, small, numbers,
                bounds, candidates, heap_scores, heap_numbers,
            )  # fmt: skip
        else:
            failed = _all_unit(
                data, words, position_data, position_words, lengths, allowed, dates, field_weights.size, norms, unit,
                phrases, job, state, small, numbers, bounds, candidates, heap_scores, heap_numbers,
            )  # fmt: skip
        if failed:
            return -1
        bounds[job[UNITS_AT] + unit] = -1.0
    return 1 if job[UNIT] < job[UNITS] else 0
