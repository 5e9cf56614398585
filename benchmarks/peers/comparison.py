"""Do the engines find the same? Compared before anything is timed, with the first engine's answers."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median
from typing import Any

from benchmarks.peers.engine import base_class
from benchmarks.peers.rounds import Player

__all__ = ["FARTHEST", "compare", "too_far"]

FARTHEST = 0.02
"""The median of the relative differences of the numbers of matches above which engines are not doing the same work.

Below it lie differences that the engines' tokenizers explain: what a stemmer makes of a word (FTS5 has Porter's first
one), whether "U.S." is one word, and how far apart two words are with a mark between them.
"""


def compare(players: Sequence[Player], name: str, most: int) -> dict[str, dict[str, float | None]]:
    """Return for each engine but the first how its answers differ from the first's.

    `same` is the share of queries with the same number of matches, `off` the median relative difference, `worst` the
    largest, `overlap` the mean share of hits in common; None where an engine does not tell.
    """
    able = [player for player in players if name in player.facts["classes"]]
    if able and base_class(name) != name:  # the same queries: left are engines without that class
        able = [able[0], *(player for player in able[1:] if base_class(name) not in player.facts["classes"])]
    if len(able) < 2:
        return {}
    first = able[0].tell("answers", name=name, most=most)
    return {player.name: _differences(first, player.tell("answers", name=name, most=most)) for player in able[1:]}


def too_far(differences: dict[str, float | None]) -> bool:
    """Whether the numbers of matches differ by more than tokenizers explain."""
    return differences["off"] is not None and differences["off"] > FARTHEST


def _differences(first: list[Any], second: list[Any]) -> dict[str, float | None]:
    found: dict[str, float | None] = {"same": None, "off": None, "worst": None, "overlap": None}
    if len(first) != len(second):
        raise ValueError(f"{len(first)} answers and {len(second)}: not the same queries")
    totals = [(one, other) for (one, _), (other, _) in zip(first, second, strict=True) if None not in (one, other)]
    if totals:
        off = [abs(one - other) / max(one, other, 1) for one, other in totals]
        found |= {"same": fmean(value == 0 for value in off), "off": median(off), "worst": max(off)}
    hits = [(one, other) for (_, one), (_, other) in zip(first, second, strict=True) if one or other]
    if hits:
        found["overlap"] = fmean(len(set(one) & set(other)) / max(len(one), len(other)) for one, other in hits)
    return found
