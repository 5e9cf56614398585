"""SQLite FTS5 through apsw: words in a table without content, what a list shows in another."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from benchmarks.peers.archive import CLASSES, TEXTS, days_as_moments
from benchmarks.peers.engine import Answer, Article, PythonEngine, hit_ids, library, wants_ids
from benchmarks.queries import Query

_HASH = 64 * 1024 * 1024
_TABLES = f"""
pragma journal_mode=off; pragma synchronous=off;
create virtual table texts using fts5({", ".join(TEXTS)}, content='', tokenize='porter unicode61 remove_diacritics 2');
create table articles(number integer primary key, id text, title text, source text, published integer);
insert into texts(texts, rank) values ('hashsize', {_HASH});
"""
# FTS5 sorts by rank itself when nothing is joined; the titles of the ten are fetched after.
_BEST = """
select id, -best.rank, articles.title
from (select rowid, rank from texts where texts match ? order by rank limit ?) best join articles on number = best.rowid
order by best.rank"""
_IDS = "select rowid, -rank from texts where texts match ? order by rank limit ?"
_JOINED = "from texts join articles on number = texts.rowid where texts match ?"
_IN_PERIOD = f"select id, -rank, articles.title {_JOINED} and published >= ? and published < ? order by rank limit ?"
_IN_SOURCE = f"select id, -rank, articles.title {_JOINED} and source = ? order by rank limit ?"
_NEWEST = f"select id, 0.0, articles.title {_JOINED} order by published desc limit ?"
_BY_SOURCE = f"select source, count(*) {_JOINED} and source is not null group by source"
_COUNT = "select count(*) from texts where texts match ?"


class Fts5(PythonEngine):
    classes = frozenset(CLASSES)

    def __init__(self, folder: Any) -> None:
        super().__init__(folder)
        self._apsw = library("apsw")
        self.version = f"SQLite {self._apsw.sqlite_lib_version()}"

    @property
    def _file(self) -> str:
        return str(self._folder / "articles.sqlite")

    def build(self, articles: Iterable[Article]) -> None:
        self._folder.mkdir()
        database = self._apsw.Connection(self._file)
        database.execute(_TABLES).fetchall()  # a pragma answers: what comes after it runs when that is read
        with database:
            for number, article in enumerate(articles, 1):
                published = article.get("published")
                seconds = published and int(datetime.fromisoformat(published).timestamp())
                row = (number, article["id"], article.get("title"), article.get("source"), seconds)
                database.execute("insert into articles values (?, ?, ?, ?, ?)", row)
                texts = (article.get(name) for name in TEXTS)
                database.execute("insert into texts(rowid, title, body) values (?, ?, ?)", (number, *texts))
        database.execute("insert into texts(texts) values ('optimize')")
        database.execute("vacuum; analyze").fetchall()
        database.close()

    def load(self) -> None:
        self._database = self._apsw.Connection(self._file, flags=self._apsw.SQLITE_OPEN_READONLY)
        self._database.execute("pragma mmap_size=8000000000; pragma cache_size=-256000").fetchall()

    def asking(self, name: str, query: Query) -> Callable[[], object]:
        execute, text, limit = self._database.execute, query.text, query.limit
        if query.count_only:
            return lambda: execute(_COUNT, (text,)).get
        if query.facets:
            return lambda: (execute(_BEST, (text, limit)).fetchall(), dict(execute(_BY_SOURCE, (text,)).fetchall()))
        statement, values = self._statement(name, query)
        return lambda: execute(statement, values).fetchall()

    def _statement(self, name: str, query: Query) -> tuple[str, tuple[Any, ...]]:
        where, text, limit = query.where or {}, query.text, query.limit
        if "published" in where:
            first, after = (int(moment.timestamp()) for moment in days_as_moments(where["published"]))
            return _IN_PERIOD, (text, first, after, limit)
        if "source" in where:
            return _IN_SOURCE, (text, where["source"], limit)
        if query.sort == "newest":
            return _NEWEST, (text, limit)
        return _IDS if wants_ids(name) else _BEST, (text, limit)

    def answer(self, name: str, query: Query, got: Any) -> Answer:
        if query.count_only:
            return Answer(got, [])
        execute = self._database.execute
        if query.facets:
            hits, values = got
            return Answer(sum(values.values()), hit_ids(hits))
        if wants_ids(name):
            got = [(execute("select id from articles where number = ?", (number,)).get, score) for number, score in got]
        where = query.where or {}
        counting = f"select count(*) {_JOINED}"
        if "published" in where:
            period = (int(moment.timestamp()) for moment in days_as_moments(where["published"]))
            total = execute(f"{counting} and published >= ? and published < ?", (query.text, *period)).get
        elif "source" in where:
            total = execute(f"{counting} and source = ?", (query.text, where["source"])).get
        else:
            total = execute(_COUNT, (query.text,)).get
        return Answer(total, hit_ids(got))
