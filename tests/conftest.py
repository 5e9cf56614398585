"""Shared fixtures."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

import newsindex
from tests.faults.figures import Figures

# Dates in queries are in the zone of the computer; tests of zones name theirs.
os.environ["TZ"] = "UTC"
time.tzset()
# One fixed stream of examples on every machine; a counter-example becomes a named test.
settings.register_profile("fixed", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("fixed")

_FIGURES = Figures()


@pytest.fixture
def make_index(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Return a function from records to an open index that holds them."""
    opened = []

    def make(records: Any = (), **arguments: Any) -> Any:
        index = newsindex.open(tmp_path / f"index{len(opened)}", create=True, **arguments)
        opened.append(index)
        report = index.add(records)
        assert not report.rejected
        return index

    yield make
    for index in opened:
        index.close()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real articles, where there is one."""
    folder = Path(os.environ.get("NEWSINDEX_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not (folder / "reuters21578.jsonl.gz").exists():
        pytest.skip(f"no real articles at {folder}; set NEWSINDEX_DATA to run this")
    return folder


@pytest.fixture(scope="session")
def figures() -> Figures:
    """Tells the table what a test of faults measured; call it when everything was found right."""
    return _FIGURES


def pytest_sessionfinish(session: Any) -> None:
    """Hand the figures of a process that shares the tests with others to the one that has the table."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["figures"] = _FIGURES.told()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    _FIGURES.take(getattr(node, "workeroutput", {}).get("figures", []))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not _FIGURES.rows:
        return
    terminalreporter.section("faults")
    terminalreporter.write_line(_FIGURES.table())
    failed = [report.nodeid for name in ("failed", "error") for report in terminalreporter.stats.get(name, ())]
    if failed:
        terminalreporter.write_line(f"NOT WHOLE: {len(failed)} tests failed and told no figures")
