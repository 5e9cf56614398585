"""Whether the kernels' first compile on this machine is still to come."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import xxhash

from newsindex.codec.decode_kernel import decode_postings
from newsindex.kernel import COMPILER

__all__ = ["are_compiled", "compiled_mark"]

# What is compiled, or into what is compiled.
_SOURCES = ("*/*_kernel.py", "*kernel.py", "codec/format.py", "search/scoring.py", "analysis/boundaries.py")


def are_compiled() -> bool:
    """Tell whether the kernels are on disk, from where a process loads them in a moment."""
    mark = compiled_mark()
    try:
        return mark is None or mark.exists()
    except PermissionError:  # whoever may not look there cannot keep them there either
        return True


@cache
def compiled_mark() -> Path | None:
    """Return the file that stands beside the compiled kernels when all are there, None when nothing is compiled."""
    stats = getattr(decode_postings, "stats", None)
    if stats is None:  # the compiler is switched off
        return None
    package = Path(__file__).parent
    said = [
        (path.name, path.stat().st_mtime_ns, path.stat().st_size)
        for pattern in _SOURCES
        for path in package.glob(pattern)
    ]
    sources = xxhash.xxh64_hexdigest(repr(sorted(said)).encode())
    return Path(stats.cache_path) / f"kernels-{sources}.{xxhash.xxh32_hexdigest((COMPILER + sys.version).encode())}"
