"""The dictionaries of a segment: terms to where their postings are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from newsindex.codec.dictionary_kernel import (
    decode_rows,
    decode_terms,
    expand_prefix,
    find_terms,
    index_dictionary,
    place_of,
)
from newsindex.codec.format import TERMS_IN_BLOCK
from newsindex.codec.like_kernel import ANY_LETTERS, ONE_LETTER, find_fitting, find_fuzzy
from newsindex.codec.sections import Bytes, SectionReader
from newsindex.codec.strings import are_texts, ascend
from newsindex.errors import FormatError

__all__ = ["Dictionary", "TermInfo"]

_Array = npt.NDArray[Any]


class TermInfo(NamedTuple):
    """Where a term's postings are: `number` is its place in the dictionary; bit f of `fields` is set for text field f.

    `positions` of them stand in [positions_begin, positions_end).
    """

    number: int
    fields: int
    doc_freq: int
    postings_begin: int
    postings_end: int
    position_count: int
    positions_begin: int
    positions_end: int


class Dictionary:
    """Sorted terms, front-coded."""

    def __init__(self, sections: SectionReader, name: str) -> None:
        self.count = int(sections.array(f"{name}.count", np.uint64, 1)[0])
        blocks = -(-self.count // TERMS_IN_BLOCK)
        self._blocks = sections.array(f"{name}.blocks", np.uint64, 3 * blocks).reshape(blocks, 3)
        self._data: Bytes = sections.array(f"{name}.data", np.uint8)
        self._sections = sections
        self._name = name

    @cached_property
    def _index(self) -> _Array:
        """The blocks as the kernels take them."""
        index = np.empty(2 + 4 * len(self._blocks), np.uint64)
        if index_dictionary(self._blocks, self._data, self.count, index) < 0:
            raise self._damage()
        return index

    def _damage(self) -> FormatError:
        return self._sections.damage(f"the dictionary {self._name} cannot be read")

    def find(self, terms: Sequence[bytes]) -> _Array:
        """Return a row of each term, int64[t, 8]; see `SegmentReader.find_all`."""
        rows = np.empty((len(terms), 8), np.int64)
        if not terms:
            return rows
        # No UTF-8 text has a byte 255.
        found = find_terms(self._index, self._data, b"\xff".join(terms), rows)
        if found < 0:
            raise self._damage()
        if found > len(terms):
            return self.find([b"" if b"\xff" in term else term for term in terms])
        return rows

    def between(self, prefix: bytes) -> tuple[int, int]:
        """Return (number of the first term that begins with the prefix, number of the first after those that do)."""
        first = self._place(prefix) if prefix else 0
        stem = prefix.rstrip(b"\xff")
        after = self._place(stem[:-1] + bytes([stem[-1] + 1])) if stem else self.count
        return first, max(first, after)

    def _place(self, term: bytes) -> int:
        row = np.empty(8, np.int64)
        if place_of(self._index, self._data, term, 0, len(term), row) < 0:
            raise self._damage()
        return int(row[0])

    def rows(self, numbers: _Array) -> _Array:
        """Return a row of each term of these numbers, int64[n]."""
        rows = np.empty((numbers.size, 8), np.int64)
        if decode_rows(self._index, self._data, numbers, rows) < 0:
            raise self._damage()
        return rows

    def expanded(self, words: Dictionary, prefix: bytes, most: int) -> _Array | None:
        """Return the rows, int64[n, 8], of the terms that begin with a prefix of ASCII letters, at least one.

        None when they are more than `most`, or another term has a word among `words` that begins so.
        """
        bounds = prefix + prefix[:-1] + bytes([prefix[-1] + 1])
        rows, row = np.empty((most, 8), np.int64), np.empty(8, np.int64)
        found = expand_prefix(self._index, self._data, words._index, words._data, bounds, len(prefix), rows, row)
        if found == -1:
            raise self._damage()
        return rows[:found] if found >= 0 else None

    def fitting(self, pattern: str, first: int, after: int) -> _Array:
        """Return the numbers, int64, of the terms [first, after) that fit; `*` is for any letters, `?` for one."""
        signs = {"*": bytes([ANY_LETTERS]), "?": bytes([ONE_LETTER])}
        encoded = b"".join(signs.get(letter) or letter.encode("utf-8", "replace") for letter in pattern)
        begin = first - first % TERMS_IN_BLOCK
        found = np.empty(after - begin, np.int64)
        count = find_fitting(
            self._index, self._data, begin, after, np.frombuffer(encoded, np.uint8).copy(), np.empty(8, np.int64),
            np.empty(256, np.uint8), found,
        )  # fmt: skip
        return self._listed(found, count, first)

    def fuzzy(self, word: str, edits: int, first: int, after: int) -> _Array:
        """Return the numbers, int64, of the terms [first, after) that are at most so many changes away from a word."""
        letters = [int.from_bytes(letter.encode("utf-8", "replace"), "big") for letter in word]
        begin = first - first % TERMS_IN_BLOCK
        found = np.empty(after - begin, np.int64)
        count = find_fuzzy(
            self._index, self._data, begin, after, np.array(letters, np.int64), edits, np.empty(8, np.int64),
            np.empty(256, np.uint8), np.empty(257, np.int64), np.empty((257, len(letters) + 1), np.int64), found,
        )  # fmt: skip
        return self._listed(found, count, first)

    def _listed(self, found: _Array, count: int, first: int) -> _Array:
        if count < 0:
            raise self._damage()
        found = found[:count]
        return found[found >= first]

    def decode(self, first: int, after: int) -> tuple[list[bytes], _Array]:
        """Return the terms [first, after) and what is told of each, int64[n, 7]; `first` begins a block."""
        after = min(after, self.count)
        starts = np.zeros(after - first + 1, np.int64)
        told = np.zeros((after - first, 7), np.int64)
        # Front-coding seldom halves a dictionary; when it does more, the room is doubled.
        room = min(256 * (after - first), 2 * self._data.size)
        used = -2
        while used == -2:
            buffer = np.empty(room, np.uint8)
            used = decode_terms(self._index, self._data, first, after, buffer, starts, told)
            room *= 2
        if used < 0:
            raise self._damage()
        if not are_texts(buffer[:used], starts[:-1]):
            raise self._sections.damage(f"the dictionary {self._name} has a term that is not UTF-8")
        joined = buffer[:used].tobytes()
        terms = [joined[begin:end] for begin, end in pairwise(starts.tolist())]
        if not ascend(terms):
            raise self._sections.damage(f"the dictionary {self._name} is not in order")
        return terms, told

    def text(self, number: int) -> bytes:
        """Return the term of a number."""
        block = number - number % TERMS_IN_BLOCK
        return self.decode(block, block + TERMS_IN_BLOCK)[0][number - block]

    def starting(self, prefix: bytes) -> Iterator[tuple[bytes, TermInfo]]:
        """Yield the terms that begin with `prefix`, in order."""
        first, after = self.between(prefix)
        block = first - first % TERMS_IN_BLOCK
        while block < after:
            terms, told = self.decode(block, min(block + 16 * TERMS_IN_BLOCK, after))
            for number, (term, row) in enumerate(zip(terms, told.tolist(), strict=True), block):
                if number >= first:
                    yield term, TermInfo(number, *row)
            block += len(terms)
