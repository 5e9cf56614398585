"""How fast are articles indexed, and what do they take: memory, processor time, disk?"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.corpus import Corpus
from benchmarks.report import PROJECT, Report

_HEADING = ("articles", "articles/s", "MB/s of text", "text MB", "disk MB", "peak memory MB", "seconds", "CPU seconds")


def test_index(corpus: Corpus, tmp_path: Path, report: Report, benchmark: Any) -> None:
    command = [sys.executable, "-m", "benchmarks.index_once", str(tmp_path / "index"), str(corpus.size)]
    if corpus.file is not None:
        command.append(str(corpus.file.resolve()))
    printed = benchmark.pedantic(
        lambda: subprocess.run(command, cwd=PROJECT, stdout=subprocess.PIPE, check=True).stdout, rounds=1
    )
    took = json.loads(printed)
    assert took["kept"] == took["articles"] or (corpus.file is not None and took["kept"] > 0), took
    benchmark.extra_info.update(took)
    seconds, megabytes = took["seconds"], took["text_bytes"] / 1e6
    row = (
        f"{took['articles']:,}",
        f"{took['articles'] / seconds:,.0f}",
        f"{megabytes / seconds:.2f}",
        f"{megabytes:.1f}",
        f"{took['disk_bytes'] / 1e6:.1f}",
        f"{took['peak_bytes'] / 1e6:.0f}",
        f"{seconds:.2f}",
        f"{took['cpu_seconds']:.2f}",
    )
    report.add("Indexing", _HEADING, row)
