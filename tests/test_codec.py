"""The segment format: kernels against plain Python, round trips, merges, damage."""

from __future__ import annotations

import hashlib
import itertools
import math
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsindex import Article, FormatError
from newsindex.analysis import Analyzer
from newsindex.analysis.batch import BatchTokenizer, TokenBatch
from newsindex.codec import format as spec
from newsindex.codec import merge, writer
from newsindex.codec.decode_kernel import decode_positions, decode_postings
from newsindex.codec.dictionary_kernel import decode_rows, encode_dictionary, find_terms, index_dictionary, place_of
from newsindex.codec.encode_kernel import NO_PIECES, encode_terms, make_room, worst_bytes
from newsindex.codec.front_kernel import decode_front, encode_front, pick_shown
from newsindex.codec.inversion import SortedTerms, TermSorter, Vocabulary
from newsindex.codec.joined import in_order
from newsindex.codec.merge import Part, merge_segments
from newsindex.codec.pack_kernel import (
    BLOCK,
    get_vbyte,
    pack_bits,
    pack_block,
    pack_patched,
    put_vbyte,
    unpack_bits,
    unpack_block,
    unpack_patched,
)
from newsindex.codec.reader import SegmentReader
from newsindex.codec.words import encoded_lists
from newsindex.codec.words_kernel import decode_lists
from newsindex.codec.writer import encode_articles, weighted_lengths
from newsindex.schema import Schema
from newsindex.search.postings_kernel import unpack
from tests.plain_encoding import encode_list
from tests.segments import make_segment
from tests.strategies import ARCHIVES, Counted

SCHEMA = Schema(Counted)
ANALYZER = Analyzer("english")
NEWS = Schema(Article)


@pytest.mark.parametrize("width", range(33))
def test_a_block_of_any_width_comes_back(width: int) -> None:
    generator = np.random.default_rng(width)
    values = generator.integers(0, 2**width, BLOCK, dtype=np.uint64).astype(np.uint32)
    words = np.full(4 * width + 2, 0xFFFFFFFF, np.uint32)
    again = np.zeros(BLOCK, np.uint32)
    assert pack_block(values, 0, width, words, 1) == 1 + 4 * width
    assert (words[0], words[-1]) == (0xFFFFFFFF, 0xFFFFFFFF)
    assert unpack_block(words, 1, width, again, 0) == 1 + 4 * width
    assert again.tolist() == values.tolist()
    if width:
        assert unpack_block(words[: 4 * width], 1, width, again, 0) == -1
    assert unpack_block(words, 0, 33, again, 0) == -1


@given(
    st.lists(st.integers(0, 40), min_size=BLOCK, max_size=BLOCK),
    st.dictionaries(st.integers(0, BLOCK - 1), st.integers(0, 2**32 - 1), max_size=BLOCK),
)
def test_a_block_with_outliers_comes_back(common: list[int], outliers: dict[int, int]) -> None:
    values = np.array([outliers.get(i, value) for i, value in enumerate(common)], np.uint32)
    data, scratch, again = np.full(600, 0xFF, np.uint8), np.zeros(BLOCK, np.uint32), np.zeros(BLOCK, np.uint32)
    code, after = pack_patched(values, 0, scratch, data, data.view(np.uint32), 4)
    widest = int(values.max()).bit_length()
    assert after - 4 <= 16 * widest
    assert after % 4 == 0
    assert (data[:4] == 0xFF).all()
    assert (data[after:] == 0xFF).all()
    assert unpack_patched(data, data.view(np.uint32), 4, code, after, again, 0) == after
    assert again.tolist() == values.tolist()
    if after > 4:
        assert unpack_patched(data, data.view(np.uint32), 4, code, after - 1, again, 0) == -1
    for room in (after, 600):  # what a search reads with, where the words end there and where more follow
        again[:] = 7
        read = data[:room], data[:room].view(np.uint32), 4, code
        assert unpack(*read, after, again, 0) == after
        assert again.tolist() == values.tolist()
        assert after == 4 or unpack(*read, after - 1, again, 0) == -1


