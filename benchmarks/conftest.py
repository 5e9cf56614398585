"""Options of the benchmarks, the index that they search, and the summary at the end."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import newsindex
from benchmarks.corpus import Corpus
from benchmarks.queries import Query, Survey, make_queries, survey
from benchmarks.report import Report

_ARTICLES = 5_000
_QUERIES = 100
_REPORT = pytest.StashKey[Report]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("newsindex benchmarks")
    group.addoption("--articles", type=int, default=_ARTICLES, help=f"size of the corpus (default {_ARTICLES:,})")
    group.addoption("--corpus", type=Path, help="a file of articles that newsindex reads (default: generated)")
    group.addoption("--queries", type=int, default=_QUERIES, help=f"queries of each class (default {_QUERIES})")
    group.addoption("--index-dir", type=Path, help="keep the index in this folder, and use it again next time")
    group.addoption("--results", type=Path, help="append the results to this Markdown file")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_REPORT] = Report()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    report = config.stash[_REPORT]
    if not report.tables:
        return
    terminalreporter.section("newsindex benchmarks")
    for name, value in report.circumstances().items():
        terminalreporter.line(f"{name}: {value}")
    for table in report.tables.values():
        terminalreporter.line("")
        terminalreporter.line(table.title)
        for line in table.plain():
            terminalreporter.line(f"  {line}")
    file = config.getoption("results", None)
    if file is not None:
        report.append_to(file)
        terminalreporter.line("")
        terminalreporter.line(f"appended to {file}")


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> Report:
    return pytestconfig.stash[_REPORT]


@pytest.fixture(scope="session")
def corpus(pytestconfig: pytest.Config, report: Report) -> Corpus:
    found = Corpus(pytestconfig.getoption("corpus", None), pytestconfig.getoption("articles", _ARTICLES))
    if found.file is not None and not found.file.is_file():
        pytest.exit(f"--corpus {found.file}: no such file", returncode=4)
    report.corpus = f"{found.name}, at most {found.size:,} articles"
    return found


@pytest.fixture(scope="session")
def surveyed(corpus: Corpus, report: Report) -> Survey:
    found = survey(corpus.articles())
    if not found.articles:
        pytest.exit(f"{corpus.file}: no article in it that can be read", returncode=4)
    report.corpus = f"{corpus.name}, {found.articles:,} articles"
    return found


@pytest.fixture(scope="session")
def per_class(pytestconfig: pytest.Config) -> int:
    return int(pytestconfig.getoption("queries", _QUERIES))


@pytest.fixture(scope="session")
def queries(surveyed: Survey, per_class: int) -> dict[str, list[Query]]:
    return make_queries(surveyed, per_class)


@pytest.fixture(scope="session")
def index_folder(corpus: Corpus, pytestconfig: pytest.Config) -> Iterator[Path]:
    """The folder of an index that has the whole corpus."""
    kept: Path | None = pytestconfig.getoption("index_dir", None)
    if kept is None:
        with tempfile.TemporaryDirectory(prefix="newsindex-bench-") as scratch:
            yield _build(corpus, Path(scratch) / "index")
        return
    label = kept / "corpus.json"
    if label.exists():
        if json.loads(label.read_text(encoding="utf-8")) != corpus.identity():
            pytest.exit(f"--index-dir {kept}: made from another corpus; give an empty folder", returncode=4)
    elif kept.exists() and any(kept.iterdir()):
        pytest.exit(f"--index-dir {kept}: holds no whole index of these benchmarks; give an empty folder", returncode=4)
    else:
        kept.mkdir(parents=True, exist_ok=True)
        _build(corpus, kept / "index")
        # Last, so that an index left half made is not taken for a whole one.
        label.write_text(json.dumps(corpus.identity()), encoding="utf-8")
    yield kept / "index"


@pytest.fixture(scope="session")
def index(index_folder: Path) -> Iterator[Any]:
    with newsindex.open(index_folder) as opened:
        yield opened


def _build(corpus: Corpus, folder: Path) -> Path:
    with newsindex.open(folder, create=True) as made:
        made.add(corpus.articles())
    return folder
