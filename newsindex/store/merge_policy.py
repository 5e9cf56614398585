"""Which segments to merge: tiers of like size, so that an article is copied a few times in its life at most."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["choose"]

_SMALLEST_BYTES = 1024 * 1024
_STEP = 8
_MOST_IN_TIER = 8
# To merge large segments takes nearly as long as to index them; to search one more, some microseconds.
_LARGE_TIER = 3
_MOST_IN_LARGE_TIER = 24


def choose(sizes: Sequence[tuple[int, float]]) -> list[int] | None:
    """Return the places of the segments to merge next, ascending, None when it is well as it is.

    A tier holds segments of 1 to 8 times the same size; one with more than eight is merged into the next, one of
    segments over 64 MiB with more than 24: a million articles added at once are about that many. A segment with more
    than half of its articles deleted is written anew.

    Args:
        sizes: (bytes, share of living articles in 0..1) of each segment, in the order of the index.

    >>> choose([(2**20, 1.0)] * 9)
    [0, 1, 2, 3, 4, 5, 6, 7, 8]
    >>> choose([(2**30, 1.0)] + [(2**20, 1.0)] * 8) is None
    True
    >>> choose([(2**27, 1.0)] * 24) is None, len(choose([(2**27, 1.0)] * 25) or [])
    (True, 25)
    >>> choose([(2**30, 1.0), (2**20, 0.2)])
    [1]
    """
    tiers: dict[int, list[int]] = {}
    for place, (size, living) in enumerate(sizes):
        if living < 0.5:
            return [place]
        tiers.setdefault(_tier(size * living), []).append(place)
    for tier in sorted(tiers):
        if len(tiers[tier]) > (_MOST_IN_TIER if tier < _LARGE_TIER else _MOST_IN_LARGE_TIER):
            return tiers[tier]
    return None


def _tier(size: float) -> int:
    return max(0, math.ceil(math.log(max(size, 1.0) / _SMALLEST_BYTES, _STEP)))
