"""The results of an archive as tables: times, ratios with the losses marked, what the engines found, their indexes."""

from __future__ import annotations

from collections.abc import Iterable
from math import exp, fsum, log
from typing import Any

from benchmarks.peers.archive import CLASSES, WORD_CLASSES
from benchmarks.peers.comparison import too_far
from benchmarks.report import Report, percentiles

__all__ = ["COMPLETE", "OURS", "add_tables", "geometric_mean", "microseconds"]

OURS = "newsindex"
COMPLETE = ("tantivy", "lucene", "fts5")
"""The engines that do all that the classes ask; the others are there for what they do."""
_POINTS = ("p50", "p95", "p99")


def microseconds(measured: dict[str, Any], engine: str, name: str) -> tuple[float, float, float] | None:
    """Return p50, p95 and p99 of an engine's times for a class, None where it has none."""
    best = measured["times"].get(name, {}).get(engine)
    return _in_microseconds(percentiles(best)) if best else None


def geometric_mean(values: Iterable[float]) -> float:
    logarithms = [log(value) for value in values]
    return exp(fsum(logarithms) / len(logarithms))


def add_tables(report: Report, measured: dict[str, Any]) -> None:
    engines = list(measured["engines"])
    _times(report, "Search, µs: p50 / p95 / p99", measured, engines, CLASSES)
    _ratios(report, measured)
    ids = [f"{name}_ids" for name in WORD_CLASSES]
    able = [engine for engine in engines if any(engine in measured["times"].get(name, {}) for name in ids)]
    if able:
        _times(report, "Ids and scores alone, µs: p50 / p95 / p99", measured, able, ids)
    for peer in ("pisa", "bm25s", "whoosh"):
        _beside(report, measured, peer)
    _comparison(report, measured)
    _indexes(report, measured)
    _others(report, measured)


def _in_microseconds(values: tuple[float, float, float]) -> tuple[float, float, float]:
    p50, p95, p99 = (value / 1000 for value in values)
    return p50, p95, p99


def _times(report: Report, title: str, measured: dict[str, Any], engines: list[str], names: Iterable[str]) -> None:
    for name in names:
        if name not in measured["times"]:
            continue
        cells = []
        for engine in engines:
            points = microseconds(measured, engine, name)
            if points is None:
                cells.append("–")
                continue
            mark = "*" if name in measured["engines"][engine]["prebuilt"] else ""
            asked = len(measured["times"][name][engine])
            few = f" ({asked})" if asked < measured["queries"][name] else ""
            cells.append(" / ".join(f"{point:,.0f}" for point in points) + mark + few)
        report.add(title, ("class", *engines, "queries"), (name, *cells, f"{measured['queries'][name]}"))


def _ratios(report: Report, measured: dict[str, Any]) -> None:
    """For each class newsindex against the best complete peer; the best of p50 need not be the best of p99."""
    title = "newsindex / the best complete peer (losses marked !)"
    columns: dict[str, list[float]] = {point: [] for point in _POINTS}
    for name in CLASSES:
        ours = microseconds(measured, OURS, name)
        theirs = {peer: points for peer in COMPLETE if (points := microseconds(measured, peer, name))}
        if ours is None or not theirs:
            continue
        cells = []
        for place, point in enumerate(_POINTS):
            best = min(theirs, key=lambda peer: theirs[peer][place])
            ratio = ours[place] / theirs[best][place]
            columns[point].append(ratio)
            cells.append(f"{_ratio(ratio)} ({best})")
        report.add(title, ("class", *_POINTS), (name, *cells))
    if columns["p50"]:
        means = (f"{geometric_mean(ratios):.2f}" for ratios in columns.values())
        report.add(title, ("class", *_POINTS), ("geometric mean", *means))
        losses = (f"{sum(ratio >= 1 for ratio in ratios)} of {len(ratios)}" for ratios in columns.values())
        report.add(title, ("class", *_POINTS), ("losses", *losses))


def _ratio(ratio: float) -> str:
    return f"{ratio:.2f}{'!' if ratio >= 1 else ''}"


def _beside(report: Report, measured: dict[str, Any], peer: str) -> None:
    title = f"newsindex / {peer} (losses marked !)"
    columns: list[list[float]] = [[], [], []]
    for name, times in measured["times"].items():
        ours, theirs = microseconds(measured, OURS, name), microseconds(measured, peer, name)
        if ours is None or theirs is None or peer not in times:
            continue
        ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
        for column, ratio in zip(columns, ratios, strict=True):
            column.append(ratio)
        report.add(title, ("class", *_POINTS), (name, *map(_fine, ratios)))
    if columns[0]:
        report.add(title, ("class", *_POINTS), ("geometric mean", *(_fine(geometric_mean(each)) for each in columns)))


def _fine(ratio: float) -> str:
    return _ratio(ratio) if ratio >= 0.1 else f"{ratio:.3f}"


def _comparison(report: Report, measured: dict[str, Any]) -> None:
    title = f"What they find, beside {measured['first']}: same number of matches / median difference / hits in common"
    engines = [engine for engine in measured["engines"] if engine != measured["first"]]
    for name, found in measured["compared"].items():
        cells = [_found(found[engine]) if engine in found else "–" for engine in engines]
        report.add(title, ("class", *engines), (name, *cells))


def _found(differences: dict[str, float | None]) -> str:
    parts = (_percent(differences["same"], 0), _percent(differences["off"], 1), _percent(differences["overlap"], 0))
    return " / ".join(parts) + ("!" if too_far(differences) else "")


def _percent(share: float | None, digits: int) -> str:
    return "–" if share is None else f"{share:.{digits}%}"


def _indexes(report: Report, measured: dict[str, Any]) -> None:
    heading = ("engine", "version", "index, MB")
    for engine, facts in measured["engines"].items():
        report.add("Indexes", heading, (engine, facts["version"], f"{facts['bytes'] / 1e6:,.1f}"))
    for engine, reason in measured["absent"].items():
        report.add("Not measured", ("engine", "why"), (engine, reason))


def _others(report: Report, measured: dict[str, Any]) -> None:
    shares = measured["others"]
    if shares:
        worst = max(shares, key=lambda name: shares[name])
        text = f"{sum(shares.values()) / len(shares):.2f}; at most {shares[worst]:.2f} ({worst})"
        report.add("Cores used by others while it was measured", ("", "mean"), ("all classes", text))
