"""Kernels of the best hits so far: a binary heap with the worst of them first, or of many hits what `many_kernel` says.

A hit is better with a greater score, or with an equal one and a smaller number. `job` is int64[], its first places are
COUNT, LIMIT, BASE (the number of the segment's first article) and AFTER (the number behind which hits must be when
their score is that of the place behind which all are to be).
"""

from __future__ import annotations

from newsindex.kernel import inner
from newsindex.search.many_kernel import MANY, add_to_many, sort_many

__all__ = ["AFTER", "BASE", "COUNT", "LIMIT", "needed", "offer", "sort_hits"]

COUNT, LIMIT, BASE, AFTER = range(4)


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
def offer(score, number, after_score, job, heap_scores, heap_numbers):
    """Let a hit enter if it is among the best of those behind the place in the order; before all: (infinity, -1)."""
    if score > after_score or (score == after_score and number <= job[AFTER]):
        return
    count = job[COUNT]
    if job[LIMIT] > MANY:
        job[COUNT] = add_to_many(score, number, count, job[LIMIT], heap_scores, heap_numbers)
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
def sort_hits(job, heap_scores, heap_numbers):
    """Put the hits in order, the best first; of many, no more than are wanted are left."""
    count = job[COUNT]
    if job[LIMIT] > MANY:
        job[COUNT] = sort_many(count, job[LIMIT], heap_scores, heap_numbers)
        return
    while count > 1:
        count -= 1
        score = heap_scores[count]
        number = heap_numbers[count]
        heap_scores[count] = heap_scores[0]
        heap_numbers[count] = heap_numbers[0]
        _sink(count, score, number, heap_scores, heap_numbers)
