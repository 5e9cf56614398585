"""The kernels that encode terms, against plain Python, byte by byte."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsindex.codec import rows_kernel
from newsindex.codec.encode_kernel import NO_PIECES, Pieces, encode_terms, make_room, worst_bytes
from newsindex.codec.pack_kernel import pack_block, pack_patched
from tests.plain_encoding import BLOCK, Occurrence, encode_term, packed, rows

WEIGHTS = [3.0, 1.5, 1.0, 0.7, 0.25, 2.0, 1.0, 9.0]


@given(st.integers(0, 32), st.integers(0, 2**32 - 1), st.integers(0, 9))
def test_rows_are_packed_as_said(width: int, seed: int, start: int) -> None:
    values = np.random.default_rng(seed).integers(0, 2**width, BLOCK + start, dtype=np.uint64).astype(np.uint32)
    words = np.full(4 * width + 2, 7, np.uint32)
    assert pack_block(values, start, width, words, 1) == 4 * width + 1
    assert words[1:-1].tobytes() == rows(values[start:].tolist(), width)
    assert words[[0, -1]].tolist() == [7, 7]


@given(
    st.lists(st.integers(0, 2**32 - 1) | st.integers(0, 40), min_size=1, max_size=12),
    st.integers(0, 2**32 - 1),
    st.floats(0, 1),
)
def test_blocks_are_packed_in_the_fewest_bytes(values: list[int], seed: int, share: float) -> None:
    generator = np.random.default_rng(seed)
    common = generator.integers(0, 1 << int(generator.integers(0, 33)), BLOCK)
    block = np.where(generator.random(BLOCK) < share, generator.choice(values, BLOCK), common).astype(np.uint32)
    data, scratch = np.full(BLOCK * 4 + 8, 7, np.uint8), np.zeros(BLOCK, np.uint32)
    code, after = pack_patched(np.concatenate([block[:3], block]), 3, scratch, data, data.view(np.uint32), 4)
    assert (code, data[4:after].tobytes()) == packed(block.tolist())
    assert (data[:4] == 7).all()
    assert (data[after:] == 7).all()


def some_terms(seed: int, fields: int) -> tuple[list[list[Occurrence]], list[int]]:
    """Return the occurrences of terms of all sizes, and the weighted lengths of the articles."""
    generator = np.random.default_rng(seed)
    terms = []
    for size in (1, 2, 3, 5, 40, 127, 128, 129, 200, 256, 700):
        docs = np.sort(generator.choice(900, size, replace=False))
        spread = int(generator.integers(1, 9))
        occurrences = []
        for doc in docs.tolist():
            for field in sorted(generator.choice(fields, generator.integers(1, fields + 1), replace=False).tolist()):
                count = int(generator.integers(1, 40 if generator.random() < 0.02 else 4))
                places = np.cumsum(generator.integers(1, 1 << spread, count)) - generator.integers(0, 2)
                occurrences += [(doc, field, place) for place in places.tolist()]
        terms.append(occurrences)
    return terms, generator.integers(0, 4000, 900).tolist()


def cut(terms: list[list[Occurrence]], fields: int, runs: int) -> Pieces:
    """Return the terms' occurrences as they stand in pieces: so many runs of articles, each with its terms in order."""
    shift = 14
    per_run = -(-900 // runs)
    places: list[int] = []
    begins: list[list[tuple[int, int, int]]] = [[] for _ in terms]
    for run in range(runs):
        for number, occurrences in enumerate(terms):
            own = [occurrence for occurrence in occurrences if occurrence[0] // per_run == run]
            if own:
                begins[number].append((len(places), len(own), run))
                places += [((doc - run * per_run) * fields + field) << shift | place for doc, field, place in own]
    starts = np.cumsum([0, *map(len, begins)])
    laid = np.array([piece for pieces in begins for piece in pieces], np.int64)
    return Pieces(
        starts, laid[:, 0].copy(), laid[:, 1].astype(np.uint32), laid[:, 2].astype(np.uint32),
        np.arange(runs) * per_run * fields, np.full(runs, shift), np.array(places, np.uint32),
    )  # fmt: skip


def encoded(terms: list[list[Occurrence]], lengths: list[int], fields: int, runs: int = 0) -> tuple[bytes, bytes, Any]:
    """Return postings, positions and what is told of the terms, as the kernel has them."""
    starts = np.cumsum([0, *map(len, terms)])
    every = [occurrence for occurrences in terms for occurrence in occurrences]
    if runs:
        longest = max(map(len, terms))
        texts, positions, pieces = np.zeros(longest, np.uint32), np.zeros(longest, np.uint32), cut(terms, fields, runs)
    else:
        texts = np.array([doc * fields + field for doc, field, _ in every], np.uint32)
        positions, pieces = np.array([place for _, _, place in every], np.uint32), NO_PIECES
    size = sum((worst_bytes(len(occurrences), fields) + 3) & ~3 for occurrences in terms)
    postings, placed, told = np.full(size, 7, np.uint8), np.full(size, 7, np.uint8), np.zeros((len(terms), 5), np.int64)
    weights, weighted = np.array(WEIGHTS[:fields]), np.array(lengths, np.uint32)
    done, used, put = encode_terms(
        0, starts, texts, positions, pieces, fields, weights, weighted, make_room(fields), postings, placed, told
    )
    assert done == len(terms)
    return postings[:used].tobytes(), placed[:put].tobytes(), told


@pytest.mark.parametrize("fields", [1, 2, 3, 8])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_terms_are_encoded_as_said(seed: int, fields: int) -> None:
    terms, lengths = some_terms(seed, fields)
    postings, placed, told = encoded(terms, lengths, fields)
    expected = [b"", b""]
    for number, occurrences in enumerate(terms):
        own = encode_term(occurrences, fields, WEIGHTS[:fields], lengths)
        docs = len({doc for doc, _, _ in occurrences})
        for part, has_blocks in enumerate((docs >= BLOCK, len(occurrences) >= BLOCK)):
            if has_blocks:
                expected[part] += bytes(-len(expected[part]) % 4)
            expected[part] += own[part]
        mask = sum(1 << field for field in {field for _, field, _ in occurrences})
        assert told[number, [0, 1, 3]].tolist() == [mask, docs, len(occurrences)]
    assert postings == expected[0] + bytes(-len(expected[0]) % 4)
    assert placed == expected[1] + bytes(-len(expected[1]) % 4)
    assert (told[:, 2].sum(), told[:, 4].sum()) == (len(postings), len(placed))


@pytest.mark.parametrize("runs", [1, 2, 7, 300])
def test_terms_in_pieces_are_encoded_alike(runs: int) -> None:
    terms, lengths = some_terms(runs, 3)
    whole, pieces = encoded(terms, lengths, 3), encoded(terms, lengths, 3, runs)
    assert whole[:2] == pieces[:2]
    assert whole[2].tolist() == pieces[2].tolist()


def digest() -> str:
    terms, lengths = some_terms(5, 3)
    postings, placed, _ = encoded(terms, lengths, 3, runs=4)
    return hashlib.sha256(postings + placed).hexdigest()


def test_without_the_compiler() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "from tests.test_encoding import digest; print(digest())"],
        capture_output=True, text=True, check=False, env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.strip() == digest()


@pytest.mark.skipif("NUMBA_DISABLE_JIT" in os.environ, reason="the compiler is switched off")
def test_what_is_made_for_the_machine_is_what_python_says() -> None:
    @numba.njit
    def packed_rows(values, start, width, words, at):  # type: ignore[no-untyped-def]
        rows_kernel.pack_rows(values, start, width, words, at)

    @numba.njit
    def width_of(value):  # type: ignore[no-untyped-def]
        return rows_kernel.bits(value)

    @numba.njit
    def prefetched(values, place):  # type: ignore[no-untyped-def]
        rows_kernel.prefetch(values, place)
        return values[0]

    generator = np.random.default_rng(1)
    values = generator.integers(0, 2**32, 131, dtype=np.uint64).astype(np.uint32)
    for place in (0, 130, 131, -1, 2**50):
        assert prefetched(values, place) == values[0]
    for width in range(1, 33):
        found, expected = np.zeros(4 * width + 1, np.uint32), np.zeros(4 * width + 1, np.uint32)
        packed_rows(values, 3, width, found, 1)
        rows_kernel._plain_pack_rows(values, 3, width, expected, 1)
        assert found.tolist() == expected.tolist()
    for value in (0, 1, 2, 3, 255, 256, 2**62, 2**63 - 1):
        assert width_of(value) == rows_kernel._plain_bits(value) == value.bit_length()
