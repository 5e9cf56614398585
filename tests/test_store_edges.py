"""What seldom happens to an index's files: a disk that writes nothing, another system's refusals, a file that goes."""

from __future__ import annotations

import errno
import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from newsindex.errors import CommitUnknown, FormatError, IndexClosed, IndexLocked, IndexNotFound, StorageError
from newsindex.store import backup, merge_policy, snapshot, storage
from newsindex.store.backup import copy_snapshot
from newsindex.store.envelope import HEADER_BYTES, checksum_of, footer, header, open_content, write_enveloped
from newsindex.store.live import open_live
from newsindex.store.manifest import _LARGEST_BYTES, FileEntry, SegmentEntry, generation_of, parse_manifest, toc_name
from newsindex.store.merge_policy import choose
from newsindex.store.network import network_file_system
from newsindex.store.snapshot import (
    newest_generation,
    open_snapshot,
    read_manifest,
    read_meta,
)
from newsindex.store.storage import FolderStorage
from newsindex.store.store import Store
from tests.faults.storages import RecordingStorage
from tests.faults.workload import Workload, fixed_names, found_in

UUID = "00112233445566778899aabbccddeeff"
WORKLOAD = Workload(3)


def filled(target: Any = None, commits: int = 4) -> tuple[Any, Store]:
    target = target or RecordingStorage()
    store = Store.create(target, {})
    with fixed_names(3):
        for number in range(1, commits + 1):
            WORKLOAD.commit(store, number)
    store.refresh()
    return target, store


# The envelope


def test_a_header_has_room_for_64_letters_of_a_name() -> None:
    assert header("manifest", UUID, "n" * 64)[48:112] == b"n" * 64
    with pytest.raises(ValueError, match="too long for a header"):
        header("manifest", UUID, "n" * 65)
    with pytest.raises(ValueError, match="too long for a header"):
        header("manifests", UUID, "n")


def test_a_checksum_that_nobody_knows_is_named() -> None:
    whole = header("meta", UUID, "name") + footer(0, checksum_of(b""))
    start = whole[:24] + b"crc99\0\0\0" + whole[32:120]
    changed = start + int(checksum_of(start), 16).to_bytes(8, "little") + whole[128:]
    with pytest.raises(FormatError, match="path: unknown checksum crc99; use a newer newsindex"):
        open_content(memoryview(changed), "path", "meta", "name")


def test_the_shortest_file_is_header_and_footer() -> None:
    whole = header("meta", UUID, "name") + footer(0, checksum_of(b""))
    assert open_content(memoryview(whole), "path", "meta", "name").body == b""
    with pytest.raises(FormatError, match="path: damaged: 151 bytes, fewer than header and footer take"):
        open_content(memoryview(whole[:-1]), "path", "meta", "name")


class Stuck(RecordingStorage):
    """Its files take no bytes, and say so."""

    def create(self, name: str) -> Any:
        file = super().create(name)
        file.write = lambda data: 0  # type: ignore[method-assign]
        return file


def test_a_write_of_nothing_is_an_error_and_no_endless_loop() -> None:
    with pytest.raises(OSError, match="wrote 0 of 128 bytes"):
        write_enveloped(Stuck(), "name", header("meta", UUID, "name"), [b"x"])


def test_empty_chunks_are_nothing() -> None:
    target = RecordingStorage()
    length, checksum = write_enveloped(target, "name", header("meta", UUID, "name"), [b"", b"ab", b"", b"c"])
    assert (length, checksum) == (3, checksum_of(b"abc"))
    assert target.contents()["name"][HEADER_BYTES:-24] == b"abc"


# Folders and files


def test_a_name_that_is_no_plain_name_is_refused(tmp_path: Path) -> None:
    target = FolderStorage(tmp_path)
    assert target.path() == str(tmp_path)
    for name in ("..", ".", "a/b", "/etc", "../a", "a\0"):
        with pytest.raises(ValueError, match="no plain file name"):
            target.path(name)


@pytest.mark.parametrize("winerror", [5, 32, 33])
def test_a_file_that_is_busy_for_a_moment_is_renamed_all_the_same(
    winerror: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "old").write_text("x")
    pauses: list[float] = []
    tried = []
    real = os.rename

    def rename(old: str, new: str) -> None:
        tried.append(old)
        if len(tried) < 4:
            error = PermissionError(errno.EACCES, "busy")
            error.winerror = winerror  # type: ignore[attr-defined]
            raise error
        real(old, new)

    monkeypatch.setattr(os, "rename", rename)
    monkeypatch.setattr(time, "sleep", pauses.append)
    FolderStorage(tmp_path).rename("old", "new")
    assert (tmp_path / "new").read_text() == "x"
    assert pauses == [0.01, 0.02, 0.04]


