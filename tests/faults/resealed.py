"""Everything that can be asked of an index, asked of one that is damaged under right checksums, within limits."""

from __future__ import annotations

import gc
import os
import random
import resource
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import newsindex
from newsindex.errors import FormatError
from newsindex.index import NewsIndex
from newsindex.store import merge_policy
from newsindex.whoosh_door import query as whoosh_query
from tests.faults.damages import resealed, write_files
from tests.faults.index_workload import article, check_files
from tests.faults.kill_server import say
from tests.faults.memory import peak_bytes

SECONDS = 2.0
GROWTH_BYTES = 256 * 1024 * 1024
# Of address space, which threads and their stacks take without using it.
SPACE_BYTES = GROWTH_BYTES + 256 * 1024 * 1024

QUERIES = (
    "quay", "version", '"quay reef"', '"version 1"', "qua*", "v*", "quay OR reef", "tide -quay", "title:quay", "-quay",
    "source:wire", 'source:"daily mirror"', "section:s*", "published:2024-03..2024-05", "(quay reef) OR dock^2", "*",
    "id:a7", "nowhere",
)  # fmt: skip


def questions(index: NewsIndex, folder: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield what is asked, by name; writing comes last."""
    for query in QUERIES:
        yield f"search {query}", lambda query=query: told(index, index.search(query, facets=("source", "section")))
        yield f"count {query}", lambda query=query: index.count(query)
    for sort in ("newest", "oldest", "relevance"):
        yield f"search by {sort}", lambda sort=sort: pages(index, sort)
    yield "where", lambda: told(index, index.search("reef", where={"source": ["Wire", "Post"], "published": "2024-04"}))
    yield "get", lambda: [index.get(f"{part}{number}") for part in "ab" for number in (1, 7, 80, 139, 200)]
    yield "articles", lambda: list(index.articles())
    yield "values", lambda: [index.values(field) for field in ("source", "section", "tags")]
    yield "stats", index.stats
    for query in ("quay reef", "qua* version"):
        for one in ("a1", "b80"):
            yield "explain", lambda query=query, one=one: explained(index, query, one)
    for name, query in {
        "term": whoosh_query.Term("body", "quay"),
        "phrase": whoosh_query.Phrase("body", ["version", "1"]),
        "wildcard": whoosh_query.Wildcard("body", "*a*"),
        "fuzzy": whoosh_query.FuzzyTerm("title", "quag", maxdist=2),
        "range": whoosh_query.TermRange("body", "dock", "mast"),
        "dates": whoosh_query.NumericRange("published", 63_840_000_000_000_000, None),
    }.items():
        yield f"whoosh {name}", lambda query=query: by_whoosh(index, query)
    yield "whoosh lexicon", lambda: [list(index.whoosh.reader().lexicon(name)) for name in ("id", "body", "section")]
    yield "check", lambda: check(folder)
    yield "delete and merge", lambda: index.delete(query="mast")
    yield "add and merge", lambda: index.add([article("a1", 2), article("new", 2)])


def told(index: NewsIndex, results: Any) -> Any:
    for hit in results:
        assert hit.id is not None
        _ = hit.title, hit.published, hit.source, str(hit.snippet), hit.article
    return results.total, results.facets, results.diagnostics


def pages(index: NewsIndex, sort: Any) -> None:
    after = None
    for _ in range(3):
        results = index.search("version", sort=sort, limit=3, after=after)
        told(index, results)
        after = results.next
        if after is None:
            break


def explained(index: NewsIndex, query: str, article_id: str) -> None:
    with suppress(newsindex.QueryError):  # it does not match, or is not there
        str(index.explain(query, article_id))


def by_whoosh(index: NewsIndex, query: Any) -> None:
    with index.whoosh.searcher() as searcher:
        list(searcher.search(query, limit=20))
        list(searcher.search(query, limit=20, sortedby=["section", "published"], groupedby="section"))


def check(folder: Path) -> None:
    with suppress(AssertionError):  # a problem was found, as it should be
        check_files(folder)


def work(base: str, first: str, after: str, share: str) -> None:
    """Ask damaged indexes; say "begun N" before each, then "answered N", "refused N", or "bad N what"."""
    merge_policy._MOST_IN_TIER = 1  # type: ignore[misc]
    files = {path.name: path.read_bytes() for path in Path(base).iterdir()}
    folder = Path(f"{base}-{os.getpid()}")
    folder.mkdir()
    begun = peak_bytes()
    resource.setrlimit(resource.RLIMIT_AS, (space() + SPACE_BYTES, resource.RLIM_INFINITY))
    for number in range(int(first), int(after)):
        say(f"begun {number}")
        what, damaged = resealed(files, number)
        write_files(damaged, folder)
        refusals = 0
        faults = []
        for question, error in ask(folder, float(share), random.Random(number)):
            if isinstance(error, FormatError):
                refusals += 1
            elif error is not None:
                place = traceback.extract_tb(error.__traceback__)[-1]
                own = [one for one in traceback.extract_tb(error.__traceback__) if "/newsindex/" in one.filename]
                line = f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else ""
                faults.append(f"{question}: {type(error).__name__}: {error} ({line}, {place.name})")
        if peak_bytes() - begun > GROWTH_BYTES:
            faults.append(f"memory: {(peak_bytes() - begun) >> 20} MiB more")
        if number % 10 == 0:
            gc.collect()
        for fault in faults[:2]:
            say(f"bad {number} [{what}] {' '.join(fault.split())[:400]}")
        if not faults:
            say(f"{'refused' if refusals else 'answered'} {number}")
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def ask(folder: Path, share: float, chance: random.Random) -> Iterator[tuple[str, BaseException | None]]:
    """Ask, and yield each question with the error that it met; 2 s of processor time for one end the process."""
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        index = newsindex.open(folder)
    except Exception as error:
        yield "open", error
        return
    with index:
        for question, answer in questions(index, folder):
            if chance.random() > share:
                continue
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            try:
                answer()
            except Exception as error:
                yield question, error
            else:
                yield question, None
    signal.setitimer(signal.ITIMER_PROF, 0)


def space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
