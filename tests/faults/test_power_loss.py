"""Power loss at every point of the record: no acknowledged article is lost, and mutants of the protocol are caught."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

import newsindex.store.snapshot as snapshot_module
from newsindex.errors import FormatError, IndexNotFound, StorageError
from newsindex.store.commit import StoreWriter
from newsindex.store.manifest import META, Manifest, generation_of
from newsindex.store.store import Store
from tests.faults.figures import Figures
from tests.faults.storages import Disk, Operation, RecordedFile, RecordingStorage, crash_states
from tests.faults.workload import Workload, batch, fixed_names, found_in, write

FULL = os.environ.get("NEWSINDEX_FAULTS") == "full"
STATES = 110_000 if FULL else 3_000
COMMITS = 14
AFTER = 1_000_000  # the number of the batch that is committed after the crash


class Bad(AssertionError):
    """A state after a crash that breaks a promise."""


def record(storage: RecordingStorage, workload: Workload, store_class: type[Store] = Store) -> list[Operation]:
    """Run the workload; the record says when a commit was submitted and acknowledged (0: the index itself)."""
    storage.log.append(Operation("submit", number=0))
    store = store_class.create(storage, {"seed": workload.seed})
    storage.log.append(Operation("ack", number=0))
    for number in range(1, COMMITS + 1):
        storage.log.append(Operation("submit", number=number))
        workload.commit(store, number)
        storage.log.append(Operation("ack", number=number))
    return storage.log


@dataclass
class Checker:
    """Checks states; `make` gives the storage, so that a mutant stays one after the crash."""

    workload: Workload
    make: Callable[[dict[str, bytes]], RecordingStorage] = RecordingStorage
    store_class: type[Store] = Store

    def check(self, state: dict[str, bytes], acked: int, submitted: int) -> None:
        storage = self.make(state)
        try:
            store = self.store_class.open(storage)
        except IndexNotFound:
            if acked >= 0:
                raise Bad("an acknowledged index is not found") from None
            store = self.store_class.create(storage, {})
        except FormatError as error:
            raise Bad(f"cannot be opened: {error}") from error
        found = self.found(store)
        if not any(found == self.workload.expected(number) for number in range(max(acked, 0), submitted + 1)):
            raise Bad(f"{len(found)} articles, which is no commit from {acked} to {submitted}")
        self.check_next_commit(store, storage, found)

    def check_next_commit(self, store: Store, storage: RecordingStorage, found: list[str]) -> None:
        try:
            with store.begin(timeout=0) as writer:
                entries = [segment.entry for segment in store.snapshot.segments]
                newest = writer.commit([*entries, write(writer, batch(AFTER))])
        except (FormatError, StorageError, OSError) as error:
            raise Bad(f"the next commit fails: {error}") from error
        allowed = {file.name for segment in (newest, store.snapshot.manifest) for file in segment.files()}
        garbage = [name for name in storage.names if name[:3] in {"seg", "del", "pen"} and name not in allowed]
        if garbage or writer.uncollected:
            raise Bad(f"garbage after the next commit: {garbage}")
        expected = sorted([*found, *batch(AFTER)])
        for state in (storage.contents(), survivors(storage)):
            try:
                again = self.found(self.store_class.open(self.make(state)))
            except (FormatError, IndexNotFound) as error:
                raise Bad(f"after the next commit: {error}") from error
            if again != expected:
                raise Bad("the next commit is not what was committed")

    def found(self, store: Store) -> list[str]:
        try:
            return found_in(store.snapshot)
        except AssertionError as error:
            raise Bad(str(error)) from error


def survivors(storage: RecordingStorage) -> dict[str, bytes]:
    """Return what is left when nothing un-synced survives."""
    disk = new_disk(storage)
    for operation in storage.log:
        disk.apply(operation)
    return {name: bytes(disk.data[number][: disk.synced[number]]) for name, number in disk.durable.items()}


def new_disk(storage: RecordingStorage) -> Disk:
    names = {name: number for number, name in enumerate(storage.start)}
    data = {names[name]: bytearray(content) for name, content in storage.start.items()}
    return Disk(names, data, {number: len(content) for number, content in data.items()})


def states_of(storage: RecordingStorage, seed: int) -> Iterator[tuple[int, dict[str, bytes], int, int]]:
    """Yield operation number, state, the newest commit acknowledged and the newest submitted; no state twice."""
    chance = random.Random(f"states {seed}")
    disk = new_disk(storage)
    acked = submitted = -1
    seen: set[int] = set()
    for at, operation in enumerate(storage.log):
        disk.apply(operation)
        if operation.kind == "ack":
            acked = max(acked, operation.number)
        elif operation.kind == "submit":
            submitted = operation.number
        for state in crash_states(disk, chance):
            key = hash((frozenset(state.items()), acked, submitted))
            if key not in seen:
                seen.add(key)
                yield at, state, acked, submitted


def run(checker: Checker, storage: RecordingStorage, seed: int, limit: int) -> int:
    """Check up to `limit` states, drawn from the whole record; return how many were checked."""
    with fixed_names(seed):
        record(storage, checker.workload, checker.store_class)
    states = list(states_of(storage, seed))
    chosen = states if limit >= len(states) else random.Random(seed).sample(states, limit)
    for at, state, acked, submitted in chosen:
        try:
            checker.check(state, acked, max(submitted, 0))
        except Bad as bad:
            raise Bad(f"seed {seed}, after operation {at} ({storage.log[at].kind}): {bad}") from bad
    return len(chosen)


def test_no_state_after_power_loss_is_bad(figures: Figures) -> None:
    checked = seed = 0
    while checked < STATES:
        limit = STATES if FULL else STATES // 3
        checked += run(Checker(Workload(seed)), RecordingStorage(), seed, limit)
        seed += 1
    figures("T2", "states after power loss", checked, lost=0, wrong=0, crashed=0, note=f"seeds 0 to {seed - 1}")


class SkipsSync(RecordingStorage):
    """Leaves out the sync of files of one kind; the creation of the index is left right."""

    def __init__(self, start: dict[str, bytes] | None = None, *, kind: str) -> None:
        super().__init__(start)
        self.kind = kind

    def create(self, name: str) -> RecordedFile:
        file = super().create(name)
        if (generation_of(name, self.kind) or 0) > 1:
            file.sync = lambda: None  # type: ignore[method-assign]
        return file


class SkipsFolderSync(RecordingStorage):
    """Leaves out the folder's sync before the manifest is written, or the one after its rename."""

    def __init__(self, start: dict[str, bytes] | None = None, *, last: bool) -> None:
        super().__init__(start)
        self.last = last

    def sync_folder(self) -> None:
        renamed = self.log[-1].kind == "rename"
        if renamed != self.last:
            super().sync_folder()


