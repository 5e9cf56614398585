"""What the store refuses, each for its own reason, and what stands beside it and is taken."""

from __future__ import annotations

import errno
import json
import os
import socket
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from newsindex.errors import FormatError, IndexClosed, IndexLocked, IndexNotFound, StorageError
from newsindex.store import snapshot
from newsindex.store.backup import copy_snapshot
from newsindex.store.envelope import HEADER_BYTES, checksum_of, footer, header, open_content
from newsindex.store.live import deletion_chunks, living_articles
from newsindex.store.manifest import FileEntry, SegmentEntry, toc_name
from newsindex.store.network import network_file_system
from newsindex.store.repair import return_to_previous
from newsindex.store.snapshot import (
    OpenSegment,
    open_previous,
    open_snapshot,
    read_meta,
)
from newsindex.store.storage import FolderStorage
from newsindex.store.store import Store
from tests.faults.storages import RecordingStorage
from tests.faults.workload import Workload, found_in
from tests.test_store_edges import filled

UUID = "00112233445566778899aabbccddeeff"
WORKLOAD = Workload(3)


def stored(kind: str, name: str, body: bytes, uuid: str = UUID) -> bytes:
    return header(kind, uuid, name) + body + footer(len(body), checksum_of(body))


def with_start(whole: bytes, at: int, new: bytes) -> memoryview:
    """Return a file with other bytes in its header, whose checksum is right."""
    start = whole[:at] + new + whole[at + len(new) : 120]
    return memoryview(start + int(checksum_of(start), 16).to_bytes(8, "little") + whole[128:])


def test_each_part_of_an_envelope_is_looked_at() -> None:
    whole = stored("meta", "name", b"body")

    def refused(data: memoryview, kind: str = "meta", name: str = "name") -> str:
        with pytest.raises(FormatError) as caught:
            open_content(data, "path", kind, name, UUID)
        return caught.value.reason

    assert open_content(memoryview(whole), "path", "meta", "name", UUID).index_uuid == UUID
    assert refused(memoryview(b"X" + whole[1:])).startswith("not a file of newsindex (byte 0: 58 4e 49 58 0d 0a 1a 0a)")
    assert refused(memoryview(whole[:60] + b"X" + whole[61:])).startswith("damaged: bytes 0 to 128 do not fit")
    assert refused(with_start(whole, 8, b"\2\0\3\0")) == "format 2.3, this newsindex reads 1.0; use a newer newsindex"
    assert refused(with_start(whole, 8, b"\0\0")).endswith("export with the newsindex that made it")
    assert refused(memoryview(whole), kind="segment") == "holds a meta, not a segment; restore the folder from a copy"
    assert refused(memoryview(whole), name="other").startswith("is the file name under another name")
    assert refused(memoryview(stored("meta", "name", b"", "f" * 32))).startswith(
        f"belongs to another index ({'f' * 32}"
    )
    for at in (-1, -24, len(whole) - 1):
        changed = bytearray(whole)
        changed[at] ^= 1
        assert refused(memoryview(changed)).startswith(
            f"damaged: the footer at byte {len(whole) - 24} does not end 156"
        )
    assert refused(memoryview(whole + bytes(1))).startswith(f"damaged: the footer at byte {len(whole) - 23}")
    with_minor = with_start(whole, 10, b"\7\0")
    assert open_content(with_minor, "path", "meta", "name", None).body == b"body"


def replaced(target: Any, name: str, data: bytes) -> RecordingStorage:
    return RecordingStorage(target.contents() | {name: data})


def test_a_whole_file_that_is_not_the_one_of_the_commit_is_refused() -> None:
    target, store = filled()
    for kind, file in (("segment", store.snapshot.segments[0].entry.file),):
        body = bytes(store.snapshot.segments[0].body)
        other = bytes([body[0] ^ 1]) + body[1:]
        for new, reason in (
            (body + b"x", f"damaged: {file.length + 1} bytes instead of {file.length}"),
            (other, f"damaged: the footer has the checksum {checksum_of(other)}, the manifest {file.checksum}"),
        ):
            changed = replaced(target, file.name, stored(kind, file.name, new, store.index_uuid))
            with pytest.raises(FormatError) as caught:
                open_snapshot(changed, store.index_uuid, verify=False)
            assert caught.value.file == f"memory/{file.name}"
            assert caught.value.reason.startswith(reason)


