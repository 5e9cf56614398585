"""The same work once more where the compiler is switched off, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

__all__ = ["digest_without_compiler"]


def digest_without_compiler(module: str, before: str = "") -> str:
    """Return what `small_digest` of a module of tests returns there; a warning of an overflow, say, is an error.

    `before` is what is run first, statements of one line.
    """
    program = f"{before}\nfrom tests.{module} import small_digest; print(small_digest())"
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", program],
        capture_output=True, text=True, check=False, env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.strip()
