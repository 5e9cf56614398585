"""Readers beside a writer: no error, never back in time, no file or memory kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import newsindex
from newsindex.errors import IndexLocked
from newsindex.store.storage import FolderStorage
from newsindex.store.store import Store
from tests.faults import soak
from tests.faults.figures import Figures
from tests.faults.index_workload import WORDS, IndexWorkload, article, check_articles, check_words
from tests.faults.test_kill import FULL, Server
from tests.faults.workload import referenced

SNAPSHOTS, SECONDS = (51_200, 600) if FULL else (320, 30)
FLAT = 1.05
# Milliseconds in which 99 of 100 snapshots are opened, searched and read; a sample is too small to tell.
LATE = 100
# What a process that has just begun to read may still load; a leak of snapshots is larger.
SLACK_KIB = 4096 if FULL else 16384


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc to count files and memory")
def test_readers_beside_a_writer_see_whole_commits(index_server: Server, tmp_path: Path, figures: Figures) -> None:
    folder = tmp_path / "index"
    newsindex.open(folder, create=True).close()
    index_server.ask("soak", folder, 7, SNAPSHOTS, SECONDS)
    rounds: dict[int, list[tuple[int, int, int, int, int]]] = {}
    commits = failed = -1
    for words in index_server.answers():
        if words[0] == "round":
            done, files, resident, slowest, late = map(int, words[2:])
            rounds.setdefault(int(words[1]), []).append((done, files, resident, slowest, late))
        elif words[0] == "commits":
            commits, failed = int(words[1]), int(words[3])
    assert failed == 0, "a reader failed; its error is printed"
    assert sorted(rounds) == list(range(soak.ROUNDS))
    snapshots = sum(done for told in rounds.values() for done, *_ in told)
    assert snapshots >= (50_000 if FULL else SNAPSHOTS // 10)
    assert commits > soak.ROUNDS
    first, last = rounds[0], rounds[soak.ROUNDS - 1]
    assert max(told[1] for told in last) <= max(told[1] for told in first) + 2, f"open files: {rounds}"
    most = max(told[2] for told in first)
    assert max(told[2] for told in last) <= FLAT * most + SLACK_KIB, f"resident KiB: {rounds}"
    slowest, late = max(told[3] for told in last), max(told[4] for told in last)
    assert late <= LATE or not FULL, f"p99 is {late} ms"
    figures(
        "T5", "snapshots of 8 readers beside a writer", snapshots, wrong=0, crashed=0, slowest=slowest / 1000,
        note=f"p99 {late / 1000:.3g} s; {commits:,} commits; open files {first[0][1]} to {last[0][1]}, "
        f"resident MiB {first[0][2] >> 10} to {last[0][2] >> 10}",
    )  # fmt: skip


def test_an_open_index_stays_as_it_was_when_its_files_are_gone(tmp_path: Path) -> None:
    workload = IndexWorkload(3)
    with newsindex.open(tmp_path, create=True) as index:
        for number in range(1, 4):
            workload.commit(index, number)
        with newsindex.open(tmp_path) as old:
            mapped = referenced(Store.open(FolderStorage(tmp_path)).snapshot)
            index.delete(query="*")
            for number in range(2):
                index.add([article(f"other {number}", 1)])
            assert mapped
            assert not mapped & {path.name for path in tmp_path.iterdir()}
            check_articles(old, workload.state(3))
            check_words(old, workload.state(3), WORDS[:4])
        check_articles(index, {"other 0": 1, "other 1": 1})


def test_two_writers_take_turns_and_lose_nothing(tmp_path: Path) -> None:
    newsindex.open(tmp_path, create=True).close()

    def write(name: str) -> None:
        with newsindex.open(tmp_path) as index:
            for number in range(6):
                with index.writer(timeout=60) as writer:
                    writer.add([article(f"{name}{number}", 1), article("both", number)])

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(write, "ab"))
    with newsindex.open(tmp_path) as index:
        check_articles(index, {f"{name}{number}": 1 for name in "ab" for number in range(6)} | {"both": 5})
        with index.writer(), pytest.raises(IndexLocked, match="try again"):
            newsindex.open(tmp_path).writer(timeout=0.05)