def test_deletions_fit_their_segment() -> None:
    file = FileEntry(f"seg-{1:020d}-{'a' * 32}.nix", 200, "0" * 16, 9)
    gone = FileEntry(f"del-{1:020d}-{'a' * 32}", 200, "0" * 16, 2)
    entry = SegmentEntry(file, gone)

    def living(bits: bytes) -> Any:
        return living_articles(OpenSegment(entry, memoryview(b""), memoryview(bits)), 9)

    assert living(b"\x81\0").tolist() == [False, True, True, True, True, True, True, False, True]
    assert deletion_chunks(living(b"\x81\0")) == [b"\x81\0"]
    for bits, reason in (
        (b"\x81", "1 bytes for 9 articles; restore the folder from a copy"),
        (b"\x81\0\0", "3 bytes for 9 articles"),
        (b"\x80\0", "deletes 1 articles, the manifest says 2"),
        (b"\x83\0", "deletes 3 articles, the manifest says 2"),
    ):
        with pytest.raises(FormatError, match=f"{gone.name}: {reason}"):
            living(bits)
    assert living_articles(OpenSegment(SegmentEntry(file), memoryview(b""), None), 9).all()
    with pytest.raises(ValueError, match="more articles than"):
        SegmentEntry(file, FileEntry(gone.name, 200, "0" * 16, 10))
    assert SegmentEntry(file, FileEntry(gone.name, 200, "0" * 16, 9)).deletions is not None


def test_segments_and_deletions_have_names_of_their_kind() -> None:
    segment = FileEntry(f"seg-{1:020d}-{'a' * 32}.nix", 200, "0" * 16, 9)
    deletion = FileEntry(f"del-{1:020d}-{'a' * 32}", 200, "0" * 16, 2)
    with pytest.raises(ValueError, match="is no name of a segment"):
        SegmentEntry(deletion)
    with pytest.raises(ValueError, match="is no name of deletions"):
        SegmentEntry(segment, segment)


def test_no_commit_before_the_newest() -> None:
    target = RecordingStorage()
    store = Store.create(target, {})
    with pytest.raises(
        FormatError, match=r"memory/: no commit before the newest is kept; restore the folder from a copy"
    ):
        open_previous(target, store.index_uuid)
    WORKLOAD.commit(store, 1)
    WORKLOAD.commit(store, 2)
    name = open_previous(target, store.index_uuid).manifest.files()[0].name
    target.unlink(name)
    with pytest.raises(
        FormatError, match=rf"{name}: missing, though commit 2 needs it; restore the folder from a copy"
    ):
        open_previous(target, store.index_uuid)


@pytest.mark.parametrize(
    ("name", "is_damage"),
    [
        (toc_name(1), False), (toc_name(2), True), (f"previous-{1:020d}", True), (f"seg-{1:020d}-{'a' * 32}.nix", True),
        (f"del-{1:020d}-{'a' * 32}", True), (f"pending-{1:020d}-{'a' * 32}", False), ("notes.txt", False),
    ],
)  # fmt: skip
def test_a_mark_that_is_missing_is_damage_or_a_beginning(name: str, is_damage: bool) -> None:
    target = RecordingStorage({name: b""})
    if is_damage:
        with pytest.raises(FormatError, match=r"newsindex.meta: missing, though there are files of an index"):
            read_meta(target)
    else:
        with pytest.raises(IndexNotFound, match=r"memory/: no index \(no newsindex.meta\); create=True makes one"):
            read_meta(target)


def test_a_folder_on_a_network_is_told_by_its_device(tmp_path: Path) -> None:
    device = tmp_path.stat().st_dev
    table = tmp_path / "table"
    here = f"{os.major(device)}:{os.minor(device)}"
    table.write_text(f"1 2 0:99 / /a rw - ext4 x rw\n36 35 {here} / / rw,x shared:1 - nfs4 host:/ rw\n")
    assert network_file_system(tmp_path, table) == "nfs4"
    table.write_text(f"36 35 {here}\n36 35 {here} / / rw - ext4 x rw\n36 35 {here} / / rw - nfs4 host:/ rw\n")
    assert network_file_system(tmp_path, table) is None
    table.write_text(f"36 35 {here} - nfs4\n")
    assert network_file_system(tmp_path, table) == "nfs4"
    table.write_text(f"35 {here} - nfs4\n")
    assert network_file_system(tmp_path, table) is None


def test_a_lock_may_be_given_back_by_another_thread_and_is_looked_for_often(tmp_path: Path) -> None:
    first, second = FolderStorage(tmp_path).lock(), FolderStorage(tmp_path).lock()
    first.acquire(0)
    timer = threading.Timer(0.05, first.release)
    timer.start()
    begun = time.monotonic()
    second.acquire(5)
    assert 0.02 < time.monotonic() - begun < 0.9
    timer.join()
    told = json.loads((tmp_path / "write.holder").read_text())
    assert told.keys() == {"pid", "host", "since"}
    assert told["host"] == socket.gethostname()
    assert datetime.fromisoformat(told["since"]).utcoffset() == timedelta(0)
    second.release()


# Copies and repairs


def test_a_copy_is_durable_before_it_is_an_index() -> None:
    _, store = filled()
    target = RecordingStorage()
    copy_snapshot(store.snapshot, target)
    assert found_in(Store.open(target).snapshot) == WORKLOAD.expected(4)
    created = [at for at, step in enumerate(target.log) if step.kind == "create" and step.name != "newsindex.meta"]
    (mark,) = [at for at, step in enumerate(target.log) if step.kind == "create" and step.name == "newsindex.meta"]
    assert "sync_folder" in [step.kind for step in target.log[max(created) : mark]]
    assert target.log[-1].kind == "sync_folder"
    with pytest.raises(StorageError, match="memory/: holds files already; choose an empty folder"):
        copy_snapshot(store.snapshot, target)


