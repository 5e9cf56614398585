"""tantivy, through its Python bindings: one writing thread, so one segment where its memory allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from importlib.metadata import version
from typing import Any

from benchmarks.peers.archive import CLASSES, TEXTS, WORD_CLASSES, days_as_moments
from benchmarks.peers.engine import Answer, Article, PythonEngine, hit_ids, library, wants_ids
from benchmarks.queries import Query

_ANALYZER = "english_folded"
_HEAP = 3_000_000_000
_BY_SOURCE = {"source": {"terms": {"field": "source", "size": 1000}}}


class Tantivy(PythonEngine):
    classes = frozenset((*CLASSES, *(f"{name}_ids" for name in WORD_CLASSES)))
    prebuilt = frozenset({"prefix"})

    def __init__(self, folder: Any) -> None:
        super().__init__(folder)
        self._tantivy = library("tantivy")
        self.version = f"tantivy-py {version('tantivy')}"

    def _register(self, index: Any) -> Any:
        tantivy = self._tantivy
        steps = (tantivy.Filter.lowercase(), tantivy.Filter.ascii_fold(), tantivy.Filter.stemmer("english"))
        builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        for step in steps:
            builder = builder.filter(step)
        index.register_tokenizer(_ANALYZER, builder.build())
        return index

    def build(self, articles: Iterable[Article]) -> None:
        builder = self._tantivy.SchemaBuilder()
        builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
        builder.add_text_field("title", stored=True, tokenizer_name=_ANALYZER)
        builder.add_text_field("body", tokenizer_name=_ANALYZER)
        builder.add_text_field("source", tokenizer_name="raw", index_option="basic", fast=True)
        builder.add_date_field("published", indexed=True, fast=True)
        self._folder.mkdir()
        index = self._register(self._tantivy.Index(builder.build(), path=str(self._folder)))
        writer = index.writer(_HEAP, 1)
        for article in articles:
            values = dict(article)
            if "published" in values:
                values["published"] = datetime.fromisoformat(values["published"])
            document = self._tantivy.Document()
            for name, value in values.items():
                (document.add_date if name == "published" else document.add_text)(name, value)
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()

    def load(self) -> None:
        self._index = self._register(self._tantivy.Index.open(str(self._folder)))
        self._searcher = self._index.searcher()
        self.version += f", segments: {self._searcher.num_segments}"

    def _parsing(self, query: Query) -> Callable[[], Any]:
        """Return what parses the text and joins the filter to it."""
        tantivy, schema, parse = self._tantivy, self._index.schema, self._index.parse_query
        text, fields = query.text, list(TEXTS)
        if text.endswith("*"):
            return self._beginning(schema, text[:-1])
        if query.where is None:
            return lambda: parse(text, fields, conjunction_by_default=True)
        must, filtering = tantivy.Occur.Must, self._filtering(schema, query.where)

        def filtered() -> Any:
            words = parse(text, fields, conjunction_by_default=True)
            return tantivy.Query.boolean_query([(must, words), (must, filtering())])

        return filtered

    def _beginning(self, schema: Any, letters: str) -> Callable[[], Any]:
        # It takes 50 words at most, so finds too little; its regular expressions find all, and take ten times as long.
        query, should = self._tantivy.Query, self._tantivy.Occur.Should
        return lambda: query.boolean_query(
            [(should, query.phrase_prefix_query(schema, field, [letters])) for field in TEXTS]
        )

    def _filtering(self, schema: Any, where: dict[str, Any]) -> Callable[[], Any]:
        query = self._tantivy.Query
        if "source" in where:
            source = where["source"]
            return lambda: query.const_score_query(query.term_query(schema, "source", source, "basic"), 0.0)
        first, after = days_as_moments(where["published"])
        date = self._tantivy.FieldType.Date
        return lambda: query.const_score_query(
            query.range_query(schema, "published", date, first, after, include_upper=False), 0.0
        )

    def asking(self, name: str, query: Query) -> Callable[[], object]:
        searcher, parsing, limit = self._searcher, self._parsing(query), query.limit
        search, stored, aggregate = searcher.search, searcher.doc, searcher.aggregate
        if query.count_only:
            return lambda: search(parsing(), limit=1, count=True).count
        if query.sort == "newest":
            newest = self._tantivy.Order.Desc

            def sorted_by_date() -> object:
                hits = []
                found = search(parsing(), limit, count=False, order_by_field="published", order=newest)
                for _, address in found.hits:
                    article = stored(address)
                    hits.append((article.get_first("id"), 0.0, article.get_first("title")))
                return hits

            return sorted_by_date
        if wants_ids(name):
            # Its own addresses: generous, since an article's id would have to be fetched.
            return lambda: search(parsing(), limit, count=False).hits

        def hits_with_titles(asked: Any) -> list[tuple[str, float, str]]:
            hits = []
            for score, address in search(asked, limit, count=False).hits:
                article = stored(address)
                hits.append((article.get_first("id"), score, article.get_first("title")))
            return hits

        if query.facets:

            def faceted() -> object:
                asked = parsing()
                buckets = aggregate(asked, _BY_SOURCE)["source"]["buckets"]
                return hits_with_titles(asked), {bucket["key"]: bucket["doc_count"] for bucket in buckets}

            return faceted
        return lambda: hits_with_titles(parsing())

    def answer(self, name: str, query: Query, got: Any) -> Answer:
        if query.count_only:
            return Answer(got, [])
        if query.facets:
            hits, values = got
            return Answer(sum(values.values()), hit_ids(hits))
        if wants_ids(name):
            got = [(self._searcher.doc(address).get_first("id"), score) for score, address in got]
        total = self._searcher.search(self._parsing(query)(), limit=1, count=True).count
        return Answer(total, hit_ids(got))
