"""Stock Whoosh: its own index, parser and searcher."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from importlib import import_module
from importlib.metadata import version
from typing import Any

from benchmarks.peers.archive import CLASSES, TEXTS, days_as_moments
from benchmarks.peers.engine import Answer, Article, PythonEngine, hit_ids
from benchmarks.queries import Query


class StockWhoosh(PythonEngine):
    classes = frozenset(CLASSES)

    def __init__(self, folder: Any) -> None:
        super().__init__(folder)
        self._whoosh = import_module("newsindex.whoosh_door")
        self._query = import_module("whoosh.query")
        self.version = f"Whoosh {version('Whoosh')}"

    def build(self, articles: Iterable[Article]) -> None:
        fields = self._whoosh.fields
        # Every word is indexed, as by the others.
        analyzer = self._whoosh.analysis.StemmingAnalyzer(stoplist=None, minsize=1)
        schema = fields.Schema(
            id=fields.ID(stored=True),
            title=fields.TEXT(analyzer, stored=True),
            body=fields.TEXT(analyzer),
            source=fields.ID(sortable=True),
            published=fields.DATETIME(sortable=True),
        )
        self._folder.mkdir()
        index = self._whoosh.index.create_in(self._folder, schema)
        writer = index.writer(limitmb=512)
        for article in articles:
            values = dict(article)
            if "published" in values:
                values["published"] = datetime.fromisoformat(values["published"]).replace(tzinfo=None)
            writer.add_document(**values)
        writer.commit(optimize=True)
        index.close()

    def load(self) -> None:
        index = self._whoosh.index.open_dir(self._folder)
        self._searcher = index.searcher(weighting=import_module("whoosh.scoring").BM25F(B=0.75, K1=1.2))
        self._parser = import_module("whoosh.qparser").MultifieldParser(list(TEXTS), index.schema)

    def _filter(self, query: Query) -> Any:
        if query.where is None:
            return None
        if "source" in query.where:
            return self._query.Term("source", query.where["source"])
        first, after = (moment.replace(tzinfo=None) for moment in days_as_moments(query.where["published"]))
        return self._query.DateRange("published", first, after - timedelta(microseconds=1))

    def asking(self, name: str, query: Query) -> Callable[[], object]:
        search, parse, text, limit = self._searcher.search, self._parser.parse, query.text, query.limit
        if query.count_only:
            return lambda: sum(1 for _ in self._searcher.docs_for_query(parse(text)))
        how: dict[str, Any] = {"limit": limit, "filter": self._filter(query)}
        if query.sort == "newest":
            how |= {"sortedby": "published", "reverse": True}
        if query.facets:
            how |= {"groupedby": "source"}

        def found() -> object:
            results = search(parse(text), **how)
            hits = [(hit["id"], hit.score, hit.get("title", "")) for hit in results]
            if not query.facets:
                return hits
            return hits, {source: len(numbers) for source, numbers in results.groups("source").items() if source}

        return found

    def answer(self, name: str, query: Query, got: Any) -> Answer:
        if query.count_only:
            return Answer(got, [])
        if query.facets:
            hits, values = got
            return Answer(sum(values.values()), hit_ids(hits))
        asked = self._parser.parse(query.text)
        if query.where:
            asked = asked & self._filter(query)
        return Answer(sum(1 for _ in self._searcher.docs_for_query(asked)), hit_ids(got))
