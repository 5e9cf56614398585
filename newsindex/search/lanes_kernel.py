"""Kernels that treat several numbers at a time: what the inner loops of searching spend most of their time on.

The compiler does not find by itself that the four lanes of a packed block (see `codec/pack_kernel`) are treated alike.
So these are written in its own terms, vectors of four or sixteen numbers, which it turns into the instructions of any
processor. Places are not checked here; the callers do. Where the compiler is switched off, plain loops do the same.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.extending import intrinsic

__all__ = ["LARGE_GAP", "add_up", "count_less", "lowest_bit", "popcount", "sum_first", "unpack_rows"]

_ROWS = 32
LARGE_GAP = 1 << 40
"""Set in what `add_up` returns when a gap was so large that the sums may be wrong."""
_LARGE = 1 << 24

_I32, _I64 = ir.IntType(32), ir.IntType(64)
_VECTOR = ir.VectorType(_I32, 4)
_WIDE = ir.VectorType(_I32, 16)
_ZERO = ir.Constant(_VECTOR, [0] * 4)


def _all_lanes(builder: Any, value: Any) -> Any:
    vector = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(_I32, 0))
    return builder.shuffle_vector(vector, _ZERO, ir.Constant(_VECTOR, [0] * 4))


def _data(context: Any, builder: Any, kind: Any, array: Any, place: Any) -> Any:
    """Return a pointer to a place of an array."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [place])


def _row(builder: Any, begin: Any, place: Any) -> Any:
    """Return a pointer to the four numbers from a place on."""
    return builder.bitcast(builder.gep(begin, [place]), _VECTOR.as_pointer())


def _load(builder: Any, pointer: Any) -> Any:
    loaded = builder.load(pointer)
    loaded.align = 4
    return loaded


