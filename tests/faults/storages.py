"""Twins of the store's storage: one in memory that records, one that rebuilds what a crash leaves, one that fails."""

from __future__ import annotations

import itertools
import mmap
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from newsindex.errors import IndexLocked
from newsindex.store.storage import OpenedFile

_openings = itertools.count()


@dataclass
class Operation:
    """One step of the record. `file` numbers the file created; `name` and `new` are names, `data` what was written."""

    kind: str  # create, write, sync, rename, unlink, sync_folder, submit, ack
    file: int = -1
    name: str = ""
    new: str = ""
    data: bytes = b""
    number: int = -1


class RecordingStorage:
    """A folder in memory that keeps the list of operations. `start` is what is on the disk before, all durable."""

    def __init__(self, start: dict[str, bytes] | None = None) -> None:
        self.start = dict(start or {})
        self.names: dict[str, int] = {}
        self.data: dict[int, bytearray] = {}
        self.log: list[Operation] = []
        self.lock_number = 0
        self.held = False
        for name, content in self.start.items():
            self.names[name] = len(self.data)
            self.data[len(self.data)] = bytearray(content)

    def path(self, name: str = "") -> str:
        return f"memory/{name}"

    def make_folder(self) -> None:
        pass

    def list(self) -> list[str]:
        return list(self.names)

    def create(self, name: str) -> RecordedFile:
        if name in self.names:
            raise FileExistsError(17, "exists", name)
        number = len(self.data)
        self.names[name] = number
        self.data[number] = bytearray()
        self.log.append(Operation("create", number, name))
        return RecordedFile(self, number, name)

    def open_read(self, name: str) -> OpenedFile:
        if name not in self.names:
            raise FileNotFoundError(2, "not found", name)
        return OpenedFile(memoryview(bytes(self.data[self.names[name]])), (next(_openings),))

    def rename(self, old: str, new: str) -> None:
        if old not in self.names:
            raise FileNotFoundError(2, "not found", old)
        self.names[new] = self.names.pop(old)
        self.log.append(Operation("rename", self.names[new], old, new))

    def unlink(self, name: str) -> None:
        if name not in self.names:
            raise FileNotFoundError(2, "not found", name)
        number = self.names.pop(name)
        self.log.append(Operation("unlink", number, name))

    def sync_folder(self) -> None:
        self.log.append(Operation("sync_folder"))

    def identity(self, name: str) -> tuple[int, ...] | None:
        if name == "write.lock":
            return (-1, self.lock_number)
        return (self.names[name],) if name in self.names else None

    def lock(self) -> MemoryLock:
        return MemoryLock(self)

    def contents(self) -> dict[str, bytes]:
        return {name: bytes(self.data[number]) for name, number in self.names.items()}


class RecordedFile:
    def __init__(self, storage: RecordingStorage, number: int, name: str) -> None:
        self.storage = storage
        self.number = number
        self.name = name

    def write(self, data: memoryview) -> int:
        piece = bytes(data)
        self.storage.data[self.number] += piece
        self.storage.log.append(Operation("write", self.number, self.name, data=piece))
        return len(piece)

    def sync(self) -> None:
        self.storage.log.append(Operation("sync", self.number, self.name))

    def close(self) -> None:
        pass


class MemoryLock:
    def __init__(self, storage: RecordingStorage) -> None:
        self.storage = storage
        self.mine = -1

    def acquire(self, timeout: float) -> None:
        if self.storage.held:
            raise IndexLocked("memory", timeout, None, None, None)
        self.storage.held = True
        self.mine = self.storage.lock_number

    def release(self) -> None:
        # A lock whose file was replaced is not the one that others wait for.
        if self.mine == self.storage.lock_number:
            self.storage.held = False
        self.mine = -1


@dataclass
class Disk:
    """What is durable after a prefix of the record, and what is under way."""

    durable: dict[str, int]
    data: dict[int, bytearray]
    synced: dict[int, int]
    pending: list[Operation] = field(default_factory=list)

    def apply(self, operation: Operation) -> None:
        kind = operation.kind
        if kind == "create":
            self.data[operation.file] = bytearray()
            self.synced[operation.file] = 0
            self.pending.append(operation)
        elif kind == "write":
            self.data[operation.file] += operation.data
        elif kind == "sync":
            self.synced[operation.file] = len(self.data[operation.file])
        elif kind in {"rename", "unlink"}:
            self.pending.append(operation)
        elif kind == "sync_folder":
            self.durable = change_names(self.durable, name_steps(self.pending, split=False))
            self.pending = []

    def unsynced(self) -> list[int]:
        return [number for number, data in self.data.items() if self.synced[number] < len(data)]


