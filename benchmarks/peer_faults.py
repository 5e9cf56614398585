"""The same kills, damages and queries to newsindex, stock Whoosh, SQLite FTS5 and tantivy, each as it is by default.

    python -m benchmarks.peer_faults --kills 100 --damages 1000 --queries 2000

Needs the extra "bench" and a system with fork. Every engine gets the same articles; what it answers is compared with
brute force: the stored text of every article, and for some words the articles that have them.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.peers.engine import Unavailable, library
from tests.faults.hostile_queries import attacks, soup

__all__ = ["ENGINES", "damage_trials", "kill_trials", "main", "query_trials"]

BATCH = 5
WORDS = "anchor bridge canal dock eel ferry gull harbour island jetty".split()
MANY_WORDS = [f"word{number}" for number in range(20_000)]
SECONDS = 5.0
SLOW_SECONDS = 1.0
Found = tuple[dict[str, str], dict[str, list[str]]]


def text(article: str) -> str:
    many = article.startswith("many words")
    return " ".join(random.Random(article).choices(MANY_WORDS if many else WORDS, k=120 if many else 30))


def batch(number: int) -> list[str]:
    return [f"{number}x{place}" for place in range(BATCH)]


class Refused(Exception):
    """The engine says in its own way that it does not take the query."""


class Newsindex:
    def __init__(self) -> None:
        self._open = import_module("newsindex").open

    def create(self, folder: Path) -> None:
        self._open(folder, create=True).close()

    def add(self, folder: Path, articles: list[str]) -> None:
        with self._open(folder) as index:
            index.add({"id": article, "title": "t", "body": text(article)} for article in articles)

    def found(self, folder: Path) -> Found:
        with self._open(folder) as index:
            stored = {article.id: article.body for article in index.articles()}
            return stored, {word: sorted(hit.id for hit in index.search(word, limit=None)) for word in WORDS}

    def ask(self, folder: Path, query: str) -> None:
        with self._open(folder) as index:
            try:
                [hit.id for hit in index.search(query)]
            except import_module("newsindex").QueryTooComplex as error:
                raise Refused from error


class StockWhoosh:
    def __init__(self) -> None:
        self._whoosh = import_module("newsindex.whoosh_door")
        self._query = import_module("whoosh.query")

    def create(self, folder: Path) -> None:
        fields = self._whoosh.fields
        schema = fields.Schema(id=fields.ID(stored=True, unique=True), body=fields.TEXT(stored=True))
        self._whoosh.index.create_in(folder, schema)

    def add(self, folder: Path, articles: list[str]) -> None:
        writer = self._whoosh.index.open_dir(folder).writer()
        for article in articles:
            writer.add_document(id=article, body=text(article))
        writer.commit()

    def ask(self, folder: Path, query: str) -> None:
        index = self._whoosh.index.open_dir(folder)
        parser = import_module("whoosh.qparser").QueryParser("body", index.schema)
        with index.searcher() as searcher:
            [hit["id"] for hit in searcher.search(parser.parse(query))]

    def found(self, folder: Path) -> Found:
        with self._whoosh.index.open_dir(folder).searcher() as searcher:
            stored = {values["id"]: values["body"] for values in searcher.reader().all_stored_fields()}
            return stored, {
                word: sorted(hit["id"] for hit in searcher.search(self._query.Term("body", word), limit=None))
                for word in WORDS
            }


class Fts5:
    def create(self, folder: Path) -> None:
        with closing(sqlite3.connect(folder / "articles.sqlite")) as database:
            database.execute("create virtual table articles using fts5(id unindexed, body)")

    def add(self, folder: Path, articles: list[str]) -> None:
        with closing(sqlite3.connect(folder / "articles.sqlite")) as database, database:
            database.executemany("insert into articles values (?, ?)", [(one, text(one)) for one in articles])

    def found(self, folder: Path) -> Found:
        with closing(sqlite3.connect(folder / "articles.sqlite")) as database:
            stored = dict(database.execute("select id, body from articles").fetchall())
            ask = "select id from articles where articles match ? order by id"
            return stored, {word: [row[0] for row in database.execute(ask, (word,))] for word in WORDS}

    def ask(self, folder: Path, query: str) -> None:
        with closing(sqlite3.connect(folder / "articles.sqlite")) as database:
            try:
                database.execute(
                    "select id from articles where articles match ? order by rank limit 10", (query,)
                ).fetchall()
            except (sqlite3.OperationalError, UnicodeEncodeError) as error:  # its syntax errors; half a character
                raise Refused from error


class Tantivy:
    def __init__(self) -> None:
        self._tantivy = library("tantivy")

    def create(self, folder: Path) -> None:
        builder = self._tantivy.SchemaBuilder()
        builder.add_text_field("id", stored=True, tokenizer_name="raw")
        builder.add_text_field("body", stored=True)
        self._tantivy.Index(builder.build(), path=str(folder))

    def add(self, folder: Path, articles: list[str]) -> None:
        writer = self._tantivy.Index.open(str(folder)).writer(15_000_000, 1)
        for article in articles:
            writer.add_document(self._tantivy.Document(id=article, body=text(article)))
        writer.commit()
        writer.wait_merging_threads()

    def found(self, folder: Path) -> Found:
        index = self._tantivy.Index.open(str(folder))
        searcher = index.searcher()

        def ask(query: str) -> list[tuple[str, str]]:
            hits = searcher.search(index.parse_query(query, ["body"]), limit=10_000).hits
            found = (searcher.doc(address) for _, address in hits)
            return sorted((article["id"][0], article["body"][0]) for article in found)

        return dict(ask("*")), {word: [article for article, _ in ask(word)] for word in WORDS}

    def ask(self, folder: Path, query: str) -> None:
        index = self._tantivy.Index.open(str(folder))
        searcher = index.searcher()
        try:
            parsed = index.parse_query(query, ["body"])
        except (ValueError, UnicodeEncodeError) as error:  # its syntax errors; half a character
            raise Refused from error
        [searcher.doc(address)["id"] for _, address in searcher.search(parsed, limit=10).hits]


ENGINES: dict[str, Callable[[], Any]] = {
    "newsindex": Newsindex, "Whoosh": StockWhoosh, "FTS5": Fts5, "tantivy": Tantivy,
}  # fmt: skip


def truth(articles: list[str]) -> Found:
    words = {word: sorted(article for article in articles if word in text(article).split()) for word in WORDS}
    return {article: text(article) for article in articles}, words


def apart(act: Callable[[], str]) -> str:
    """Do this in a forked process within a time limit; return what it returns, or how it ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            said = act()
        except BaseException as error:  # a panic of Rust is none of Exception
            said = f"refused {type(error).__name__}"
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answers:
        said = answers.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return said or ("hung" if status == -signal.SIGALRM else f"crashed {status}")


