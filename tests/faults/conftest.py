"""The process that trials on whole indexes are forked from, and the table of what all of them measured."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.figures import Figures
from tests.faults.test_kill import ROOT, Server

_FIGURES = Figures()


class IndexServer(Server):
    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.index_server"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip


@pytest.fixture(scope="session")
def index_server() -> Iterator[Server]:
    """Started once, since it loads the compiled kernels."""
    made = IndexServer()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def figures() -> Figures:
    """Tells the table what a test measured; call it when everything was found right."""
    return _FIGURES


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not _FIGURES.rows:
        return
    terminalreporter.section("faults")
    terminalreporter.write_line(_FIGURES.table())
    failed = [report.nodeid for name in ("failed", "error") for report in terminalreporter.stats.get(name, ())]
    if failed:
        terminalreporter.write_line(f"NOT WHOLE: {len(failed)} tests failed and told no figures")
