"""Imports of large libraries without what makes them slow."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["importing"]


@contextmanager
def importing(without: str = "") -> Iterator[None]:
    """Import without collecting garbage, of which there is none; and as if one module were not installed.

    Numba asks coverage, which takes 50 ms to import, to be told which lines it compiled. Who measures coverage has
    imported it before.
    """
    collects = gc.isenabled()
    hidden = bool(without) and without not in sys.modules
    gc.disable()
    if hidden:
        sys.modules[without] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hidden and sys.modules.get(without) is None:
            sys.modules.pop(without, None)
        if collects:
            gc.enable()
