"""Engines take turns: each in a process of its own, one works at a time, in the opposite order every other round."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.peers.archive import Archive
from benchmarks.peers_once import busy_seconds
from benchmarks.report import PROJECT

__all__ = ["Effort", "Player", "Round", "play"]


@dataclass(frozen=True)
class Effort:
    """How much is measured: rounds, the longest that one pass over a class may take, how long a class is warmed."""

    rounds: int = 5
    pass_seconds: float = 20.0
    warm_seconds: float = 3.0
    compared: int = 50


class Player:
    """A worker process."""

    def __init__(self, name: str, archive: Archive) -> None:
        self.name = name
        self.unavailable = ""
        self.facts: dict[str, Any] = {}
        command = [sys.executable, "-m", "benchmarks.peers.worker", name, str(archive.folder.resolve())]
        self._process = subprocess.Popen(
            command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def tell(self, do: str, **command: Any) -> Any:
        """Return the answer; None when the engine cannot be had, and `unavailable` says why."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **command}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"{self.name}: the process ended with {self._process.wait()}; its message is above")
        told = json.loads(line)
        self.unavailable = told.get("unavailable", "")
        return told.get("answer")

    def open(self) -> bool:
        self.facts = self.tell("open") or {}
        return not self.unavailable

    def cpu_seconds(self) -> float:
        """Return what its processes have worked so far; on Linux only, else 0."""
        ticks = 0
        for process in self.facts["processes"]:
            status = Path(f"/proc/{process}/stat")
            if status.exists():
                ticks += sum(map(int, status.read_text().rpartition(")")[2].split()[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()


@dataclass
class Round:
    """What one engine took for one class: the best nanoseconds of each query, as many as its time allowed."""

    best: list[int] = field(default_factory=list)

    def take(self, times: Sequence[int]) -> None:
        self.best = list(map(min, self.best, times)) if self.best else list(times)


def play(players: Sequence[Player], name: str, queries: int, effort: Effort) -> tuple[dict[str, list[int]], float]:
    """Return the best times of each engine that has the class, and the cores that others used meanwhile."""
    able = [player for player in players if name in player.facts["classes"]]
    rounds = {player.name: Round() for player in able}
    most: dict[str, int] = {}
    for player in able:
        player.tell("warm", name=name, seconds=effort.warm_seconds)
    begun, busy, worked = perf_counter(), busy_seconds(), _worked(players)
    for number in range(effort.rounds):
        for player in able if number % 2 == 0 else reversed(able):
            asked = most.get(player.name, queries)
            if number and asked < queries:
                continue  # one cut pass is enough for an engine that needs so long
            times = player.tell("times", name=name, most=asked, seconds=effort.pass_seconds)
            most[player.name] = len(times)
            rounds[player.name].take(times)
    seconds = perf_counter() - begun
    others = max(busy_seconds() - busy - (_worked(players) - worked), 0.0) / seconds
    return {engine: taken.best for engine, taken in rounds.items()}, others


def _worked(players: Sequence[Player]) -> float:
    own = os.times()
    return own.user + own.system + sum(player.cpu_seconds() for player in players)
