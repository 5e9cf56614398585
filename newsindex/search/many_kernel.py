"""Kernels of more than MANY best hits: to keep so many in a binary heap costs more than to find them.

Hits better than the worst of the best are put behind them, and when there are twice as many as are wanted, the worse
half is dropped: by the high bits of their scores, and where these are equal by Hoare's selection
(doi:10.1145/366622.366647). The first is then the worst of the better half. In the end they are sorted by digits.

`scores` and `numbers` are what `room_for_many` makes; no score is below 0. The first third is of the best, the second
of those behind them, and to sort into; the third of those that the high bits do not tell apart. At the end of `numbers`
is place for a number for each value of a digit. The first `count` of both are the hits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.kernel import inner

__all__ = ["MANY", "add_to_many", "room_for_many", "sort_many"]

MANY = 64
"""Of more hits than these, there is room for three times as many, and they are in no order while they are found."""
_BITS = 8
_DIGITS = 1 << _BITS


def room_for_many(limit: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return (scores float64, numbers int64), of anything, where the best `limit` hits can be found and sorted."""
    return np.empty(3 * limit, np.float64), np.empty(3 * limit + _DIGITS, np.int64)


@inner
def _is_worse(score, number, other_score, other_number):
    return (score < other_score) | ((score == other_score) & (number > other_number))


@inner
def _exchange(one, other, scores, numbers):
    score = scores[one]
    number = numbers[one]
    scores[one] = scores[other]
    numbers[one] = numbers[other]
    scores[other] = score
    numbers[other] = number


@inner
def _select_by_exchange(begin, count, wanted, scores, numbers):
    """Put the best `wanted` of the hits from `begin` on before the others: Hoare's selection."""
    low = begin
    high = begin + count - 1
    last = begin + wanted - 1
    while low < high:
        middle = (low + high) >> 1
        score = scores[middle]
        number = numbers[middle]
        left = low
        right = high
        while left <= right:
            while _is_worse(score, number, scores[left], numbers[left]):
                left += 1
            while _is_worse(scores[right], numbers[right], score, number):
                right -= 1
            if left <= right:
                _exchange(left, right, scores, numbers)
                left += 1
                right -= 1
        if last <= right:
            high = right
        elif last >= left:
            low = left
        else:
            break


@inner
def _keep_best(count, wanted, scores, numbers):
    """Put the best `wanted` of `count` hits, at least as many, before the others, and the worst of them first.

    Most are told from the others by the high bits of their scores, and that takes no branch that is hard to foretell.
    """
    keys = scores.view(np.int64)  # the bits of floats that are not negative are in the order of the floats
    first = np.int64(0)
    if count > wanted:
        best = worst = keys[0]
        for i in range(1, count):
            best = max(best, keys[i])
            worst = min(worst, keys[i])
        shift = np.int64(0)
        while (best - worst) >> shift >= _DIGITS:
            shift += 1
        counts_at = numbers.size - _DIGITS
        for digit in range(_DIGITS):
            numbers[counts_at + digit] = 0
        for i in range(count):
            numbers[counts_at + ((best - keys[i]) >> shift)] += 1
        # Hits of lower digits are all kept, of this one some, of higher ones none.
        edge = np.int64(0)
        while first + numbers[counts_at + edge] < wanted:
            first += numbers[counts_at + edge]
            edge += 1
        if numbers[counts_at + edge] < wanted:
            at = np.int64(0)
            aside = beside = 2 * wanted
            for i in range(count):
                score = scores[i]
                number = numbers[i]
                digit = (best - keys[i]) >> shift
                scores[at] = scores[beside] = score
                numbers[at] = numbers[beside] = number
                at += digit < edge
                beside += digit == edge
            _select_by_exchange(aside, beside - aside, wanted - first, scores, numbers)
            for i in range(wanted - first):
                scores[first + i] = scores[aside + i]
                numbers[first + i] = numbers[aside + i]
        else:  # there is no room for them aside
            first = np.int64(0)
            _select_by_exchange(first, count, wanted, scores, numbers)
    for i in range(first + 1, wanted):
        if _is_worse(scores[i], numbers[i], scores[first], numbers[first]):
            _exchange(first, i, scores, numbers)
    _exchange(np.int64(0), first, scores, numbers)


@inner
def add_to_many(score, number, count, limit, scores, numbers):
    """Let a hit enter if it may be among the best `limit`, and return how many there are now."""
    if count >= limit and not _is_worse(scores[0], numbers[0], score, number):
        return count
    scores[count] = score
    numbers[count] = number
    count += 1
    if count == 2 * limit or count == limit:
        _keep_best(count, limit, scores, numbers)
        return limit
    return count


@inner
def _sort_by_digit(count, begin, target, best, shift, keys, numbers):
    """Sort hits by a digit of how much their keys are below `best`; where it is -1, by one of their numbers.

    They stand at `begin`; return where they stand then, there or at `target`.
    """
    counts_at = numbers.size - _DIGITS
    for digit in range(_DIGITS):
        numbers[counts_at + digit] = 0
    for i in range(begin, begin + count):
        value = numbers[i] if best < 0 else best - keys[i]
        numbers[counts_at + ((value >> shift) & (_DIGITS - 1))] += 1
    place = target
    for at in range(counts_at, counts_at + _DIGITS):
        same = numbers[at]
        if same == count:
            return begin
        numbers[at] = place
        place += same
    for i in range(begin, begin + count):
        value = numbers[i] if best < 0 else best - keys[i]
        at = counts_at + ((value >> shift) & (_DIGITS - 1))
        place = numbers[at]
        numbers[at] = place + 1
        keys[place] = keys[i]
        numbers[place] = numbers[i]
    return target


@inner
def sort_many(count, limit, scores, numbers):
    """Put the best hits in order, the best first, and return how many they are, at most `limit`.

    They are sorted digit by digit from the lowest, by numbers first.
    """
    if count < 2:
        return count
    if count > limit:
        _keep_best(count, limit, scores, numbers)
        count = limit
    keys = scores.view(np.int64)
    most = differ = np.int64(0)
    best = worst = keys[0]
    for i in range(count):
        most = max(most, numbers[i])
        best = max(best, keys[i])
        worst = min(worst, keys[i])
        differ |= keys[0] ^ keys[i]
    begin = shift = np.int64(0)
    while shift < 63 and most >> shift:
        begin = _sort_by_digit(count, begin, limit - begin, np.int64(-1), shift, keys, numbers)
        shift += _BITS
    shift = np.int64(0)
    while shift < 63 and not (differ >> shift) & 1:
        shift += 1
    while shift < 63 and (best - worst) >> shift:
        begin = _sort_by_digit(count, begin, limit - begin, best, shift, keys, numbers)
        shift += _BITS
    if begin:
        for i in range(count):
            scores[i] = scores[limit + i]
            numbers[i] = numbers[limit + i]
    return count
