"""How long does a search take, query text in, ten hits with titles out?"""

from __future__ import annotations

from time import perf_counter_ns
from typing import Any

import pytest

from benchmarks.queries import CLASSES, Query
from benchmarks.report import Report, percentiles

_ROUNDS = 3
_ENOUGH = 50


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
