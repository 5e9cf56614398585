"""What the fault tests write: commits that are pure functions of a seed and a number, and the model to compare with.

Commit `number` of a `Workload` adds a batch of five articles, deletes a batch, does both, merges, or rolls back what it
wrote and commits nothing new. An article's text is a pure function of its id, so that a reader needs no second copy.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from unittest import mock

from newsindex.store.commit import StoreWriter
from newsindex.store.manifest import FileEntry, SegmentEntry
from newsindex.store.snapshot import OpenSegment, StoreSnapshot
from newsindex.store.store import Store

BATCH = 5
KINDS = ("add", "add", "add", "delete", "replace", "merge", "rollback")


@contextmanager
def fixed_names(seed: int) -> Iterator[None]:
    """Make the names of files follow from the seed, so that a failure can be replayed."""
    chance = random.Random(f"names {seed}")
    with mock.patch("secrets.token_hex", lambda length: chance.randbytes(length).hex()):
        yield


@cache
def text(article: str) -> bytes:
    chance = random.Random(article)
    return f"{article} {chance.randbytes(chance.choice((3, 30, 90))).hex()}\n".encode()


def batch(number: int) -> list[str]:
    return [f"{number}.{place}" for place in range(BATCH)]


class Workload:
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._live: list[frozenset[int]] = [frozenset()]

    def kind(self, number: int) -> str:
        if number <= 2:
            return "add"
        return random.Random(f"{self.seed} kind {number}").choice(KINDS)

    def victim(self, number: int) -> int | None:
        """Return the batch that commit `number` deletes."""
        live = sorted(self.live(number - 1))
        if self.kind(number) not in {"delete", "replace"} or not live:
            return None
        return random.Random(f"{self.seed} victim {number}").choice(live)

    def live(self, number: int) -> frozenset[int]:
        """Return the batches that are there after commit `number`."""
        while len(self._live) <= number:
            at = len(self._live)
            added = {at} if self.kind(at) in {"add", "replace"} else set()
            self._live.append(self._live[at - 1] - {self.victim(at)} | added)
        return self._live[number]

    def expected(self, number: int) -> list[str]:
        return sorted(article for one in self.live(number) for article in batch(one))

    def commit(self, store: Store, number: int) -> None:
        """Make commit `number`; when this returns it is acknowledged."""
        store.refresh()
        with store.begin(timeout=0) as writer:
            kind = self.kind(number)
            segments = list(store.snapshot.segments)
            assert writer.manifest.generation == store.snapshot.generation
            if kind == "rollback":
                write(writer, batch(number))
                writer.rollback()
            entries = [segment.entry for segment in segments]
            victim = self.victim(number)
            if victim is not None:
                entries = [without(writer, segment, set(batch(victim))) for segment in segments]
            if kind == "merge" and segments:
                store.snapshot.verify()
                entries = [write(writer, [article for segment in segments for article in alive(segment)])]
            if kind in {"add", "replace"}:
                entries += [write(writer, part) for part in (batch(number)[:2], batch(number)[2:])]
            writer.commit(entries)


def write(writer: StoreWriter, articles: list[str]) -> SegmentEntry:
    return SegmentEntry(writer.add_file("segment", [text(article) for article in articles], len(articles)))


def without(writer: StoreWriter, segment: OpenSegment, victims: set[str]) -> SegmentEntry:
    here = [article for article in articles_of(segment.body) if article in victims]
    if not here:
        return segment.entry
    deleted = [*articles_of(segment.deletions or memoryview(b"")), *here]
    entry: FileEntry = writer.add_file("deletion", [text(article) for article in deleted], len(deleted))
    return SegmentEntry(segment.entry.file, entry)


def articles_of(body: memoryview) -> list[str]:
    """Return the ids in a content; any byte that differs from what was written is an error."""
    found = []
    for line in bytes(body).splitlines(keepends=True):
        article = line.split(b" ")[0].decode()
        assert line == text(article), f"wrong content: {line!r}"
        found.append(article)
    return found


def alive(segment: OpenSegment) -> list[str]:
    deleted = set(articles_of(segment.deletions)) if segment.deletions is not None else set()
    return [article for article in articles_of(segment.body) if article not in deleted]


def found_in(snapshot: StoreSnapshot) -> list[str]:
    """Return the articles of a snapshot, sorted, doubles included; counts are compared with the manifest's."""
    for segment in snapshot.segments:
        assert len(articles_of(segment.body)) == segment.entry.file.doc_count
    return sorted(article for segment in snapshot.segments for article in alive(segment))


def referenced(snapshot: StoreSnapshot) -> set[str]:
    """Return the names that may stand in the folder beside the lock, the manifests of before and their files."""
    return {file.name for file in snapshot.manifest.files()}