@given(st.lists(st.integers(0, 2**32 - 1) | st.integers(0, 9), max_size=BLOCK - 1))
def test_values_that_fill_no_block_come_back(values: list[int]) -> None:
    given_values, again = np.array([7, *values], np.uint32), np.full(len(values) + 1, 9, np.uint32)
    data = np.full(4 * BLOCK, 0xFF, np.uint8)
    width = max(values, default=0).bit_length()
    after = pack_bits(given_values, 1, len(given_values), data, 2)
    assert after == 3 + -(-len(values) * width // 8)
    joined = sum(value << width * i for i, value in enumerate(values))
    assert data[2:after].tobytes() == bytes([width]) + joined.to_bytes(after - 3, "little")
    assert (data[after:] == 0xFF).all()
    assert unpack_bits(data, 2, after, again, 1, again.size) == after
    assert again.tolist() == [9, *values]
    assert unpack_bits(data, 2, after - 1, again, 1, again.size) == -1
    assert unpack_bits(np.array([33, *[0] * 999], np.uint8), 0, 999, again, 0, 1) == -1


@given(st.integers(0, 2**32 - 1))
def test_variable_bytes(value: int) -> None:
    data = np.zeros(6, np.uint8)
    used = put_vbyte(value, data, 0)
    rest, plain = value, []
    while rest > 127:
        plain.append(rest & 127 | 128)
        rest >>= 7
    assert data[:used].tolist() == [*plain, rest]
    assert get_vbyte(data, 0, used) == (value, used)
    assert get_vbyte(data, 0, used - 1)[1] == -1


# Alike for none, eight, sixteen and more bytes; ending where a number of eight ends; twice the same.
WORDS = st.lists(
    st.text("ab9é中\U0001f600", min_size=1, max_size=20) | st.sampled_from(["a" * n for n in range(1, 40)])
)


@given(WORDS)
@example(
    ["international", "internationally", "internat", "internati", "interna", "internationalis", "internationalise"]
)
@example(["b", "a" * 17, "a" * 16, "a" * 8, "a" * 9, "a" * 7])
def test_words_in_order(words: list[str]) -> None:
    order, joined = in_order(words)
    assert sorted(order.tolist()) == list(range(len(words)))
    assert [words[number] for number in order] == sorted(words)
    data, bounds = joined.data.tobytes(), itertools.pairwise(joined.starts.tolist())
    assert [data[begin:end].decode() for begin, end in bounds] == sorted(words)


def inverted(tokens: Any, starts: Any, term_count: int) -> tuple[Any, Any, Any]:
    """Return where the occurrences of each term that stands in the texts begin, their texts and their positions."""
    numbers = np.arange(term_count, dtype=np.uint32)
    names = [f"{number:04}" for number in range(term_count)]
    sorter = TermSorter(1)
    chunks = []
    for texts in (slice(0, 3), slice(3, starts.size - 1)):
        own = starts[texts.start : texts.stop + 1]
        if own.size > 1:
            batch = TokenBatch(tokens, np.zeros(tokens.size, np.uint8), own, 0)
            chunks.append(sorter.chunk(batch, numbers, term_count))
    found = np.unique(tokens)
    ends = np.zeros(term_count, np.int64)
    where: list[int] = []
    places: list[int] = []
    for terms in SortedTerms(chunks, sorter, Vocabulary(numbers, names, names, bytes(term_count))).ranges(
        tokens.size + 1
    ):
        ends[found] = np.diff(terms.starts)
        pieces = terms.pieces
        for begin, length, run in zip(pieces.begins.tolist(), pieces.lengths.tolist(), pieces.runs, strict=True):
            shift, first = int(pieces.shifts[run]), int(pieces.first_texts[run])
            own = pieces.places[begin : begin + length].tolist()
            where += [first + (place >> shift) for place in own]
            places += [place & (1 << shift) - 1 for place in own]
    return np.concatenate([[0], np.cumsum(ends)]), np.array(where, np.uint32), np.array(places, np.uint32)


def encode(texts: list[list[int]], fields: int, term_count: int, weights: Any = None) -> tuple[Any, Any, Any, Any]:
    """Return (occurrences, postings, positions, told) of texts as lists of term numbers."""
    tokens = np.array([term for text in texts for term in text], np.uint32)
    starts = np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)
    occurrences = inverted(tokens, starts, term_count)
    room = sum(worst_bytes(int(n), fields) for n in np.diff(occurrences[0])) + 4 & ~3
    postings, positions = np.zeros(room, np.uint8), np.zeros(room, np.uint8)
    told = np.zeros((term_count, 5), np.int64)
    weights = np.ones(fields) if weights is None else weights
    lengths = weighted_lengths(np.diff(starts).reshape(-1, fields), weights)
    term, used, put = encode_terms(
        0, *occurrences, NO_PIECES, fields, weights, lengths, make_room(fields), postings, positions, told
    )
    assert term == term_count
    assert (used, put) == (told[:, 2].sum(), told[:, 4].sum())
    return occurrences, postings[:used], positions[:put], told