def _unpack_rows(typing: Any, words: Any, at: Any, width: Any, out: Any, start: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        source = _data(context, builder, signature.args[0], given[0], given[1])
        target = _data(context, builder, signature.args[3], given[3], given[4])
        width = given[2]
        one = ir.Constant(_I64, 1)
        mask = _all_lanes(builder, builder.trunc(builder.sub(builder.shl(one, width), one), _I32))
        for row in range(_ROWS):
            bit = builder.mul(width, ir.Constant(_I64, row))
            word = builder.shl(builder.lshr(bit, ir.Constant(_I64, 5)), ir.Constant(_I64, 2))
            shift = builder.trunc(builder.and_(bit, ir.Constant(_I64, 31)), _I32)
            back = _all_lanes(builder, builder.sub(ir.Constant(_I32, 31), shift))
            low = _load(builder, _row(builder, source, word))
            high = _load(builder, _row(builder, source, builder.add(word, ir.Constant(_I64, 4))))
            # By one and by the rest, since a shift by all 32 bits is not defined.
            high = builder.shl(builder.shl(high, ir.Constant(_VECTOR, [1] * 4)), back)
            values = builder.and_(builder.or_(builder.lshr(low, _all_lanes(builder, shift)), high), mask)
            builder.store(values, _row(builder, target, ir.Constant(_I64, 4 * row))).align = 4
        return context.get_dummy_value()

    return numba.types.void(words, at, width, out, start), generate


def _add_up(typing: Any, values: Any, start: Any, before: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        target = _data(context, builder, signature.args[0], given[0], given[1])
        total = _all_lanes(builder, builder.trunc(given[2], _I32))
        seen = _ZERO
        for row in range(_ROWS):
            pointer = _row(builder, target, ir.Constant(_I64, 4 * row))
            values = _load(builder, pointer)
            seen = builder.or_(seen, values)
            for moved in ([4, 0, 1, 2], [4, 5, 0, 1]):
                shifted = builder.shuffle_vector(values, _ZERO, ir.Constant(_VECTOR, moved))
                values = builder.add(values, shifted)
            values = builder.add(values, total)
            builder.store(values, pointer).align = 4
            total = builder.shuffle_vector(values, _ZERO, ir.Constant(_VECTOR, [3] * 4))
        some = builder.extract_element(seen, ir.Constant(_I32, 0))
        for lane in range(1, 4):
            some = builder.or_(some, builder.extract_element(seen, ir.Constant(_I32, lane)))
        is_large = builder.icmp_unsigned(">=", some, ir.Constant(_I32, _LARGE))
        flag = builder.select(is_large, ir.Constant(_I64, LARGE_GAP), ir.Constant(_I64, 0))
        return builder.or_(flag, builder.zext(builder.extract_element(total, ir.Constant(_I32, 0)), _I64))

    return numba.types.int64(values, start, before), generate


def _sixteen(builder: Any, value: Any) -> Any:
    """Return a number sixteen times."""
    one = builder.insert_element(ir.Constant(_WIDE, ir.Undefined), builder.trunc(value, _I32), _I32(0))
    return builder.shuffle_vector(one, ir.Constant(_WIDE, ir.Undefined), ir.Constant(_WIDE, [0] * 16))


def _count_less(typing: Any, values: Any, start: Any, number: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        source = _data(context, builder, signature.args[0], given[0], given[1])
        wanted = _sixteen(builder, given[2])
        counts = ir.Constant(_WIDE, [0] * 16)
        for row in range(0, 4 * _ROWS, 16):
            loaded = _load(builder, builder.bitcast(builder.gep(source, [_I64(row)]), _WIDE.as_pointer()))
            counts = builder.sub(counts, builder.sext(builder.icmp_unsigned("<", loaded, wanted), _WIDE))
        return builder.zext(_total(builder, counts), _I64)

    return numba.types.int64(values, start, number), generate


def _sum_first(typing: Any, values: Any, start: Any, count: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        source = _data(context, builder, signature.args[0], given[0], given[1])
        wanted = _sixteen(builder, given[2])
        zeros = ir.Constant(_WIDE, [0] * 16)
        sums = zeros
        for row in range(0, 4 * _ROWS, 16):
            loaded = _load(builder, builder.bitcast(builder.gep(source, [_I64(row)]), _WIDE.as_pointer()))
            is_first = builder.icmp_unsigned("<", ir.Constant(_WIDE, [*range(row, row + 16)]), wanted)
            sums = builder.add(sums, builder.select(is_first, loaded, zeros))
        return builder.zext(_total(builder, sums), _I64)

    return numba.types.int64(values, start, count), generate


def _total(builder: Any, values: Any) -> Any:
    """Return the sum of sixteen numbers."""
    for half in (8, 4, 2, 1):
        moved = [*range(half, 2 * half), *range(16 - half)][:16]
        values = builder.add(values, builder.shuffle_vector(values, values, ir.Constant(_WIDE, moved)))
    return builder.extract_element(values, _I32(0))


def _lowest_bit(typing: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.cttz(given[0], ir.Constant(ir.IntType(1), 1))

    return numba.types.int64(numba.types.uint64), generate


def _popcount(typing: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.ctpop(given[0])

    return numba.types.int64(numba.types.uint64), generate


def _plain_unpack_rows(words: Any, at: int, width: int, out: Any, start: int) -> None:
    mask = (1 << int(width)) - 1
    for row in range(_ROWS):
        bit = row * int(width)
        for lane in range(4):
            word = int(at) + (bit >> 5) * 4 + lane
            wide = int(words[word]) | int(words[word + 4]) << 32
            out[start + row * 4 + lane] = wide >> (bit & 31) & mask


def _plain_add_up(values: Any, start: int, before: int) -> int:
    total, flag = int(before), 0
    for place in range(start, start + 4 * _ROWS):
        flag = LARGE_GAP if values[place] >= _LARGE else flag
        total = total + int(values[place]) & 0xFFFFFFFF
        values[place] = np.uint32(total)
    return flag | total


def _plain_count_less(values: Any, start: int, number: int) -> int:
    return int(np.count_nonzero(values[start : start + 4 * _ROWS] < number))


def _plain_sum_first(values: Any, start: int, count: int) -> int:
    return int(values[start : start + count].sum(dtype=np.uint64)) & 0xFFFFFFFF


def _plain_lowest_bit(word: Any) -> int:
    return (int(word) & -int(word)).bit_length() - 1


def _plain_popcount(word: Any) -> int:
    return int(word).bit_count()


_COMPILED = not getattr(numba.config, "DISABLE_JIT", 0)
unpack_rows: Any = intrinsic(_unpack_rows) if _COMPILED else _plain_unpack_rows
"""unpack_rows(words, at, width, out, start): unpack 128 values of `width` bits from words[at] on to out[start] on.

words: uint32[m] with m ≥ at + 4 · width + 4; width: 0..32; out: uint32[n] with n ≥ start + 128.
"""
add_up: Any = intrinsic(_add_up) if _COMPILED else _plain_add_up
"""add_up(values, start, before): replace each of 128 values, uint32, by the sum of `before` and of all up to it.

Returns the last sum; with LARGE_GAP set when a value was at least 2^24, so that sums may have passed 2^32.
"""
count_less: Any = intrinsic(_count_less) if _COMPILED else _plain_count_less
"""count_less(values, start, number): how many of the 128 values, uint32, from `start` on are less than a number.

The number is in 0..2^32 - 1. Branches by halves would go now one way, now the other; this has none.
"""
sum_first: Any = intrinsic(_sum_first) if _COMPILED else _plain_sum_first
"""sum_first(values, start, count): modulo 2^32, the sum of the first `count` of 128 values, uint32, from `start` on.

The count is in 0..128.
"""
lowest_bit: Any = intrinsic(_lowest_bit) if _COMPILED else _plain_lowest_bit
"""lowest_bit(word): the place of the lowest bit set in a uint64 that is not 0."""
popcount: Any = intrinsic(_popcount) if _COMPILED else _plain_popcount
"""popcount(word): the number of bits set in a uint64."""
