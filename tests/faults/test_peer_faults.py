"""The trials that all engines are put to tell right from wrong: on SQLite, which comes with Python."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.peer_faults import BATCH, Fts5, apart, batch, damage_trials, kill_trials, query_trials


class Forgetful(Fts5):
    """Acknowledges each third batch without writing it."""

    def add(self, folder: Path, articles: list[str]) -> None:
        if not articles[0].startswith("2"):
            super().add(folder, articles)


class Careless(Fts5):
    """Writes the first of a batch, commits, and then writes the others."""

    def add(self, folder: Path, articles: list[str]) -> None:
        super().add(folder, articles[:1])
        with closing(sqlite3.connect(folder / "articles.sqlite")) as database, database:
            database.execute("delete from articles where id = ?", (articles[0],))
        super().add(folder, articles[1:])


def test_trials_tell_what_became_of_the_articles(tmp_path: Path) -> None:
    (tmp_path / "sound").mkdir()
    counts = damage_trials(Fts5(), tmp_path / "sound", 30)
    assert counts.total() == 30
    assert counts["refused"]
    assert counts["wrong"] or counts["right"]
    assert kill_trials(Fts5(), tmp_path / "sound", 3) == {"right": 3}
    (tmp_path / "careless").mkdir()
    assert kill_trials(Careless(), tmp_path / "careless", 3)["right"] == 0


class Touchy(Fts5):
    """Takes some queries badly."""

    def ask(self, folder: Path, query: str) -> None:
        if query.startswith("(("):
            raise RecursionError
        super().ask(folder, query)


def test_what_became_of_queries_is_told(tmp_path: Path) -> None:
    (tmp_path / "sound").mkdir()
    queries = ["word1", "word1 word2", "word1 AND", "((word1", "word1"]
    assert query_trials(Fts5(), tmp_path / "sound", queries) == {"answered": 3, "refused": 2}
    assert query_trials(Touchy(), tmp_path, queries) == {"answered": 3, "refused": 1, "unexpected": 1}


def test_a_lost_batch_is_seen(tmp_path: Path) -> None:
    counts = kill_trials(Forgetful(), tmp_path, 8)
    assert counts["lost"] + counts["wrong"]
    assert len(batch(1)) == BATCH


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda: "right", "right"),
        (lambda: 1 / 0, "refused ZeroDivisionError"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "crashed -9"),
    ],
)
def test_how_a_process_ended_is_told(act: object, said: str) -> None:
    assert apart(act) == said  # type: ignore[arg-type]