def test_a_file_that_stays_busy_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    error = PermissionError(errno.EACCES, "busy")
    error.winerror = 32  # type: ignore[attr-defined]

    def rename(old: str, new: str) -> None:
        raise error

    monkeypatch.setattr(os, "rename", rename)
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(time, "sleep", lambda pause: clock.__setitem__(0, clock[0] + pause))
    with pytest.raises(PermissionError):
        FolderStorage(tmp_path).rename("old", "new")
    assert 1.2 < clock[0] <= 2.5
    clock[0] = 0.0
    error.winerror = 2  # type: ignore[attr-defined]
    with pytest.raises(PermissionError):
        FolderStorage(tmp_path).rename("old", "new")
    assert clock[0] == 0.0


@pytest.mark.parametrize("answer", ["taken", "refused", "unknown"])
def test_the_system_is_asked_to_write_large_files_soon(
    answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that is no, or a system that has no such advice, changes nothing."""
    if answer != "unknown" and not hasattr(os, "posix_fadvise"):
        pytest.skip("this system takes no advice")
    asked: list[tuple[int, int]] = []

    def advise(_: int, begin: int, size: int, advice: int) -> None:
        assert advice == os.POSIX_FADV_DONTNEED
        asked.append((begin, size))
        if answer == "refused":
            raise OSError(errno.EINVAL, "no advice")

    if answer == "unknown":
        monkeypatch.delattr(os, "posix_fadvise", raising=False)
    else:
        monkeypatch.setattr(os, "posix_fadvise", advise)
    monkeypatch.setattr(storage, "_BEGUN_BYTES", 1000)
    chunks = [bytes([number]) * 400 for number in range(10)]
    write_enveloped(FolderStorage(tmp_path), "file", b"", chunks)
    assert (tmp_path / "file").read_bytes()[: 10 * 400] == b"".join(chunks)
    assert asked == ([] if answer == "unknown" else [(0, 1200), (1200, 1200), (2400, 1200)])


def test_identity_tells_a_file_from_its_successor(tmp_path: Path) -> None:
    target = FolderStorage(tmp_path)
    assert target.identity("name") is None
    (tmp_path / "name").write_text("x")
    found = (tmp_path / "name").stat()
    assert target.identity("name") == (found.st_dev, found.st_ino)
    opened = target.open_read("name")
    assert opened.identity == (found.st_dev, found.st_ino, 1, found.st_mtime_ns)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    target = FolderStorage(tmp_path)
    for name, reason in {
        "pipe": "not a regular file",
        "folder": "not a regular file",
        "link": "a symbolic link",
    }.items():
        with pytest.raises(FormatError, match=f"{name}: {reason}"):
            target.open_read(name)


def test_folders_are_made_with_their_parents_and_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr(storage, "_sync_names", synced.append)
    FolderStorage(tmp_path / "a" / "b").make_folder()
    assert (tmp_path / "a" / "b").is_dir()
    assert synced == [str(tmp_path), str(tmp_path / "a")]
    synced.clear()
    FolderStorage(tmp_path / "a" / "b").make_folder()
    assert synced == []


def test_a_network_file_system_that_is_in_no_table(tmp_path: Path) -> None:
    table = tmp_path / "table"
    table.write_text("1 2 999999:9 / / rw - nfs4 host:/ rw\nshort - nfs4\n")
    assert network_file_system(tmp_path, table) is None


# The lock


def test_the_holder_is_named_or_unknown(tmp_path: Path) -> None:
    first, second = FolderStorage(tmp_path).lock(), FolderStorage(tmp_path).lock()
    first.acquire(0)
    for told, shown in {
        json.dumps({"pid": 7, "host": "here", "since": "now"}): (7, "here", "now"),
        "[]": (None, None, None),
        "{": (None, None, None),
    }.items():
        (tmp_path / "write.holder").write_text(told)
        with pytest.raises(IndexLocked) as caught:
            second.acquire(0)
        assert (caught.value.pid, caught.value.host, caught.value.since) == shown
    (tmp_path / "write.holder").unlink()
    with pytest.raises(IndexLocked):
        second.acquire(0)
    first.release()
    second.acquire(0)
    told = json.loads((tmp_path / "write.holder").read_text())
    assert told["pid"] == os.getpid()
    second.release()
    second.release()


def test_a_lock_that_cannot_be_told_of_is_given_back(tmp_path: Path) -> None:
    (tmp_path / "write.holder").mkdir()
    first = FolderStorage(tmp_path).lock()  # kept: a lock that is forgotten is free
    with pytest.raises(StorageError, match=r"write.holder: cannot be written"):
        first.acquire(0)
    (tmp_path / "write.holder").rmdir()
    lock = FolderStorage(tmp_path).lock()
    lock.acquire(0)
    lock.release()
    with pytest.raises(StorageError, match="cannot be written"):
        FolderStorage(tmp_path / "write.holder" / "below").lock().acquire(0)


# Manifests and snapshots


def test_a_manifest_is_at_most_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    from_store = filled()[1].snapshot.manifest
    data = from_store.to_json()
    monkeypatch.setattr("newsindex.store.manifest._LARGEST_BYTES", len(data))
    assert parse_manifest(memoryview(data), "toc", from_store.generation, from_store.index_uuid) == from_store
    monkeypatch.setattr("newsindex.store.manifest._LARGEST_BYTES", len(data) - 1)
    with pytest.raises(FormatError, match=rf"toc: {len(data):,} bytes are too many for a manifest"):
        parse_manifest(memoryview(data), "toc", from_store.generation, from_store.index_uuid)


def test_only_whole_names_have_generations() -> None:
    assert generation_of(toc_name(7), "toc") == 7
    for name in (f"{toc_name(7)}x", f"x{toc_name(7)}", "toc-7", toc_name(7).replace("toc", "previous")):
        assert generation_of(name, "toc") is None


def test_a_segment_of_another_count_than_told_is_refused() -> None:
    class Wrong:
        doc_count = 3

    _, store = filled()
    segment = store.snapshot.segments[0]
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr("newsindex.store.live.SegmentReader", lambda *_: Wrong)
        with pytest.raises(FormatError, match=f"has 3 articles, the manifest says {segment.entry.file.doc_count}"):
            open_live(store.snapshot, None)  # type: ignore[arg-type]


def test_a_manifest_that_is_gone_is_named() -> None:
    target, store = filled()
    with pytest.raises(FormatError, match=f"{toc_name(99)}: missing; restore"):
        read_manifest(target, store.index_uuid, 99)
    newest = newest_generation(target)
    target.unlink(toc_name(newest))
    with pytest.raises(FormatError, match=f"{toc_name(newest)}: the newest commit's manifest is missing"):
        newest_generation(target)


class Overtaken(RecordingStorage):
    """When a segment is first opened, its file is gone: another process has made commits, and collected."""

    commits: list[int] = []  # noqa: RUF012 - one a test

    def open_read(self, name: str) -> Any:
        if name.startswith("seg-") and self.commits:
            commits, self.commits = self.commits, []
            for number in commits:
                WORKLOAD.commit(Store.open(self), number)
            raise FileNotFoundError(2, "gone", name)
        return super().open_read(name)


def test_a_file_that_goes_while_a_snapshot_opens_belongs_to_an_older_commit() -> None:
    target, store = filled()
    overtaken = Overtaken(target.contents())
    overtaken.commits = [5, 6]
    opened = open_snapshot(overtaken, store.index_uuid)
    assert opened.generation == store.snapshot.generation + 2
    assert found_in(opened) == WORKLOAD.expected(6)


def test_a_file_that_goes_without_a_newer_commit_is_missing() -> None:
    target, store = filled()
    name = store.snapshot.manifest.files()[0].name
    target.unlink(name)
    with pytest.raises(FormatError, match=rf"{name}: missing, though commit {store.snapshot.generation} needs it"):
        open_snapshot(target, store.index_uuid)


def test_a_copy_that_is_not_what_was_checked_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, store = filled()
    monkeypatch.setattr(backup, "write_enveloped", lambda *_: (0, "0" * 16))
    with pytest.raises(StorageError, match="changed while it was copied; try again"):
        copy_snapshot(store.snapshot, FolderStorage(tmp_path / "copy"))
    with pytest.raises(IndexNotFound):
        read_meta(FolderStorage(tmp_path / "copy"))


def test_files_are_verified_once_and_forgotten_with_their_index() -> None:
    target, store = filled()
    known = snapshot._verified[store.index_uuid]
    assert {key[0] for key in known} == {file.name for file in store.snapshot.manifest.files()}
    WORKLOAD.commit(store, 5)
    store.refresh()
    now = snapshot._verified[store.index_uuid]
    assert {key[0] for key in now} == {file.name for file in store.snapshot.manifest.files()}
    assert target.contents()


# Commits


class Lost(RecordingStorage):
    """A rename fails, and nothing tells whether it was done."""

    failing = False

    def rename(self, old: str, new: str) -> None:
        if self.failing and new.startswith("toc-"):
            raise OSError(errno.EIO, "input/output error", new)
        super().rename(old, new)

    def identity(self, name: str) -> tuple[int, ...] | None:
        if self.failing and name.startswith("pending-"):
            raise OSError(errno.EIO, "input/output error", name)
        return super().identity(name)


def test_a_rename_of_which_nothing_is_known_is_an_unknown_commit() -> None:
    target, store = filled(Lost())
    target.failing = True
    with pytest.raises(CommitUnknown, match=r"toc-.*input/output error"):
        WORKLOAD.commit(store, 5)
    target.failing = False
    assert found_in(Store.open(target).snapshot) == WORKLOAD.expected(4)
    WORKLOAD.commit(Store.open(target), 5)
    assert found_in(Store.open(target).snapshot) == WORKLOAD.expected(5)


def test_a_store_refuses_when_closed() -> None:
    _, store = filled()
    store.close()
    for act in (lambda: store.snapshot, store.refresh, store.begin):
        with pytest.raises(IndexClosed, match="closed, or opened by the parent process; open it again"):
            act()


def test_what_an_index_was_made_for_stays_and_foreign_files_are_in_the_way(tmp_path: Path) -> None:
    (tmp_path / ".hidden").write_text("x")
    (tmp_path / f"pending-00000000000000000001-{'a' * 32}").write_text("cut short")
    store = Store.create(FolderStorage(tmp_path), {"kept": 1})
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith("write.")) == [
        ".hidden", "newsindex.meta", toc_name(1),
    ]  # fmt: skip
    again = Store.create(FolderStorage(tmp_path), {"kept": 2})
    assert again.index_uuid == store.index_uuid
    assert again.snapshot.manifest.schema == {"kept": 1}


def test_files_of_no_commit_are_collected_and_others_stay() -> None:
    target, store = filled(commits=2)
    for name in (
        f"seg-{1:020d}-{'b' * 32}.nix",
        f"pending-{1:020d}-{'b' * 32}",
        f"del-{1:020d}-{'b' * 32}",
        "notes.txt",
    ):
        target.create(name)
    WORKLOAD.commit(store, 3)
    assert "notes.txt" in target.contents()
    assert not [name for name in target.contents() if name.endswith(("b" * 32, f"{'b' * 32}.nix"))]
    with suppress(OSError), store.begin() as writer:
        assert writer.uncollected == ()


def test_a_commit_needs_files_that_are_there() -> None:
    target, store = filled(commits=2)
    entry = FileEntry(f"seg-{9:020d}-{'c' * 32}.nix", 300, "0" * 16, 1)
    with store.begin() as writer:
        before = writer.generation
        with pytest.raises(ValueError, match=r"is neither in commit \d+ nor added since"):
            writer.commit([SegmentEntry(entry)])
        with pytest.raises(ValueError, match=r"not written, as it could not be read: .* too many for a manifest"):
            writer.commit([], schema={"x": "x" * _LARGEST_BYTES})
        with pytest.raises(ValueError, match="object"):
            writer.commit([], schema={"x": object()})
        assert writer.generation == before
        writer.commit([])
        assert writer.generation == before + 1
    assert found_in(Store.open(target).snapshot) == []


# Which segments to merge

MIB = 2**20


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], None),
        ([(MIB, 1.0)] * 8, None),
        ([(MIB, 1.0)] * 9, list(range(9))),
        ([(8 * MIB, 1.0)] * 8 + [(8 * MIB + 1, 1.0)], None),
        ([(8 * MIB, 1.0)] * 9, list(range(9))),
        ([(10**9, 0.49), (MIB, 1.0)], [0]),
        ([(10**9, 0.5), (MIB, 1.0)], None),
        ([(0, 1.0)] * 9, list(range(9))),
        ([(512 * MIB, 1.0)] * 9, None),
        ([(64 * MIB, 1.0)] * 9, list(range(9))),
        ([(64 * MIB + 1, 1.0)] * 24, None),
        ([(64 * MIB + 1, 1.0)] * 25, list(range(25))),
        ([(512 * MIB, 1.0)] * 25 + [(MIB, 1.0)] * 9, list(range(25, 34))),
        ([(16 * MIB, 0.5)] * 9, list(range(9))),
    ],
)
def test_segments_to_merge(sizes: list[tuple[int, float]], expected: list[int] | None) -> None:
    assert choose(sizes) == expected
    assert merge_policy._MOST_IN_TIER == 8
