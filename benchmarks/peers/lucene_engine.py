"""Lucene in a Java process of its own, which times each query itself.

The environment variable LUCENE_JARS names a folder of jars: lucene-core, -analysis-common, -queryparser and -facet.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from benchmarks.peers.archive import CLASSES, WORD_CLASSES, days_as_moments
from benchmarks.peers.engine import Answer, Article, Unavailable, base_class, wants_ids
from benchmarks.queries import Query

_SOURCE = Path(__file__).with_name("LuceneSearch.java")
_BREAKS = re.compile(r"[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]+")
_MEMORY = ("-Xms1g", "-Xmx2g")
_PARTS = ("lucene-core", "lucene-analysis-common", "lucene-queryparser", "lucene-facet")


class Lucene:
    classes = frozenset((*CLASSES, *(f"{name}_ids" for name in WORD_CLASSES)))
    prebuilt: frozenset[str] = frozenset()

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        named = os.environ.get("LUCENE_JARS")
        if not named:
            raise Unavailable("the environment variable LUCENE_JARS names no folder of jars")
        jars = sorted(Path(named).glob("*.jar"))
        missing = [part for part in _PARTS if not any(jar.name.startswith(part) for jar in jars)]
        if missing:
            raise Unavailable(f"LUCENE_JARS={named}: no jar of {', '.join(missing)} there")
        self._java, compiler = (_tool(name) for name in ("java", "javac"))
        release = next(jar.stem.removeprefix(_PARTS[0]) for jar in jars if jar.name.startswith(_PARTS[0]))
        self.version = f"Lucene {release.lstrip('-')}, {_java_version(self._java)}"
        classes = folder.with_name("lucene-classes")
        path = os.pathsep.join(map(str, jars))
        subprocess.run([compiler, "-nowarn", "-cp", path, "-d", str(classes), str(_SOURCE)], check=True)
        self._class_path = f"{classes}{os.pathsep}{path}"

    def _start(self, task: str) -> subprocess.Popen[str]:
        command = [self._java, *_MEMORY, "-cp", self._class_path, "LuceneSearch", task, str(self._folder)]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", bufsize=1 << 16
        )

    def build(self, articles: Iterable[Article]) -> None:
        with self._start("build") as process:
            assert process.stdin is not None
            for article in articles:
                published = article.get("published")
                seconds = str(int(datetime.fromisoformat(published).timestamp())) if published else ""
                texts = (article.get(name, "") for name in ("title", "body"))
                row = (article["id"], article.get("source", ""), seconds, *texts)
                process.stdin.write("\t".join(_BREAKS.sub(" ", value) for value in row) + "\n")
        if process.returncode:
            raise RuntimeError(f"Lucene ended with {process.returncode}; its message is above")

    def open(self, queries: dict[str, list[Query]]) -> None:
        self._process = self._start("search")
        for name in self.classes:
            for query in queries[base_class(name)]:
                where = query.where or {}
                period: tuple[object, ...] = ("", "")
                if "published" in where:
                    period = tuple(int(moment.timestamp()) for moment in days_as_moments(where["published"]))
                kind = _kind(name, query)
                self._tell("query", name, kind, query.text, *period, where.get("source", ""), query.limit)

    def _tell(self, *parts: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\t".join(map(str, parts)) + "\n")

    def _hear(self) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the Java process of Lucene has ended; its message is above")
        return line.rstrip("\n")

    def answers(self, name: str, most: int) -> list[Answer]:
        self._tell("answers", name, most)
        found: list[Answer] = []
        while (line := self._hear()) != ".":
            total, *ids = line.split("\t")
            found.append(Answer(int(total), ids))
        return found

    def warm(self, name: str, seconds: float) -> None:
        self._tell("warm", name, seconds)
        self._hear()

    def times(self, name: str, most: int, seconds: float) -> list[int]:
        self._tell("times", name, most, seconds)
        return [int(time) for time in self._hear().split()]

    def processes(self) -> list[int]:
        return [self._process.pid]


def _kind(name: str, query: Query) -> str:
    if query.count_only:
        return "count"
    if query.facets:
        return "facet"
    if query.sort == "newest":
        return "newest"
    return "ids" if wants_ids(name) else "titles"


def _tool(name: str) -> str:
    home = os.environ.get("JAVA_HOME")
    found = shutil.which(name, path=str(Path(home) / "bin")) if home else shutil.which(name)
    if found is None:
        raise Unavailable(f"no {name} in {home or 'PATH'}")
    return found


def _java_version(java: str) -> str:
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=True).stderr
    number = re.search(r'"([\d._]+)', told)
    return f"Java {number[1]}" if number else "Java"
