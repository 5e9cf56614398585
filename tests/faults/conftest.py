"""The process that trials on whole indexes are forked from."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.faults.test_kill import ROOT, Server


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