def damage_trials(engine: Any, folder: Path, trials: int) -> Counter[str]:
    """Damage one file at a time, and count what the engine makes of it."""
    whole, copy = folder / "whole", folder / "copy"
    whole.mkdir()
    engine.create(whole)
    articles = []
    for number in range(12):
        engine.add(whole, batch(number))
        articles += batch(number)
    expected = truth(articles)
    assert engine.found(whole) == expected
    counts: Counter[str] = Counter()
    names = sorted(str(path.relative_to(whole)) for path in whole.rglob("*") if path.is_file() and path.stat().st_size)
    for trial in range(trials):
        chance = random.Random(f"damage {trial}")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(whole, copy)
        # Larger files more often, small ones too.
        sizes = [(whole / name).stat().st_size ** 0.5 for name in names]
        path = copy / chance.choices(names, sizes)[0]
        data = bytearray(path.read_bytes())
        at = chance.randrange(len(data))
        match chance.randrange(4):
            case 0:
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                data[at] = chance.randrange(256)
            case 2:
                data[at // 512 * 512 : at // 512 * 512 + 512] = bytes(len(data[at // 512 * 512 :][:512]))
            case 3:
                del data[at:]
        if bytes(data) == path.read_bytes():
            counts["no change"] += 1
            continue
        path.write_bytes(data)
        counts[apart(lambda: "right" if engine.found(copy) == expected else "wrong").split()[0]] += 1
    return counts


def kill_trials(engine: Any, folder: Path, trials: int) -> Counter[str]:
    """Kill a process that commits batches; count what was acknowledged and lost, and what is not whole."""
    counts: Counter[str] = Counter()
    for trial in range(trials):
        chance = random.Random(f"kill {trial}")
        place = folder / f"kill{trial}"
        place.mkdir()
        engine.create(place)
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            for number in range(1000):
                engine.add(place, batch(number))
                os.write(writing, b".")
            os._exit(0)
        os.close(writing)
        acknowledged = 0
        for _ in range(chance.randrange(1, 5)):
            acknowledged += len(os.read(reading, 1))
        time.sleep(chance.random() * 0.05)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(reading, "rb") as answers:
            acknowledged += len(answers.read())

        def look(place: Path = place, acknowledged: int = acknowledged) -> str:
            stored, words = engine.found(place)
            count = len(stored) // BATCH
            expected = [article for number in range(count) for article in batch(number)]
            if count < acknowledged:
                return "lost"
            if (stored, words) != truth(expected):
                return "wrong"
            engine.add(place, batch(count))
            return "right" if engine.found(place) == truth([*expected, *batch(count)]) else "wrong"

        counts[apart(look).split()[0]] += 1
        shutil.rmtree(place)
    return counts


def query_trials(engine: Any, folder: Path, queries: Iterable[str]) -> Counter[str]:
    """Ask of 1,000 articles of 20,000 words, and count what comes of it."""
    place = folder / "queries"
    place.mkdir()
    engine.create(place)
    engine.add(place, [f"many words {number}" for number in range(1000)])
    counts: Counter[str] = Counter()

    def ask(query: str) -> str:
        begun = time.process_time()
        try:
            engine.ask(place, query)
            said = "answered"
        except Refused:
            said = "refused"
        return said if time.process_time() - begun <= SLOW_SECONDS else "slow"

    for query in queries:
        said = apart(lambda query=query: ask(query)).split()
        counts["unexpected" if len(said) > 1 and said[0] == "refused" else said[0]] += 1
    return counts


def main() -> None:
    """Run the trials, and print one line an engine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--damages", type=int, default=1000)
    parser.add_argument("--queries", type=int, default=2000)
    arguments = parser.parse_args()
    for name, make in ENGINES.items():
        try:
            engine = make()
        except Unavailable as error:
            print(json.dumps({"engine": name, "unavailable": str(error)}))
            continue
        with tempfile.TemporaryDirectory() as folder:
            damages = damage_trials(engine, Path(folder), arguments.damages)
            kills = kill_trials(engine, Path(folder), arguments.kills)
            # What people mistype, and what attackers write.
            queries = query_trials(engine, Path(folder), [*map(soup, range(arguments.queries)), *attacks()])
        print(json.dumps({"engine": name, "damages": damages, "kills": kills, "queries": queries}), flush=True)


if __name__ == "__main__":
    main()
