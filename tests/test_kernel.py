"""The decorators: what they compile does what the function says, however it is called."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from newsindex import kernel

compiled = pytest.mark.skipif("NUMBA_DISABLE_JIT" in os.environ, reason="the compiler is switched off")

KERNELS = """
import numpy as np
from newsindex.kernel import inner, kernel, lean

@inner
def _digits(number, base):
    count = 0
    while number:
        number //= base
        count += 1
    return count

@inner
def most(numbers, base):
    found = np.int64(0)
    for number in numbers:
        found = max(found, _digits(number, base))
    return found, base

@lean
def most_twice(numbers, base):
    return 2 * most(numbers, base)[0] + _digits(base, base)

@kernel
def lengths(numbers, base):
    out = np.empty(numbers.size, np.int64)
    for i in range(numbers.size):
        out[i] = _digits(numbers[i], base)
    return out, most_twice(numbers, base)
"""
USE = """
import numpy as np, sys, some_kernels as k
numbers = np.array([7, 123, 45])
assert k.most(numbers, 10) == (3, 10) and k._digits(1024, 2) == 11
assert k.most_twice(numbers, 10) == 8
found, twice = k.lengths(numbers, 10)
assert found.tolist() == [1, 3, 2] and twice == 8
if sys.argv[1:]:
    print(sum(one.stats.cache_hits.total() for one in (k.most_twice, k.lengths)))
"""


def run(folder: Path, *arguments: str, program: str = USE, **environment: str) -> str:
    if not (folder / "some_kernels.py").exists():
        (folder / "some_kernels.py").write_text(KERNELS)
    path = os.pathsep.join([str(folder), *filter(None, sys.path)])
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=os.environ | {"PYTHONPATH": path, "NUMBA_CACHE_DIR": str(folder / "cache")} | environment,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    ).stdout


@compiled
def test_kernels_are_kept_for_later_processes(tmp_path: Path) -> None:
    assert run(tmp_path, "count") == "0\n"
    assert run(tmp_path, "count") == "2\n"


def test_kernels_run_without_the_compiler(tmp_path: Path) -> None:
    run(tmp_path, NUMBA_DISABLE_JIT="1")


@compiled
def test_a_version_of_numba_whose_insides_nobody_knows(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import numba, sys\nnumba.version_info = numba.version_info._replace(short=(9, 0))\n"
    )
    assert run(tmp_path, "count") == "0\n"
    assert run(tmp_path, "count") == "2\n"


BEYOND = """
import numpy as np
from newsindex.kernel import brief, inner, kernel, lean

@inner
def _at(numbers, place):
    return numbers[place]

@kernel
def one(numbers, place):
    return _at(numbers, place)

@lean
def two(numbers, place):
    return one(numbers, place)

@brief
def three(numbers, place):
    numbers[place] = 1
    return 1
"""
ASK_BEYOND = """
import numpy as np, some_kernels as k
for kernel in (k.one, k.two, k.three):
    assert kernel(np.ones(3, np.int64), np.int64(2)) == 1
    try:
        kernel(np.ones(3, np.int64), np.int64(3))
    except IndexError:
        continue
    raise SystemExit(f"{kernel} went on")
"""


@compiled
def test_bounds_can_be_checked(tmp_path: Path) -> None:
    """As `make bounds` does."""
    (tmp_path / "some_kernels.py").write_text(BEYOND)
    run(tmp_path, program=ASK_BEYOND, NUMBA_BOUNDSCHECK="1")


@compiled
def test_the_insides_of_this_numba_are_known() -> None:
    assert kernel._INNER is not None, (
        f"look at numba {numba.__version__}, and say in newsindex/kernel.py that it is known"
    )


@compiled
def test_inner_functions_are_not_compiled_by_themselves() -> None:
    @kernel.inner
    def double(number):  # type: ignore[no-untyped-def]
        return number + number

    @kernel.kernel
    def four_times(number):  # type: ignore[no-untyped-def]
        return double(double(number))

    assert four_times(np.int64(3)) == 12
    assert not double._alone.signatures
    assert double(3) == 6
    assert double._alone.signatures
