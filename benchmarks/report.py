"""What the benchmarks found, as a table on the terminal and as Markdown to keep."""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

__all__ = ["PROJECT", "Report", "Table", "percentiles"]

PROJECT = Path(__file__).resolve().parent.parent


def percentiles(times: list[float]) -> tuple[float, float, float]:
    """Return the 50th, 95th and 99th percentile, interpolated between neighbours."""
    if len(times) == 1:
        return times[0], times[0], times[0]
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return cuts[49], cuts[94], cuts[98]


@dataclass
class Table:
    """A title, a heading and rows of text; the first column is flush left, the others flush right."""

    title: str
    heading: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def plain(self) -> list[str]:
        lines = [self.heading, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.heading))]
        return [
            line[0].ljust(widths[0])
            + "".join(f"  {cell.rjust(w)}" for cell, w in zip(line[1:], widths[1:], strict=True))
            for line in lines
        ]

    def markdown(self) -> list[str]:
        rule = ("---", *("---:" for _ in self.heading[1:]))
        return [f"| {' | '.join(cells)} |" for cells in (self.heading, rule, *self.rows)]


@dataclass
class Report:
    """The tables of one run, by title in the order in which they were begun."""

    tables: dict[str, Table] = field(default_factory=dict)
    corpus: str = ""
    measured: dict[str, str] = field(default_factory=lambda: moment())
    """When, and by which code."""

    def add(self, title: str, heading: tuple[str, ...], row: tuple[str, ...]) -> None:
        self.tables.setdefault(title, Table(title, heading)).rows.append(row)

    def circumstances(self) -> dict[str, str]:
        """Return what the numbers hang on: the code, the versions, the machine and the corpus."""
        return {
            **self.measured,
            "versions": f"newsindex {version('newsindex')}, Whoosh {version('Whoosh')}, "
            f"Python {platform.python_version()}",
            "machine": f"{_processor()}, {os.cpu_count()} cores",
            "corpus": self.corpus,
        }

    def append_to(self, file: Path) -> None:
        facts = self.circumstances()
        lines = [f"## {facts.pop('date')}", "", *(f"- {name}: {value}" for name, value in facts.items()), ""]
        for table in self.tables.values():
            lines += [f"### {table.title}", "", *table.markdown(), ""]
        with file.open("a", encoding="utf-8") as out:
            out.write("\n".join(lines) + "\n")


def moment() -> dict[str, str]:
    """Return what to keep with measurements that are reported later."""
    return {"date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "commit": _commit()}


def _commit() -> str:
    git = shutil.which("git")
    if git is None:
        return "unknown"
    asked = subprocess.run(
        [git, "describe", "--always", "--dirty"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() or "unknown"


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        for line in facts.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