@pytest.mark.parametrize("articles", [1, 2, 127, 128, 129, 256, 300])
@pytest.mark.parametrize("fields", [1, 2, 3, 8])
def test_postings_and_positions_come_back(articles: int, fields: int) -> None:
    generator = np.random.default_rng(articles * 10 + fields)
    texts = [(generator.zipf(1.5, generator.integers(0, 30)) % 7).tolist() for _ in range(articles * fields)]
    (starts, where, places), postings, positions, told = encode(texts, fields, 7)
    begin = put = 0
    for term in range(7):
        _, doc_freq, used, count, placed = told[term].tolist()
        docs = np.zeros(-(-doc_freq // BLOCK) * BLOCK, np.uint32)
        freqs = np.zeros((fields, docs.size), np.uint32)
        gaps = np.zeros(-(-count // BLOCK) * BLOCK, np.uint32)
        words = postings.view(np.uint32), positions.view(np.uint32)
        end = decode_postings(postings, words[0], begin, begin + used, doc_freq, fields, articles, docs, freqs)
        assert begin + used - 3 <= end <= begin + used
        assert decode_positions(positions, words[1], put, put + placed, count, gaps) >= put
        own = slice(starts[term], starts[term + 1])
        expected: dict[int, dict[int, list[int]]] = {}
        for text, place in zip(where[own].tolist(), places[own].tolist(), strict=True):
            expected.setdefault(text // fields, {}).setdefault(text % fields, []).append(place)
        assert docs[:doc_freq].tolist() == list(expected)
        at = 0
        for number, by_field in enumerate(expected.values()):
            assert freqs[:, number].tolist() == [len(by_field.get(field, [])) for field in range(fields)]
            for found in by_field.values():
                assert np.cumsum(gaps[at : at + len(found)]).tolist() == found
                at += len(found)
        assert decode_postings(postings, words[0], begin, begin + used, doc_freq + 1, fields, articles, docs, freqs) < 0
        begin += used
        put += placed


def test_the_example_of_the_specification() -> None:
    texts: list[list[int]] = [[], [], [], [], [], [], [], [0, 0], [0], [0], [], [], [], [0]]
    _, postings, _, told = encode(texts, 2, 1)
    example = "08 12  02 80 03 01 01  05"
    assert example in (spec.__doc__ or "")
    assert postings.tobytes() == bytes.fromhex(example)
    assert told[0, 1] == 3


def test_the_example_of_the_lists() -> None:
    segment = make_segment(SCHEMA, [{"id": "a", "body": "rate rates rates rating rates rate rates"}])
    example = "00 56  01 06"
    assert example in (spec.__doc__ or "")
    assert segment.section("words.occurrences")[1].tobytes() == bytes.fromhex(example)
    assert words_in(segment) == [(b"rates", b"rate", [1, 2, 4, 6]), (b"rating", b"rate", [3])]


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(0, 2**32 - 1), st.floats(0, 1)), min_size=1, max_size=5))
def test_lists_of_words_come_back(wanted: list[tuple[int, int, float]]) -> None:
    lists, totals = [], []
    for total, seed, share in wanted:
        generator = np.random.default_rng(seed)
        places = np.flatnonzero(generator.random(total) < share).tolist() or [total - 1]
        jumps = np.cumsum(generator.integers(0, 1 << int(generator.integers(1, 21)), len(places))).tolist()
        lists.append([place + jump for place, jump in zip(places, jumps, strict=True)])
        totals.append(lists[-1][-1] + 1)
    counts = np.array([len(own) for own in lists])
    others = np.array([place - n for own in lists for n, place in enumerate(own)], np.uint32)
    sizes, data = encoded_lists(np.cumsum(counts) - counts, counts, others)
    assert data.tobytes() == b"".join(map(encode_list, lists))
    rows = np.zeros((counts.size, 8), np.int64)
    rows[:, 5], rows[:, 6], rows[:, 7] = counts, np.cumsum(sizes) - sizes, np.cumsum(sizes)
    found = np.empty(counts.sum(), np.uint32)
    assert decode_lists(data, rows, np.array(totals), found) == 0
    assert found.tolist() == [place for own in lists for place in own]
    for damaged in (np.array(totals) - 1, np.zeros(counts.size, np.int64)):
        assert decode_lists(data, rows, damaged, found) == -1
    rows[-1, 5] += 9
    assert decode_lists(data, rows, np.array(totals), np.empty(counts.sum() + 9, np.uint32)) == -1


@pytest.mark.parametrize(
    ("data", "count", "begin", "end"),
    [
        ("00 56", -1, 0, 2), ("00 56", 5, 0, 2), ("00 56", 4, -1, 2), ("00 56", 4, 0, 3), ("00 56", 4, 2, 2),
        ("00 56", 4, 0, 1), ("20 06", 1, 0, 2), ("01 00", 1, 0, 2), ("09 01", 1, 0, 2), ("1f 00000000", 1, 0, 5),
    ],
)  # fmt: skip
def test_lists_that_cannot_be_are_refused(data: str, count: int, begin: int, end: int) -> None:
    rows = np.array([[0, 1, 0, 0, 0, count, begin, end]])
    assert (
        decode_lists(np.frombuffer(bytes.fromhex(data), np.uint8), rows, np.array([99]), np.empty(4, np.uint32)) == -1
    )


def test_the_record_of_a_block_is_as_the_specification_says() -> None:
    assert (spec.SKIP.itemsize, spec.SKIP_WORDS, spec.TERM_BLOCK.itemsize) == (24, 6, 24)
    texts = [[0] * (1 + n % 5) + [1] * (n % 7) for n in range(300)]
    _, postings, positions, _ = encode(texts, 1, 2)
    skips = postings[: 2 * 24].view(spec.SKIP)
    assert skips["last_doc"].tolist() == [127, 255]
    before = sum(1 + n % 5 for n in range(128))
    assert skips["positions"].tolist() == [0, before]
    codes = sum(1 + n % 5 for n in range(300)) // BLOCK
    gaps = np.zeros(BLOCK, np.uint32)
    at = (codes + 3 & ~3) + int(skips["position_block"][1])
    words = positions[: positions.size & ~3].view(np.uint32)
    code = positions[before // BLOCK]
    assert unpack_patched(positions, words, at, code, positions.size, gaps, 0) > at
    assert gaps.tolist() == [gap for n in range(300) for gap in [0] + [1] * (n % 5)][before // BLOCK * BLOCK :][:BLOCK]


POSTINGS = st.tuples(st.integers(0, 9), st.integers(0, 300), st.integers(0, 40))


@given(
    st.lists(POSTINGS, min_size=BLOCK, max_size=BLOCK),
    st.lists(st.sampled_from([0.25, 0.7, 1.0, 2.5]), min_size=2, max_size=2),
)
def test_a_blocks_pairs_are_no_worse_than_any_article_of_it(
    lengths: list[tuple[int, int, int]], weights: list[float]
) -> None:
    """Each article has the term (first, second) times in two fields, and other words in the second."""
    texts = [text for first, second, others in lengths for text in ([0] * max(first, 1), [0] * second + [1] * others)]
    narrow = np.array(weights)
    weighted = [
        (
            (narrow * (max(first, 1), second)).sum(dtype=float),
            (narrow * (max(first, 1), second + others)).sum(dtype=float),
        )
        for first, second, others in lengths
    ]
    _, postings, _, _ = encode(texts, 2, 2, narrow)
    pairs = postings[: spec.SKIP.itemsize].view(spec.SKIP)["impacts"][0].tolist()
    needed = {(spec.frequency_code(frequency), spec.length_code(math.floor(length))) for frequency, length in weighted}
    for frequency, length in needed:
        assert any(most >= frequency and least <= length for most, least in pairs)
    if len(needed) <= spec.IMPACTS:
        assert set(map(tuple, pairs)) <= needed
    for frequency, length in weighted:
        assert any(
            (most == spec.ANY_FREQUENCY or most >= 4 * frequency) and spec.LENGTH_OF_CODE[least] <= length
            for most, least in pairs
        )


def test_a_length_on_the_edge_of_a_number_is_not_rounded_up() -> None:
    """0.7 · 6 + 0.7 · 4 is 6.999… when added up as scoring does, 7 as a product of matrices."""
    lengths, weights = np.array([[6, 4]] * 8), np.array([0.7, 0.7])
    assert 0.7 * 6 + 0.7 * 4 < 7
    assert weighted_lengths(lengths, weights).tolist() == [6] * 8


@given(st.floats(0, 1e6))
def test_codes_of_lengths_and_frequencies_are_never_worse(value: float) -> None:
    code = spec.length_code(value)
    assert spec.LENGTH_OF_CODE[code] <= value
    assert code == 255 or spec.LENGTH_OF_CODE[code + 1] > value
    code = spec.frequency_code(value)
    assert code == spec.ANY_FREQUENCY or code - 1 < 4 * value <= code


WORDS = st.lists(st.binary(min_size=1, max_size=12), unique=True, max_size=60).map(sorted)


@given(WORDS, st.lists(st.binary(max_size=12), max_size=20), st.binary(max_size=9))
def test_the_dictionary_finds_what_is_there(words: list[bytes], others: list[bytes], before: bytes) -> None:
    words = [before + word for word in words]
    told = np.array([[n % 8, n * 7 % 50 + 1, n * 3 % 40, n % 9, n * 5 % 30] for n in range(len(words))], np.int64)
    told = told.reshape(-1, 5)
    told[told[:, 0] == 0, 2:] = 0
    starts = np.concatenate([[0], np.cumsum([len(word) for word in words])]).astype(np.int64)
    blocks = np.zeros((-(-len(words) // 16), 3), np.uint64)
    data = np.zeros(int(starts[-1]) + 23 * len(words), np.uint8)
    used = encode_dictionary(np.frombuffer(b"".join(words), np.uint8), starts, told, blocks, data)
    index = np.zeros(2 + 4 * len(blocks), np.uint64)
    assert index_dictionary(blocks, data[:used], len(words), index) == 0
    rows = np.zeros((len(words), 8), np.int64)
    assert decode_rows(index, data[:used], np.arange(len(words)), rows) == 0
    for place, (fields, doc_freq, postings, count, positions) in enumerate(told.tolist()):
        begin, put = told[:place, 2].sum(), told[:place, 4].sum()
        assert rows[place].tolist() == [
            place, fields, doc_freq, begin, begin + postings, count, put, put + positions,
        ]  # fmt: skip
    mixed, again = np.random.default_rng(len(words)).permutation(len(words)), np.zeros_like(rows)
    assert decode_rows(index, data[:used], mixed, again) == 0
    assert again.tolist() == rows[mixed].tolist()
    assert decode_rows(index, data[:used], np.array([len(words)]), again) == -1
    for wanted in [*words, *others, *(before + other for other in others), before[:-1]]:
        row = np.zeros(8, np.int64)
        found = place_of(index, data[:used], b"?" + wanted, 1, 1 + len(wanted), row)
        place = sum(word < wanted for word in words)
        assert (found, row[0]) == (wanted in words, place)
        assert row.tolist() == rows[place].tolist() if found else row[2] == 0
    plain = [word for word in [*words, *others] if b"\xff" not in word]
    if plain:
        several = np.zeros((len(plain), 8), np.int64)
        assert find_terms(index, data[:used], b"\xff".join(plain), several) == len(plain)
        for word, row in zip(plain, several, strict=True):
            assert row.tolist() == rows[words.index(word)].tolist() if word in words else (row[0], row[2]) == (-1, 0)


@given(st.lists(st.text("ab€", max_size=9) | st.text(max_size=300), max_size=40))
def test_front_coded_strings_come_back(texts: list[str]) -> None:
    encoded = [text.encode() for text in texts]
    starts = np.concatenate([[0], np.cumsum([len(text) for text in encoded])]).astype(np.int64)
    blocks = np.zeros(-(-len(texts) // 16) + 1, np.uint64)
    data = np.zeros(int(starts[-1]) + 6 * len(texts), np.uint8)
    used = encode_front(np.frombuffer(b"".join(encoded), np.uint8), starts, blocks, data)
    plain, before = b"", b""
    begins = []
    for number, text in enumerate(encoded):
        if number % 16 == 0:
            begins.append(len(plain))
        most = min(len(before), len(text), 255) if number % 16 else 0
        shared = next((place for place in range(most) if before[place] != text[place]), most)
        length = len(text) - shared
        plain += bytes([shared, length] if length < 128 else [shared, length & 127 | 128, length >> 7]) + text[shared:]
        before = text
    assert data[:used].tobytes() == plain
    assert blocks.tolist() == [*begins, used]
    out, ends = np.zeros(int(starts[-1]), np.uint8), np.zeros(len(texts) + 1, np.int64)
    assert decode_front(data, 0, used, out, ends) == out.size
    assert (ends.tolist(), out.tobytes()) == (starts.tolist(), b"".join(encoded))
    if texts:
        assert decode_front(data, 0, used - 1, out, ends) == -1
    if out.size:
        assert decode_front(data, 0, used, out[1:], ends) == -1
    # Some of them, in any order, some twice, as ids, as titles, and both.
    wanted = np.array([number * 7 % len(texts) for number in range(len(texts) + 3) if texts], np.int64)
    places = np.array([*begins, used], np.uint32).view(np.uint8)
    titles = np.frombuffer(bytearray(b"".join(encoded)), np.uint8)
    ids = data[:used], places, 4
    every = titles, starts.view(np.uint8), 8
    none = np.empty(0, np.uint8), np.empty(0, np.uint8), 0
    picked = np.zeros(2 * int(starts[-1]) * 4 + 1000, np.uint8)
    for first, second in ((ids, every), (ids, none), (none, every)):
        columns = bool(first[2]) + bool(second[2])
        expected = b"".join((encoded[number] + b"\0") * columns for number in wanted)
        length = pick_shown(*first, *second, wanted, picked)
        assert length == len(expected)
        assert picked[:length].tobytes() == expected
        if texts:
            assert pick_shown(*first, *second, wanted, picked[: length - 1]) == -2
            assert pick_shown(*first, *second, wanted + 16 * len(begins) + 16, picked) == -1
            assert pick_shown(*first, *second, -1 - wanted, picked) == -1
    every_number = np.arange(len(texts))
    if texts:
        assert pick_shown(data[: used - 1], places, 4, *none, every_number, picked) == -1
    if starts[-1]:
        assert pick_shown(*none, titles, starts[::-1].copy().view(np.uint8), 8, every_number, picked) == -1


def content(segment: SegmentReader) -> dict[str, Any]:
    """Return everything that a segment says, by public methods."""
    said: dict[str, Any] = {}
    for term, info in segment.terms():
        docs, freqs = segment.postings(info)
        said[f"term {term!r}"] = (docs.tolist(), freqs.tolist(), segment.position_gaps(info).tolist(), info.fields)
    for name in SCHEMA.text_fields:
        said[name] = segment.lengths(name).tolist()
    for name in ("source", "tags"):
        column = segment.keywords(name)
        said[name] = [
            [column.keys[int(number)] for number in column.ords[column.starts[doc] : column.starts[doc + 1]]]
            for doc in range(segment.doc_count)
        ]
    for name in ("published", "words", "grade", "live"):
        values, present = segment.column(name)
        said[name] = [value if there else None for value, there in zip(values.tolist(), present, strict=True)]
    said["articles"] = [
        (segment.ids[doc], segment.titles[doc], segment.digest(doc), segment.stored(doc).decode())
        for doc in range(segment.doc_count)
    ]
    said["boundaries"] = [segment.boundaries().encoded(doc) for doc in range(segment.doc_count)]
    for name in ("words.occurrences", "words.data", "words.blocks"):
        said[name] = segment.section(name)[1].tobytes()
    return said


def words_in(segment: SegmentReader) -> list[tuple[bytes, bytes, list[int] | None]]:
    """Return the words, their terms, and which occurrences of the terms are theirs by the lists; None without one."""
    texts, rows = segment.all_words()
    terms = [term for term, _ in segment.terms()]
    totals = segment.rows_of(rows[:, 2])[:, 5]
    listed = rows[:, 1] != 0
    places, starts = segment.occurrences_of_words(rows[listed], totals[listed])
    lists = iter(np.split(places, starts[1:-1]))
    return [
        (word, terms[row[2]], next(lists).tolist() if row[1] else None)
        for word, row in zip(texts, rows.tolist(), strict=True)
    ]


@settings(max_examples=60)
@given(ARCHIVES)
def test_a_segment_holds_what_was_put_in(archive: list[dict[str, Any]]) -> None:
    articles = [SCHEMA.prepare({"id": f"a{n}"} | values) for n, values in enumerate(archive)]
    segment = make_segment(SCHEMA, articles)
    assert segment.doc_count == len(articles)
    expected: dict[bytes, list[tuple[int, int, int]]] = {}
    for doc, article in enumerate(articles):
        assert segment.find_id(article.article_id) == doc
        assert segment.stored(doc) == article.stored
        for number, name in enumerate(SCHEMA.text_fields):
            terms = ANALYZER.terms(article.values.get(name, ""))
            assert segment.lengths(name)[doc] == len(terms)
            for place, term in enumerate(terms):
                expected.setdefault(term.encode(), []).append((doc, number, place))
    assert [term for term, _ in segment.terms()] == sorted(expected)
    for encoded, places in expected.items():
        info = segment.find(encoded)
        assert info is not None
        docs, freqs = segment.postings(info)
        gaps = iter(segment.position_gaps(info).tolist())
        found = []
        for posting, doc in enumerate(docs.tolist()):
            for number in range(len(SCHEMA.text_fields)):
                place = 0
                for _ in range(freqs[number, posting]):
                    place += next(gaps)
                    found.append((doc, number, place))
        assert found == places
    assert segment.find_id("nobody") is None
    assert segment.find(b"nothing") is None


@settings(max_examples=60)
@given(ARCHIVES)
def test_the_occurrences_of_words_come_back(archive: list[dict[str, Any]]) -> None:
    articles = [SCHEMA.prepare({"id": f"a{n}"} | values) for n, values in enumerate(archive)]
    seen: dict[str, list[str]] = {}
    for article in articles:
        for name in SCHEMA.text_fields:
            for token in ANALYZER.tokens(article.values.get(name, "")):
                seen.setdefault(token.term, []).append(token.surface)
    segment, expected = make_segment(SCHEMA, articles), expected_words(seen)
    assert words_in(segment) == expected
    lists = b"".join(encode_list(places) for _, _, places in expected if places)
    assert segment.section("words.occurrences")[1].tobytes() == lists


def expected_words(seen: dict[str, list[str]]) -> list[tuple[bytes, bytes, list[int] | None]]:
    """Return what `words_in` should, of the words at each occurrence of each term."""
    expected: list[tuple[bytes, bytes, list[int] | None]] = []
    for term, surfaces in seen.items():
        words = sorted({word for word in surfaces if word != term and len(word.encode()) <= 255})
        itself = any(word not in words for word in surfaces)
        commonest = max(words, key=surfaces.count, default=None)
        for word in words:
            places = [place for place, surface in enumerate(surfaces) if surface == word]
            listed = itself or word != commonest
            expected.append((word.encode(), term.encode(), places if listed else None))
    return sorted(expected)


@settings(max_examples=60)
@given(ARCHIVES, st.lists(st.text(max_size=3), max_size=5))
def test_rows_are_those_of_the_terms(archive: list[dict[str, Any]], others: list[str]) -> None:
    segment = make_segment(SCHEMA, [{"id": f"a{n}"} | values for n, values in enumerate(archive)])
    rows = {term: list(info) for term, info in segment.terms()}
    absent = [-1, 0]
    wanted = [*rows, *(other.encode() for other in others), b"\xff", b"a\xffb", b""]
    assert [row if row[0] >= 0 else row[:3:2] for row in segment.find_all(wanted).tolist()] == [
        rows.get(term, absent) for term in wanted
    ]
    assert segment.find_all([]).shape == (0, 8)
    assert segment.rows_of(np.arange(len(rows))[::-1].copy()).tolist() == list(rows.values())[::-1]
    words = dict(segment.words(b""))
    for prefix in [b"", b"\xff", *(text[:length] for text in [*rows, *words] for length in (1, 2, len(text)))]:
        expected = [row for term, row in rows.items() if term.startswith(prefix)]
        for limit in (0, 2, 1000):
            numbers, found = segment.prefix_rows(prefix, limit)
            assert found.tolist() == expected[:limit]
            assert numbers.tolist() == [row[0] for row in expected[:limit]]
        first, after = segment.dictionary_of_words.between(prefix)
        terms = [number for word, number in words.items() if word.startswith(prefix)]
        assert segment.terms_of_words(np.arange(first, after)).tolist() == terms
        if prefix.isalpha() and prefix.isascii():
            others = {row[0] for row in expected}.issuperset(terms)
            for most in (len(expected), len(expected) + 1, 1000):
                found = segment.rows_beginning(prefix, most)
                assert (None if found is None else found.tolist()) == (expected if others else None)
            assert not expected or segment.rows_beginning(prefix, len(expected) - 1) is None


@settings(max_examples=60)
@given(ARCHIVES)
def test_compiled_tokens_give_the_same_segment_as_plain_ones(archive: list[dict[str, Any]]) -> None:
    articles = [SCHEMA.prepare({"id": f"a{n}"} | values) for n, values in enumerate(archive)]
    body = b"".join(encode_articles(SCHEMA, articles, BatchTokenizer(ANALYZER)))
    compiled = SegmentReader(np.frombuffer(body, np.uint8), "compiled", SCHEMA)
    assert content(compiled) == content(make_segment(SCHEMA, articles))


@settings(max_examples=60)
@given(ARCHIVES, st.integers(0, 12), st.sets(st.integers(0, 11)))
def test_merging_is_as_if_the_living_had_been_written_together(
    archive: list[dict[str, Any]], cut: int, deleted: set[int]
) -> None:
    articles = [SCHEMA.prepare({"id": f"a{n}"} | values) for n, values in enumerate(archive)]
    live = np.array([number not in deleted for number in range(len(articles))])
    parts = [
        Part(make_segment(SCHEMA, articles[part]), live[part])
        for part in (slice(0, cut), slice(cut, None))
        if articles[part]
    ]
    left = [article for article, lives in zip(articles, live, strict=True) if lives]
    # Ranges of terms begin aligned, so the bytes hang on them.
    for occurrences in (4_194_304, 1, 20):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(writer, "_OCCURRENCES", occurrences)
            patch.setattr(merge, "_OCCURRENCES", occurrences)
            body = b"".join(merge_segments(SCHEMA, parts))
            whole = make_segment(SCHEMA, left)
        merged = SegmentReader(np.frombuffer(body, np.uint8), "merged", SCHEMA)
        assert content(merged) == content(whole)
        for name in whole.section_sizes():
            if not name.startswith("stored."):
                assert merged.section(name)[1].tobytes() == whole.section(name)[1].tobytes(), name


def sample_body() -> bytes:
    articles = [
        NEWS.prepare({"id": f"a{n}", "title": f"Rates fell {n}", "body": "the bank rate " * (n % 9) + f"word{n % 13}",
                      "source": f"S{n % 3}", "published": "2024-04-01", "tags": ["x", "y"][: n % 3]})
        for n in range(200)
    ]  # fmt: skip
    return b"".join(encode_articles(NEWS, articles, BatchTokenizer(ANALYZER)))


def read_everything(data: bytes) -> None:
    segment = SegmentReader(np.frombuffer(data, np.uint8), "damaged.nix", NEWS)
    for _, info in segment.terms():
        segment.postings(info)
        segment.position_gaps(info)
    for _ in segment.words(b""):
        pass
    segment.find_all([b"rate", b"word1", b"zzz"])
    segment.prefix_rows(b"w", 100)
    segment.terms_of_words(np.arange(*segment.dictionary_of_words.between(b"b")))
    words_in(segment)
    for name in NEWS.text_fields:
        segment.lengths(name)
    for name in ("source", "tags", "authors"):
        column = segment.keywords(name)
        for number in range(len(column.keys)):
            _ = column.keys[number], column.shown[number], column.docs(number)
    segment.column("published")
    for doc in range(segment.doc_count):
        _ = segment.ids[doc], segment.titles[doc], segment.stored(doc), segment.digest(doc)
        segment.boundaries().encoded(doc)
    segment.shown.both(np.arange(segment.doc_count)[::-1].copy())
    segment.find_id("a5")
    segment.ids.texts()


def test_decoders_meet_damage_without_a_crash() -> None:
    """No checksum stands before the decoders here: they may misread, or raise FormatError, and nothing else."""
    body = sample_body()
    read_everything(body)
    seed = 20240401
    print(f"seed {seed}")
    generator = np.random.default_rng(seed)
    refused = read = 0
    trials = int(os.environ.get("NEWSINDEX_TRIALS", "400"))
    for _ in range(trials):
        data = bytearray(body)
        for _ in range(int(generator.integers(1, 4))):
            at = int(generator.integers(0, len(data)))
            match int(generator.integers(0, 4)):
                case 0:
                    data[at] ^= 1 << int(generator.integers(0, 8))
                case 1:
                    data[at] = int(generator.integers(0, 256))
                case 2:
                    data[at : at + 64] = bytes(min(64, len(data) - at))
                case _:
                    data = data[: max(at, 1)]
        try:
            read_everything(bytes(data))
        except FormatError as error:
            refused += "damaged.nix" in str(error)
        else:
            read += 1
    assert refused + read == trials
    assert refused > 0


def test_kernels_without_the_compiler() -> None:
    program = (
        "from tests.test_codec import sample_body; import hashlib;print(hashlib.sha256(sample_body()).hexdigest())"
    )
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == hashlib.sha256(sample_body()).hexdigest()
