"""Files cut by another program while an index is open: one that is not mapped goes on, and none answers wrongly."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import newsindex
from newsindex.errors import FormatError
from newsindex.store import merge_policy
from newsindex.store.storage import FolderStorage
from tests.faults import damages
from tests.faults.figures import Figures
from tests.faults.index_workload import article
from tests.faults.test_kill import FULL, ROOT

LENGTHS = 50 if FULL else 2


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> damages.Files:
    return damages.make_files(tmp_path_factory.mktemp("whole") / "index")


def told(index: newsindex.index.NewsIndex) -> list[object]:
    return [
        [
            (hit.id, hit.score, hit.title, str(hit.snippet), hit.article)
            for hit in index.search(query, limit=None, facets=("source",))
        ]
        for query in ("quay", '"version 1"', "qua* -reef", "source:wire")
    ]


def cut(path: Path, length: int) -> None:
    os.truncate(path, length)


def test_an_index_that_is_not_mapped_outlives_any_cut(files: damages.Files, tmp_path: Path, figures: Figures) -> None:
    damages.write_files(files, tmp_path)
    with newsindex.open(tmp_path) as whole:
        expected = told(whole)
    trials = 0
    for name in damages.in_use(files):
        for part in range(LENGTHS):
            damages.write_files(files, tmp_path)
            with newsindex.open(tmp_path, mapped=False) as index:
                cut(tmp_path / name, len(files[name]) * part // LENGTHS)
                assert told(index) == expected
                assert not list(index.check())
            for mapped in (True, False):
                with pytest.raises(FormatError, match=name):
                    newsindex.open(tmp_path, mapped=mapped)
            trials += 1
    figures("T4d", "files cut while open, not mapped", trials, wrong=0, undetected=0, crashed=0)


def test_a_merge_writes_anew_what_was_cut(
    files: damages.Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damages.write_files(files, tmp_path)
    monkeypatch.setattr(merge_policy, "_MOST_IN_TIER", 1)
    segments = [name for name in damages.in_use(files) if name.startswith("seg-")]
    with newsindex.open(tmp_path, mapped=False) as index:
        before = index.count()
        for name in segments:
            cut(tmp_path / name, 1000)
        index.add([article("new", 1)])
        assert index.count() == before + 1
        assert not list(index.check())
    with newsindex.open(tmp_path) as index:
        assert index.count() == before + 1


MAPPED = """
import os, signal, sys
import newsindex
with newsindex.open(sys.argv[1]) as index:
    print("open", flush=True)
    os.truncate(sys.argv[2], 0)
    print(index.search("quay").total)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="what a system does to who reads a map that was cut")
def test_a_mapped_file_that_is_cut_ends_the_process(files: damages.Files, tmp_path: Path) -> None:
    """What is not promised: should this fail, there is more to promise."""
    damages.write_files(files, tmp_path)
    segment = next(name for name in damages.in_use(files) if name.startswith("seg-"))
    done = subprocess.run(
        [sys.executable, "-c", MAPPED, str(tmp_path), str(tmp_path / segment)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("open\n", -7)


@pytest.mark.parametrize("mapped", [True, False])
def test_both_ways_to_open_read_the_same(tmp_path: Path, mapped: bool) -> None:
    storage = FolderStorage(tmp_path, mapped=mapped)
    big = os.urandom(2_500_000)
    for name, data in {"empty": b"", "small": b"x", "big": big}.items():
        (tmp_path / name).write_bytes(data)
        opened = storage.open_read(name)
        assert bytes(opened.buffer) == data
        assert opened.buffer.readonly
        assert opened.identity == FolderStorage(tmp_path).open_read(name).identity


def test_a_file_that_shrinks_while_it_is_read_is_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(3_000_000))
    real = os.read

    def read(descriptor: int, size: int) -> bytes:
        cut(path, 1_500_000)
        return real(descriptor, size)

    monkeypatch.setattr(os, "read", read)
    with pytest.raises(FormatError, match="file: became shorter while it was opened"):
        FolderStorage(tmp_path, mapped=False).open_read("file")
