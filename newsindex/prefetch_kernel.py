"""What kernels tell the processor that they are going to read."""

from __future__ import annotations

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic, overload

__all__ = ["prefetch"]


def prefetch(array, place):
    """Have `array[place]` brought near while other work is done; the place is not checked, and nothing is read."""


@intrinsic
def _prefetch(_context, array, place):
    def generate(context, builder, signature, arguments):
        known = context.make_array(signature.args[0])(context, builder, arguments[0])
        address = builder.bitcast(builder.gep(known.data, [arguments[1]]), ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        described = ir.FunctionType(ir.VoidType(), [address.type, number, number, number])
        # To read, soon and again, data.
        how = [ir.Constant(number, what) for what in (0, 3, 1)]
        builder.call(get_or_insert_function(builder.module, described, "llvm.prefetch.p0i8"), [address, *how])
        return context.get_dummy_value()

    return types.void(array, place), generate


@overload(prefetch)
def _prefetch_compiled(array, place):
    return lambda array, place: _prefetch(array, place)
