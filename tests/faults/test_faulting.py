"""The system fails at each single call: nothing acknowledged is lost, nothing is acknowledged after a failed sync."""

from __future__ import annotations

import errno
import gc
import itertools
import os
import random
import resource
import shutil
import signal
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import newsindex.store.storage as storage_module
from newsindex.errors import CommitUnknown, FormatError, IndexNotFound, NewsIndexError, StorageError
from newsindex.store.manifest import SegmentEntry, generation_of
from newsindex.store.storage import FolderStorage
from newsindex.store.store import Store
from tests.faults.figures import Figures
from tests.faults.storages import FaultySystem
from tests.faults.workload import Workload, batch, found_in, referenced

FULL = os.environ.get("NEWSINDEX_FAULTS") == "full"
ERRORS: tuple[int | str, ...] = (errno.ENOSPC, errno.EIO, errno.EMFILE, errno.EDQUOT, "short")
WORKLOAD = Workload(5)
FIRST = {WORKLOAD.kind(number): number for number in range(40, 3, -1)}  # for each kind of commit one that does it


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Folders with the commits before those under test."""
    gc.collect()  # what other tests left open would be closed while descriptors are counted here
    folder = tmp_path_factory.mktemp("prepared") / "index"
    store = Store.create(FolderStorage(folder), {})
    made = {}
    for number in range(1, max(FIRST.values()) + 1):
        if number in FIRST.values():
            made[number] = Path(shutil.copytree(folder, folder.with_name(str(number))))
        WORKLOAD.commit(store, number)
    return made


def descriptors() -> set[str]:
    # The listing's own descriptor is the newest one and gone again.
    return {path.name for path in Path("/proc/self/fd").iterdir() if path.exists()}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def attempt(
    folder: Path,
    number: int,
    system: FaultySystem,
    patches: pytest.MonkeyPatch,
    storage_class: type[FolderStorage] = FolderStorage,
) -> Exception | None:
    """Make commit `number` (0: the index) in this system; return the error that the caller gets."""
    with patches.context() as patch:
        patch.setattr(storage_module, "os", system)
        patch.setattr(storage_module, "mmap", system)
        try:
            if number == 0:
                Store.create(storage_class(folder), {})
            else:
                WORKLOAD.commit(Store.open(storage_class(folder)), number)
        except NewsIndexError as error:
            link: BaseException | None = error
            while link is not None:
                traceback.clear_frames(link.__traceback__)  # they hold maps, and so descriptors
                link = link.__context__
            return error
    return None


def check_after(folder: Path, number: int, error: Exception | None) -> None:
    """Open without faults: the commit is there, or the one before it, as the error said; then the next one works."""
    if number == 0:
        try:
            store = Store.open(FolderStorage(folder))
        except IndexNotFound:
            assert error is not None
            store = Store.create(FolderStorage(folder), {})
        allowed = [0]
    else:
        store = Store.open(FolderStorage(folder))
        allowed = [number] if error is None else [number - 1]
        if isinstance(error, CommitUnknown):
            allowed.append(number)
    found = found_in(store.snapshot)
    assert any(found == WORKLOAD.expected(one) for one in allowed)
    before = store.snapshot.manifest
    with store.begin(timeout=0) as writer:
        entry = writer.add_file("segment", [b""], 0)
        writer.commit([*before.segments, SegmentEntry(entry)])
        assert writer.uncollected == ()
    assert store.refresh()
    kept = referenced(store.snapshot) | {file.name for file in before.files()}
    assert {name for name in names(folder) if name.startswith(("seg-", "del-", "pending-"))} == kept


@pytest.mark.parametrize("kind", ["create", *sorted(FIRST)])
def test_a_fault_at_each_call_loses_nothing(
    kind: str, prepared: dict[int, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figures: Figures
) -> None:
    number = FIRST.get(kind, 0)
    chance = random.Random(f"faults {kind}")
    plain = FaultySystem()
    assert attempt(start(prepared, number, tmp_path / "plain"), number, plain, monkeypatch) is None
    cases = [
        (at, fault, after)
        for at in range(1, len(plain.calls) + 1)
        for fault in (ERRORS if FULL else chance.sample(ERRORS, 1))
        for after in ((False, True) if FULL else (chance.random() < 0.3,))
    ]
    unknown = 0
    for at, fault, after in cases:
        folder = start(prepared, number, tmp_path / "index")
        before = descriptors()
        system = FaultySystem(at, fault, after=after)
        error = attempt(folder, number, system, monkeypatch)
        try:
            assert descriptors() == before
            check_answer(system, error)
            check_after(folder, number, error)
        except AssertionError as wrong:
            raise AssertionError(f"{kind}: call {at} fails with {fault}, {after=}: {error!r}") from wrong
        unknown += isinstance(error, CommitUnknown)
        shutil.rmtree(folder)
    figures("T3", "each system call fails", len(cases), lost=0, wrong=0, undetected=0, crashed=0)
    print(f"{kind}: {len(plain.calls)} calls, {len(cases)} faults, {unknown} times unknown")


def start(prepared: dict[int, Path], number: int, folder: Path) -> Path:
    return Path(shutil.copytree(prepared[number], folder)) if number else folder


def check_answer(system: FaultySystem, error: Exception | None) -> None:
    """Nothing is acknowledged after a sync or a write that failed; a write that was cut short is no failure."""
    called = system.calls[system.at - 1]
    if system.number == "short":
        assert error is None
    elif called in {"fsync", "write"}:
        assert error is not None, f"acknowledged after a failed {called}"


class IgnoresFolderSync(FolderStorage):
    def sync_folder(self) -> None:
        with suppress(OSError):
            super().sync_folder()


class SyncsTwice(FolderStorage):
    def create(self, name: str) -> Any:
        file = super().create(name)
        once = file.sync

        def sync() -> None:
            try:
                once()
            except OSError:
                once()

        file.sync = sync  # type: ignore[method-assign]
        return file


class WritesOnce(FolderStorage):
    def create(self, name: str) -> Any:
        file = super().create(name)
        once = file.write
        file.write = lambda data: (once(data), len(data))[1]  # type: ignore[method-assign]
        return file


class IgnoresClose(FolderStorage):
    def create(self, name: str) -> Any:
        file = super().create(name)
        file.close = lambda: None  # type: ignore[method-assign]
        return file


@pytest.mark.parametrize("mutant", [IgnoresFolderSync, SyncsTwice, WritesOnce, IgnoresClose])
def test_each_mutant_of_the_storage_is_caught(
    mutant: type[FolderStorage],
    prepared: dict[int, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    figures: Figures,
) -> None:
    number = FIRST["add"]
    plain = FaultySystem()
    attempt(start(prepared, number, tmp_path / "plain"), number, plain, monkeypatch)

    def hunt() -> None:
        for at, called in enumerate(plain.calls, 1):
            if called not in {"fsync", "write"}:
                continue
            folder = start(prepared, number, tmp_path / str(at))
            before = descriptors()
            system = FaultySystem(at, errno.EIO if called == "fsync" else "short")
            error = attempt(folder, number, system, monkeypatch, mutant)
            assert descriptors() == before
            check_answer(system, error)
            Store.open(FolderStorage(folder))

    with pytest.raises((AssertionError, FormatError)) as caught:
        hunt()
    print(f"{mutant.__name__}: {caught.value}")
    figures("T3", "mutants of the storage", undetected=0)


def test_a_failed_sync_is_not_tried_again(
    prepared: dict[int, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(prepared[FIRST["add"]], tmp_path / "index"))
    plain = FaultySystem()
    attempt(Path(shutil.copytree(folder, tmp_path / "plain")), FIRST["add"], plain, monkeypatch)
    first = plain.calls.index("fsync") + 1
    system = FaultySystem(first, errno.EIO)
    assert isinstance(attempt(folder, FIRST["add"], system, monkeypatch), StorageError)
    assert system.calls.count("fsync") == 1


def test_an_error_of_the_content_ends_the_writer_and_leaves_no_file(tmp_path: Path) -> None:
    store = Store.create(FolderStorage(tmp_path), {})
    before = names(tmp_path)

    def broken() -> itertools.chain[bytes]:
        yield b"half"
        raise ZeroDivisionError

    writer = store.begin()
    writer.add_file("segment", [b"whole"], 1)
    with pytest.raises(ZeroDivisionError):
        writer.add_file("segment", broken(), 1)
    assert names(tmp_path) == before
    with pytest.raises(NewsIndexError, match="begin another"):
        writer.commit([])
    store.begin(timeout=0).close()


def test_a_full_disk_is_an_error_with_its_path_and_no_more(tmp_path: Path, figures: Figures) -> None:
    store = Store.create(FolderStorage(tmp_path), {})
    WORKLOAD.commit(store, 1)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
        with store.begin() as writer, pytest.raises(StorageError, match=r"seg-.*nothing was committed") as caught:
            writer.add_file("segment", [bytes(60_000)] * 3, 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert str(tmp_path) in caught.value.file
    assert [generation_of(name, "segment") for name in names(tmp_path) if name.startswith("seg-")] == [2, 2]
    WORKLOAD.commit(store, 2)
    store.refresh()
    assert found_in(store.snapshot) == sorted([*batch(1), *batch(2)])
    figures("T8", "disk full", lost=0, wrong=0)
