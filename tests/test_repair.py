"""Back to the commit before a damaged one; and folders on a network."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import newsindex
from newsindex.cli import main
from newsindex.errors import FormatError, IndexNotFound, StorageError
from newsindex.index import NewsIndex
from newsindex.store.network import network_file_system
from newsindex.store.repair import return_to_previous
from newsindex.store.storage import FolderStorage

MakeIndex = Callable[..., NewsIndex]


def article(number: int) -> dict[str, Any]:
    return {"id": f"a{number}", "title": f"Report {number}", "body": "The bank kept its rates."}


def two_commits(make_index: MakeIndex) -> tuple[Path, str]:
    """Return an archive whose newest commit added a second article, and the name of that commit's manifest."""
    index = make_index([article(0)])
    index.add([article(1)])
    folder = Path(index.stats().location)
    index.close()
    (toc,) = folder.glob("toc-*")
    return folder, toc.name


def overwrite(path: Path, change: Callable[[bytearray], object]) -> None:
    data = bytearray(path.read_bytes())
    change(data)
    path.unlink()
    path.write_bytes(data)


def flip(data: bytearray) -> None:
    data[len(data) // 2] ^= 1


@pytest.mark.parametrize("lost", [False, True], ids=["damaged", "missing"])
def test_a_lost_manifest_is_given_up_only_when_asked(make_index: MakeIndex, lost: bool) -> None:
    folder, toc = two_commits(make_index)
    if lost:
        (folder / toc).unlink()
    else:
        overwrite(folder / toc, flip)
    with pytest.raises(FormatError, match=toc):
        newsindex.open(folder)
    done = return_to_previous(FolderStorage(folder))
    assert (done.articles, toc in done.damage) == (1, True)
    with newsindex.open(folder) as index:
        assert [found.id for found in index.articles()] == ["a0"]  # type: ignore[attr-defined]
        assert index.add([article(1), article(2)]).added == 2
        assert index.check() == []
    kept = sorted(path.name.split("-")[0] for path in folder.iterdir() if not path.name.startswith("write."))
    assert kept == ["newsindex.meta", "previous", "seg", "seg", "toc"]


def test_a_damaged_segment_of_the_newest_commit_alone(make_index: MakeIndex) -> None:
    folder, _ = two_commits(make_index)
    newest = max(folder.glob("seg-*"))
    overwrite(newest, flip)
    done = return_to_previous(FolderStorage(folder))
    assert newest.name in done.damage
    with newsindex.open(folder) as index:
        assert index.count() == 1


def test_a_segment_of_both_commits_cannot_be_given_up(make_index: MakeIndex) -> None:
    folder, _ = two_commits(make_index)
    both = min(folder.glob("seg-*"))
    overwrite(both, flip)

    def files() -> dict[str, bytes]:
        # Who held the lock last, and since when, is another matter.
        return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "write.holder"}

    before = files()
    with pytest.raises(FormatError, match=both.name):
        return_to_previous(FolderStorage(folder))
    assert files() == before


def test_a_sound_commit_is_not_given_up(make_index: MakeIndex) -> None:
    folder, _ = two_commits(make_index)
    with pytest.raises(StorageError, match="sound"):
        return_to_previous(FolderStorage(folder))
    with newsindex.open(folder) as index:
        assert index.count() == 2


def test_without_a_commit_before(make_index: MakeIndex, tmp_path: Path) -> None:
    index = make_index()
    folder = Path(index.stats().location)
    index.close()
    (toc,) = folder.glob("toc-*")
    overwrite(toc, flip)
    with pytest.raises(FormatError, match="no commit before"):
        return_to_previous(FolderStorage(folder))
    with pytest.raises(IndexNotFound):
        return_to_previous(FolderStorage(tmp_path / "nothing"))


def test_the_command(make_index: MakeIndex, capsys: pytest.CaptureFixture[str]) -> None:
    folder, toc = two_commits(make_index)
    assert main(["repair", str(folder)]) == 2
    assert "--to-previous" in capsys.readouterr().err
    assert main(["repair", str(folder), "--to-previous"]) == 2
    assert "sound" in capsys.readouterr().err
    overwrite(folder / toc, flip)
    assert main(["repair", str(folder), "--to-previous"]) == 0
    said = capsys.readouterr().out
    assert toc in said
    assert "1 article, as commit 2 had them" in said


@pytest.mark.parametrize(("kind", "is_network"), [("nfs4", True), ("fuse.sshfs", True), ("ext4", False), ("9p", False)])
def test_network_file_systems_are_known_by_their_type(tmp_path: Path, kind: str, is_network: bool) -> None:
    device = os.stat(tmp_path).st_dev  # noqa: PTH116
    table = tmp_path / "mountinfo"
    line = f"36 35 {os.major(device)}:{os.minor(device)} / {tmp_path} rw,noatime shared:1 - {kind} server:/share rw"
    table.write_text(f"22 1 0:999 / /elsewhere rw - nfs other:/ rw\nbroken\n{line}\n")
    assert network_file_system(tmp_path / "not" / "yet", table) == (kind if is_network else None)
    assert network_file_system(tmp_path, tmp_path / "no table") is None


def test_an_archive_on_a_network_is_refused_unless_allowed(
    make_index: MakeIndex, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    location = make_index([article(0)]).stats().location
    monkeypatch.setattr("newsindex.index.network_file_system", lambda folder: "nfs4")
    with pytest.raises(StorageError, match="nfs4"):
        newsindex.open(location)
    with newsindex.open(location, allow_network_fs=True) as index:
        assert index.count() == 1
    assert main(["count", location, "bank"]) == 2
    assert "nfs4" in capsys.readouterr().err
    assert main(["count", location, "bank", "--allow-network-fs"]) == 0
