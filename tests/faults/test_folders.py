"""Folders that may not be written or read, files that are empty, named in another case, or somebody else's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

import newsindex
from newsindex import sources
from newsindex.errors import FormatError, IndexLocked, NewsIndexError, StorageError
from newsindex.store import snapshot as snapshot_module
from newsindex.store.storage import FolderStorage
from newsindex.store.store import Store
from tests.faults.figures import Figures
from tests.faults.index_workload import IndexWorkload, article, check_articles, check_words
from tests.faults.test_kill import ROOT
from tests.faults.workload import referenced

WORKLOAD = IndexWorkload(9)
LAST = 6


def refusal(act: Callable[[], object]) -> NewsIndexError | None:
    """Do it, and return how it was refused; None when it was not."""
    try:
        act()
    except NewsIndexError as error:
        return error
    return None


def make(folder: Path) -> Path:
    with newsindex.open(folder, create=True) as index:
        for number in range(1, LAST + 1):
            WORKLOAD.commit(index, number)
    return folder


def read(folder: Path) -> None:
    snapshot_module._verified.clear()
    with newsindex.open(folder) as index:
        check_articles(index, WORKLOAD.state(LAST))
        check_words(index, WORKLOAD.state(LAST), ("eel", "dock"))


def content(folder: Path) -> dict[str, bytes]:
    # Who holds the lock is told by files of its own.
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith("write.")}


def act(folder: str) -> None:
    """Read, write and open the index as a person with less rights than there are files; print what came of it."""
    place = make(Path(folder, "index"))
    segment = next(iter(referenced(Store.open(FolderStorage(place)).snapshot) & {p.name for p in place.glob("seg-*")}))
    told: dict[str, list[str]] = {"read": [], "refused": [], "never": []}

    def refused(what: str, file: Path, act: Callable[[], object]) -> None:
        error = refusal(act)
        assert error is None or str(error).startswith(str(file)), (what, error)
        assert error is None or "Permission denied" in str(error), (what, error)
        told["refused" if error else "never"].append(what)

    def reads() -> None:
        read(place)

    reads()  # what is compiled is loaded while that is allowed
    for path in place.iterdir():
        path.chmod(0o444)
    for path in (place, Path(folder)):
        path.chmod(0o555)
    rights = os.geteuid()
    if not rights:
        os.seteuid(65534)  # nobody: the superuser may do everything
    with newsindex.open(place) as index:
        reads()
        told["read"].append("folder that may not be written")
        refused("add", place, lambda: index.add([article("x", 1)]))
        refused("delete", place, lambda: index.delete(["x"]))
        refused("merge", place, index.merge)
        check_articles(index, WORKLOAD.state(LAST))
    refused("make", Path(folder) / "new", lambda: newsindex.open(Path(folder) / "new", create=True))
    os.seteuid(rights)
    for path, mode in (
        (place / segment, 0o444),
        (place / "newsindex.meta", 0o444),
        (place, 0o555),
        (Path(folder), 0o555),
    ):
        path.chmod(0)
        if not rights:
            os.seteuid(65534)
        refused(f"{path.name[:3]} that may not be read", path if path != Path(folder) else place, reads)
        if path == Path(folder):
            assert [str(error) for error in sources.read(place)] == [f"{place}: cannot be read: Permission denied"]
        os.seteuid(rights)
        path.chmod(mode)
    print(json.dumps(told))


@pytest.mark.parametrize("name", ["x" * 300, "x/" * 3000])
def test_a_path_that_is_too_long_is_told(name: str, tmp_path: Path) -> None:
    place = tmp_path / name
    for create in (False, True):
        with pytest.raises(NewsIndexError, match="name too long"):
            newsindex.open(place, create=create)
    assert [str(error) for error in sources.read(place)] == [f"{place}: cannot be read: File name too long"]


@pytest.mark.skipif(sys.platform == "win32", reason="rights are other ones there")
def test_less_rights_are_an_error_that_names_the_place(figures: Figures) -> None:
    # Not below pytest's own folder, into which nobody else may look.
    with tempfile.TemporaryDirectory() as folder:
        program = f"from tests.faults.test_folders import act; act({folder!r})"
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        for path in (Path(folder), Path(folder) / "index"):
            path.chmod(0o755)
        assert done.returncode == 0, done.stderr[-3000:]
        told = json.loads(done.stdout)
        assert told["never"] == []
        assert len(told["refused"]) == 8
        with newsindex.open(Path(folder) / "index") as index:
            check_articles(index, WORKLOAD.state(LAST))
            assert index.add([article("x", 1)]).added == 1
    figures("T9", "folders and files without rights", len(told["refused"]) + len(told["read"]), lost=0, undetected=0)


def test_an_empty_file_is_refused_by_its_name(tmp_path: Path, figures: Figures) -> None:
    folder = make(tmp_path / "index")
    whole = content(folder)
    used = referenced(Store.open(FolderStorage(folder)).snapshot)
    used |= {name for name in whole if name.startswith(("newsindex", "toc-"))}
    trials = 0
    for name, data in whole.items():
        path = folder / name
        path.write_bytes(b"")
        error = refusal(lambda: read(folder))
        assert isinstance(error, FormatError) or (error is None and name not in used)
        assert error is None or Path(error.file).name == name
        trials += error is not None
        path.write_bytes(data)
    read(folder)
    assert trials >= len(used) >= 3
    figures("T9", "empty files", trials, undetected=0, wrong=0)


def test_a_name_in_another_case_is_another_file(tmp_path: Path, figures: Figures) -> None:
    folder = make(tmp_path / "index")
    if (folder / "NEWSINDEX.META").exists():
        pytest.skip("names are the same in any case on this file system")
    trials = 0
    for name in sorted(content(folder)):
        renamed = folder / name.upper()
        (folder / name).rename(renamed)
        error = refusal(lambda: read(folder))  # None for what only the commit before needs
        assert error is None or name in str(error) or name.startswith(("newsindex", "toc-")), error
        trials += error is not None
        renamed.rename(folder / name)
    with newsindex.open(folder) as index:
        (folder / "SEG-00000000000000000001.NIX").write_text("mine")
        assert index.add([article("x", 1)]).added == 1
    assert (folder / "SEG-00000000000000000001.NIX").read_text() == "mine"
    assert trials >= 3
    figures("T9", "names in another case", trials, undetected=0, wrong=0)


@pytest.mark.parametrize("kind", ["link", "link to nothing", "second name", "pipe", "folder", "nothing"])
@pytest.mark.parametrize("name", ["write.lock", "write.holder"])
def test_what_stands_in_the_place_of_the_lock_is_not_written_to(
    name: str, kind: str, tmp_path: Path, figures: Figures
) -> None:
    folder = make(tmp_path / "index")
    precious, new, place = tmp_path / "precious", tmp_path / "new", folder / name
    precious.write_text("precious")
    place.unlink(missing_ok=True)
    if kind.startswith("link"):
        place.symlink_to(precious if kind == "link" else new)
    elif kind == "second name":
        place.hardlink_to(precious)
    elif kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()

    def write() -> None:
        with newsindex.open(folder) as index:
            assert index.add([article("x", 1)]).added == 1
            with index.writer(), pytest.raises(IndexLocked, match="waited 0 s"):
                index.writer(timeout=0)

    read(folder)
    error = refusal(write)
    assert error is None or (isinstance(error, StorageError) and error.file.startswith(str(folder)))
    assert precious.read_text() == "precious"
    assert not new.exists()
    figures("T4c", "links and pipes in place of the lock", undetected=0, crashed=0)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"{",
        b"[1]",
        b"7",
        b"[" * 100_000,
        b'{"pid": {}, "host": "x", "since": "x"}',
        b'{"pid": 1}',
        b"\xff",
        b"x" * 10**7,
    ],
)
def test_who_holds_the_lock_may_be_told_in_any_way(said: bytes, tmp_path: Path, figures: Figures) -> None:
    with newsindex.open(make(tmp_path / "index")) as index, index.writer():
        (tmp_path / "index" / "write.holder").write_bytes(said)
        with pytest.raises(IndexLocked, match="held for writing by an unknown process") as caught:
            index.writer(timeout=0)
        assert caught.value.pid is None
    figures("T4c", "holders of the lock, made up", undetected=0, crashed=0)
