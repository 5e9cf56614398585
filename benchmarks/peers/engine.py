"""What each engine is asked to do: make an index, answer, and be timed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from time import perf_counter, perf_counter_ns
from typing import Any, Protocol

from benchmarks.queries import Query

__all__ = ["Answer", "Engine", "PythonEngine", "Unavailable", "base_class", "library", "wants_ids"]

Article = dict[str, Any]


class Unavailable(Exception):
    """The engine cannot be measured on this machine; the text says why."""


@dataclass(frozen=True)
class Answer:
    """What an engine found: the number of matches, None where it cannot tell, and the ids of the hits in order."""

    total: int | None
    ids: list[str]


class Engine(Protocol):
    """An engine with its index in a folder of its own. `build` or `open` comes first, not both."""

    version: str
    classes: frozenset[str]
    """The classes of queries that it can answer."""
    prebuilt: frozenset[str]
    """Those that it is not given as text, for lack of a parser for them."""

    def build(self, articles: Iterable[Article]) -> None:
        """Make the index, durable and closed."""

    def open(self, queries: dict[str, list[Query]]) -> None:
        """Open the index and make ready to be asked the queries of its classes."""

    def answers(self, name: str, most: int) -> list[Answer]:
        """Answer the first `most` queries of the class, for comparison, not timed."""

    def warm(self, name: str, seconds: float) -> None:
        """Bring the class to the speed that it keeps."""

    def times(self, name: str, most: int, seconds: float) -> list[int]:
        """Return the nanoseconds of each of the first `most` queries, asked in turn; fewer once the time is up."""

    def processes(self) -> list[int]:
        """Return the numbers of the processes that do its work, besides the one that calls."""


class PythonEngine(ABC):
    """An engine that is called from Python. One closure a query is made before the timing; it is given text alone."""

    version = ""
    classes: frozenset[str] = frozenset()
    prebuilt: frozenset[str] = frozenset()

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._queries: dict[str, list[Query]] = {}
        self._asks: dict[str, list[Callable[[], object]]] = {}

    @abstractmethod
    def build(self, articles: Iterable[Article]) -> None: ...

    @abstractmethod
    def load(self) -> None:
        """Open the index."""

    @abstractmethod
    def asking(self, name: str, query: Query) -> Callable[[], object]:
        """Return what asks the query, text in, and returns a list of (id, score, title), or what the class asks for."""

    @abstractmethod
    def answer(self, name: str, query: Query, got: Any) -> Answer:
        """Return what the closure gave, with the number of matches, which may be found in another way."""

    def open(self, queries: dict[str, list[Query]]) -> None:
        self.load()
        for name in self.classes:
            self._queries[name] = queries[base_class(name)]
            self._asks[name] = [self.asking(name, query) for query in self._queries[name]]

    def asks(self, name: str) -> list[Callable[[], object]]:
        """Return what asks each query of the class."""
        return self._asks[name]

    def answers(self, name: str, most: int) -> list[Answer]:
        pairs = list(zip(self._queries[name], self._asks[name], strict=True))[:most]
        return [self.answer(name, query, ask()) for query, ask in pairs]

    def warm(self, name: str, seconds: float) -> None:
        self.times(name, len(self._asks[name]), seconds)

    def times(self, name: str, most: int, seconds: float) -> list[int]:
        taken: list[int] = []
        end = perf_counter() + seconds
        for ask in self._asks[name][:most]:
            begun = perf_counter_ns()
            ask()
            taken.append(perf_counter_ns() - begun)
            if perf_counter() > end:
                break
        return taken

    def processes(self) -> list[int]:
        return []


_IDS = "_ids"


def wants_ids(name: str) -> bool:
    """Whether hits are ids and scores alone, without titles."""
    return name.endswith(_IDS)


def base_class(name: str) -> str:
    """Return the class whose queries are asked: `and2` for `and2_ids`."""
    return name if name == "top1000_ids" else name.removesuffix(_IDS)


def library(name: str, distribution: str = "") -> Any:
    """Import what an extra brings.

    Raises:
        Unavailable: it is not installed, or does not load.
    """
    try:
        return import_module(name)
    except (ImportError, OSError) as error:
        raise Unavailable(f"{distribution or name} cannot be imported ({error})") from error


def hit_ids(hits: Sequence[tuple[Any, ...]]) -> list[str]:
    """Return the ids of (id, score, title) or (id, score)."""
    return [hit[0] for hit in hits]
