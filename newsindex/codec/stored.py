"""The articles themselves, compressed."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import zstandard

from newsindex.codec.format import MOST_ALIKE
from newsindex.codec.sections import SectionReader, SectionWriter

__all__ = ["PackedArticles", "StoredArticles", "narrow", "pack_articles", "packed_sections", "stored_sections"]

# Blocks of 12 KiB are 4 to 5 % smaller, and an article is read from one in 1.6 times the time; of 32 KiB 7 to 11 % and
# in 3.5 times. A dictionary would let small ones be as small, but to look for matches in it takes a third more of the
# time to compress.
_STORED_BLOCK = 6 * 1024
_LARGEST_BLOCK = 64 * 1024 * 1024
_PACKED_TOGETHER = 1024 * 1024
# A hash of 2^13 places is as good for so small a block as the usual one, and is emptied sooner.
_COMPRESSION = zstandard.ZstdCompressionParameters.from_level(
    1, source_size=_STORED_BLOCK, hash_log=13, min_match=6, write_content_size=True
)
_Array = npt.NDArray[Any]


class _Local(threading.local):
    """What a thread unpacks with: making it takes longer than using it, and no two threads may share one."""

    def __init__(self) -> None:
        self.unpack = zstandard.ZstdDecompressor().decompress


_local = _Local()


class StoredArticles:
    """The stored articles of a segment. Any number of threads may use one."""

    def __init__(self, sections: SectionReader, doc_count: int) -> None:
        self._sections = sections
        sizes = sections.array("stored.sizes", np.uint32)
        self._data = memoryview(sections.array("stored.data", np.uint8))  # type: ignore[arg-type]
        self._starts = _numbers(sections.numbers("stored.starts", doc_count + 1))
        self._places = _numbers(sections.numbers("stored.blocks", sizes.size + 1))
        self._sizes = _numbers(sizes)
        self._ends = _numbers(np.cumsum(sizes, dtype=np.uint64))

    def __getitem__(self, doc: int) -> bytes:
        """Return the JSON of an article.

        Raises:
            FormatError: it is not where it is said to be.
        """
        begin, end = self._starts[doc], self._starts[doc + 1]
        block = bisect_right(self._ends, begin)
        if begin > end or block >= len(self._ends) or end > self._ends[block]:
            raise self._sections.damage(f"the stored article {doc} is placed at {begin} to {end}")
        first = self._ends[block] - self._sizes[block]
        return self._unpacked(block)[begin - first : end - first]

    def living(self, live: _Array) -> Iterator[bytes]:
        """Yield the JSON of the articles that live (bool[doc_count]), in order; each block is unpacked once."""
        starts, ends = self._starts, self._ends
        block, data, first, after = -1, b"", 0, 0
        for doc in np.flatnonzero(live).tolist():
            begin, end = starts[doc], starts[doc + 1]
            while begin >= after and block + 1 < len(ends):
                block += 1
                first, after, data = after, ends[block], b""
            if not first <= begin <= end <= after:
                raise self._sections.damage(f"the stored article {doc} is placed at {begin} to {end}")
            data = data or self._unpacked(block)
            yield data[begin - first : end - first]

    def _unpacked(self, block: int) -> bytes:
        begin, end, size = self._places[block], self._places[block + 1], self._sizes[block]
        if begin > end or end > len(self._data) or size > _LARGEST_BLOCK:
            raise self._sections.damage(f"stored block {block} is placed at {begin} to {end}")
        frame = self._data[begin:end]
        try:
            # The size in the frame is not trusted: the output is bounded by that of the section.
            if zstandard.frame_content_size(frame) != size:
                raise zstandard.ZstdError("its size is another")
            data = _local.unpack(frame, size)
        except zstandard.ZstdError as error:
            raise self._sections.damage(f"stored block {block} at byte {begin} ({error})") from None
        if len(data) != size:
            raise self._sections.damage(f"stored block {block} has {len(data)} bytes, not {size}")
        return data


def _numbers(array: _Array) -> memoryview[int]:
    # Single numbers are read from it in a third of the time.
    return memoryview(array)  # type: ignore[arg-type]


class PackedArticles(NamedTuple):
    """Stored articles, compressed: the blocks joined; the bytes of each, packed and unpacked; those of each article."""

    data: bytes
    packed_sizes: list[int]
    sizes: list[int]
    lengths: list[int]


def stored_sections(out: SectionWriter, articles: Iterable[bytes]) -> Iterator[memoryview]:
    """Yield the sections of the stored articles, compressed in blocks of at least 6 KiB, an article in one block."""

    def packed() -> Iterator[PackedArticles]:
        waiting: list[bytes] = []
        size = 0
        for article in articles:
            waiting.append(article)
            size += len(article)
            if size >= _PACKED_TOGETHER:
                yield pack_articles(waiting)
                waiting, size = [], 0
        yield pack_articles(waiting)

    return packed_sections(out, packed())


def pack_articles(articles: Sequence[bytes]) -> PackedArticles:
    """Return stored articles compressed in blocks of at least 6 KiB, but for the last."""
    lengths = list(map(len, articles))
    sizes: list[int] = []
    size = 0
    for length in lengths:
        size += length
        if size >= _STORED_BLOCK:
            sizes.append(size)
            size = 0
    if size:
        sizes.append(size)
    if not sizes:
        return PackedArticles(b"", [], [], lengths)
    compressor = zstandard.ZstdCompressor(compression_params=_COMPRESSION)
    segments = np.empty((len(sizes), 2), "<u8")
    segments[:, 0], segments[:, 1] = _starts(sizes)[:-1], sizes
    # All in one call: between two of them the interpreter would be asked for, and another thread has it.
    packed = compressor.multi_compress_to_buffer(zstandard.BufferWithSegments(b"".join(articles), segments.tobytes()))
    blocks = [packed[number].tobytes() for number in range(len(packed))]
    return PackedArticles(b"".join(blocks), list(map(len, blocks)), sizes, lengths)


def packed_sections(out: SectionWriter, packed: Iterable[PackedArticles]) -> Iterator[memoryview]:
    """Yield the sections of stored articles that are compressed already."""
    packed_sizes: list[int] = []
    sizes: list[int] = []
    lengths: list[int] = []

    def blocks() -> Iterator[bytes]:
        for articles in packed:
            packed_sizes.extend(articles.packed_sizes)
            sizes.extend(articles.sizes)
            lengths.extend(articles.lengths)
            yield articles.data

    yield from out.section("stored.data", blocks())
    yield from out.section("stored.blocks", narrow(_starts(packed_sizes)))
    yield from out.section("stored.sizes", np.array(sizes, np.uint32))
    yield from out.section("stored.starts", narrow(_starts(lengths)))


def _starts(lengths: Sequence[int]) -> _Array:
    starts = np.zeros(len(lengths) + 1, np.uint64)
    np.cumsum(lengths, out=starts[1:])
    return starts


def narrow(values: _Array) -> _Array:
    """Return unsigned numbers in the least of 8, 16, 32 and 64 bits that holds them all; one of many that are alike."""
    most = int(values.max()) if values.size else 0
    if values.size > MOST_ALIKE and int(values.min()) == most:
        values = values[:1]
    widths = ((2**8, np.uint8), (2**16, np.uint16), (2**32, np.uint32))
    return values.astype(next((width for limit, width in widths if most < limit), np.uint64))
