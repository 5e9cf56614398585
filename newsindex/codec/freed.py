"""Memory that was freed, given back to the system."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

__all__ = ["give_back_freed_memory"]


def _trim() -> ctypes._NamedFuncPointer | None:
    """Return glibc's `malloc_trim`; None where there is another library, which keeps less for itself."""
    if sys.platform == "linux":
        with suppress(OSError):  # a Python that loads no libraries
            return getattr(ctypes.CDLL(None), "malloc_trim", None)
    return None


_malloc_trim = _trim()


def give_back_freed_memory() -> None:
    """Give back what C's allocator holds in reserve, some milliseconds for 100 MB.

    After a large segment it holds the holes between what is still needed: a third of what the process seems to need.
    """
    if _malloc_trim is not None:
        _malloc_trim(0)
