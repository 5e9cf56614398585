"""One engine in a process of its own: `python -m benchmarks.peers.worker ENGINE FOLDER`; commands and answers are JSON.

FOLDER is an archive's; the engine's index is a folder in it, made when it is not there. Engines print what they like:
standard output is put aside for the answers before any is imported.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from importlib import import_module
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from benchmarks.peers.archive import Archive
from benchmarks.peers.engine import Engine, Unavailable

ENGINES = {
    "newsindex": ("newsindex_engine", "Newsindex"),
    "tantivy": ("tantivy_engine", "Tantivy"),
    "lucene": ("lucene_engine", "Lucene"),
    "fts5": ("fts5_engine", "Fts5"),
    "bm25s": ("bags", "Bm25s"),
    "pisa": ("bags", "Pisa"),
    "whoosh": ("whoosh_engine", "StockWhoosh"),
}
"""The module and class of each, in the order of the tables."""


def make_engine(name: str, folder: Path) -> Engine:
    module, kind = ENGINES[name]
    engine: Engine = getattr(import_module(f"benchmarks.peers.{module}"), kind)(folder)
    return engine


def built(name: str, archive: Archive) -> dict[str, Any]:
    """Return what the index took; make it first when there is none of these articles."""
    folder = archive.folder / name
    label = archive.folder / f"{name}.json"
    if label.exists():
        facts: dict[str, Any] = json.loads(label.read_text(encoding="utf-8"))
        if facts["identity"] == archive.facts()["identity"]:
            return facts
    shutil.rmtree(folder, ignore_errors=True)
    engine = make_engine(name, folder)
    begun, cpu = perf_counter(), process_time()
    engine.build(archive.articles())
    facts = {
        "identity": archive.facts()["identity"],
        "version": engine.version,
        "seconds": perf_counter() - begun,
        "cpu_seconds": process_time() - cpu,
        "bytes": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
    }
    # Last, so that an index left half made is not taken for a whole one.
    label.write_text(json.dumps(facts), encoding="utf-8")
    return facts


class Worker:
    """Obeys one command at a time."""

    def __init__(self, name: str, archive: Archive) -> None:
        self._name, self._archive = name, archive
        self._engine: Engine | None = None

    def obey(self, command: dict[str, Any]) -> Any:
        do = command.pop("do")
        if do == "build":
            return built(self._name, self._archive)
        if do == "open":
            return self._open()
        assert self._engine is not None
        if do == "answers":
            return [[answer.total, answer.ids] for answer in self._engine.answers(**command)]
        return getattr(self._engine, {"warm": "warm", "times": "times"}[do])(**command)

    def _open(self) -> dict[str, Any]:
        facts = built(self._name, self._archive)
        engine = make_engine(self._name, self._archive.folder / self._name)
        engine.open(self._archive.queries())
        self._engine = engine
        return facts | {
            "version": engine.version,
            "classes": sorted(engine.classes),
            "prebuilt": sorted(engine.prebuilt),
            "processes": [os.getpid(), *engine.processes()],
        }


def main(name: str, folder: str) -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    worker = Worker(name, Archive(Path(folder)))
    for line in sys.stdin:
        try:
            told = {"answer": worker.obey(json.loads(line))}
        except Unavailable as error:
            told = {"unavailable": str(error)}
        print(json.dumps(told), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
