"""Syncs that fail in the system itself, by strace: here nothing depends on the twins of the other tests."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from newsindex.errors import CommitUnknown, StorageError
from newsindex.store.storage import FolderStorage
from newsindex.store.store import Store
from tests.faults.figures import Figures
from tests.faults.test_kill import FULL, ROOT
from tests.faults.workload import Workload, found_in

WORKLOAD = Workload(6)
KINDS = ("add", "replace", "delete", "merge") if FULL else ("replace",)
NUMBERS = {WORKLOAD.kind(number): number for number in range(40, 3, -1)}


def act(folder: str, number: str) -> None:
    """Make one commit, and say what became of it."""
    try:
        WORKLOAD.commit(Store.open(FolderStorage(Path(folder))), int(number))
    except (CommitUnknown, StorageError) as error:
        print(type(error).__name__)
    else:
        print("acknowledged")


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"] if FULL else ["EIO"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_commit_is_acknowledged_when_no_sync_has_failed(
    kind: str, error: str, tmp_path: Path, figures: Figures
) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("no strace here")
    number = NUMBERS[kind]
    start = tmp_path / "start"
    store = Store.create(FolderStorage(start), {})
    for before in range(1, number):
        WORKLOAD.commit(store, before)
    faults = 0
    for at in range(1, 30):
        folder = Path(shutil.copytree(start, tmp_path / f"{at}"))
        program = f"from tests.faults.test_seen_from_outside import act; act({str(folder)!r}, {number})"
        calls = tmp_path / f"{at}.calls"
        rule = f"inject=fsync,fdatasync,sync_file_range,msync:error={error}:when={at}"
        done = subprocess.run(
            [strace, "-f", "-e", "trace=fsync,fdatasync,sync_file_range,msync", "-e", rule, "-o", calls,
             sys.executable, "-c", program],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode and "ptrace" in done.stderr:
            pytest.skip(f"strace may not look on here: {done.stderr.strip()[-200:]}")
        assert done.returncode == 0, done.stderr[-2000:]
        injected = "(INJECTED)" in calls.read_text()
        said = done.stdout.strip()
        assert said == "acknowledged" if not injected else said in {"StorageError", "CommitUnknown"}, (at, said)
        opened = Store.open(FolderStorage(folder))
        allowed = {"acknowledged": [number], "StorageError": [number - 1], "CommitUnknown": [number - 1, number]}[said]
        fits = [one for one in allowed if found_in(opened.snapshot) == WORKLOAD.expected(one)]
        assert fits, (at, said)
        WORKLOAD.commit(opened, fits[0] + 1)
        opened.refresh()
        assert found_in(opened.snapshot) == WORKLOAD.expected(fits[0] + 1)
        if not injected:
            break
        faults += 1
    assert faults >= 4  # a segment, the folder, the manifest, the folder
    figures("T3", "syncs fail, injected by strace", faults, lost=0, undetected=0)
