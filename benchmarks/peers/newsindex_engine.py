"""newsindex, through its public face."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import Any

import newsindex
from benchmarks.peers.archive import CLASSES, WORD_CLASSES
from benchmarks.peers.engine import Answer, Article, PythonEngine, hit_ids, wants_ids
from benchmarks.queries import Query


class Newsindex(PythonEngine):
    version = version("newsindex")
    classes = frozenset((*CLASSES, *(f"{name}_ids" for name in WORD_CLASSES)))

    def build(self, articles: Iterable[Article]) -> None:
        with newsindex.open(self._folder, create=True) as index:
            report = index.add(articles)
            index.merge()  # as the others: each has one segment, or few
        if report.rejected:
            raise ValueError(f"newsindex: {report.rejected} articles were refused: {report}")

    def load(self) -> None:
        self._index = newsindex.open(self._folder)

    def asking(self, name: str, query: Query) -> Callable[[], object]:
        index: Any = self._index
        text, where = query.text, query.where
        count, search = index.count, index.search
        sort, limit, facets = query.sort, query.limit, query.facets
        if query.count_only:
            return lambda: count(text, where=where)
        if facets:

            def faceted() -> object:
                results = search(text, where=where, limit=limit, facets=facets)
                return list(zip(results.ids, results.scores, results.titles, strict=True)), results.facets["source"]

            return faceted
        if wants_ids(name):

            def ids() -> object:
                results = search(text, where=where, limit=limit)
                return list(zip(results.ids, results.scores, strict=True))

            return ids

        def titles() -> object:
            results = search(text, where=where, sort=sort, limit=limit)
            return list(zip(results.ids, results.scores, results.titles, strict=True))

        return titles

    def answer(self, name: str, query: Query, got: Any) -> Answer:
        if query.count_only:
            return Answer(got, [])
        if query.facets:
            hits, values = got
            return Answer(sum(values.values()), hit_ids(hits))
        return Answer(self._index.count(query.text, where=query.where), hit_ids(got))
