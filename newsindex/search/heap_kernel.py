"""Kernels of the best hits so far: a binary heap with the worst of them first, or of many hits a heap of another kind.

To keep more than MANY in a binary heap costs more than to find them: those better than the worst of the best are put
behind them, and when there are twice as many as are wanted, the worse half is dropped (Hoare's selection,
doi:10.1145/366622.366647). The first is then the worst of the better half.

A hit is better with a greater score, or with an equal one and a smaller number. `job` is int64[], its first places are
COUNT, LIMIT, BASE (the number of the segment's first article) and AFTER (the number behind which hits must be when
their score is that of the place behind which all are to be).
"""

from __future__ import annotations

import numpy as np

from newsindex.kernel import inner

__all__ = ["AFTER", "BASE", "COUNT", "LIMIT", "MANY", "needed", "offer", "sort_heap"]

COUNT, LIMIT, BASE, AFTER = range(4)
MANY = 64
"""Of more hits than these, `heap_scores` and `heap_numbers` have room for twice as many, and are in no order."""


@inner
def needed(number, job, heap_scores, heap_numbers):
    """Return the least score with which a hit of this number or a later one enters; -1 while there is room."""
    if job[COUNT] < job[LIMIT]:
        return -1.0
    # Scores are multiples of it.
    return heap_scores[0] if number < heap_numbers[0] else heap_scores[0] + 2.0**-28


@inner
def _sink(count, score, number, heap_scores, heap_numbers):
    """Put a hit in the place of the worst of the first `count`."""
    at = 0
    child = 1
    while child < count:
        other = child + 1
        if other < count and (
            heap_scores[other] < heap_scores[child]
            or (heap_scores[other] == heap_scores[child] and heap_numbers[other] > heap_numbers[child])
        ):
            child = other
        if heap_scores[child] > score or (heap_scores[child] == score and heap_numbers[child] < number):
            break
        heap_scores[at] = heap_scores[child]
        heap_numbers[at] = heap_numbers[child]
        at = child
        child = 2 * at + 1
    heap_scores[at] = score
    heap_numbers[at] = number


@inner
def _is_worse(score, number, other_score, other_number):
    return (score < other_score) | ((score == other_score) & (number > other_number))


@inner
def _exchange(one, other, heap_scores, heap_numbers):
    score = heap_scores[one]
    number = heap_numbers[one]
    heap_scores[one] = heap_scores[other]
    heap_numbers[one] = heap_numbers[other]
    heap_scores[other] = score
    heap_numbers[other] = number


@inner
def _select(count, wanted, heap_scores, heap_numbers):
    """Put the best `wanted` of `count` hits, at least as many, before the others, and the worst of them first."""
    low = np.int64(0)
    high = count - 1
    while low < high:
        middle = (low + high) >> 1
        score = heap_scores[middle]
        number = heap_numbers[middle]
        left = low
        right = high
        while left <= right:
            while _is_worse(score, number, heap_scores[left], heap_numbers[left]):
                left += 1
            while _is_worse(heap_scores[right], heap_numbers[right], score, number):
                right -= 1
            if left <= right:
                _exchange(left, right, heap_scores, heap_numbers)
                left += 1
                right -= 1
        if wanted - 1 <= right:
            high = right
        elif wanted - 1 >= left:
            low = left
        else:
            break
    worst = np.int64(0)
    for i in range(1, wanted):
        if _is_worse(heap_scores[i], heap_numbers[i], heap_scores[worst], heap_numbers[worst]):
            worst = np.int64(i)
    _exchange(np.int64(0), worst, heap_scores, heap_numbers)


@inner
def offer(score, number, after_score, job, heap_scores, heap_numbers):
    """Let a hit enter if it is among the best of those behind the place in the order; before all: (infinity, -1)."""
    if score > after_score or (score == after_score and number <= job[AFTER]):
        return
    count = job[COUNT]
    if job[LIMIT] > MANY:
        if count >= job[LIMIT] and not _is_worse(heap_scores[0], heap_numbers[0], score, number):
            return
        heap_scores[count] = score
        heap_numbers[count] = number
        count += 1
        if count == 2 * job[LIMIT] or count == job[LIMIT]:
            count = job[LIMIT]
            _select(job[COUNT] + 1, count, heap_scores, heap_numbers)
        job[COUNT] = count
        return
    if count == job[LIMIT]:
        if score >= needed(number, job, heap_scores, heap_numbers):
            _sink(count, score, number, heap_scores, heap_numbers)
        return
    job[COUNT] = count + 1
    at = count
    while at > 0:
        parent = (at - 1) >> 1
        if heap_scores[parent] < score or (heap_scores[parent] == score and heap_numbers[parent] > number):
            break
        heap_scores[at] = heap_scores[parent]
        heap_numbers[at] = heap_numbers[parent]
        at = parent
    heap_scores[at] = score
    heap_numbers[at] = number


@inner
def sort_heap(count, heap_scores, heap_numbers):
    """Put the hits of a binary heap in order, the best first."""
    while count > 1:
        count -= 1
        score = heap_scores[count]
        number = heap_numbers[count]
        heap_scores[count] = heap_scores[0]
        heap_numbers[count] = heap_numbers[0]
        _sink(count, score, number, heap_scores, heap_numbers)