class AcknowledgesEarly(RecordingStorage):
    def rename(self, old: str, new: str) -> None:
        super().rename(old, new)
        submitted = [operation.number for operation in self.log if operation.kind == "submit"]
        if submitted and generation_of(new, "toc"):
            self.log.append(Operation("ack", number=submitted[-1]))


class WritesInPlace(RecordingStorage):
    """Writes the manifest under its final name."""

    def _final(self, name: str) -> str:
        generation = generation_of(name, "pending")
        return f"toc-{generation:020d}" if generation is not None and generation > 1 else name

    def create(self, name: str) -> RecordedFile:
        return super().create(self._final(name))

    def rename(self, old: str, new: str) -> None:
        if self._final(old) != new:
            super().rename(old, new)

    def identity(self, name: str) -> tuple[int, ...] | None:
        return None if name.startswith("toc-") else super().identity(name)


class MarksFirst(RecordingStorage):
    """Makes newsindex.meta appear before the first manifest."""

    held_back: tuple[str, str] | None = None

    def rename(self, old: str, new: str) -> None:
        if new == f"toc-{1:020d}":
            self.held_back = (old, new)
            return
        super().rename(old, new)
        if new == META and self.held_back:
            super().sync_folder()
            super().rename(*self.held_back)


class CollectsEarly(StoreWriter):
    def _publish(self, manifest: Manifest) -> None:
        self._collect(self.manifest, manifest)
        super()._publish(manifest)


