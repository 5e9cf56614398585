"""What coding spends its time on, in the terms of the compiler: numbers by four, how many bits one needs, memory.

Blocks are as in `pack_kernel`. Places are not checked here; the callers do. Where the compiler is switched off, plain
loops do the same.
"""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir  # type: ignore[import-untyped]
from numba.extending import intrinsic

__all__ = ["MOVED", "bits", "move", "pack_rows", "prefetch"]

_ROWS = 32
MOVED = 16
"""The bytes that `move` moves."""
_I1, _I32, _I64 = ir.IntType(1), ir.IntType(32), ir.IntType(64)
_VECTOR = ir.VectorType(_I32, 4)
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


def _pack_rows(typing: Any, values: Any, start: Any, width: Any, words: Any, at: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        source = _data(context, builder, signature.args[0], given[0], given[1])
        target = _data(context, builder, signature.args[3], given[3], given[4])
        width = given[2]
        one = ir.Constant(_I64, 1)
        mask = _all_lanes(builder, builder.trunc(builder.sub(builder.shl(one, width), one), _I32))
        filling = _ZERO
        for row in range(_ROWS):
            loaded = builder.load(_row(builder, source, ir.Constant(_I64, 4 * row)))
            loaded.align = 4
            numbers = builder.and_(loaded, mask)
            bit = builder.mul(width, ir.Constant(_I64, row))
            word = builder.shl(builder.lshr(bit, ir.Constant(_I64, 5)), ir.Constant(_I64, 2))
            filled = builder.and_(bit, ir.Constant(_I64, 31))
            shift = builder.trunc(filled, _I32)
            filling = builder.or_(filling, builder.shl(numbers, _all_lanes(builder, shift)))
            builder.store(filling, _row(builder, target, word)).align = 4
            # What the full word has no room for; by one and by the rest, since a shift by all bits is not defined.
            back = _all_lanes(builder, builder.sub(ir.Constant(_I32, 31), shift))
            rest = builder.lshr(builder.lshr(numbers, ir.Constant(_VECTOR, [1] * 4)), back)
            is_full = builder.icmp_unsigned(">=", builder.add(filled, width), ir.Constant(_I64, 32))
            filling = builder.select(is_full, rest, filling)
        return context.get_dummy_value()

    return numba.types.void(values, start, width, words, at), generate


def _bits(typing: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        zeros = builder.ctlz(given[0], ir.Constant(_I1, 0))
        return builder.sub(ir.Constant(_I64, 64), zeros)

    return numba.types.int64(numba.types.int64), generate


def _move(typing: Any, source: Any, at: Any, target: Any, to: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        begin = builder.bitcast(_data(context, builder, signature.args[0], given[0], given[1]), _VECTOR.as_pointer())
        end = builder.bitcast(_data(context, builder, signature.args[2], given[2], given[3]), _VECTOR.as_pointer())
        loaded = builder.load(begin)
        loaded.align = 1
        builder.store(loaded, end).align = 1
        return context.get_dummy_value()

    return numba.types.void(source, at, target, to), generate


def _prefetch(typing: Any, array: Any, place: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        address = builder.bitcast(
            _data(context, builder, signature.args[0], given[0], given[1]), ir.IntType(8).as_pointer()
        )
        described = ir.FunctionType(ir.VoidType(), [address.type, _I32, _I32, _I32])
        called = builder.module.declare_intrinsic("llvm.prefetch", [address.type], described)
        builder.call(called, [address, *(ir.Constant(_I32, told) for told in (0, 3, 1))])  # to read, to keep, data
        return context.get_dummy_value()

    return numba.types.void(array, place), generate


def _plain_pack_rows(values: Any, start: int, width: int, words: Any, at: int) -> None:
    width = int(width)  # numpy's numbers have 64 bits, and what is joined here up to 1,024
    lanes = values[start : start + 4 * _ROWS].reshape(_ROWS, 4)
    for lane in range(4):
        joined = sum((int(lanes[row, lane]) & (1 << width) - 1) << width * row for row in range(_ROWS))
        words[at + lane : at + 4 * width : 4] = [joined >> 32 * word & 0xFFFFFFFF for word in range(width)]


def _plain_bits(value: int) -> int:
    return int(value).bit_length()


def _plain_move(source: Any, at: int, target: Any, to: int) -> None:
    target[to : to + MOVED] = source[at : at + MOVED]


def _plain_prefetch(array: Any, place: int) -> None:
    pass


_COMPILED = not getattr(numba.config, "DISABLE_JIT", 0)
pack_rows: Any = intrinsic(_pack_rows) if _COMPILED else _plain_pack_rows
"""pack_rows(values, start, width, words, at): pack the low `width` bits of 128 values to words[at] on.

values: uint32[n] with n ≥ start + 128; width: 1..32; words: uint32[m] with m ≥ at + 4 · width. All are int64.
"""
bits: Any = intrinsic(_bits) if _COMPILED else _plain_bits
"""bits(value): how many bits a value of at least 0 needs, an int64."""
move: Any = intrinsic(_move) if _COMPILED else _plain_move
"""move(source, at, target, to): move 16 bytes, from source[at] on to target[to] on; both uint8."""
prefetch: Any = intrinsic(_prefetch) if _COMPILED else _plain_prefetch
"""prefetch(array, place): have array[place] brought from memory while other work is done; any place will do."""
