"""How long does a search take, query text in, ten hits with titles out?"""

from __future__ import annotations

import itertools
import random
import statistics
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter_ns
from typing import Any

import pytest

from benchmarks.queries import CLASSES, Query
from benchmarks.report import Report, percentiles

_ROUNDS = 3
_ENOUGH = 50
_TURNS = 5
_TURN_SECONDS = 0.5
MIXES = {
    "words": ("term_high", "term_mid"),
    "all classes but the slowest": tuple(name for name in CLASSES if name not in ("top1000", "snippets")),
    "snippets": ("snippets",),
}


@pytest.fixture
def asked(name: str, index: Any, queries: dict[str, list[Query]], per_class: int) -> list[Query]:
    """The queries of the class, each known to have hits."""
    made = queries[name]
    if not made:
        pytest.skip("the articles lack what this class needs (a date or a source)")
    assert len(made) >= min(_ENOUGH, per_class), "too few different queries: the corpus is too small for this class"
    lost = [query for query in made if not query.run(index)]
    assert not lost, f"{len(lost)} of {len(made)} queries found nothing, though an article has their words: {lost[:3]}"
    return made


@pytest.mark.parametrize("name", CLASSES)
def test_search(name: str, asked: list[Query], index: Any, report: Report, benchmark: Any) -> None:
    best = [float("inf")] * len(asked)

    def ask_all() -> None:
        for place, query in enumerate(asked):
            begun = perf_counter_ns()
            query.run(index)
            best[place] = min(best[place], perf_counter_ns() - begun)

    # Whole passes over the class, so that the rounds of one query lie apart and a disturbance seldom hits all of them.
    benchmark.pedantic(ask_all, rounds=_ROUNDS, iterations=1)
    p50, p95, p99 = (nanoseconds / 1000 for nanoseconds in percentiles(best))
    benchmark.extra_info.update(queries=len(asked), p50_us=p50, p95_us=p95, p99_us=p99)
    row = (name, f"{p50:,.0f}", f"{p95:,.0f}", f"{p99:,.0f}", f"{len(asked)}")
    report.add("Search, µs", ("class", "p50", "p95", "p99", "queries"), row)


@pytest.mark.parametrize("mix", MIXES)
def test_two_threads(mix: str, index: Any, queries: dict[str, list[Query]], report: Report) -> None:
    """How many more queries do two threads answer than one? Kernels let go of the interpreter, parsing does not."""
    asked = [query for name in MIXES[mix] for query in queries[name]]
    if not asked:
        pytest.skip("the articles lack what these classes need (a date or a source)")
    random.Random(1).shuffle(asked)
    for query in asked:
        query.run(index)
    rates: dict[int, list[float]] = {1: [], 2: []}
    with ThreadPoolExecutor(2) as threads:
        for _ in range(_TURNS):
            for count, found in rates.items():
                begun = perf_counter_ns()
                answered = sum(threads.map(_ask_for, [index] * count, [asked] * count))
                found.append(answered * 1e9 / (perf_counter_ns() - begun))
    one, two = (statistics.median(found) for found in rates.values())
    # One and two in turn: what else the machine does meets both alike.
    ratio = statistics.median(second / first for first, second in zip(*rates.values(), strict=True))
    report.add(
        "Queries a second",
        ("mix", "one thread", "two threads", "ratio"),
        (mix, f"{one:,.0f}", f"{two:,.0f}", f"{ratio:.2f}"),
    )


def _ask_for(index: Any, asked: list[Query]) -> int:
    """Ask the queries over and over for some time; return how many were answered."""
    end = perf_counter_ns() + int(_TURN_SECONDS * 1e9)
    answered = 0
    for query in itertools.cycle(asked):
        if perf_counter_ns() >= end:
            return answered
        query.run(index)
        answered += 1
    return answered
