"""The decorators: what they compile does what the function says, however it is called."""

from __future__ import annotations

import ast
import gc
import os
import re
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from filelock import FileLock

import newsindex
from newsindex import kernel
from newsindex.quick_import import importing

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


HASTE = """
import pathlib, sys
from newsindex.haste_kernel import make_haste
claims = pathlib.Path(sys.argv.pop())
claims.mkdir(exist_ok=True)
make_haste(claims)
"""
KINDS = ("np.int64", "np.int16", "np.uint32")
ASM = """
for one in (k.most_twice, k.lengths):
    for text in one.inspect_asm().values():
        print(text)
"""


def start(folder: Path, program: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    if not (folder / "some_kernels.py").exists():
        (folder / "some_kernels.py").write_text(KERNELS)
    path = os.pathsep.join([str(folder), *filter(None, sys.path)])
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        env=os.environ | {"PYTHONPATH": path, "NUMBA_CACHE_DIR": str(folder / "cache")} | environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def run(folder: Path, *arguments: str, program: str = USE, **environment: str) -> str:
    process = start(folder, program, *arguments, **environment)
    said = process.communicate()[0]
    assert process.returncode == 0
    return said


@compiled
def test_kernels_are_kept_for_later_processes(tmp_path: Path) -> None:
    assert run(tmp_path, "count") == "0\n"
    assert run(tmp_path, "count") == "2\n"


@compiled
def test_a_kernel_that_was_loaded_becomes_part_of_one_that_is_compiled(tmp_path: Path) -> None:
    run(tmp_path)
    removed = [file.unlink() for file in (tmp_path / "cache").rglob("some_kernels.lengths-*")]
    assert removed
    assert run(tmp_path, "count") == "1\n"
    assert run(tmp_path, "count") == "2\n"


def test_imports_leave_everything_as_it_was() -> None:
    assert gc.isenabled()
    with importing(without="no_such_module"):
        assert not gc.isenabled()
        with pytest.raises(ImportError):
            __import__("no_such_module")
    assert gc.isenabled()
    assert "no_such_module" not in sys.modules
    with importing(without="sys"):  # what is there stays
        assert sys.modules["sys"] is sys
    gc.disable()
    try:
        with importing():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


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
def test_haste_makes_the_same_machine_code(tmp_path: Path) -> None:
    slow = run(tmp_path, program=USE + ASM, NUMBA_CACHE_DIR=str(tmp_path / "slow"))
    assert "lengths" in slow
    fast = run(tmp_path, str(tmp_path / "claims"), program=HASTE + USE + ASM)
    # Older versions of numba put addresses into names of constants.
    slow, fast = (re.sub(r"(\.const\.pickle[a-z]+)[.\w]*", r"\1", code) for code in (slow, fast))
    assert fast == slow


@compiled
def test_what_another_process_compiles_is_waited_for(tmp_path: Path) -> None:
    claims = tmp_path / "claims"
    assert run(tmp_path, "count", str(claims), program=HASTE + USE, NUMBA_CACHE_DIR=str(tmp_path / "first")) == "0\n"
    locks = [FileLock(path) for path in claims.iterdir()]
    assert len(locks) == 4
    for lock in locks:
        lock.acquire()
    waiting = start(tmp_path, HASTE + USE, "count", str(claims))
    assert run(tmp_path, "count") == "0\n"
    for lock in locks:
        lock.release()
    assert waiting.communicate()[0] == "2\n"


@compiled
def test_two_processes_may_compile_one_function_at_once(tmp_path: Path) -> None:
    processes = [start(tmp_path, USE.replace("[7, 123, 45]", f"[7, 123, 45], {kind}"), "count") for kind in KINDS]
    assert [process.communicate()[0] for process in processes] == ["0\n"] * len(KINDS)
    for kind in KINDS:
        assert run(tmp_path, "count", program=USE.replace("[7, 123, 45]", f"[7, 123, 45], {kind}")) == "2\n"


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


@compiled
def test_others_may_go_on_counting_from_the_end() -> None:
    """Kernels have no index below 0, which makes them faster; what else numba compiles in the same process may."""

    @kernel.kernel
    def first(numbers):  # type: ignore[no-untyped-def]
        return numbers[numbers.size - 5]

    @numba.njit
    def last(numbers, place):  # type: ignore[no-untyped-def]
        return numbers[place]

    assert first(np.arange(5)) == 0
    assert last(np.arange(5), np.int64(-1)) == 4


def test_kernels_have_no_index_that_is_written_below_zero() -> None:
    read = 0
    for file in Path(newsindex.__file__).parent.rglob("*_kernel.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Constant):
                read += 1
                parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
                assert not any(isinstance(part, ast.UnaryOp) for part in parts), f"{file}:{node.lineno}"
    assert read > 500
