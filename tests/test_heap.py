"""The best hits so far: those that are kept, and in which order, are those of a sorted list."""

from __future__ import annotations

import hashlib
import math
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsindex.search.heap_kernel import AFTER, BASE, COUNT, LIMIT, offer, sort_hits
from newsindex.search.many_kernel import MANY, room_for_many
from tests.no_compiler import digest_without_compiler

Hits = list[tuple[float, int]]
UNIT = 2.0**-28
FILLINGS = math.nan, 2**62


def kept(hits: Hits, limit: int, after: tuple[float, int] = (math.inf, -1)) -> Hits:
    """Return the best of some hits, as the kernels find them."""
    room = room_for_many(limit) if limit > MANY else (np.empty(limit), np.empty(limit, np.int64))
    # What was there before, and what stands behind, which stays as it is.
    scores, numbers = (np.full(array.size + 40, filling) for array, filling in zip(room, FILLINGS, strict=True))
    own = scores[: room[0].size], numbers[: room[1].size]
    job = np.zeros(max(COUNT, LIMIT, BASE, AFTER) + 1, np.int64)
    job[LIMIT], job[AFTER] = limit, after[1]
    for score, number in hits:
        offer(score, np.int64(number), after[0], job, *own)
    sort_hits(job, *own)
    assert np.isnan(scores[-40:]).all()
    assert (numbers[-40:] == FILLINGS[1]).all()
    return list(zip(scores[: job[COUNT]].tolist(), numbers[: job[COUNT]].tolist(), strict=True))


def plainly_kept(hits: Hits, limit: int, after: tuple[float, int] = (math.inf, -1)) -> Hits:
    ranked = sorted((-score, number) for score, number in hits)
    return [(-score, number) for score, number in ranked if (score, number) > (-after[0], after[1])][:limit]


def some_hits(pick: random.Random, count: int, kind: str) -> Hits:
    """Return hits of different numbers, in no order."""
    of_kind: dict[str, Any] = {
        "all alike": lambda: 2.5,
        "few scores": lambda: pick.choice([0.25, 0.25 + UNIT, 3.0]),
        "with zeros": lambda: pick.choice([0.0, UNIT, 7.0]),
        "far apart": lambda: pick.choice([UNIT, 5.0, 2.0**20]) * pick.randrange(1, 9),
        "one above": lambda: 2.0**24 if pick.random() < 0.01 else pick.randrange(2**20) * UNIT,
        "as of articles": lambda: round(pick.expovariate(0.4) / UNIT) * UNIT,
    }
    most = pick.choice([count, 20_000, 2**40])
    numbers = pick.sample(range(max(count, most)), count)
    return [(of_kind[kind](), number) for number in numbers]


KINDS = ("all alike", "few scores", "with zeros", "far apart", "one above", "as of articles")


@given(st.integers(0, 2**32), st.integers(0, 900), st.sampled_from(KINDS), st.sampled_from([1, 3, 64, 65, 100, 300]))
@example(0, 900, "all alike", 65)
@example(0, 0, "as of articles", 65)
def test_what_is_kept_is_the_best(seed: int, count: int, kind: str, limit: int) -> None:
    pick = random.Random(seed)
    hits = some_hits(pick, count, kind)
    assert kept(hits, limit) == plainly_kept(hits, limit)
    if hits:
        after = pick.choice(hits)
        assert kept(hits, limit, after) == plainly_kept(hits, limit, after)


@pytest.mark.parametrize("alike", [63, 64, 65, 66])
def test_hits_whose_high_bits_are_alike_are_put_aside_where_there_is_room(alike: int) -> None:
    """With 65 wanted of 130, so many of one score have some above them and some below."""
    pick = random.Random(alike)
    scores = [2.0] * 30 + [1.0] * alike + [0.5] * (100 - alike)
    hits = list(zip(scores, pick.sample(range(1000), len(scores)), strict=True))
    pick.shuffle(hits)
    # With the worst among the first 65 none is turned away before there are 130.
    hits.sort(key=plainly_kept(hits, 130)[-1].__ne__)
    assert kept(hits, 65) == plainly_kept(hits, 65)


@pytest.mark.parametrize("kind", KINDS)
def test_thousands_are_kept_in_order(kind: str) -> None:
    hits = some_hits(random.Random(5), 25_000, kind)
    assert kept(hits, 1000) == plainly_kept(hits, 1000)
    assert kept(hits, 10_000) == plainly_kept(hits, 10_000)


def small_digest() -> str:
    pick = random.Random(7)
    found = [kept(some_hits(pick, 400, kind), limit) for kind in KINDS for limit in (9, 70, 150, 500)]
    return hashlib.sha256(repr(found).encode()).hexdigest()


def test_kernels_without_the_compiler() -> None:
    assert digest_without_compiler("test_heap") == small_digest()
