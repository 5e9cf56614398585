"""What a process is said to have held is its own, not that of whoever started it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.memory import peak_bytes
from tests.faults.test_kill import ROOT

MANY = 256 * 2**20


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to tell them apart")
def test_the_peak_of_the_parent_is_not_counted() -> None:
    program = "from tests.faults.memory import peak_bytes; print(peak_bytes())"
    held = bytearray(MANY)
    held[::4096] = b"x" * len(range(0, MANY, 4096))
    assert peak_bytes() >= MANY
    told = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(told.stdout) < MANY // 4
