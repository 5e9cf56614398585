"""How fast is search beside tantivy, Lucene, SQLite FTS5, bm25s, PISA and stock Whoosh?

`python -m benchmarks.bench_search_peers --help`. No pytest: whole processes take turns here.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.corpus import Corpus
from benchmarks.peers.alone_tables import add_alone
from benchmarks.peers.archive import CLASSES, WORD_CLASSES, Archive
from benchmarks.peers.comparison import compare, too_far
from benchmarks.peers.engine import base_class
from benchmarks.peers.plots import plot_classes, plot_growth
from benchmarks.peers.rounds import Effort, Player, play
from benchmarks.peers.tables import OURS, add_tables
from benchmarks.peers.worker import ENGINES
from benchmarks.report import PROJECT, Report, moment

_RESULTS = PROJECT / "benchmarks" / "RESULTS.md"
_MOST_FOR_WHOOSH = 20_000
_STARTS = 7
_EVERY_CLASS = (*CLASSES, *(f"{name}_ids" for name in WORD_CLASSES))


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    if options.plots is not None:
        _plot(options.work, options.plots)
    if options.articles is None:
        return
    if options.corpus is not None and not options.corpus.is_file():
        sys.exit(f"--corpus {options.corpus}: no such file")
    corpus = Corpus(options.corpus, options.articles)
    kind = options.corpus.name.partition(".")[0] if options.corpus else "generated"
    archive = Archive(options.work / f"{kind}-{options.articles}")
    archive.make(corpus, options.queries)
    if options.build_only:
        for name in _engines(options):
            _build(name, archive)
        return
    results = archive.folder / "results.json"
    if not options.report_only:
        measured = _measure(archive, options)
        results.write_text(json.dumps(measured), encoding="utf-8")
        if OURS in measured["engines"] and not options.without_alone:
            measured |= _alone(archive)
            results.write_text(json.dumps(measured), encoding="utf-8")
    if not results.exists():
        sys.exit(f"{results}: nothing measured yet; run without --report-only")
    _report(json.loads(results.read_text(encoding="utf-8")), options.save)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_search_peers", description=__doc__)
    effort = Effort()
    parser.add_argument("--work", type=Path, required=True, help="the folder that keeps articles, queries, indexes")
    parser.add_argument("--articles", type=int, help="size of the corpus; of a file, its first N articles")
    parser.add_argument("--corpus", type=Path, help="a file of articles that newsindex reads (default: generated)")
    parser.add_argument("--queries", type=int, default=200, help="queries of each class (default 200)")
    parser.add_argument("--engines", help=f"some of {','.join(ENGINES)} (default: all; Whoosh to {_MOST_FOR_WHOOSH:,})")
    parser.add_argument("--classes", help="some of the classes (default: all)")
    parser.add_argument("--rounds", type=int, default=effort.rounds, help=f"(default {effort.rounds})")
    parser.add_argument("--pass-seconds", type=float, default=effort.pass_seconds, help="the longest a pass may take")
    parser.add_argument("--warm-seconds", type=float, default=effort.warm_seconds, help="before a class is timed")
    parser.add_argument(
        "--compare", type=int, default=effort.compared, help="queries a class whose answers are compared"
    )
    parser.add_argument("--without-alone", action="store_true", help="leave out what newsindex does by itself")
    parser.add_argument("--build-only", action="store_true", help="make the indexes that are not there, and end")
    parser.add_argument("--report-only", action="store_true", help="show what was measured last")
    parser.add_argument(
        "--save", nargs="?", type=Path, const=_RESULTS, help="append the tables to RESULTS.md, or a file"
    )
    parser.add_argument("--plots", type=Path, help="draw what the work folder has measured into this folder")
    options = parser.parse_args(arguments)
    if options.articles is None and options.plots is None:
        parser.error("give --articles, or --plots")
    for given, known in ((options.engines, ENGINES), (options.classes, _EVERY_CLASS)):
        strange = [name for name in (given or "").split(",") if name and name not in known]
        if strange:
            parser.error(f"not known: {', '.join(strange)}; known are {', '.join(known)}")
    return options


def _engines(options: argparse.Namespace) -> list[str]:
    if options.engines:
        return [name for name in ENGINES if name in options.engines.split(",")]
    return [name for name in ENGINES if name != "whoosh" or options.articles <= _MOST_FOR_WHOOSH]


def _build(name: str, archive: Archive) -> str:
    """Make the engine's index where there is none, in a process that ends after; return why it cannot be had."""
    player = Player(name, archive)
    begun = perf_counter()
    player.tell("build")
    _say(f"{archive.name}: {name}: {player.unavailable or f'index ready after {perf_counter() - begun:.0f} s'}")
    player.close()
    return player.unavailable


