"""A commit's segments, open: each with the articles of it that live."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.codec.reader import SegmentReader
from newsindex.errors import FormatError
from newsindex.schema import Schema
from newsindex.store.manifest import SegmentEntry
from newsindex.store.snapshot import OpenSegment, StoreSnapshot

__all__ = ["LiveSegment", "WrittenIds", "deletion_chunks", "find_ids", "living_articles", "open_live"]

_Array = npt.NDArray[Any]


@dataclass(frozen=True)
class LiveSegment:
    """A segment and which of its articles are not deleted: bool[doc_count]."""

    entry: SegmentEntry
    reader: SegmentReader
    live: _Array


def open_live(snapshot: StoreSnapshot, schema: Schema) -> tuple[LiveSegment, ...]:
    """Open the segments of a commit.

    Raises:
        FormatError: one is damaged, or its deletions are not of its size.
    """
    found = []
    for segment in snapshot.segments:
        file = segment.entry.file
        reader = SegmentReader(np.frombuffer(segment.body, np.uint8), file.name, schema)
        if reader.doc_count != file.doc_count:
            raise FormatError(file.name, f"has {reader.doc_count} articles, the manifest says {file.doc_count}")
        found.append(LiveSegment(segment.entry, reader, living_articles(segment, reader.doc_count)))
    return tuple(found)


def deletion_chunks(live: _Array) -> Iterable[bytes]:
    """Return the content of a file of deletions: a bit for each article, the first in the highest of the first byte."""
    return [np.packbits(~live).tobytes()]


def find_ids(segments: Iterable[LiveSegment], ids: list[str]) -> list[tuple[LiveSegment, int] | None]:
    """Return for each id the segment and number of the living article that has it, None where there is none."""
    found: list[tuple[LiveSegment, int] | None] = [None] * len(ids)
    for segment in segments:
        for place, doc in segment.reader.find_ids(ids):
            if segment.live[doc]:
                found[place] = (segment, doc)
    return found


def living_articles(segment: OpenSegment, count: int) -> _Array:
    """Return which of a segment's `count` articles are not deleted: bool[count].

    Raises:
        FormatError: the deletions are not of its size.
    """
    if segment.deletions is None or segment.entry.deletions is None:
        return np.ones(count, bool)
    name, promised = segment.entry.deletions.name, segment.entry.deletions.doc_count
    if len(segment.deletions) != -(-count // 8):
        raise FormatError(name, f"{len(segment.deletions)} bytes for {count} articles; restore the folder from a copy")
    deleted = np.unpackbits(np.frombuffer(segment.deletions, np.uint8), count=count).astype(bool)
    if int(deleted.sum()) != promised:
        raise FormatError(name, f"deletes {int(deleted.sum())} articles, the manifest says {promised}")
    return ~deleted


class WrittenIds:
    """Which ids may be in the segments that this writer has written: most are not, and every segment would be asked."""

    def __init__(self) -> None:
        self._hashes = np.zeros(0, np.int64)
        self._waiting: list[Iterable[str]] = []  # of the last segment nobody asks, mostly

    def add(self, ids: Iterable[str]) -> None:
        """Take more; they are read when somebody asks."""
        self._waiting.append(ids)

    def among(self, ids: Sequence[str]) -> list[int]:
        """Return the places of the ids that may be there."""
        if self._waiting:
            added = (np.fromiter(map(hash, some), np.int64) for some in self._waiting)
            self._hashes = np.sort(np.concatenate([self._hashes, *added]))
            self._waiting = []
        if not self._hashes.size:
            return []
        wanted = np.fromiter(map(hash, ids), np.int64, len(ids))
        at = np.searchsorted(self._hashes, wanted)
        at[at == self._hashes.size] = 0
        return np.flatnonzero(self._hashes[at] == wanted).tolist()
