"""The decorator of compiled functions: one for all, so that each is compiled once and in the least time."""

from __future__ import annotations

from typing import Any

import numba

__all__ = ["COMPILER", "kernel"]

COMPILER = f"numba {numba.__version__}"

_OPTIONS: dict[str, Any] = {
    "cache": True,  # on disk, for later processes
    "nogil": True,
    "error_model": "numpy",  # no exception of a division by zero, and no code to raise it
    "no_cfunc_wrapper": True,  # nobody calls a kernel from C
}

kernel: Any = numba.njit(**_OPTIONS)
"""Compile a function when it is first called with arguments of such types.

A call with a number written out, f(0), compiles f for that number alone: write f(np.int64(0)).
"""