def _measure(archive: Archive, options: argparse.Namespace) -> dict[str, Any]:
    absent: dict[str, str] = {}
    players: list[Player] = []
    # All indexes first: what building leaves in memory and to be written is not beside the timing.
    for name in _engines(options):
        reason = _build(name, archive)
        if reason:
            absent[name] = reason
    for name in _engines(options):
        if name not in absent:
            player = Player(name, archive)
            player.open()
            players.append(player)
    if not players:
        sys.exit("no engine can be had")
    effort = Effort(options.rounds, options.pass_seconds, options.warm_seconds, options.compare)
    facts = archive.facts()
    measured: dict[str, Any] = {
        "measured": moment(),
        "corpus": facts["corpus"],
        "articles": facts["articles"],
        "text_bytes": facts["text_bytes"],
        "first": players[0].name,
        "engines": {player.name: player.facts for player in players},
        "absent": absent,
        "queries": {},
        "compared": {},
        "times": {},
        "others": {},
    }
    queries = archive.queries()
    names = options.classes.split(",") if options.classes else _EVERY_CLASS
    for name in names:
        size = len(queries[base_class(name)])
        if size:
            measured["queries"][name] = size
            _say(f"{archive.name}: {name}: comparing")
            found = compare(players, name, effort.compared)
            if found:
                measured["compared"][name] = found
            for engine, differences in found.items():
                if too_far(differences):
                    _say(f"{archive.name}: {name}: {engine} finds another number: {differences}")
    for name, size in measured["queries"].items():
        _say(f"{archive.name}: {name}: timing")
        measured["times"][name], measured["others"][name] = play(players, name, size, effort)
    for player in players:
        player.close()
    return measured


def _alone(archive: Archive) -> dict[str, Any]:
    _say(f"{archive.name}: newsindex alone")
    alone = _python("-m", "benchmarks.peers.alone", str(archive.folder.resolve()))
    return {"alone": alone, "start": _start(archive, archive.queries()["and2"][0].text)}


def _python(*arguments: str) -> Any:
    done = subprocess.run([sys.executable, *arguments], cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout) if done.stdout else None


def _start(archive: Archive, query: str) -> dict[str, float]:
    """Return the median seconds of new processes; each starts once before, unmeasured."""
    index = str((archive.folder / OURS).resolve())
    commands = {
        "Python alone, whole process": ("-c", "pass"),
        "import newsindex, whole process": ("-c", "import newsindex"),
        "import, open, first query, whole process": ("-m", "benchmarks.start_once", index, query),
    }
    found: dict[str, float] = {}
    for what, command in commands.items():
        taken: list[float] = []
        parts: list[Any] = []
        for _ in range(_STARTS + 1):
            begun = perf_counter()
            parts.append(_python(*command))
            taken.append(perf_counter() - begun)
        found[what] = statistics.median(taken[1:])
    for part in ("import", "open", "first query"):
        found[f"- {part}"] = statistics.median(each[part] for each in parts[1:])
    return found


def _report(measured: dict[str, Any], save: Path | None) -> None:
    megabytes = measured["text_bytes"] / 1e6
    corpus = f"{measured['corpus']}, {measured['articles']:,} articles, {megabytes:,.1f} MB of text"
    report = Report(corpus=corpus, measured=measured["measured"])
    add_tables(report, measured)
    add_alone(report, measured)
    for name, value in report.circumstances().items():
        print(f"{name}: {value}")
    for table in report.tables.values():
        print("", table.title, *(f"  {line}" for line in table.plain()), sep="\n")
    if save is not None:
        report.append_to(save)


def _plot(work: Path, folder: Path) -> None:
    generated = []
    for file in sorted(work.glob("*/results.json")):
        measured = json.loads(file.read_text(encoding="utf-8"))
        plot_classes(measured, folder / f"search-{file.parent.name}.svg")
        if file.parent.name.startswith("generated-"):
            generated.append(measured)
    if generated:
        plot_growth(generated, folder / "search-growth.svg")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
