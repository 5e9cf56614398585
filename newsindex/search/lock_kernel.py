"""Giving up the interpreter's lock in the middle of a kernel: only then is it known whether the work is worth it.

To give the lock up and get it back takes a microsecond, but tens of them where another thread wants it as often: two
threads with small searches then answer fewer than one.
"""

# mypy: allow-untyped-defs, no-check-untyped-defs
from __future__ import annotations

import numba
import numpy as np

from newsindex.kernel import inner

__all__ = ["get_back", "give_up"]

if getattr(numba.config, "DISABLE_JIT", 0):

    def _save_thread():
        return 1

    def _restore_thread(held):
        assert held == 1

else:
    _save_thread = numba.types.ExternalFunction("PyEval_SaveThread", numba.types.uintp())
    _restore_thread = numba.types.ExternalFunction("PyEval_RestoreThread", numba.types.void(numba.types.uintp))


@inner
def give_up():
    """Give the interpreter's lock up; return what `get_back` takes. Nothing of Python may be touched until then."""
    return np.uintp(_save_thread())


@inner
def get_back(held):
    """Wait for the interpreter's lock."""
    _restore_thread(held)
