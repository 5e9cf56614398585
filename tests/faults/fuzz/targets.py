"""What is fuzzed: functions of any bytes that raise nothing, or what each says, and are soon done."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.faults.fuzz.mutations import mutated


def expect(truth: bool, what: object) -> None:
    """Fail as an assertion does, where an error is being looked at."""
    if not truth:
        raise AssertionError(what)


@dataclass(frozen=True)
class Target:
    """`run` takes any bytes; those tried are `make`'s, or seeds changed a little with `words` put in.

    `cost` is how many cases of the quickest targets one of these takes.
    """

    name: str
    run: Callable[[bytes], object]
    seeds: Sequence[bytes] = ()
    words: Sequence[bytes] = (b" ",)
    make: Callable[[random.Random], bytes] | None = None
    cost: int = 1

    def case(self, number: int) -> bytes:
        """Return case `number`: always the same bytes, as long as seeds and words are."""
        chance = random.Random(f"{self.name} {number}")
        return self.make(chance) if self.make else mutated(self.seeds, self.words, chance)


def targets() -> dict[str, Target]:
    from tests.faults.fuzz import archive_targets, source_targets, text_targets

    return {
        target.name: target for module in (archive_targets, text_targets, source_targets) for target in module.TARGETS
    }
