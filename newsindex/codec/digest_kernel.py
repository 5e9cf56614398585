"""The first eight bytes of BLAKE2b digests, of four texts at a time: one by one it would be a tenth of indexing.

RFC 7693. The state of four digests is held in vectors of four 64-bit numbers, which one compression mixes together.
Where the compiler is switched off, plain loops do the same.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils
from numba.extending import intrinsic

from newsindex.kernel import lean

__all__ = ["BLOCK_BYTES", "LANE_WORDS", "first_digests"]

BLOCK_BYTES = 128
_LANES = 4
_WORDS = 16
_ROUNDS = 12
LANE_WORDS = 12 * _LANES  # what four digests are made in
_START = (
    0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
    0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
)  # fmt: skip
# Digests of 16 bytes, no key; the rest of the tree of hashes is one leaf.
_BEGIN = np.array([_START[0] ^ 0x01010010, *_START[1:]], np.uint64)
_SIGMA = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    (14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3),
    (11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4),
    (7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8),
    (9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13),
    (2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9),
    (12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11),
    (13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10),
    (6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5),
    (10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0),
)
# The order of the words in each round, one after the other.
_ORDERS = np.array([_SIGMA[turn % len(_SIGMA)] for turn in range(_ROUNDS)], np.int64).reshape(-1)
# Columns, then diagonals.
_MIXED = tuple(
    (column, 4 + (column + turn) % 4, 8 + (column + 2 * turn) % 4, 12 + (column + 3 * turn) % 4)
    for turn in range(2)
    for column in range(4)
)
_ALL = 0xFFFFFFFFFFFFFFFF

_build: Any = cgutils
_I8, _I32, _I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
_ZERO = ir.Constant(_I64, 0)
_VECTOR, _BYTES = ir.VectorType(_I64, _LANES), ir.VectorType(_I8, 8 * _LANES)


def _turned(builder: Any, value: Any, distance: int) -> Any:
    """Return the numbers of a vector rotated to the right."""
    if distance % 8 == 0:
        places = [8 * lane + (byte + distance // 8) % 8 for lane in range(_LANES) for byte in range(8)]
        loose = builder.bitcast(value, _BYTES)
        order = ir.Constant(ir.VectorType(_I32, len(places)), places)
        return builder.bitcast(builder.shuffle_vector(loose, loose, order), _VECTOR)
    left, right = (ir.Constant(_VECTOR, [by] * _LANES) for by in (64 - distance, distance))
    return builder.or_(builder.shl(value, left), builder.lshr(value, right))


def _compress(typing: Any, data: Any, places: Any, counts: Any, lasts: Any, state: Any, orders: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        begins = [
            context.make_array(kind)(context, builder, array).data
            for kind, array in zip(signature.args, given, strict=True)
        ]

        def vector(begin: Any, number: int) -> Any:
            return builder.bitcast(builder.gep(begin, [ir.Constant(_I64, _LANES * number)]), _VECTOR.as_pointer())

        def load(begin: Any, number: int) -> Any:
            loaded = builder.load(vector(begin, number))
            loaded.align = 8
            return loaded

        lanes = [builder.gep(begins[1], [ir.Constant(_I64, lane)]) for lane in range(_LANES)]
        texts = [builder.gep(begins[0], [builder.load(lane)]) for lane in lanes]
        words = _build.alloca_once(builder, ir.ArrayType(_VECTOR, _WORDS))
        for word in range(_WORDS):
            joined = ir.Constant(_VECTOR, ir.Undefined)
            for lane, text in enumerate(texts):
                number = builder.load(
                    builder.bitcast(builder.gep(text, [ir.Constant(_I64, 8 * word)]), _I64.as_pointer())
                )
                number.align = 1
                joined = builder.insert_element(joined, number, ir.Constant(_I32, lane))
            builder.store(joined, builder.gep(words, [_ZERO, ir.Constant(_I64, word)]))
        before = [load(begins[4], number) for number in range(8)]
        starts = before + [ir.Constant(_VECTOR, [number] * _LANES) for number in _START]
        starts[12] = builder.xor(starts[12], load(begins[2], 0))
        starts[14] = builder.xor(starts[14], load(begins[3], 0))
        held = [_build.alloca_once_value(builder, start) for start in starts]
        # A loop: all rounds written out are no faster, and take seconds to compile.
        with _build.for_range(builder, ir.Constant(_I64, _ROUNDS)) as rounds:
            mixed = [builder.load(place) for place in held]
            at = builder.mul(rounds.index, ir.Constant(_I64, _WORDS))

            def word_of(number: int) -> Any:
                place = builder.load(builder.gep(begins[5], [builder.add(at, ir.Constant(_I64, number))]))
                return builder.load(builder.gep(words, [_ZERO, place]))

            for number, (a, b, c, d) in enumerate(_MIXED):
                for half, (first, second) in enumerate(((32, 24), (16, 63))):
                    mixed[a] = builder.add(builder.add(mixed[a], mixed[b]), word_of(2 * number + half))
                    mixed[d] = _turned(builder, builder.xor(mixed[d], mixed[a]), first)
                    mixed[c] = builder.add(mixed[c], mixed[d])
                    mixed[b] = _turned(builder, builder.xor(mixed[b], mixed[c]), second)
            for value, place in zip(mixed, held, strict=True):
                builder.store(value, place)
        mixed = [builder.load(place) for place in held]
        for number in range(8):
            after = builder.xor(before[number], builder.xor(mixed[number], mixed[number + 8]))
            builder.store(after, vector(begins[4], number)).align = 8
        return context.get_dummy_value()

    return numba.types.void(data, places, counts, lasts, state, orders), generate


def _plain_compress(data: Any, places: Any, counts: Any, lasts: Any, state: Any, orders: Any) -> None:
    for lane in range(_LANES):
        begin = int(places[lane])
        words = [int(word) for word in np.frombuffer(data[begin : begin + BLOCK_BYTES].tobytes(), "<u8")]
        before = [int(number) for number in state[lane::_LANES]]
        mixed = [*before, *_START]
        mixed[12] ^= int(counts[lane])
        mixed[14] ^= int(lasts[lane])
        for turn in range(_ROUNDS):
            order = iter(orders[turn * _WORDS : (turn + 1) * _WORDS].tolist())
            for a, b, c, d in _MIXED:
                for first, second in ((32, 24), (16, 63)):
                    mixed[a] = mixed[a] + mixed[b] + words[next(order)] & _ALL
                    mixed[d] ^= mixed[a]
                    mixed[d] = (mixed[d] >> first | mixed[d] << 64 - first) & _ALL
                    mixed[c] = mixed[c] + mixed[d] & _ALL
                    mixed[b] ^= mixed[c]
                    mixed[b] = (mixed[b] >> second | mixed[b] << 64 - second) & _ALL
        state[lane::_LANES] = [number ^ mixed[at] ^ mixed[at + 8] for at, number in enumerate(before)]


_compressed: Any = _plain_compress if getattr(numba.config, "DISABLE_JIT", 0) else intrinsic(_compress)
"""_compressed(data, places, counts, lasts, state, orders): mix a block of each of four texts into their states.

