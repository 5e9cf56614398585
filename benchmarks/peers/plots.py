"""Two drawings: latency of each class beside the peers, and latency as the archive grows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.archive import CLASSES
from benchmarks.peers.engine import library
from benchmarks.peers.tables import OURS, microseconds

__all__ = ["plot_classes", "plot_growth"]

_COLOURS = {
    "newsindex": "#d62728",
    "tantivy": "#1f77b4",
    "lucene": "#2ca02c",
    "fts5": "#9467bd",
    "bm25s": "#8c564b",
    "pisa": "#7f7f7f",
    "whoosh": "#bcbd22",
}
_GROWN = ("term_high", "and2", "or_news", "or_stop", "phrase", "and_date", "count", "sort_date", "facet_source")


def plot_classes(measured: dict[str, Any], file: Path) -> None:
    """Draw a dot for p50 and a line up to p99 for each engine in each class, on a logarithmic scale."""
    pyplot = _pyplot()
    names = [name for name in CLASSES if name in measured["times"]]
    engines = [engine for engine in _COLOURS if engine in measured["engines"]]
    figure, axes = pyplot.subplots(figsize=(11, 0.48 * len(names) + 1.6), layout="constrained")
    for place, engine in enumerate(engines):
        shift = (place - (len(engines) - 1) / 2) * 0.8 / max(len(engines), 1)
        points = [
            (at + shift, found) for at, name in enumerate(names) if (found := microseconds(measured, engine, name))
        ]
        if not points:
            continue
        heights, middle = [at for at, _ in points], [found[0] for _, found in points]
        axes.hlines(heights, middle, [found[2] for _, found in points], color=_COLOURS[engine], linewidth=1)
        axes.scatter(middle, heights, s=34 if engine == OURS else 16, color=_COLOURS[engine], label=engine, zorder=3)
    for line in range(1, len(names)):
        axes.axhline(line - 0.5, color="#dddddd", linewidth=0.6, zorder=0)
    axes.set(xscale="log", yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5))
    axes.set_xlabel("µs a query: dot p50, line to p99 (logarithmic)")
    axes.set_title(f"{measured['corpus']}, {measured['articles']:,} articles")
    axes.grid(axis="x", which="both", color="#eeeeee", zorder=0)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.04), ncols=len(engines), frameon=False)
    _save(pyplot, figure, file)


def plot_growth(archives: Sequence[dict[str, Any]], file: Path) -> None:
    """Draw p50 by the number of articles, a panel for each class; the archives are of one kind, of several sizes."""
    pyplot = _pyplot()
    ordered = sorted(archives, key=lambda measured: measured["articles"])
    ticks = [measured["articles"] for measured in ordered]
    names = [name for name in _GROWN if all(name in measured["times"] for measured in ordered)]
    figure, panels = pyplot.subplots(
        3, 3, figsize=(11, 9), sharex=True, sharey=True, layout="constrained", squeeze=False
    )
    for axes, name in zip(panels.flat, names, strict=False):
        for engine, colour in _COLOURS.items():
            points = [
                (measured["articles"], found[0])
                for measured in ordered
                if (found := microseconds(measured, engine, name))
            ]
            if points:
                sizes, times = zip(*points, strict=True)
                width = 2.4 if engine == OURS else 1.2
                axes.plot(sizes, times, marker="o", markersize=3, color=colour, label=engine, linewidth=width)
        axes.set(xscale="log", yscale="log", title=name)
        axes.set_xticks(ticks, [f"{tick / 1000:,.0f} k" for tick in ticks])
        axes.set_xticks([], minor=True)
        axes.grid(color="#eeeeee")
    figure.supxlabel("articles")
    figure.supylabel("µs a query, p50")
    handles, labels = panels.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    _save(pyplot, figure, file)


def _pyplot() -> Any:
    library("matplotlib").use("svg")
    pyplot = library("matplotlib.pyplot", "matplotlib")
    # The same numbers give the same file.
    pyplot.rcParams["svg.hashsalt"] = "newsindex"
    return pyplot


def _save(pyplot: Any, figure: Any, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"Date": None} if file.suffix == ".svg" else None
    figure.savefig(file, dpi=110, metadata=metadata)
    pyplot.close(figure)
