"""kill -9 at random moments while articles are added, replaced, deleted and merged: nothing acknowledged is lost."""

from __future__ import annotations

import itertools
import os
import random
import signal
import time
from pathlib import Path

import pytest

import newsindex
from newsindex.store import merge_policy
from newsindex.store.storage import FolderStorage
from newsindex.store.store import Store
from tests.faults.figures import Figures
from tests.faults.index_workload import WORDS, IndexWorkload, check_articles, check_files, check_words
from tests.faults.test_kill import FULL, Server
from tests.faults.workload import referenced

TRIALS = int(os.environ.get("NEWSINDEX_TRIALS", "1000" if FULL else "20"))
IN_ONE_FOLDER = 10


def test_nothing_acknowledged_is_lost_by_a_kill(
    index_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figures: Figures
) -> None:
    monkeypatch.setattr(merge_policy, "_MOST_IN_TIER", 2)
    commits = in_flight = merges = 0
    for trial in range(TRIALS):
        seed, place = divmod(trial, IN_ONE_FOLDER)
        folder = tmp_path / str(seed)
        chance = random.Random(f"kill an index {trial}")
        if not place:
            newsindex.open(folder, create=True).close()
            workload, current = IndexWorkload(seed), 0
        index_server.ask("commit", folder, seed, current + 1)
        acked = submitted = current
        pid = int(index_server.answer()[1])
        # A number of steps, then a part of the next one: as many commits on a busy machine as on an idle one.
        said = [index_server.answer() for _ in range(chance.randrange(1, 9))]
        time.sleep(chance.random() * 0.05)
        os.kill(pid, signal.SIGKILL)
        for what, number in itertools.chain(said, index_server.answers()):
            if what == "submitted":
                submitted = int(number)
            else:
                acked = int(number)
        where = f"trial {trial}: acknowledged {acked}, submitted {submitted}"
        commits += acked - current
        with newsindex.open(folder) as index:
            current = index.stats().generation - 1
            assert acked <= current <= submitted, where
            in_flight += current > acked
            check_articles(index, workload.state(current))
            check_words(index, workload.state(current), tuple(chance.sample(WORDS, 3)))
            check_files(folder)
            before = Store.open(FolderStorage(folder)).snapshot.manifest
            current += 1
            workload.commit(index, current)
            check_articles(index, workload.state(current))
        newest = Store.open(FolderStorage(folder)).snapshot
        known = {file.name for file in before.files()}
        merges += sum(name.startswith("seg-") for name in known - referenced(newest)) > 1
        left = {path.name for path in folder.iterdir()}
        kept = referenced(newest) | known
        assert {name for name in left if name.startswith(("seg-", "del-", "pending-"))} <= kept, where
        assert sum(name.startswith(("toc-", "previous-")) for name in left) == 2, where
    assert commits
    assert merges
    figures(
        "T1", "kill -9, whole index", TRIALS, lost=0, wrong=0, crashed=0,
        note=f"{commits:,} commits acknowledged before, {in_flight:,} in flight are there, {merges:,} merged after",
    )  # fmt: skip
