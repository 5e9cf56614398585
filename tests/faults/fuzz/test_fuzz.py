"""Cases that once failed, and a sample of new ones of each target.

NEWSINDEX_FUZZ sets how many of the quickest targets (20,000 with NEWSINDEX_FAULTS=full); `python -m tests.faults.fuzz`
hunts for longer, and keeps what it finds in tests/faults/fuzz/corpus.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.faults.figures import Figures
from tests.faults.fuzz.hunt import CORPUS, hunt, outcome, smaller
from tests.faults.fuzz.hunt import Finding as Found
from tests.faults.fuzz.mutations import mutated
from tests.faults.fuzz.targets import Target, targets

FULL = os.environ.get("NEWSINDEX_FAULTS") == "full"
CASES = int(os.environ.get("NEWSINDEX_FUZZ", "20000" if FULL else "1000"))
TARGETS = targets()
KEPT = sorted(path for path in CORPUS.glob("*/*") if path.is_file())
NUMBERS = {"segment": "T4b", "search": "T4b", "deletions": "T4b", "envelope": "T4b", "manifest": "T4c",
           "query": "T11", "ask": "T11", "date": "T11", "arguments": "T11"}  # fmt: skip


def test_what_once_failed_is_kept() -> None:
    assert {path.parent.name for path in KEPT} <= TARGETS.keys()
    assert len(KEPT) > 5
    assert max(path.stat().st_size for path in KEPT) < 4096


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_once_failed(path: Path) -> None:
    assert outcome(TARGETS[path.parent.name], path.read_bytes()) is None


@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes(name: str, figures: Figures) -> None:
    target = TARGETS[name]
    cases = max(3, CASES // target.cost)
    for found in hunt(target, 0, cases):
        pytest.fail(f"{found.what}\n{found.data!r}")
    figures(NUMBERS.get(name, "T13"), f"fuzzed: {name}", cases, crashed=0)


def test_the_hunt_finds_and_makes_small() -> None:
    def run(data: bytes) -> None:
        if b"needle" in data:
            raise KeyError("found")
        if data.endswith(b"!"):
            raise ZeroDivisionError

    target = Target("made", run, [b"hay " * 30], [b"needle", b"!"])
    found = list(hunt(target, 0, 300))
    assert sorted((one.data, one.what.split(" ")[0]) for one in found) == [
        (b"!", "ZeroDivisionError"), (b"needle", "KeyError"),
    ]  # fmt: skip
    assert smaller(target, Found(b"a needle!", found[0].what)).data in (b"needle", b"!")


def test_cases_are_the_same_every_time() -> None:
    seeds, words = [b"seed" * 20, b""], [b"word"]
    made = [mutated(seeds, words, random.Random(number)) for number in range(300)]
    assert made == [mutated(seeds, words, random.Random(number)) for number in range(300)]
    assert len(set(made)) > 200
    assert TARGETS["segment"].case(5) == TARGETS["segment"].case(5)
