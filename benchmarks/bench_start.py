"""How long does a new process take until it has answered its first query?"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.queries import Query
from benchmarks.report import PROJECT, Report

_ROUNDS = 7
_TITLE, _HEADING = f"A new process, ms (median of {_ROUNDS})", ("what", "ms")


def test_bare_interpreter(report: Report, benchmark: Any) -> None:
    _measure("Python alone, whole process", ["-c", "pass"], report, benchmark)


def test_import(report: Report, benchmark: Any) -> None:
    _measure("import newsindex, whole process", ["-c", "import newsindex"], report, benchmark)


def test_first_query(index_folder: Path, queries: dict[str, list[Query]], report: Report, benchmark: Any) -> None:
    arguments = ["-m", "benchmarks.start_once", str(index_folder.resolve()), queries["and2"][0].text]
    printed = _measure("import, open, first query, whole process", arguments, report, benchmark)
    parts = [json.loads(line) for line in printed]
    assert all(part["hits"] for part in parts)
    for name in ("import", "open", "first query"):
        median = statistics.median(part[name] for part in parts)
        benchmark.extra_info[name] = median
        report.add(_TITLE, _HEADING, (f"- {name}", f"{median * 1000:,.1f}"))


def _measure(what: str, arguments: list[str], report: Report, benchmark: Any) -> list[str]:
    """Start the process some times, and return what each of the timed ones printed."""
    runs: list[tuple[float, str]] = []

    def start() -> None:
        begun = perf_counter()
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=True)
        runs.append((perf_counter() - begun, done.stdout))

    # The first start compiles the modules and fills the page cache.
    benchmark.pedantic(start, rounds=_ROUNDS, warmup_rounds=1)
    timed = runs[-_ROUNDS:]
    median = statistics.median(seconds for seconds, _ in timed)
    report.add(_TITLE, _HEADING, (what, f"{median * 1000:,.1f}"))
    return [output for _, output in timed]
