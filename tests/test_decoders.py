"""Decoding kernels, given what no segment of ours has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from newsindex.analysis import Analyzer
from newsindex.analysis.batch import BatchTokenizer
from newsindex.codec.decode_kernel import decode_positions, decode_postings, decode_tail
from newsindex.codec.dictionary import TermInfo
from newsindex.codec.format import SKIP
from newsindex.codec.front_kernel import decode_front, pick_shown
from newsindex.codec.merge_kernel import expand_terms, gather_bytes
from newsindex.codec.pack_kernel import unpack_patched
from newsindex.codec.reader import SegmentReader
from newsindex.codec.words_kernel import decode_lists
from newsindex.codec.writer import encode_articles
from newsindex.errors import FormatError
from tests.test_codec_damage import COUNT, SCHEMA, changed, opened


@pytest.mark.parametrize(
    "tail",
    [
        "",
        "02",
        "01",
        "0281",
        "028001",
        "02800100",
        "0280",
        "02ff",
        "0210",
        "0280ff01",
        "ffffffff7f",
        "028001ffffffff7f",
    ],
)
def test_tails_of_postings_that_are_none(tail: str) -> None:
    data = np.frombuffer(bytes.fromhex(tail), np.uint8)
    docs, freqs = np.zeros(128, np.uint32), np.zeros((2, 128), np.uint32)
    assert decode_tail(data, 0, data.size, -1, 0, 1, 9, docs, freqs) == -1


def long_term() -> tuple[SegmentReader, TermInfo]:
    reader = opened()
    found = reader.find(b"the")
    assert found is not None
    assert found.doc_freq == COUNT
    return reader, found


def test_postings_whose_blocks_do_not_fit() -> None:
    reader, info = long_term()
    plain, _, _, _ = reader.text_arrays()
    begin, end = info.postings_begin, info.postings_end
    at = (begin + 3) & ~3
    base = at + SKIP.itemsize

    def decoded(changes: dict[int, int], before: int = 0) -> int:
        data = plain.copy()
        for place, value in changes.items():
            data[place] = value
        docs, freqs = np.zeros(256, np.uint32), np.zeros((3, 256), np.uint32)
        words = data[: data.size & ~3].view(np.uint32)
        return int(decode_postings(data, words, begin, end - before, info.doc_freq, 3, COUNT, docs, freqs))

    assert decoded({}) > 0
    for field in range(4):
        assert decoded({base + field: 0xFF}) == -1
        assert decoded({base + field: 33}) == -1
    assert decoded({at: 1}) == decoded({at + 4: 1}) == -1
    for short in range(1, end - begin + 1):
        assert decoded({}, short) == -1 or short < 4
    longer = plain.copy()
    docs, freqs = np.zeros(256, np.uint32), np.zeros((3, 256), np.uint32)
    words = longer[: longer.size & ~3].view(np.uint32)
    assert decode_postings(longer, words, begin, end + 9, info.doc_freq, 3, COUNT, docs, freqs) == -1
    assert decode_postings(longer, words, begin, longer.size + 1, info.doc_freq, 3, COUNT, docs, freqs) == -1


def test_positions_whose_blocks_do_not_fit() -> None:
    reader, info = long_term()
    _, _, plain, words = reader.text_arrays()
    begin, end, count = info.positions_begin, info.positions_end, info.position_count
    assert count > 256
    gaps = np.zeros(-(-count // 128) * 128, np.uint32)
    assert decode_positions(plain, words, begin, end, count, gaps) > 0
    for short in range(1, end - begin + 1):
        assert decode_positions(plain, words, begin, end - short, count, gaps) == -1 or short < 4
    data = plain.copy()
    data[(begin + 3) & ~3] = 0xFF
    assert decode_positions(data, data[: data.size & ~3].view(np.uint32), begin, end, count, gaps) == -1
    assert decode_positions(plain, words, begin, end, count - 128, gaps) == -1


def test_blocks_of_numbers_that_are_none() -> None:
    out = np.zeros(128, np.uint32)
    for size in range(0, 160, 4):
        data = np.full(size, 0xFF, np.uint8)
        for code in range(256):
            after = unpack_patched(data, data.view(np.uint32), 0, np.uint8(code), size, out, 0)
            assert -1 <= after <= size


def test_strings_that_are_none() -> None:
    out, starts = np.zeros(600, np.uint8), np.zeros(3, np.int64)
    whole = np.frombuffer(b"\x00\x02ab\x01\x01c", np.uint8)
    assert decode_front(whole, 0, whole.size, out, starts) == 4
    assert bytes(out[:4]) == b"abac"
    for at, end in ((-1, 7), (0, 8), (0, 6), (0, 4), (0, 1), (7, 7)):
        assert decode_front(whole, at, end, out, starts) == -1
    assert decode_front(whole, 0, 7, out[:3], starts) == -1
    places = np.array([0, 7], np.uint8)
    none = np.zeros(0, np.uint8), np.zeros(0, np.uint8), 0
    for data, number, expected in (
        (whole, 1, 3), (whole, 2, -1), (whole, 16, -1), (whole, -1, -1), (whole[:6], 0, -1),
        (np.frombuffer(b"\x01\x02ab\x01\x01c", np.uint8), 0, -1),
        (np.frombuffer(b"\x00\x09ab\x01\x01c", np.uint8), 0, -1),
    ):  # fmt: skip
        assert pick_shown(data, places, 1, *none, np.array([number]), out) == expected
    assert pick_shown(whole, places, 1, *none, np.array([0]), out[:1]) == -2


@pytest.mark.parametrize(
    ("data", "count"),
    [("", 1), ("41", 1), ("00", 1), ("0000", 1), ("ff", 1), ("2001", 1), ("0800", 2), ("00000000000000000000", 1),
     ("00", -1),     ("0001", 99)],
)  # fmt: skip
def test_lists_of_words_that_are_none(data: str, count: int) -> None:
    encoded = np.frombuffer(bytes.fromhex(data), np.uint8)
    row = np.array([[0, 0, 1, 0, 0, count, 0, encoded.size]], np.int64)
    assert decode_lists(encoded, row, np.array([9]), np.zeros(2, np.uint32)) == -1


def test_occurrences_that_do_not_add_up() -> None:
    reader, info = long_term()
    terms, told = reader.dictionary()
    place, other = terms.index(b"the"), terms.index(b"rate")
    numbers = np.arange(COUNT, dtype=np.int64)

    def expanded(row: list[int], room: int) -> int:
        texts, places = np.zeros(room, np.uint32), np.zeros(room, np.uint32)
        rows = np.array([row], np.int64)
        counts, lives = np.zeros(1, np.int64), np.zeros(room, np.uint8)
        return int(expand_terms(rows, *reader.text_arrays(), 3, numbers, counts, texts, places, lives))

    whole, fewer = told[place].tolist(), told[other].tolist()
    assert expanded(whole, info.position_count) == info.position_count
    assert expanded(whole, info.position_count - 1) == -1
    assert expanded(fewer, fewer[4]) == fewer[4]
    assert expanded([*fewer[:4], *whole[4:]], whole[4]) == -1
    assert expanded([*whole[:4], *fewer[4:]], whole[4]) == -1
    assert expanded([whole[0], COUNT + 1, *whole[2:]], whole[4]) == -1
    assert expanded([whole[0], -1, *whole[2:]], whole[4]) == -1
    data, starts = np.zeros(9, np.uint8), np.array([0, 4, 3, 10])
    for kept in ([1], [2]):
        assert gather_bytes(data, starts, np.array(kept), np.zeros(9, np.uint8), np.zeros(3, np.uint64)) == -1


def test_dictionaries_asked_for_what_they_have_not() -> None:
    reader = opened()
    terms = reader.dictionary_of_terms
    asked: list[Callable[[], Any]] = [
        lambda: terms.decode(1, 5), lambda: terms.fitting("*", 0, terms.count + 1),
        lambda: terms.rows(np.array([9999])),
        lambda: terms.fuzzy("bank", 1, 0, terms.count + 1),
    ]  # fmt: skip
    for ask in asked:
        with pytest.raises(FormatError, match="the dictionary terms cannot be read"):
            ask()
    broken = opened(changed("terms.data", np.uint8, 0, 200)).dictionary_of_terms
    asked = [
        lambda: broken.fitting("*a*", 0, broken.count), lambda: broken.fuzzy("bank", 1, 0, broken.count),
        lambda: broken.rows(np.array([3])), lambda: broken.find([b"0"]),
    ]  # fmt: skip
    for ask in asked:
        with pytest.raises(FormatError, match="the dictionary terms cannot be read"):
            ask()
    with pytest.raises(FormatError, match="positions are more than 4 bytes hold"):
        opened({"positions": b"1234"}).dictionary()
    with pytest.raises(FormatError, match="stands in 0 of 140 articles"):
        reader.postings(TermInfo(0, 1, 0, 0, 0, 0, 0, 0))


def test_words_are_compared_letter_by_letter() -> None:
    records = [{"id": "a", "title": "中国 国中 bank bnak yeti " + " ".join(f"{'long' * 50}{n}" for n in range(99))}]
    made = b"".join(encode_articles(SCHEMA, list(map(SCHEMA.prepare, records)), BatchTokenizer(Analyzer("english"))))
    reader = SegmentReader(np.frombuffer(made, np.uint8), "that.nix", SCHEMA)
    terms = reader.dictionary_of_terms
    all_of_them = terms.decode(0, terms.count)[0]
    assert sum(term.startswith(b"longlong") for term in all_of_them) == 99

    def fitting(pattern: str) -> list[str]:
        return [terms.text(number).decode() for number in terms.fitting(pattern, 0, terms.count).tolist()]

    assert fitting("?国") == ["中国"]
    assert fitting("*中") == ["国中"]
    near = [terms.text(number).decode() for number in terms.fuzzy("bank", 1, 0, terms.count).tolist()]
    assert near == ["bank", "bnak"]


def test_ids_and_titles_of_any_length() -> None:
    records = [{"id": f"a{n}", "title": "t" * 5000} for n in range(3)]
    made = b"".join(encode_articles(SCHEMA, list(map(SCHEMA.prepare, records)), BatchTokenizer(Analyzer("english"))))
    shown = SegmentReader(np.frombuffer(made, np.uint8), "that.nix", SCHEMA).shown
    assert shown.both(np.array([2, 0])) == (["a2", "a0"], ["t" * 5000] * 2)
    assert shown.ids(np.zeros(0, np.int64)) == []
    with pytest.raises(FormatError):
        opened(changed("title.data", np.uint8, 2, 0xFF)).shown.titles(np.array([0]))
