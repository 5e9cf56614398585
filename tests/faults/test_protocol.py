"""The rules of commits, readers and names one by one; where a rule is left out, the test shows what it is good for."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import newsindex.store.commit as commit_module
from newsindex.errors import CommitUnknown, FormatError, IndexLocked, IndexNotFound, StorageError
from newsindex.store.commit import StoreWriter
from newsindex.store.manifest import LOCK, META, FileEntry, SegmentEntry, toc_name
from newsindex.store.storage import FolderStorage, OpenedFile
from newsindex.store.store import Store
from tests.faults.figures import Figures
from tests.faults.storages import RecordingStorage
from tests.faults.workload import batch, found_in, write


def add(store: Store, number: int) -> None:
    with store.begin(timeout=0) as writer:
        writer.commit([*writer.manifest.segments, write(writer, batch(number))])


def replace_all(store: Store, number: int) -> None:
    with store.begin(timeout=0) as writer:
        writer.commit([write(writer, batch(number))])


@pytest.fixture
def storage() -> RecordingStorage:
    return RecordingStorage()


@pytest.fixture
def store(storage: RecordingStorage) -> Store:
    return Store.create(storage, {"language": "english"})


def lose_the_lock(storage: RecordingStorage) -> None:
    """Someone removes the lock's file; the next writer makes a new one."""
    storage.lock_number += 1
    storage.held = False


def two_writers_after_a_lost_lock(store: Store, storage: RecordingStorage) -> None:
    first = store.begin()
    lose_the_lock(storage)
    second = store.begin()
    with pytest.raises(StorageError, match=f"{LOCK}: was removed or replaced"):
        first.commit([write(first, batch(1))])
    second.commit([write(second, batch(2))])
    second.close()
    store.refresh()
    assert found_in(store.snapshot) == batch(2)


