"""kill -9 at random moments, a lock whose holder is killed, writers and readers side by side: in real processes."""

from __future__ import annotations

import itertools
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsindex.errors import IndexClosed, IndexLocked
from newsindex.store.storage import FolderStorage
from newsindex.store.store import Store
from tests.faults.figures import Figures
from tests.faults.workload import Workload, found_in, referenced

FULL = os.environ.get("NEWSINDEX_FAULTS") == "full"
TRIALS = int(os.environ.get("NEWSINDEX_TRIALS", "1000" if FULL else "40"))
ROOT = Path(__file__).parents[2]


class Server:
    """The fork server; `ask` starts a trial and returns its process id."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.kill_server"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip

    def ask(self, *words: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\t".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()

    def answer(self) -> list[str]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the server is gone"
        return line.split()

    def answers(self) -> Iterator[list[str]]:
        """Yield what is said up to the end of the trial."""
        while (words := self.answer()) != ["over"]:
            assert words != ["failed"], "a process of the trial failed"
            yield words

    def stop(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


def test_nothing_acknowledged_is_lost_by_a_kill(server: Server, tmp_path: Path, figures: Figures) -> None:
    kills = commits = 0
    most_files = 0
    for seed in range((TRIALS + 24) // 25):
        folder = tmp_path / str(seed)
        workload = Workload(seed)
        store = Store.create(FolderStorage(folder), {})
        current = 0
        for trial in range(min(25, TRIALS - kills)):
            chance = random.Random(f"kill {seed} {trial}")
            server.ask("work", folder, seed, current + 1)
            acked = submitted = current
            pid = int(server.answer()[1])
            # A number of steps, then a part of the next one: as many commits on a busy machine as on an idle one.
            said = [server.answer() for _ in range(chance.randrange(1, 20))]
            time.sleep(chance.random() * 0.008)
            os.kill(pid, signal.SIGKILL)
            for what, number in itertools.chain(said, server.answers()):
                if what == "submitted":
                    submitted = int(number)
                else:
                    acked = int(number)
            where = f"seed {seed}, trial {trial}: acknowledged {acked}, submitted {submitted}"
            most_files = max(most_files, len(list(folder.iterdir())))
            commits += acked - current
            found = found_in(Store.open(FolderStorage(folder), verify=True).snapshot)
            fits = [number for number in range(acked, submitted + 1) if found == workload.expected(number)]
            assert fits, where
            current = fits[-1] + 1
            store.refresh()
            before = store.snapshot.manifest
            workload.commit(store, current)
            store.refresh()
            assert found_in(store.snapshot) == workload.expected(current), where
            kept = referenced(store.snapshot) | {file.name for file in before.files()}
            left = {path.name for path in folder.iterdir()}
            assert {name for name in left if name.startswith(("seg-", "del-", "pending-"))} <= kept, where
            assert sum(name.startswith(("toc-", "previous-")) for name in left) == 2, where
            kills += 1
    assert commits
    figures(
        "T1", "kill -9, commits of files", kills, lost=0, wrong=0, crashed=0,
        note=f"{commits:,} commits acknowledged before, at most {most_files} files",
    )  # fmt: skip


def test_a_killed_holder_frees_the_lock_though_its_child_lives(
    server: Server, tmp_path: Path, figures: Figures
) -> None:
    slowest = 0.0
    store = Store.create(FolderStorage(tmp_path), {})
    for _ in range(100 if FULL else 5):
        server.ask("hold", tmp_path)
        holder = int(server.answer()[1])
        child = int(server.answer()[1])
        with pytest.raises(IndexLocked, match=f"process {holder}"):
            store.begin(timeout=0)
        os.kill(holder, signal.SIGKILL)
        assert list(server.answers()) == []
        try:
            begun = time.monotonic()
            store.begin(timeout=0.1).close()
            slowest = max(slowest, time.monotonic() - begun)
            figures("T7", "holder of the lock killed, its child alive", lost=0, slowest=slowest)
        finally:
            os.kill(child, signal.SIGKILL)


def test_who_waits_in_vain_is_told_for_whom(server: Server, tmp_path: Path, figures: Figures) -> None:
    store = Store.create(FolderStorage(tmp_path), {})
    server.ask("hold", tmp_path)
    holder, child = int(server.answer()[1]), int(server.answer()[1])
    try:
        for timeout in (0.0, 0.2, 0.6):
            begun = time.monotonic()
            with pytest.raises(IndexLocked) as caught:
                store.begin(timeout=timeout)
            assert time.monotonic() - begun >= timeout
            assert (caught.value.pid, caught.value.host) == (holder, socket.gethostname())
            since = datetime.fromisoformat(str(caught.value.since))
            assert timedelta(0) <= datetime.now(UTC) - since < timedelta(minutes=5)
            assert all(
                part in str(caught.value) for part in (f"process {holder}", f"on {socket.gethostname()}", "since")
            )
            figures("T6", "writers that wait in vain", lost=0, note="told process, host, since when")
    finally:
        for process in (holder, child):
            os.kill(process, signal.SIGKILL)
        assert list(server.answers()) == []


def test_two_writers_lose_nothing_and_readers_never_go_back(server: Server, tmp_path: Path, figures: Figures) -> None:
    count = 300 if FULL else 30
    reader = Store.create(FolderStorage(tmp_path), {})
    for name in ("first", "second"):
        server.ask("share", tmp_path, name, count)
    acknowledged = []
    generation = reader.snapshot.generation
    refreshes = 0
    for words in server.answers():
        if words[0] != "acknowledged":
            continue
        acknowledged.append(words[1])
        reader.refresh()
        assert reader.snapshot.generation >= generation
        generation = reader.snapshot.generation
        assert set(acknowledged) <= set(found_in(reader.snapshot))
        refreshes += 1
    assert sorted(acknowledged) == found_in(Store.open(FolderStorage(tmp_path)).snapshot)
    assert len(acknowledged) == 2 * count
    assert refreshes == 2 * count
    figures("T6", "commits of two writers in turns", 2 * count, lost=0, wrong=0)


def test_a_forked_child_refuses_and_leaves_the_parents_files_alone(tmp_path: Path) -> None:
    program = """
import os, sys
from newsindex.errors import IndexClosed
from newsindex.store.manifest import SegmentEntry
from newsindex.store.storage import FolderStorage
from newsindex.store.store import Store
store = Store.create(FolderStorage(sys.argv[1]), {})
writer = store.begin()
entry = writer.add_file("segment", [b"article"], 1)
child = os.fork()
if not child:
    refusals = 0
    for refused in (lambda: store.snapshot, store.refresh, store.begin, lambda: writer.commit([])):
        try:
            refused()
        except IndexClosed:
            refusals += 1
    writer.close()
    os._exit(refusals)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 4
writer.commit([SegmentEntry(entry)])
writer.close()
store.refresh()
assert bytes(store.snapshot.segments[0].body) == b"article"
"""
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, cwd=ROOT)


def test_a_closed_store_refuses(tmp_path: Path) -> None:
    store = Store.create(FolderStorage(tmp_path), {})
    store.close()
    with pytest.raises(IndexClosed, match="open it again"):
        store.begin()
