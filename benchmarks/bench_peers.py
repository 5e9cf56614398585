"""How does indexing compare with tantivy, SQLite FTS5 and stock Whoosh? `python -m benchmarks.bench_peers --help`.

No pytest: whole processes take turns here, which are started and counted by this one alone.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.corpus import Corpus, text_bytes
from benchmarks.peers_once import FIELDS, TEXTS
from benchmarks.report import PROJECT, Report

_COMMITS = 20
# The words that are counted: the share of the first articles that each stands in.
_SHARES = (0.3, 0.1, 0.03, 0.01, 0.003)
_WORDS_OF = 5_000


@dataclass(frozen=True)
class Setup:
    """One way of indexing."""

    name: str
    engine: str
    threads: int = 1
    one_core: bool = False
    tuned: bool = False


_NEWSINDEX = Setup("newsindex, 2 threads", "newsindex", threads=2)
_ONE_CORE = Setup("newsindex, on one core", "newsindex", threads=2, one_core=True)
_TANTIVY = Setup("tantivy, 2 threads", "tantivy", threads=2)
_TANTIVY_FREE = Setup("tantivy, 1 thread", "tantivy")
_TANTIVY_ONE_CORE = Setup("tantivy, 1 thread, on one core", "tantivy", one_core=True)
_FTS5 = Setup("FTS5", "fts5")
_FTS5_TUNED = Setup("FTS5, hash of 16 MB", "fts5", tuned=True)
_WHOOSH = Setup("stock Whoosh", "whoosh")

_SETUPS = (_NEWSINDEX, _TANTIVY, _FTS5, _ONE_CORE, _TANTIVY_ONE_CORE, _FTS5_TUNED, _TANTIVY_FREE)
_PAIRS = (
    (_NEWSINDEX, _TANTIVY),
    (_NEWSINDEX, _TANTIVY_FREE),
    (_ONE_CORE, _TANTIVY_ONE_CORE),
    (_NEWSINDEX, _FTS5),
    (_NEWSINDEX, _FTS5_TUNED),
    (_ONE_CORE, _FTS5),
    (_NEWSINDEX, _WHOOSH),
)


@dataclass
class Articles:
    """The articles as the processes read them: the same few fields for each engine, every id once."""

    file: Path
    count: int = 0
    text_bytes: int = 0
    words: list[str] = field(default_factory=list)

    def fill(self, corpus: Corpus) -> None:
        ids, having = set(), Counter[str]()
        with self.file.open("w", encoding="utf-8") as lines:
            for number, article in enumerate(corpus.articles()):
                kept = {name: article[name] for name in FIELDS if article.get(name)}
                kept["id"] = article_id = str(article.get("id") or article.get("url") or f"article-{number}")
                if article_id in ids or not any(map(kept.get, TEXTS)):
                    continue
                ids.add(article_id)
                self.text_bytes += text_bytes(kept)
                lines.write(json.dumps(kept) + "\n")
                if len(ids) <= _WORDS_OF:
                    text = " ".join(kept.get(name, "") for name in TEXTS)
                    having.update(set(re.findall(r"(?<!\S)[a-z]{4,}(?!\S)", text)))
        self.count = len(ids)
        read = min(self.count, _WORDS_OF)
        near = (min(having, key=lambda word: (abs(having[word] - share * read), word)) for share in _SHARES if having)
        self.words = list(dict.fromkeys(near))


Runs = dict[Setup, list[dict[str, Any]]]


@dataclass
class Rounds:
    """Runs of some setups over the same articles, one process at a time."""

    articles: Articles
    scratch: Path

    def run(self, setup: Setup) -> dict[str, Any]:
        folder = self.scratch / "index"
        task = vars(setup) | {
            "folder": str(folder),
            "articles": str(self.articles.file),
            "words": self.articles.words,
            "commits": _COMMITS,
        }
        os.sync()  # what the one before has left to write is not the next one's to wait for
        _say(f"{self.articles.count:,} articles: {setup.name}")
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.peers_once", json.dumps(task)],
            cwd=PROJECT,
            env=os.environ | {"NUMBA_CACHE_DIR": str(self.scratch / "kernels")},
            stdout=subprocess.PIPE,
            check=False,
        )
        if done.returncode:
            sys.exit(f"{setup.name}: the process ended with {done.returncode}; its message is above")
        shutil.rmtree(folder)
        took: dict[str, Any] = json.loads(done.stdout)
        if took["counts"][""] != self.articles.count:
            sys.exit(f"{setup.name}: {took['counts']['']:,} of {self.articles.count:,} articles are in the index")
        return took

    def run_all(self, setups: Sequence[Setup], rounds: int) -> Runs:
        runs: Runs = {setup: [] for setup in setups}
        for number in range(rounds):
            # To and fro, so that nobody always comes after the same one.
            for setup in setups if number % 2 == 0 else reversed(setups):
                runs[setup].append(self.run(setup))
        return runs

    def cached_kernels(self) -> int:
        return sum(1 for _ in (self.scratch / "kernels").rglob("*.nbc"))


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    if options.corpus is not None and not options.corpus.is_file():
        sys.exit(f"--corpus {options.corpus}: no such file")
    report = Report()
    with tempfile.TemporaryDirectory(prefix="newsindex-peers-", dir=options.scratch) as folder:
        corpus = Corpus(options.corpus, options.articles)
        articles = Articles(Path(folder) / "articles.jsonl")
        articles.fill(corpus)
        if not articles.count:
            sys.exit(f"{corpus.name}: no article in it that can be read")
        report.corpus = f"{corpus.name}, {articles.count:,} articles, {articles.text_bytes / 1e6:,.1f} MB of text"
        _compare(report, Rounds(articles, Path(folder)), options)
        if options.whoosh:
            _compare_whoosh(report, Path(folder), corpus, articles, options)
    for name, value in report.circumstances().items():
        print(f"{name}: {value}")
    for table in report.tables.values():
        print("", table.title, *(f"  {line}" for line in table.plain()), sep="\n")
    if options.results is not None:
        report.append_to(options.results)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_peers", description=__doc__.partition("\n")[0])
    parser.add_argument("--articles", type=int, default=5_000, help="size of the corpus (default 5,000)")
    parser.add_argument("--corpus", type=Path, help="a file of articles that newsindex reads (default: generated)")
    parser.add_argument("--rounds", type=int, default=3, help="timed runs of each engine (default 3)")
    parser.add_argument("--whoosh", type=int, default=2_000, help="articles for stock Whoosh, 0: without it (2,000)")
    parser.add_argument("--scratch", type=Path, help="the folder to make indexes in (default: the system's)")
    parser.add_argument("--results", type=Path, help="append the results to this Markdown file")
    options = parser.parse_args(arguments)
    if options.articles < 1 or options.rounds < 1 or options.whoosh < 0:
        parser.error("--articles and --rounds begin with 1, --whoosh with 0")
    return options


def _compare(report: Report, rounds: Rounds, options: argparse.Namespace) -> None:
    setups = [setup for setup in _SETUPS if not setup.one_core or hasattr(os, "sched_setaffinity")]
    # Not timed: what each finds, and the one run of newsindex that compiles the kernels.
    first = {setup.engine: rounds.run(setup) for setup in (_NEWSINDEX, _TANTIVY, _FTS5)}
    _counts(report, rounds.articles, first)
    compiled = rounds.cached_kernels()
    runs = rounds.run_all(setups, options.rounds)
    versions = f"tantivy {first['tantivy']['version']}, SQLite {first['fts5']['version']}"
    _indexing(report, f"Indexing with {versions} (median of {options.rounds})", rounds.articles, runs)
    _ratios(report, "newsindex / the other: indexing", runs)
    for setup in (_NEWSINDEX, _TANTIVY, _FTS5):
        times = [1000 * seconds for run in runs[setup] for seconds in run["commits"]]
        heading = ("engine", "median", "slowest")
        report.add("One article more, ms", heading, (_bare(setup), f"{median(times):,.1f}", f"{max(times):,.1f}"))
    for setup in (_NEWSINDEX, _TANTIVY, _FTS5):
        _parts(report, setup, runs[setup])
    later = rounds.cached_kernels() - compiled
    single = Articles(rounds.scratch / "single.jsonl")
    single.fill(Corpus(options.corpus, 1))
    alone = Rounds(single, rounds.scratch).run(_NEWSINDEX)
    _kernels(report, first["newsindex"], runs[_NEWSINDEX], alone, {"compiled": compiled, "later": later})


def _compare_whoosh(
    report: Report, folder: Path, corpus: Corpus, articles: Articles, options: argparse.Namespace
) -> None:
    fewer = Articles(folder / "fewer.jsonl")
    fewer.fill(Corpus(corpus.file, min(options.whoosh, options.articles)))
    rounds = Rounds(fewer, folder)
    runs = rounds.run_all((_NEWSINDEX, _WHOOSH), options.rounds)
    found = {setup.engine: taken[0] for setup, taken in runs.items()}
    _counts(report, fewer, found)
    title = f"with stock Whoosh, {fewer.count:,} articles, {fewer.text_bytes / 1e6:.1f} MB"
    _indexing(report, f"Indexing {title} (median of {options.rounds})", fewer, runs)
    _ratios(report, "newsindex / stock Whoosh: indexing", runs)


def _counts(report: Report, articles: Articles, found: dict[str, dict[str, Any]]) -> None:
    """Show how many articles each engine finds; some differ, for stemmers do."""
    title = f"Articles found in {articles.count:,}"
    for word in articles.words:
        counts = [took["counts"][word] for took in found.values()]
        report.add(title, ("word", *found, "differ by"), (word, *map(_whole, (*counts, max(counts) - min(counts)))))
        if not all(counts):
            sys.exit(f"{word!r} is found in {counts} articles by {list(found)}: they do not do the same work")


def _indexing(report: Report, title: str, articles: Articles, runs: Runs) -> None:
    heading = (
        *("engine", "seconds", "least–most", "articles/s", "MB/s of text", "CPU seconds", "import and loading"),
        *("peak memory MB", "disk MB", "without stored articles", "and titles", "cores used by others"),
    )
    for setup, taken in runs.items():
        seconds = [run["seconds"] for run in taken]
        middle, disk = median(seconds), _middle(taken, "disk_bytes")
        row = (
            setup.name,
            f"{middle:.2f}",
            f"{min(seconds):.2f}–{max(seconds):.2f}",
            f"{articles.count / middle:,.0f}",
            f"{articles.text_bytes / 1e6 / middle:.1f}",
            f"{_middle(taken, 'cpu_seconds'):.2f}",
            f"{_middle(taken, 'ready_seconds'):.2f}",
            f"{_middle(taken, 'peak_bytes') / 1e6:,.0f}",
            f"{disk / 1e6:,.1f}",
            *(f"{size / 1e6:,.1f}" if taken[0]["parts"] else "–" for size in _without_stored(taken)),
            f"{max(run['others_share'] for run in taken):.2f}",
        )
        report.add(title, heading, row)


def _ratios(report: Report, title: str, runs: Runs) -> None:
    heading = (
        *("newsindex / the other", "speed", "CPU time", "peak memory"),
        *("disk", "disk without stored articles", "and titles"),
    )
    for ours, theirs in _PAIRS:
        if ours not in runs or theirs not in runs:
            continue
        mine, other = runs[ours], runs[theirs]
        row = (
            f"{ours.name} / {theirs.name}",
            f"{_middle(other, 'seconds') / _middle(mine, 'seconds'):.2f}",
            *(
                f"{_middle(mine, what) / _middle(other, what):.2f}"
                for what in ("cpu_seconds", "peak_bytes", "disk_bytes")
            ),
            *(
                f"{own / its:.2f}" if other[0]["parts"] else "–"
                for own, its in zip(_without_stored(mine), _without_stored(other), strict=True)
            ),
        )
        report.add(title, heading, row)


def _without_stored(taken: list[dict[str, Any]]) -> tuple[float, float]:
    """Return the bytes on disk without the stored articles; and without titles too, which the others keep with them."""
    bare = _middle(taken, "bare_bytes")
    return bare, bare - taken[0]["parts"].get("title", 0)


def _parts(report: Report, setup: Setup, taken: list[dict[str, Any]]) -> None:
    run = taken[0]
    parts = Counter(run["parts"])
    parts["all else"] = run["disk_bytes"] - parts.total()
    for name, size in parts.most_common():
        if size >= run["disk_bytes"] / 2000:
            row = (f"{_bare(setup)}: {name}", f"{size / 1e6:,.2f}", f"{size / run['disk_bytes']:.1%}")
            report.add("Bytes on disk", ("part", "MB", "share"), row)


def _kernels(
    report: Report, cold: dict[str, Any], warm: list[dict[str, Any]], alone: dict[str, Any], cached: dict[str, int]
) -> None:
    for what, value in (
        ("first-ever compile of all, seconds", f"{cold['whole_seconds'] - _middle(warm, 'whole_seconds'):.1f}"),
        ("- CPU seconds of it", f"{cold['whole_cpu_seconds'] - _middle(warm, 'whole_cpu_seconds'):.1f}"),
        ("- peak memory of its process, MB", f"{cold['peak_bytes'] / 1e6:,.0f}"),
        ("kernels in the cache", _whole(cached["compiled"])),
        ("- compiled only later, slowing one of the runs", _whole(cached["later"])),
        ("import, kernels loaded from the cache, one article added, seconds", f"{_middle(warm, 'ready_seconds'):.2f}"),
        ("adding one article after it, seconds", f"{alone['seconds']:.2f}"),
    ):
        report.add("Kernels of newsindex", ("what", "value"), (what, value))


def _middle(taken: list[dict[str, Any]], what: str) -> float:
    return median(float(run[what]) for run in taken)


def _bare(setup: Setup) -> str:
    return setup.name.partition(",")[0]


def _whole(number: int) -> str:
    return f"{number:,}"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