class StoreThatCollectsEarly(Store):
    def begin(self, timeout: float = 10.0) -> StoreWriter:
        return CollectsEarly(self.storage, self.index_uuid, at_least=0, timeout=timeout)


class WriterWithoutMemory(StoreWriter):
    """Builds on the manifest that the store had open, not on the newest."""

    def _read_newest(self, index_uuid: str, at_least: int) -> Manifest:
        return snapshot_module.read_manifest(self._storage, index_uuid, at_least)


class StoreWithOldManifest(Store):
    def refresh(self) -> bool:
        return False

    def begin(self, timeout: float = 10.0) -> StoreWriter:
        return WriterWithoutMemory(self.storage, self.index_uuid, at_least=self.snapshot.generation, timeout=timeout)


class KeepsGarbage(StoreWriter):
    def _collect(self, before: Manifest, newest: Manifest) -> None:
        pass


class StoreThatKeepsGarbage(Store):
    def begin(self, timeout: float = 10.0) -> StoreWriter:
        return KeepsGarbage(self.storage, self.index_uuid, at_least=0, timeout=timeout)


class FallsBack(Store):
    """Takes the manifest before when the newest cannot be read."""

    @classmethod
    def open(cls, storage: Any, *, verify: bool = True) -> Any:
        try:
            return super().open(storage, verify=verify)
        except FormatError:
            newest = max((name for name in storage.names if name.startswith("toc-")), default=None)
            if newest is None or not any(
                name.startswith(("previous-", "toc-")) for name in {*storage.names} - {newest}
            ):
                raise
            storage.unlink(newest)
            for name in list(storage.names):
                if name.startswith("previous-") and not any(other.startswith("toc-") for other in storage.names):
                    storage.rename(name, name.replace("previous-", "toc-"))
            return super().open(storage, verify=verify)


def check_nothing(patches: pytest.MonkeyPatch) -> None:
    patches.setattr(snapshot_module, "verify_content", lambda *_, **__: None)


def nothing(patches: pytest.MonkeyPatch) -> None:
    pass


MUTANTS: dict[str, tuple[Callable[..., RecordingStorage], type[Store], Callable[[pytest.MonkeyPatch], None]]] = {
    "no sync of segments": (lambda *a: SkipsSync(*a, kind="segment"), Store, nothing),
    "no sync of deletions": (lambda *a: SkipsSync(*a, kind="deletion"), Store, nothing),
    "no sync of the manifest": (lambda *a: SkipsSync(*a, kind="pending"), Store, nothing),
    "no first sync of the folder": (lambda *a: SkipsFolderSync(*a, last=False), Store, nothing),
    "no last sync of the folder": (lambda *a: SkipsFolderSync(*a, last=True), Store, nothing),
    "acknowledged before the last sync": (AcknowledgesEarly, Store, nothing),
    "garbage collected before the rename": (RecordingStorage, StoreThatCollectsEarly, nothing),
    "garbage never collected": (RecordingStorage, StoreThatKeepsGarbage, nothing),
    "manifest written in place": (WritesInPlace, Store, nothing),
    "mark before the first manifest": (MarksFirst, Store, nothing),
    "manifest not read again under the lock": (RecordingStorage, StoreWithOldManifest, nothing),
    "falls back to the manifest before, which is not synced": (
        lambda *a: SkipsSync(*a, kind="pending"), FallsBack, nothing,
    ),
    "no checksums and no sync of segments": (
        lambda *a: SkipsSync(*a, kind="segment"), Store, check_nothing,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTANTS)
def test_each_mutant_of_the_protocol_is_caught(name: str, monkeypatch: pytest.MonkeyPatch, figures: Figures) -> None:
    make, store_class, patch = MUTANTS[name]
    patch(monkeypatch)
    with pytest.raises((Bad, AssertionError, FormatError, StorageError)) as caught:
        run_seeds(make, store_class)
    print(f"{name}: {caught.value}")
    figures("T2", "mutants of the protocol", undetected=0)


def run_seeds(make: Callable[..., RecordingStorage], store_class: type[Store]) -> None:
    for seed in range(4):
        run(Checker(Workload(seed), make, store_class), make(), seed, 4_000)