def test_damage_is_not_copied() -> None:
    target, store = filled()
    name = store.snapshot.manifest.files()[0].name
    target.data[target.names[name]][HEADER_BYTES] ^= 1
    snapshot._verified.clear()
    copied = RecordingStorage()
    with pytest.raises(FormatError, match=f"{name}: damaged"):
        copy_snapshot(Store.open(target, verify=False).snapshot, copied)
    assert not copied.contents()


def test_a_repair_takes_the_lock_gives_it_back_and_is_durable() -> None:
    target, store = filled()
    newest = store.snapshot.generation
    held = target.lock()
    held.acquire(0)
    with pytest.raises(IndexLocked):
        return_to_previous(target, 0)
    held.release()
    with pytest.raises(StorageError, match=rf"the newest commit, {newest}, is sound; nothing was changed"):
        return_to_previous(target, 0)
    target.data[target.names[toc_name(newest)]][HEADER_BYTES] ^= 1
    target.log.clear()
    done = return_to_previous(target, 0)
    assert (done.returned_to, done.generation) == (newest - 1, newest + 2)
    assert toc_name(newest) in done.damage
    assert done.articles == len(WORKLOAD.expected(3))
    assert [step.kind for step in target.log] == ["create", *["write"] * 3, "sync", "rename", "sync_folder"]
    opened = Store.open(target)
    assert found_in(opened.snapshot) == WORKLOAD.expected(3)
    opened.begin(0).close()


def test_what_was_damaged_only_in_its_content_is_found_by_a_repair() -> None:
    target, store = filled()
    newest = store.snapshot
    before = {file.name for file in open_previous(target, store.index_uuid).manifest.files()}
    name = next(file.name for file in newest.manifest.files() if file.name not in before)
    target.data[target.names[name]][HEADER_BYTES] ^= 1
    done = return_to_previous(target, 0)
    assert name in done.damage
    kept = next(iter(before))
    target.data[target.names[kept]][HEADER_BYTES] ^= 1
    with pytest.raises(FormatError, match=kept):
        return_to_previous(target, 0)
    target.lock().acquire(0)


# What a writer does not do when it is over


def test_a_writer_that_is_over_does_nothing() -> None:
    _, store = filled(commits=2)
    writer = store.begin(0)
    writer.close()
    writer.close()
    for act in (writer.rollback, lambda: writer.commit([]), lambda: writer.add_file("segment", [b""], 0)):
        with pytest.raises(
            IndexClosed, match="this writer is closed, failed, or is the parent process's; begin another"
        ):
            act()


def test_a_rollback_removes_what_was_added_and_goes_on() -> None:
    target, store = filled(commits=2)
    before = set(target.contents())
    with store.begin(0) as writer:
        entry = writer.add_file("segment", [b"x"], 1)
        writer.rollback()
        assert set(target.contents()) == before
        with pytest.raises(ValueError, match="neither in commit"):
            writer.commit([SegmentEntry(entry)])
        writer.commit([], schema={"new": 1})
        assert writer.manifest.schema == {"new": 1}
        writer.commit([])
        assert writer.manifest.schema == {"new": 1}
    assert set(target.contents()) & (before - {"newsindex.meta"}) <= before


def test_a_commit_between_a_failed_rename_and_the_next_step() -> None:
    """A rename that was surely not done leaves the commit as it was before: an ordinary error."""

    class Refusing(RecordingStorage):
        refusing = False

        def rename(self, old: str, new: str) -> None:
            if self.refusing and new.startswith("toc-"):
                raise OSError(errno.EACCES, "permission denied", new)
            super().rename(old, new)

    target, store = filled(Refusing())
    before = set(target.contents())
    target.refusing = True
    with pytest.raises(StorageError, match=r"toc-.*permission denied; nothing was committed"):
        WORKLOAD.commit(store, 5)
    assert set(target.contents()) == before
    target.refusing = False
    WORKLOAD.commit(store, 5)
    assert found_in(Store.open(target).snapshot) == WORKLOAD.expected(5)


def test_a_lock_that_was_replaced_stops_the_commit() -> None:
    target, store = filled()
    writer = store.begin(0)
    entry = writer.add_file("segment", [b"x"], 1)
    target.lock_number += 1
    with pytest.raises(StorageError, match="was removed or replaced while held; nothing was committed"):
        writer.commit([SegmentEntry(entry)])
    assert entry.name not in target.contents()


def test_a_manifest_that_is_there_already_stops_the_commit() -> None:
    target, store = filled()
    writer = store.begin(0)
    target.create(toc_name(writer.generation))
    with pytest.raises(StorageError, match="is there already, from a writer without the lock"):
        writer.commit([])