NameStep = tuple[tuple[str, str, int], ...]


def name_steps(operations: list[Operation], *, split: bool) -> list[NameStep]:
    """Return what the operations do to the folder; `split` lets a rename happen half."""
    steps: list[NameStep] = []
    for operation in operations:
        if operation.kind == "create":
            steps.append((("set", operation.name, operation.file),))
        elif operation.kind == "unlink":
            steps.append((("del", operation.name, operation.file),))
        else:
            both = (("set", operation.new, operation.file), ("del", operation.name, operation.file))
            steps += [(both[0],), (both[1],)] if split else [both]
    return steps


def change_names(names: dict[str, int], steps: list[NameStep]) -> dict[str, int]:
    changed = dict(names)
    for action, name, number in itertools.chain.from_iterable(steps):
        if action == "set":
            changed[name] = number
        elif changed.get(name) == number:
            del changed[name]
    return changed


def crash_states(disk: Disk, chance: random.Random) -> Iterator[dict[str, bytes]]:
    """Yield what may stand on the disk when the power fails now; repeats are possible."""
    whole = name_steps(disk.pending, split=False)
    split = name_steps(disk.pending, split=True)
    subsets: list[list[NameStep]] = [whole[:length] for length in range(len(whole) + 1)]
    if len(split) <= 4:
        for mask in range(2 ** len(split)):
            subsets.append([step for number, step in enumerate(split) if mask >> number & 1])
    else:
        subsets += [[step for step in steps if chance.random() < 0.5] for steps in (whole, split) for _ in range(4)]
    unsynced = disk.unsynced()
    for steps in subsets:
        names = change_names(disk.durable, steps)
        variants: list[Callable[[int], str]] = [lambda _, how=how: how for how in ("none", "all")]
        if any(number in names.values() for number in unsynced):
            variants += [lambda _, how=how: how for how in ("zero", "cut", "cut", "holes", "holes")]
            mixed = {number: chance.choice(("none", "all", "zero", "cut", "holes")) for number in unsynced}
            variants.append(mixed.__getitem__)
        for variant in variants:
            lost = {number: damaged(disk, number, variant(number), chance) for number in unsynced}
            yield {name: lost[number] if number in lost else bytes(disk.data[number]) for name, number in names.items()}


def damaged(disk: Disk, number: int, how: str, chance: random.Random) -> bytes:
    kept = disk.synced[number]
    data = disk.data[number]
    tail = bytearray(data[kept:])
    if how == "none":
        tail.clear()
    elif how == "zero":
        tail[:] = bytes(len(tail))
    elif how == "cut":
        del tail[chance.randrange(len(tail)) :]
    elif how == "holes":
        blocks = range(0, len(tail), 64)
        holes = [at for at in blocks if chance.random() < 0.3] or [chance.choice(blocks)]
        for at in holes:
            tail[at : at + 64] = bytes(len(tail[at : at + 64]))
    return bytes(data[:kept] + tail)


class FaultySystem:
    """Stands in the place of `os` and `mmap` in the storage module; fails the call with the number `at`.

    `after` lets the call happen first, as with a lost answer. A close always happens: the descriptor is gone.
    """

    COUNTED = ("open", "write", "fsync", "close", "rename", "unlink", "listdir", "fstat", "stat", "mmap")
    ACCESS_READ = mmap.ACCESS_READ

    def __init__(self, at: int = 0, number: int | str = 0, *, after: bool = False) -> None:
        self.at = at
        self.number = number
        self.after = after
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        real = getattr(mmap if name == "mmap" else os, name)
        return self._counting(name, real) if name in self.COUNTED else real

    def _counting(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self.calls.append(name)
            if len(self.calls) != self.at:
                return real(*arguments, **options)
            if isinstance(self.number, str):
                return self._short(name, real, arguments, options)
            if name == "close" or (self.after and name not in {"open", "mmap"}):
                real(*arguments, **options)
            raise OSError(self.number, os.strerror(self.number))

        return call

    @staticmethod
    def _short(name: str, real: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        if name != "write":
            return real(*arguments, **options)
        descriptor, data = arguments
        return os.write(descriptor, data[: (len(data) + 1) // 2])
