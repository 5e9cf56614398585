"""The index as a `whoosh.index.Index`, to read: Whoosh's searcher and queries over newsindex's segments."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from threading import Lock
from typing import Any, NoReturn

from newsindex.codec.reader import SegmentReader
from newsindex.codec.whoosh_reader import ArticlesReader
from newsindex.errors import NewsIndexError
from newsindex.whoosh_door import index, reading

__all__ = ["Commit", "WhooshFace"]


@dataclass(frozen=True)
class Commit:
    """The segments of one commit in order, each with the numbers of its deleted articles."""

    generation: int
    segments: tuple[tuple[SegmentReader, Collection[int]], ...]


class _NoArticles(reading.EmptyReader):  # type: ignore[misc]
    def __init__(self, whoosh_schema: Any, generation: int) -> None:
        reading.EmptyReader.__init__(self, whoosh_schema)
        self._generation = generation

    def generation(self) -> int:
        return self._generation


class WhooshFace(index.Index):  # type: ignore[misc]
    """What code written for a Whoosh index reads; each reader and searcher is of the commit newest when it is made.

    Writing is refused. Closing a searcher or a reader does nothing: the segments belong to the index.
    """

    def __init__(self, whoosh_schema: Any, newest: Callable[[], Commit], newest_generation: Callable[[], int]) -> None:
        """Take what opens the newest commit, and what tells its generation without opening it."""
        self.schema = whoosh_schema
        self._newest = newest
        self._newest_generation = newest_generation
        self._lock = Lock()
        self._opened: tuple[int, list[ArticlesReader]] | None = None

    def __repr__(self) -> str:
        """Name the generation."""
        return f"<WhooshFace of commit {self.latest_generation()}>"

    def latest_generation(self) -> int:
        """Return the generation of the newest commit."""
        return self._newest_generation()

    def is_empty(self) -> bool:
        """Tell whether there is no article."""
        return not sum(leaf.doc_count_all() for leaf in self._leaves()[1])

    def reader(self, reuse: Any = None) -> Any:
        """Return a reader of the newest commit; `reuse` is not needed, since readers share what they can."""
        generation, leaves = self._leaves()
        if not leaves:
            return _NoArticles(self.schema, generation)
        if len(leaves) == 1:
            return leaves[0]
        return reading.MultiReader(list(leaves), generation=generation)

    def _leaves(self) -> tuple[int, list[ArticlesReader]]:
        with self._lock:
            if self._opened is None or self._opened[0] != self._newest_generation():
                commit = self._newest()
                leaves = [
                    ArticlesReader(segment, self.schema, deleted, commit.generation)
                    for segment, deleted in commit.segments
                ]
                self._opened = commit.generation, leaves
            return self._opened

    # Writing

    def writer(self, **_: Any) -> NoReturn:
        """Refuse: an article added past newsindex would be neither durable nor unique."""
        raise NewsIndexError("this index is written with newsindex's writer: index.writer()")

    def optimize(self, **_: Any) -> NoReturn:
        """Refuse, as `writer`; the index merges its segments itself."""
        self.writer()

    def delete_by_term(self, fieldname: str, text: Any, searcher: Any = None) -> NoReturn:
        """Refuse, as `writer`; newsindex deletes with `index.delete()`."""
        self.writer()

    def delete_by_query(self, q: Any, searcher: Any = None) -> NoReturn:
        """Refuse, as `writer`; newsindex deletes with `index.delete()`."""
        self.writer()

    def add_field(self, fieldname: str, fieldspec: Any) -> NoReturn:
        """Refuse: the model is the schema; index anew with another model."""
        self.writer()

    def remove_field(self, fieldname: str) -> NoReturn:
        """Refuse: the model is the schema; index anew with another model."""
        self.writer()
