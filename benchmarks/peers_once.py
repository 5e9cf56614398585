"""Index articles once with one engine and print what it took, as JSON: `python -m benchmarks.peers_once TASK`.

A process of its own, as `index_once` is, which says more. TASK is JSON: engine, folder, articles (a file of one JSON
object a line), threads, one_core, tuned, words (to be counted), commits (how many articles to add one by one).
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from datetime import datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, Protocol

import newsindex
from benchmarks.index_once import cpu_seconds, peak_memory

TEXTS = ("title", "summary", "body")
FIELDS = ("id", *TEXTS, "source", "published")
_TANTIVY_HEAP = 256_000_000  # for each thread; the default is half of it, for all threads
_FTS5_HASH = 16 * 1024 * 1024  # when tuned; the default is 1 MB


class Engine(Protocol):
    """What is measured. `add` leaves a closed, durable index; the others work on it after `open`."""

    version: str

    def __init__(self, folder: Path, task: dict[str, Any]) -> None:
        """Import the engine, and no more."""

    def add(self, articles: list[dict[str, Any]]) -> None: ...
    def open(self) -> None: ...

    def count(self, word: str) -> int:
        """Return how many articles have the word in any of their texts; of all, when it is empty."""

    def commit(self, article: dict[str, Any]) -> None:
        """Add one article so that it is durable and found."""

    def parts(self) -> tuple[dict[str, int], int]:
        """Return the bytes of the parts of the index, and how many of them store the articles."""


class Newsindex:
    def __init__(self, folder: Path, task: dict[str, Any]) -> None:
        import_module("newsindex.index")  # newsindex.open imports it late
        self.version = version("newsindex")
        self._folder = folder

    def add(self, articles: list[dict[str, Any]]) -> None:
        with newsindex.open(self._folder, create=True) as index:
            index.add(articles)

    def open(self) -> None:
        self._index = newsindex.open(self._folder)

    def count(self, word: str) -> int:
        return self._index.count(word)

    def commit(self, article: dict[str, Any]) -> None:
        self._index.add([article])

    def parts(self) -> tuple[dict[str, int], int]:
        sizes: Counter[str] = Counter()
        for segment in self._index._snapshot.segments:
            for name, size in segment.reader.section_sizes().items():
                sizes[name.partition(".")[0]] += size
        return sizes, sizes["stored"]


class Tantivy:
    def __init__(self, folder: Path, task: dict[str, Any]) -> None:
        self._tantivy = _library("tantivy")
        self.version = version("tantivy")
        self._folder, self._threads = folder, task["threads"]

    def _writer(self) -> Any:
        return self._index.writer(_TANTIVY_HEAP * self._threads, self._threads)

    def add(self, articles: list[dict[str, Any]]) -> None:
        builder = self._tantivy.SchemaBuilder()
        builder.add_text_field("id", stored=True, tokenizer_name="raw")
        for name in TEXTS:
            builder.add_text_field(name, stored=True, tokenizer_name="en_stem")
        builder.add_text_field("source", stored=True, tokenizer_name="raw", fast=True)
        builder.add_date_field("published", stored=True, fast=True, indexed=True)
        self._folder.mkdir()
        self._index = self._tantivy.Index(builder.build(), path=str(self._folder))
        writer = self._writer()
        for article in articles:
            writer.add_document(self._document(article))
        writer.commit()
        writer.wait_merging_threads()

    def _document(self, article: dict[str, Any]) -> Any:
        document = self._tantivy.Document()
        for name, value in article.items():
            if name == "published":
                document.add_date(name, datetime.fromisoformat(value))
            else:
                document.add_text(name, value)
        return document

    def open(self) -> None:
        self._index = self._tantivy.Index.open(str(self._folder))
        self._open_writer = self._writer()
        self._open_writer.garbage_collect_files()

    def count(self, word: str) -> int:
        searcher = self._index.searcher()
        if not word:
            return int(searcher.num_docs)
        return int(searcher.search(self._index.parse_query(word, list(TEXTS)), limit=1, count=True).count)

    def commit(self, article: dict[str, Any]) -> None:
        self._open_writer.add_document(self._document(article))
        self._open_writer.commit()
        self._index.reload()

    def parts(self) -> tuple[dict[str, int], int]:
        sizes: Counter[str] = Counter()
        for path in self._folder.iterdir():
            sizes[path.suffix.lstrip(".") or path.name] += path.stat().st_size
        return sizes, sizes["store"]


class Fts5:
    def __init__(self, folder: Path, task: dict[str, Any]) -> None:
        self._apsw = _library("apsw")
        self.version = str(self._apsw.sqlite_lib_version())
        self._folder, self._tuned = folder, task["tuned"]

    def add(self, articles: list[dict[str, Any]]) -> None:
        self._folder.mkdir()
        self._connect("normal")
        self._database.execute(
            f"create virtual table articles using fts5({', '.join(TEXTS)}, id unindexed, source unindexed, "
            "published unindexed, tokenize='porter unicode61')"
        )
        if self._tuned:
            self._database.execute(f"insert into articles(articles, rank) values ('hashsize', {_FTS5_HASH})")
        with self._database:
            self._database.executemany(self._insert, map(self._row, articles))
        self._database.execute("pragma wal_checkpoint(truncate)")
        self._database.close()

    def _connect(self, synchronous: str) -> None:
        self._database = self._apsw.Connection(str(self._folder / "articles.sqlite"))
        self._database.execute(f"pragma journal_mode=wal; pragma synchronous={synchronous}")

    _insert = f"insert into articles({', '.join(FIELDS)}) values ({', '.join('?' * len(FIELDS))})"

    @staticmethod
    def _row(article: dict[str, Any]) -> tuple[str | None, ...]:
        return tuple(map(article.get, FIELDS))

    def open(self) -> None:
        # A commit in the log is durable only with "full"; the bulk above is made so by its checkpoint.
        self._connect("full")

    def count(self, word: str) -> int:
        if word:
            asked = self._database.execute("select count(*) from articles where articles match ?", (f'"{word}"',))
        else:
            asked = self._database.execute("select count(*) from articles")
        return int(asked.get)

    def commit(self, article: dict[str, Any]) -> None:
        self._database.execute(self._insert, self._row(article))

    def parts(self) -> tuple[dict[str, int], int]:
        sizes = dict(self._database.execute("select name, sum(pgsize) from dbstat group by name"))
        return sizes, sizes["articles_content"]


class StockWhoosh:
    def __init__(self, folder: Path, task: dict[str, Any]) -> None:
        self._whoosh = import_module("newsindex.whoosh_door")
        self.version = version("Whoosh")
        self._folder = folder

    def add(self, articles: list[dict[str, Any]]) -> None:
        fields = self._whoosh.fields
        # Every word is indexed, as by the others.
        analyzer = self._whoosh.analysis.StemmingAnalyzer(stoplist=None, minsize=1)
        schema = fields.Schema(
            id=fields.ID(stored=True, unique=True),
            **{name: fields.TEXT(analyzer, stored=True) for name in TEXTS},
            source=fields.ID(stored=True, sortable=True),
            published=fields.DATETIME(stored=True, sortable=True),
        )
        self._folder.mkdir()
        index = self._whoosh.index.create_in(self._folder, schema)
        writer = index.writer(limitmb=256)
        for article in articles:
            writer.add_document(**self._fields(article))
        writer.commit()
        index.close()

    @staticmethod
    def _fields(article: dict[str, Any]) -> dict[str, Any]:
        if "published" not in article:
            return article
        return article | {"published": datetime.fromisoformat(article["published"]).replace(tzinfo=None)}

    def open(self) -> None:
        self._index = self._whoosh.index.open_dir(self._folder)

    def count(self, word: str) -> int:
        if not word:
            return int(self._index.doc_count())
        asked = import_module("whoosh.qparser").MultifieldParser(list(TEXTS), self._index.schema).parse(word)
        with self._index.searcher() as searcher:
            return sum(1 for _ in searcher.docs_for_query(asked))

    def commit(self, article: dict[str, Any]) -> None:
        writer = self._index.writer()
        writer.add_document(**self._fields(article))
        writer.commit()

    def parts(self) -> tuple[dict[str, int], int]:
        return {}, 0


ENGINES: dict[str, type[Engine]] = {"newsindex": Newsindex, "tantivy": Tantivy, "fts5": Fts5, "whoosh": StockWhoosh}


def _library(name: str) -> Any:
    """Import what the extra `bench` brings."""
    try:
        return import_module(name)
    except ImportError as error:
        sys.exit(f"{name} cannot be imported ({error}); pip install 'newsindex[bench]'")


def busy_seconds() -> float:
    """Return the processor time that the whole machine has spent so far; on Linux only, else 0."""
    counters = Path("/proc/stat")
    if not counters.exists():
        return 0.0
    user, nice, system, _idle, _waiting, *interrupts_and_stolen = map(int, counters.read_text().split()[1:9])
    return (user + nice + system + sum(interrupts_and_stolen)) / os.sysconf("SC_CLK_TCK")


def measure(task: dict[str, Any]) -> dict[str, Any]:
    if task["one_core"]:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with Path(task["articles"]).open(encoding="utf-8") as lines:
        articles = [json.loads(line) for line in lines]
    folder = Path(task["folder"])
    begun, cpu_before, memory = perf_counter(), cpu_seconds(), peak_memory()
    with TemporaryDirectory(dir=folder.parent) as other:
        # What is imported and loaded late would else count as indexing for those engines that do so.
        ENGINES[task["engine"]](Path(other) / "index", task).add(articles[:1])
    engine = ENGINES[task["engine"]](folder, task)
    ready, cpu, busy = perf_counter(), cpu_seconds(), busy_seconds()
    engine.add(articles)
    seconds, spent = perf_counter() - ready, cpu_seconds() - cpu
    others = max(busy_seconds() - busy - spent, 0.0)
    took = {
        "version": engine.version,
        "ready_seconds": ready - begun,
        "seconds": seconds,
        "cpu_seconds": spent,
        "others_share": others / seconds,
        "peak_bytes": peak_memory() - memory,
    }
    engine.open()
    disk = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    parts, stored = engine.parts()
    counts = {word: engine.count(word) for word in ("", *task["words"])}
    commits = []
    for number in range(task["commits"]):
        article = articles[number % len(articles)] | {"id": f"one-more-{number}"}
        at = perf_counter()
        engine.commit(article)
        commits.append(perf_counter() - at)
    assert engine.count("") == len(articles) + len(commits)
    took |= {"disk_bytes": disk, "bare_bytes": disk - stored, "parts": parts, "counts": counts, "commits": commits}
    return took | {"whole_seconds": perf_counter() - begun, "whole_cpu_seconds": cpu_seconds() - cpu_before}


if __name__ == "__main__":
    print(json.dumps(measure(json.loads(sys.argv[1]))))
