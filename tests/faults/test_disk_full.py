"""A disk that fills up inside a commit: a small file system, a limit of file size, space that ends at any byte."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import newsindex
from newsindex.errors import StorageError
from newsindex.index import NewsIndex
from newsindex.store import merge_policy
from newsindex.store.storage import FolderStorage
from tests.faults.figures import Figures
from tests.faults.index_workload import IndexWorkload, article, check_articles, check_files, check_words
from tests.faults.test_kill import FULL, ROOT

WORKLOAD = IndexWorkload(8)
LAST = 14
COMMITS = 5 if FULL else 2
ENDINGS = 60 if FULL else 4  # at how many bytes of a commit the space ends
SEGMENTS = {"alone": 99, "merging": 1}  # the most in a tier: every commit that adds is a merge, or none is


class Space:
    """What is left of a disk; nothing that is deleted comes back to it."""

    def __init__(self) -> None:
        self.left = sys.maxsize
        self.taken = 0

    def write(self, real: Any, data: memoryview) -> int:
        if not self.left:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        count: int = real(data[: self.left])
        self.left -= count
        self.taken += count
        return count


@pytest.fixture
def space(monkeypatch: pytest.MonkeyPatch) -> Space:
    made = Space()
    real = FolderStorage.create

    def create(self: FolderStorage, name: str) -> Any:
        file = real(self, name)
        write = file.write
        file.write = lambda data: made.write(write, data)  # type: ignore[method-assign]
        return file

    monkeypatch.setattr(FolderStorage, "create", create)
    return made


@contextmanager
def merging(most: int) -> Iterator[None]:
    before = merge_policy._MOST_IN_TIER
    merge_policy._MOST_IN_TIER = most  # type: ignore[misc]
    try:
        yield
    finally:
        merge_policy._MOST_IN_TIER = before  # type: ignore[misc]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Folders with the commits before each of the last few, of several segments."""
    folder = tmp_path_factory.mktemp("prepared") / "index"
    made = {}
    with merging(SEGMENTS["alone"]), newsindex.open(folder, create=True) as index:
        for number in range(1, LAST):
            WORKLOAD.commit(index, number)
            if number >= LAST - COMMITS:
                made[number + 1] = Path(shutil.copytree(folder, folder.with_name(str(number + 1))))
    return made


def check(index: NewsIndex, number: int) -> None:
    expected = WORKLOAD.state(number)
    check_articles(index, expected)
    check_words(index, expected, ("eel", "dock", "quay"))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith("write.")}


@pytest.mark.parametrize("policy", SEGMENTS)
def test_space_that_ends_at_any_byte(
    policy: str, space: Space, prepared: dict[int, Path], tmp_path: Path, figures: Figures
) -> None:
    trials = full = 0
    for number, start in prepared.items():
        with merging(SEGMENTS[policy]):
            plain = Path(shutil.copytree(start, tmp_path / f"{number}"))
            with newsindex.open(plain) as index:
                space.taken = 0
                WORKLOAD.commit(index, number)
                needed = space.taken
            for ending in range(ENDINGS):
                folder = Path(shutil.copytree(start, tmp_path / f"{number}-{ending}"))
                before = names(folder)
                with newsindex.open(folder) as index:
                    space.left = needed * ending // ENDINGS
                    with pytest.raises(StorageError, match=r"No space left on device; nothing was committed") as caught:
                        WORKLOAD.commit(index, number)
                    assert Path(caught.value.file).parent == folder
                    assert names(folder) == before
                    check(index, number - 1)
                    with newsindex.open(folder) as other:
                        check(other, number - 1)
                    space.left = sys.maxsize
                    WORKLOAD.commit(index, number)
                    check(index, number)
                if ending == ENDINGS - 1:
                    check_files(folder)
                shutil.rmtree(folder)
                full += 1
        trials += ENDINGS
    figures("T8", f"space ends, {policy}", full, lost=0, wrong=0, note="the same object goes on when there is space")
    assert trials == full


@pytest.mark.parametrize("policy", SEGMENTS)
def test_a_limit_of_file_size(policy: str, prepared: dict[int, Path], tmp_path: Path, figures: Figures) -> None:
    trials = 0
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        for number, start in prepared.items():
            folder = Path(shutil.copytree(start, tmp_path / f"{number}"))
            with merging(SEGMENTS[policy]), newsindex.open(folder) as index:
                before = names(folder)
                for size in (0, 200, 700):
                    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
                    try:
                        with pytest.raises(StorageError, match="File too large") as caught:
                            WORKLOAD.commit(index, number)
                    finally:
                        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
                    assert Path(caught.value.file).parent == folder
                    assert names(folder) == before
                    check(index, number - 1)
                    trials += 1
                WORKLOAD.commit(index, number)
                check(index, number)
    finally:
        signal.signal(signal.SIGXFSZ, ignored)
    figures("T8", f"files are limited, {policy}", trials, lost=0, wrong=0)


MOUNTS = """
import subprocess, sys
folder, most, rounds = sys.argv[1:]
done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], capture_output=True, text=True)
if done.returncode:
    raise SystemExit(f"no mount: {done.stderr}")
from tests.faults.test_disk_full import fill
fill(folder, int(most), int(rounds))
"""


def fill(folder: str, most: int, rounds: int) -> None:
    """Fill a small disk beside an index until its commits fail, then make space, again and again; print what was."""
    place = Path(folder, "index")
    ballast = Path(folder, "ballast")
    expected: dict[str, int] = {}
    failed: list[str] = []
    merging(most).__enter__()
    with newsindex.open(place, create=True) as index:
        for turn in range(rounds):
            free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
            ballast.write_bytes(bytes(max(0, free - 4096 * (turn % 7))))
            for part in range(10):
                new = [f"{turn}.{part}.{number}" for number in range(20)]
                try:
                    index.add(article(one, 0) for one in new)
                except StorageError as error:
                    failed.append(str(error))
                    break
                expected |= dict.fromkeys(new, 0)
            check_articles(index, expected)
            check_words(index, expected, ("eel", "dock"))
            ballast.unlink()
            new = [f"{turn}.after"]
            assert index.add([article(one, 0) for one in new]).added == 1
            expected |= dict.fromkeys(new, 0)
            gone = [one for one in expected if one.startswith(f"{turn}.") and not one.endswith("after")]
            assert index.delete(gone) == len(gone)
            for one in gone:
                del expected[one]
        check_articles(index, expected)
    check_files(place)
    print(json.dumps(failed))


@pytest.mark.parametrize("policy", SEGMENTS)
def test_a_small_disk(policy: str, tmp_path: Path, figures: Figures) -> None:
    rounds = 60 if FULL else 3
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("no unshare here, to mount a small disk")
    done = subprocess.run(
        [unshare, "-rm", sys.executable, "-c", MOUNTS, str(tmp_path), str(SEGMENTS[policy]), str(rounds)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode and ("unshare:" in done.stderr or "no mount:" in done.stderr):
        pytest.skip(f"a small disk may not be mounted here: {done.stderr.strip()[-200:]}")
    assert done.returncode == 0, done.stderr[-3000:]
    failed = json.loads(done.stdout)
    assert len(failed) >= rounds - rounds // 4
    assert all(error.startswith(f"{tmp_path}/index/") and "No space left on device" in error for error in failed)
    figures("T8", f"a disk of 1 MiB, {policy}", rounds, lost=0, wrong=0, note=f"{len(failed)} times full")