def test_a_writer_whose_lock_was_replaced_is_refused(
    store: Store, storage: RecordingStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_writers_after_a_lost_lock(store, storage)
    monkeypatch.setattr(StoreWriter, "_check_alone", lambda *_: None)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        two_writers_after_a_lost_lock(store, storage)


def test_a_manifest_that_is_there_already_is_not_replaced(store: Store, storage: RecordingStorage) -> None:
    writer = store.begin()
    entry = write(writer, batch(1))
    storage.create(toc_name(2)).write(memoryview(b"of a writer without the lock"))
    with pytest.raises(StorageError, match="is there already"):
        writer.commit([entry])
    assert storage.contents()[toc_name(2)] == b"of a writer without the lock"


def test_a_replaced_lock_file_of_a_folder_is_noticed(tmp_path: Path) -> None:
    store = Store.create(FolderStorage(tmp_path), {})
    with store.begin() as writer:
        (tmp_path / LOCK).rename(tmp_path / "write.away")
        (tmp_path / LOCK).touch()
        with pytest.raises(StorageError, match="was removed or replaced"):
            writer.commit([])


class Racing(RecordingStorage):
    """Runs a function before the first read of a file whose name begins so."""

    prefix = "none"
    race = staticmethod(lambda: None)

    def open_read(self, name: str) -> OpenedFile:
        if name.startswith(self.prefix):
            self.prefix = "none"
            self.race()
        return super().open_read(name)


@pytest.mark.parametrize("prefix", ["toc-", "seg-"])
def test_a_reader_that_meets_the_garbage_collection_opens_the_newer_commit(prefix: str) -> None:
    storage = Racing()
    store = Store.create(storage, {})
    add(store, 1)

    def race() -> None:
        replace_all(store, 2)
        replace_all(store, 3)

    storage.race, storage.prefix = race, prefix  # type: ignore[method-assign]
    reader = Store.open(storage)
    assert found_in(reader.snapshot) == batch(3)
    assert reader.snapshot.generation == 4


def test_with_names_used_again_that_reader_would_see_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = Racing()
    store = Store.create(storage, {})
    free = (f"seg-{1:020d}-{number:032x}.nix" for number in range(100))
    names = list(free)
    monkeypatch.setattr(
        commit_module, "new_file_name", lambda *_: next(name for name in names if name not in storage.names)
    )
    add(store, 1)

    def race() -> None:
        replace_all(store, 2)
        replace_all(store, 3)
        replace_all(store, 4)

    storage.race, storage.prefix = race, "seg-"  # type: ignore[method-assign]
    with pytest.raises(FormatError, match="damaged"):
        Store.open(storage)


def test_a_missing_file_is_damage_when_no_newer_commit_explains_it(store: Store, storage: RecordingStorage) -> None:
    add(store, 1)
    name = next(name for name in storage.names if name.startswith("seg-"))
    storage.unlink(name)
    with pytest.raises(FormatError, match=f"{name}: missing, though commit 2 needs it"):
        Store.open(storage)
    with pytest.raises(FormatError, match=f"{name}: missing"):
        store.begin()
    assert not storage.held


def test_a_listing_beside_a_rename_is_read_again(store: Store, storage: RecordingStorage) -> None:
    listings = [[META], [META, "write.lock"]]
    real = storage.list
    storage.list = lambda: listings.pop() if listings else real()  # type: ignore[method-assign]
    assert Store.open(storage).snapshot.generation == 1


def test_readers_never_go_back(store: Store, storage: RecordingStorage) -> None:
    add(store, 1)
    assert store.refresh()
    assert not store.refresh()
    storage.unlink(toc_name(2))
    storage.rename(f"previous-{1:020d}", toc_name(1))
    for act in (store.refresh, store.begin):
        with pytest.raises(FormatError, match=f"{toc_name(2)}: missing: commit 2 was there"):
            act()
    assert found_in(store.snapshot) == batch(1)


def test_an_old_snapshot_stays_as_it_was(tmp_path: Path) -> None:
    store = Store.create(FolderStorage(tmp_path), {})
    add(store, 1)
    store.refresh()
    old = store.snapshot
    for number in range(2, 5):
        replace_all(store, number)
    assert not (tmp_path / old.segments[0].entry.file.name).exists()
    assert found_in(old) == batch(1)
    store.refresh()
    assert found_in(store.snapshot) == batch(4)


def test_a_failure_of_the_last_step_is_told_as_unknown(store: Store, storage: RecordingStorage) -> None:
    writer = store.begin()
    entry = write(writer, batch(1))

    def fail() -> None:
        if toc_name(2) in storage.names:
            raise OSError(5, "Input/output error")

    storage.sync_folder = fail  # type: ignore[method-assign]
    with pytest.raises(CommitUnknown, match="commit 2 may or may not be kept") as caught:
        writer.commit([entry])
    assert caught.value.generation == 2
    del storage.sync_folder
    assert found_in(Store.open(storage).snapshot) == batch(1)
    add(store, 2)


def test_an_interrupt_while_writing_leaves_nothing(store: Store, storage: RecordingStorage) -> None:
    before = set(storage.names)

    def interrupted() -> None:
        raise KeyboardInterrupt

    writer = store.begin()
    entry = write(writer, batch(1))
    storage.sync_folder = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        writer.commit([entry])
    assert set(storage.names) == before
    assert not storage.held


def test_garbage_that_cannot_be_deleted_waits_for_the_next_commit(store: Store, storage: RecordingStorage) -> None:
    """As on Windows, where a file that a reader has mapped can be neither removed nor renamed."""
    add(store, 1)
    add(store, 2)

    def refuse(*_: str) -> None:
        raise PermissionError(13, "in use")

    def rename(old: str, new: str) -> None:
        refuse() if old.startswith("toc-") else RecordingStorage.rename(storage, old, new)

    storage.unlink, storage.rename = refuse, rename  # type: ignore[assignment, method-assign]
    with store.begin() as writer:
        writer.commit([write(writer, batch(3))])
        assert writer.uncollected == (f"previous-{2:020d}", toc_name(3))
        del storage.unlink, storage.rename
        writer.commit(writer.manifest.segments)
        assert writer.uncollected == ()
    assert sorted(name for name in storage.names if name.startswith(("toc-", "previous-"))) == [
        f"previous-{4:020d}",
        toc_name(5),
    ]


def test_one_writer_makes_several_commits(store: Store, storage: RecordingStorage) -> None:
    with store.begin() as writer:
        first = write(writer, batch(1))
        dropped = write(writer, batch(9))
        assert writer.commit([first]).generation == 2
        assert dropped.file.name not in storage.names
        write(writer, batch(2))
        writer.rollback()
        newest = writer.commit([first, write(writer, batch(3))], schema={"language": "french"})
        write(writer, batch(4))
    store.refresh()
    assert store.snapshot.manifest == newest
    assert newest.schema == {"language": "french"}
    assert found_in(store.snapshot) == sorted([*batch(1), *batch(3)])
    assert sum(name.startswith("seg-") for name in storage.names) == 2


def test_what_was_not_added_cannot_be_committed(store: Store) -> None:
    with store.begin() as writer:
        entry = write(writer, batch(1))
        invented = FileEntry(f"seg-{9:020d}-{'0' * 32}.nix", 200, "0" * 16, 1)
        with pytest.raises(ValueError, match="neither in commit 1 nor added"):
            writer.commit([SegmentEntry(invented)])
        with pytest.raises(ValueError, match="could not be read"):
            writer.commit([SegmentEntry(FileEntry(entry.file.name, 200, "0" * 16, -1))])
        writer.commit([entry])


def test_arrays_and_empty_chunks_are_content(tmp_path: Path) -> None:
    store = Store.create(FolderStorage(tmp_path), {})
    numbers = np.arange(1000, dtype=np.uint32)
    with store.begin() as writer:
        entry = writer.add_file("segment", [numbers[:10], b"", numbers[:0], numbers[10:].reshape(2, -1)], 3)
        writer.commit([SegmentEntry(entry, writer.add_file("deletion", [], 0))])
    store.refresh()
    segment = store.snapshot.segments[0]
    assert np.array_equal(np.frombuffer(segment.body, np.uint32), numbers)
    assert segment.body.readonly
    assert segment.deletions is not None
    assert len(segment.deletions) == 0


def test_two_writers_take_turns(tmp_path: Path) -> None:
    store = Store.create(FolderStorage(tmp_path), {})
    with store.begin(), pytest.raises(IndexLocked, match=f"process {os.getpid()}"):
        store.begin(timeout=0.05)
    store.begin(timeout=0).close()


def test_foreign_files_are_left_alone(tmp_path: Path, figures: Figures) -> None:
    store = Store.create(FolderStorage(tmp_path), {})
    foreign = ["notes.txt", "seg-1.nix", "SEG-00000000000000000001-" + "a" * 32 + ".nix", "toc-1", "pending-x"]
    for name in foreign:
        (tmp_path / name).write_text(name)
    (tmp_path / "folder").mkdir()
    for number in range(1, 4):
        replace_all(store, number)
    assert {name for name in foreign if (tmp_path / name).read_text() == name} == set(foreign)
    assert found_in(Store.open(FolderStorage(tmp_path)).snapshot) == batch(3)
    figures("T9", "foreign files in the folder", len(foreign) + 1, lost=0)


def test_an_index_is_made_once_and_only_in_an_empty_folder(tmp_path: Path) -> None:
    place = FolderStorage(tmp_path / "deep" / "down")
    with pytest.raises(IndexNotFound):
        Store.open(place)
    first = Store.create(place, {"first": True})
    assert Store.create(place, {"first": False}).snapshot.manifest.schema == {"first": True}
    assert Store.open(place).index_uuid == first.index_uuid
    (tmp_path / "page.html").write_text("news")
    with pytest.raises(StorageError, match=r"holds other files \((page.html|deep)"):
        Store.create(FolderStorage(tmp_path), {})
    with pytest.raises(IndexNotFound):
        Store.open(FolderStorage(tmp_path / "page.html"))
    with pytest.raises(StorageError, match="no index was made"):
        Store.create(FolderStorage(tmp_path / "page.html" / "index"), {})


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
@pytest.mark.parametrize("prefix", ["seg-", "toc-", "newsindex"])
def test_only_regular_files_are_opened(kind: str, prefix: str, tmp_path: Path, figures: Figures) -> None:
    store = Store.create(FolderStorage(tmp_path / "index"), {})
    add(store, 1)
    path = next(path for path in (tmp_path / "index").iterdir() if path.name.startswith(prefix))
    away = path.rename(tmp_path / "away")
    if kind == "link":
        path.symlink_to(away)
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    with pytest.raises(FormatError, match=f"{path.name}: .*(symbolic link|not a regular file)"):
        Store.open(FolderStorage(tmp_path / "index"))
    figures("T4c", "crafted names and links", undetected=0, crashed=0)


@pytest.mark.parametrize("name", ["../outside", "a/b", "/etc/passwd", "..", ".", "nul\0"])
def test_the_storage_takes_plain_names_only(name: str, tmp_path: Path, figures: Figures) -> None:
    with pytest.raises(ValueError, match="no plain file name"):
        FolderStorage(tmp_path).create(name)
    figures("T4c", "crafted names and links", undetected=0, crashed=0)


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not hold for the superuser")
def test_a_read_only_folder_can_be_read(tmp_path: Path) -> None:
    store = Store.create(FolderStorage(tmp_path), {})
    add(store, 1)
    tmp_path.chmod(0o500)
    try:
        (tmp_path / LOCK).chmod(0o400)
        assert found_in(Store.open(FolderStorage(tmp_path)).snapshot) == batch(1)
        with pytest.raises(StorageError):
            store.begin()
    finally:
        tmp_path.chmod(0o700)
