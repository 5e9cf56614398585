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
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic

__all__ = ["LARGE_GAP", "add_up", "count_less", "lowest_bit", "popcount", "unpack_rows"]

_ROWS = 32
LARGE_GAP = 1 << 40
"""Set in what `add_up` returns when a gap was so large that the sums may be wrong."""
_LARGE = 1 << 24

_I32, _I64 = ir.IntType(32), ir.IntType(64)
_ROW = ir.VectorType(_I32, 4)
_WIDE = ir.VectorType(_I32, 16)
_ZEROS = ir.Constant(_WIDE, [0] * 16)


def _data(context: Any, builder: Any, kind: Any, array: Any, place: Any) -> Any:
    """Return a pointer to a place of an array."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [place])


def _pointer(builder: Any, begin: Any, place: Any, vector: Any = _WIDE) -> Any:
    """Return a pointer to the numbers of a vector from a place on."""
    return builder.bitcast(builder.gep(begin, [place]), vector.as_pointer())


def _load(builder: Any, pointer: Any) -> Any:
    loaded = builder.load(pointer)
    loaded.align = 4
    return loaded


def _chosen(builder: Any, one: Any, other: Any, lanes: list[int]) -> Any:
    """Return a vector of these lanes of two, those of the other counted on."""
    return builder.shuffle_vector(one, other, ir.Constant(ir.VectorType(_I32, len(lanes)), lanes))


def _sixteen(builder: Any, value: Any) -> Any:
    """Return a number sixteen times."""
    one = builder.insert_element(ir.Constant(_WIDE, ir.Undefined), builder.trunc(value, _I32), _I32(0))
    return _chosen(builder, one, _ZEROS, [0] * 16)


def _four_rows(builder: Any, source: Any, words: list[Any]) -> Any:
    """Return the four numbers from each of four places on, as one vector."""
    rows = [_load(builder, _pointer(builder, source, word, _ROW)) for word in words]
    first, second = (_chosen(builder, one, other, [*range(8)]) for one, other in (rows[:2], rows[2:]))
    return _chosen(builder, first, second, [*range(16)])


def _unpack_rows(typing: Any, words: Any, at: Any, width: Any, out: Any, start: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        source = _data(context, builder, signature.args[0], given[0], given[1])
        target = _data(context, builder, signature.args[3], given[3], given[4])
        width = given[2]
        mask = _sixteen(builder, builder.sub(builder.shl(_I64(1), width), _I64(1)))
        # Of (high, low), 64 bits, the 32 from some bit on, counted modulo 32: one instruction where there is one.
        kind = ir.FunctionType(_WIDE, [_WIDE] * 3)
        taken: Any = get_or_insert_function(builder.module, kind, "llvm.fshr.v16i32")  # type: ignore[no-untyped-call]
        widths = _sixteen(builder, width)
        shifts = builder.mul(widths, ir.Constant(_WIDE, [row for row in range(4) for _ in range(4)]))
        for row in range(0, _ROWS, 4):
            bits = [builder.mul(width, _I64(row + more)) for more in range(4)]
            places = [builder.shl(builder.lshr(bit, _I64(5)), _I64(2)) for bit in bits]
            low = _four_rows(builder, source, places)
            high = _four_rows(builder, source, [builder.add(place, _I64(4)) for place in places])
            values = builder.and_(builder.call(taken, [high, low, shifts]), mask)
            builder.store(values, _pointer(builder, target, _I64(4 * row))).align = 4
            shifts = builder.add(shifts, builder.shl(widths, ir.Constant(_WIDE, [2] * 16)))
        return context.get_dummy_value()

    return numba.types.void(words, at, width, out, start), generate


def _add_up(typing: Any, values: Any, start: Any, before: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        target = _data(context, builder, signature.args[0], given[0], given[1])
        total = _sixteen(builder, given[2])
        seen = _ZEROS
        for place in range(0, 4 * _ROWS, 16):
            pointer = _pointer(builder, target, _I64(place))
            values = _load(builder, pointer)
            seen = builder.or_(seen, values)
            for step in (1, 2, 4, 8):
                moved = _chosen(builder, values, _ZEROS, [16] * step + [*range(16 - step)])
                values = builder.add(values, moved)
            values = builder.add(values, total)
            builder.store(values, pointer).align = 4
            total = _chosen(builder, values, _ZEROS, [15] * 16)
        are_large = builder.icmp_unsigned(">=", seen, ir.Constant(_WIDE, [_LARGE] * 16))
        some = builder.icmp_unsigned("!=", builder.bitcast(are_large, ir.IntType(16)), ir.Constant(ir.IntType(16), 0))
        flag = builder.select(some, _I64(LARGE_GAP), _I64(0))
        return builder.or_(flag, builder.zext(builder.extract_element(total, _I32(0)), _I64))

    return numba.types.int64(values, start, before), generate


def _count_less(typing: Any, values: Any, start: Any, number: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        source = _data(context, builder, signature.args[0], given[0], given[1])
        wanted = _sixteen(builder, given[2])
        counts = _ZEROS
        for row in range(0, 4 * _ROWS, 16):
            loaded = _load(builder, _pointer(builder, source, _I64(row)))
            counts = builder.sub(counts, builder.sext(builder.icmp_unsigned("<", loaded, wanted), _WIDE))
        return builder.zext(_total(builder, counts), _I64)

    return numba.types.int64(values, start, number), generate


def _total(builder: Any, values: Any) -> Any:
    """Return the sum of sixteen numbers."""
    for half in (8, 4, 2, 1):
        moved = [*range(half, 2 * half), *range(16 - half)][:16]
        values = builder.add(values, _chosen(builder, values, values, moved))
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
lowest_bit: Any = intrinsic(_lowest_bit) if _COMPILED else _plain_lowest_bit
"""lowest_bit(word): the place of the lowest bit set in a uint64 that is not 0."""
popcount: Any = intrinsic(_popcount) if _COMPILED else _plain_popcount
"""popcount(word): the number of bits set in a uint64."""
