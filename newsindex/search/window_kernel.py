"""Kernel parts that tell which piece of a text shows most of what matches, and what of it is marked."""

from __future__ import annotations

import numpy as np

from newsindex.kernel import inner
from newsindex.search.borders_kernel import LEAD_IN, WIDTH

__all__ = ["best_window", "mark"]


@inner
def best_window(found, first_found, count, words, first_word, order, first_order, own, first_own, leaves):
    """Return (match, words of different leaves, matches) of the best window, by the match that begins it.

    Args:
        found: int64[], from `first_found` on (begin, end, leaf) of the matches, in order; `count` of them.
        words: int64[], from `first_word` on how many words each of the leaves has.
        order: int64[], from `first_order` on overwritten with the matches by their ends; own: with how many each leaf
            has in the window, from `first_own` on.
    """
    width = WIDTH - LEAD_IN
    for number in range(count):
        end = found[first_found + 3 * number + 1]
        at = first_order + number
        while at > first_order and found[first_found + 3 * order[at - 1] + 1] > end:
            order[at] = order[at - 1]
            at -= 1
        order[at] = number
    for leaf in range(leaves):
        own[first_own + leaf] = 0
    best = np.int64(0)
    best_words = np.int64(0)
    most = np.int64(0)
    at = np.int64(0)
    inside = np.int64(0)
    different = np.int64(0)
    for first in range(count):
        place = first_found + 3 * first
        limit = found[place] + width
        while at < count and found[first_found + 3 * order[first_order + at] + 1] <= limit:
            number = order[first_order + at]
            if number >= first:
                leaf = found[first_found + 3 * number + 2]
                inside += 1
                if own[first_own + leaf] == 0:
                    different += words[first_word + leaf]
                own[first_own + leaf] += 1
            at += 1
        if different > best_words or (inside > most and different == best_words):
            best = np.int64(first)
            best_words = different
            most = inside
        if found[place + 1] <= limit:
            leaf = found[place + 2]
            inside -= 1
            own[first_own + leaf] -= 1
            if own[first_own + leaf] == 0:
                different -= words[first_word + leaf]
    return best, best_words, most


@inner
def mark(found, first_found, count, begin, end, spans, first_span):
    """Write (begin, end) of what is marked in [begin, end) of a text, from there; return how many pairs there are.

    Args:
        found, first_found, count: as for `best_window`; what overlaps is marked as one.
        spans: int64[], overwritten from `first_span` on.
    """
    pairs = np.int64(0)
    for number in range(count):
        place = first_found + 3 * number
        if found[place] < begin or found[place + 1] > end:
            continue
        first = found[place] - begin
        last = found[place + 1] - begin
        at = first_span + 2 * pairs
        if pairs and first < spans[at - 1]:
            spans[at - 1] = max(spans[at - 1], last)
        else:
            spans[at] = first
            spans[at + 1] = last
            pairs += 1
    return pairs
