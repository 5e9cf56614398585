"""newsindex by itself: two threads against one, and the time outside kernels. `python -m benchmarks.peers.alone FOLDER`

FOLDER is an archive's. Prints JSON.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import random
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter, perf_counter_ns
from types import ModuleType, SimpleNamespace
from typing import Any

from numba.core.dispatcher import Dispatcher

from benchmarks.peers.archive import CLASSES, Archive
from benchmarks.peers.newsindex_engine import Newsindex

_ROUNDS = 5
_SMALL = ("term_low", "term_mid", "term_high", "and2")
_PASSES = 3
_PROFILED = 10

Ask = Callable[[], object]


def threads(asks: dict[str, list[Ask]], seconds: float = 2.0) -> dict[str, dict[str, float]]:
    """Return for each class, and for all mixed, the queries per second of one thread and of two, medians of the rounds.

    Each thread asks all queries of the class as often as one thread can in the seconds of a round, once at least, so
    that one and two are asked the same; the second begins in the middle.
    """
    everything = [ask for name in asks for ask in asks[name] if not name.startswith("top1000")]
    random.Random(1).shuffle(everything)
    found: dict[str, dict[str, float]] = {}
    for name, chosen in {**asks, "all mixed": everything}.items():
        half = len(chosen) // 2
        both = [chosen, chosen[half:] + chosen[:half]]
        passes = max(1, round(_rate(both[:1], 1) * seconds / _ROUNDS / len(chosen)))
        rates = [(_rate(both[:1], passes), _rate(both, passes)) for _ in range(_ROUNDS)]
        found[name] = {"one": median(one for one, _ in rates), "two": median(two for _, two in rates)}
    return found


def _rate(work: list[list[Ask]], passes: int) -> float:
    """Return the queries per second of as many threads as there are lists of work, each asking its own so often."""
    ready = threading.Barrier(len(work) + 1)

    def run(asks: list[Ask]) -> None:
        ready.wait()
        for _ in range(passes):
            for ask in asks:
                ask()

    crew = [threading.Thread(target=run, args=(asks,)) for asks in work]
    for thread in crew:
        thread.start()
    ready.wait()
    begun = perf_counter()
    for thread in crew:
        thread.join()
    return passes * sum(map(len, work)) / (perf_counter() - begun)


class _Stopwatch:
    """Adds up the time inside kernels, that of handing them their arguments included."""

    def __init__(self) -> None:
        self.spent = 0
        self.calls = 0

    def around(self, kernel: Any) -> Callable[..., Any]:
        def kernel_call(*arguments: Any) -> Any:
            begun = perf_counter_ns()
            try:
                return kernel(*arguments)
            finally:
                self.spent += perf_counter_ns() - begun
                self.calls += 1

        return kernel_call

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Put the stopwatch around every kernel that a module which is not a kernel itself calls."""
        changed: list[tuple[ModuleType, str, Any]] = []
        for name, module in list(sys.modules.items()):
            if not name.startswith("newsindex.") or name.endswith("_kernel"):
                continue
            for attribute, value in list(vars(module).items()):
                timed: Any = None
                if isinstance(value, Dispatcher):
                    timed = self.around(value)
                elif isinstance(value, ModuleType) and value.__name__.endswith("_kernel"):
                    inside = vars(value).items()
                    timed = SimpleNamespace(
                        **{key: self.around(it) if isinstance(it, Dispatcher) else it for key, it in inside}
                    )
                if timed is not None:
                    changed.append((module, attribute, value))
                    setattr(module, attribute, timed)
        try:
            yield
        finally:
            for module, attribute, value in changed:
                setattr(module, attribute, value)


def outside(asks: dict[str, list[Ask]]) -> dict[str, Any]:
    """Return for small queries the µs of a search, inside and outside kernels, and the shares of the modules."""
    found: dict[str, Any] = {}
    for name in _SMALL:
        whole = [_best(ask) for ask in asks[name]]
        watch = _Stopwatch()
        with watch.installed():
            inside = [_best_inside(ask, watch) for ask in asks[name]]
            watch.calls = 0
            profile = cProfile.Profile(builtins=False)
            profile.enable()
            for ask in asks[name] * _PROFILED:
                ask()
            profile.disable()
        rest = [all_of_it - part for all_of_it, part in zip(whole, inside, strict=True)]
        found[name] = {
            "whole": median(whole) / 1000,
            "inside": median(inside) / 1000,
            "outside": median(rest) / 1000,
            "calls": watch.calls / (len(asks[name]) * _PROFILED),
            "modules": _shares(profile),
        }
    return found


def _best(ask: Ask) -> int:
    best = 1 << 62
    for _ in range(_ROUNDS):
        begun = perf_counter_ns()
        ask()
        best = min(best, perf_counter_ns() - begun)
    return best


def _best_inside(ask: Ask, watch: _Stopwatch) -> int:
    best = 1 << 62
    for _ in range(_ROUNDS):
        watch.spent = 0
        ask()
        best = min(best, watch.spent)
    return best


def _shares(profile: cProfile.Profile) -> dict[str, float]:
    """Return each module's share of the time in Python, the kernels left out. Profiling makes calls look dearer."""
    own: Counter[str] = Counter()
    for (file, _, function), (_, _, seconds, _, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        if function == "kernel_call" or file.endswith("_kernel.py"):
            continue
        path = Path(file)
        place = path.parts.index("newsindex") if "newsindex" in path.parts else len(path.parts) - 1
        own["/".join(path.parts[place:])] += seconds
    total = own.total() or 1.0
    return {name: seconds / total for name, seconds in own.most_common(12)}


def main(folder: str) -> None:
    archive = Archive(Path(folder))
    engine = Newsindex(archive.folder / "newsindex")
    engine.open(archive.queries())
    asks = {name: engine.asks(name) for name in CLASSES}
    for name in CLASSES:
        engine.warm(name, 10.0)
    for _ in range(_PASSES):
        for name in _SMALL:
            engine.warm(name, 10.0)
    print(json.dumps({"outside": outside(asks), "threads": threads(asks)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
