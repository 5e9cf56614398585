"""Forks a process for each trial on whole indexes, with the library imported and its kernels loaded once.

Commands beside those of `kill_server`: `commit FOLDER SEED FIRST` makes commits until it is killed, `soak FOLDER SEED
SNAPSHOTS SECONDS` writes beside eight readers, `resealed FOLDER FIRST AFTER SHARE` reads damaged indexes.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest import mock

import newsindex
from newsindex.store import merge_policy
from tests.faults import kill_server, resealed, soak
from tests.faults.index_workload import IndexWorkload
from tests.faults.kill_server import say


def commit(folder: str, seed: str, first: str) -> None:
    workload = IndexWorkload(int(seed))
    workload.state(int(first) + 200)
    with newsindex.open(folder) as index:
        for number in range(int(first), int(first) + 200):
            say(f"submitted {number}")
            workload.commit(index, number)
            say(f"acknowledged {number}")


def warm() -> None:
    """Load every kernel, that of merging too."""
    with tempfile.TemporaryDirectory() as folder:
        workload = IndexWorkload(0)
        with newsindex.open(Path(folder) / "index", create=True) as index:
            for number in range(1, 12):
                workload.commit(index, number)
            assert index.search("quay").total


if __name__ == "__main__":
    # Tiers of one segment: two are merged at once, so that merges are as frequent as commits.
    with mock.patch.object(merge_policy, "_MOST_IN_TIER", 2):
        warm()
        kill_server.COMMANDS |= {"commit": commit, "soak": soak.work, "resealed": resealed.work}
        kill_server.serve()