data: uint8[m], m ≥ places[lane] + BLOCK_BYTES. places int64[4]: where the blocks begin; counts uint64[4]: bytes of each
text up to the end of its block; lasts uint64[4]: all bits where the block is the text's last, else 0. state uint64[32];
orders: `_ORDERS`.
"""


@lean
def first_digests(data, starts, lengths, order, out):
    """Write the first eight bytes of the digest, of 16 bytes, of each text.

    Args:
        data: uint8[m], the texts one after the other, none of them empty, each followed by zeros up to a multiple of
            BLOCK_BYTES.
        starts, lengths: int64[n], where each begins, and its bytes.
        order: int64[n], the numbers of the texts; the shortest first is best.
        out: uint64[n + LANE_WORDS], overwritten: the digests, and after them whatever was needed.
    """
    count = order.size
    state = out[count : count + 8 * _LANES]
    counts, lasts = out[count + 32 : count + 36], out[count + 36 : count + 40]
    places = out[count + 40 : count + 44].view(np.int64)
    for first in range(0, count, _LANES):
        for number in range(8):
            for lane in range(_LANES):
                state[number * _LANES + lane] = _BEGIN[number]
        most = np.int64(0)
        for lane in range(_LANES):
            most = max(most, lengths[order[min(first + lane, count - 1)]])
        for block in range((most + BLOCK_BYTES - 1) // BLOCK_BYTES):
            for lane in range(_LANES):
                text = order[min(first + lane, count - 1)]
                # A text that is through is mixed on, with its last block, and not looked at.
                last = (lengths[text] - 1) // BLOCK_BYTES
                places[lane] = starts[text] + min(block, last) * BLOCK_BYTES
                counts[lane] = min((block + 1) * BLOCK_BYTES, lengths[text])
                lasts[lane] = np.uint64(0xFFFFFFFFFFFFFFFF) if block == last else np.uint64(0)
            _compressed(data, places, counts, lasts, state, _ORDERS)
            for lane in range(_LANES):
                if lasts[lane]:
                    out[order[min(first + lane, count - 1)]] = state[lane]
