"""How numba compiles sooner in a process that compiles kernels and does nothing else.

All of this changes numba, or Python, for the whole process: never in one that is somebody else's. The machine code is
the same. As in `pipeline_kernel`, numba's insides are leant on; see `newsindex.kernel.IS_KNOWN`.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, cast

from filelock import FileLock
from llvmlite.binding import ffi  # type: ignore[import-untyped]
from llvmlite.ir import types  # type: ignore[import-untyped]
from numba.core import ir, lowering, ssa, transforms, typeinfer
from numba.core.compiler_lock import _CompilerLock
from numba.core.cpu import CPUContext
from numba.core.postproc import PostProcessor
from numba.core.targetconfig import ConfigStack
from numba.core.types.functions import BaseFunction
from numba.core.typing.context import Context

from newsindex.pipeline_kernel import KernelCache

__all__ = ["make_haste"]


def make_haste(claims: Path) -> None:
    """Leave out what takes a third of the time of compiling, and what another process is compiling.

    `claims` is a folder that is the same for all processes that share the work.
    """
    cast("Any", sys.modules)["scipy"] = None  # numba imports it, when it is there, for linear algebra
    gc.collect()
    gc.freeze()  # to look through numba and its trees again and again takes a tenth of the time
    gc.set_threshold(100_000, 50, 100)
    _tell_nobody()
    _share(claims)
    numbas: Any = ir.Inst
    numbas._rec_list_vars = _variables
    numbas = ir.Assign
    numbas.list_vars = _of_assignment
    numbas = ir.Expr
    numbas.list_vars = _of_expression
    for numbas in (lowering, typeinfer):
        numbas.new_error_context = _NoContext()
    numbas = ssa
    numbas._logger = _Silent()
    numbas = PostProcessor
    numbas.run = _lifetimes(numbas.run)
    numbas = BaseFunction
    numbas.get_call_type = _Calls(numbas.get_call_type)
    numbas = types.Type
    numbas.get_abi_size = _sizes(numbas.get_abi_size)
    for numbas in (CPUContext, Context):
        numbas.load_additional_registries = _Once(numbas.load_additional_registries)


def _share(claims: Path) -> None:
    """Have a kernel compiled by whoever comes first; others wait until it can be loaded."""
    ours: Any = KernelCache
    load, save = ours.load_overload, ours.save_overload
    held: dict[Path, FileLock] = {}

    def claim(cache: Any) -> Path:
        return claims / Path(cache._cache_file._index_name).stem

    def load_or_claim(cache: Any, types: Any, target: Any) -> Any:
        found = load(cache, types, target)
        path = claim(cache)
        if found is None and path not in held:
            lock = FileLock(path)
            lock.acquire()
            found = load(cache, types, target)
            if found is None:
                held[path] = lock
            else:
                lock.release()
        return found

    def save_and_release(cache: Any, types: Any, data: Any) -> None:
        save(cache, types, data)
        if (lock := held.pop(claim(cache), None)) is not None:
            lock.release()

    ours.load_overload, ours.save_overload = load_or_claim, save_and_release


def _tell_nobody() -> None:
    """Have no events made of each lock that is taken: nobody listens."""
    lock: Any = _CompilerLock
    lock.acquire, lock.release = lambda self: self._lock.acquire(), lambda self: self._lock.release()
    ffi.lib._lock._cblist.clear()


_WITHOUT = frozenset({str, int, bool, type(None), ir.Loc})


def _variables(self: Any, value: Any) -> list[Any]:
    """Return the variables in a part of a statement, as numba's own function does, with fewer questions."""
    kind = type(value)
    if kind is ir.Var:
        return [value]
    if kind in _WITHOUT:
        return []
    if isinstance(value, ir.Inst):
        return list(cast("Any", value).list_vars())
    found: list[Any] = []
    if isinstance(value, (list, tuple, dict)):
        for one in value.values() if isinstance(value, dict) else value:
            if type(one) not in _WITHOUT:
                found += _variables(self, one)
    return found


def _of_assignment(assignment: Any) -> list[Any]:
    return [assignment.target, *_variables(assignment, assignment.value)]


def _of_expression(expression: Any) -> list[Any]:
    found: list[Any] = []
    for value in expression._kws.values():
        kind = type(value)
        if kind is ir.Var:
            found.append(value)
        elif kind not in _WITHOUT:
            found += _variables(expression, value)
    return found


class _NoContext:
    """Adds nothing to an error: what went wrong is told by the process that compiles after this one has failed."""

    def __call__(self, *_: object, **__: object) -> Self:
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass


class _Silent:
    """A log of nothing: of each statement for each variable something would be told."""

    def debug(self, *_: Any) -> None:
        pass


def _lifetimes(original: Callable[..., None]) -> Callable[..., None]:
    """Find out how long variables live the last time only, when that is written down."""

    def run(self: Any, emit_dels: bool = False, extend_lifetimes: bool = False) -> None:
        if emit_dels or self.func_ir.is_generator:
            original(self, emit_dels, extend_lifetimes)
        else:
            canonical: Any = transforms.canonicalize_cfg
            self.func_ir.blocks = canonical(self.func_ir.blocks)
            self.func_ir.generator_info = None

    return run


class _Calls:
    """What a call of one of numba's functions with some types is, found out once: nine in ten were asked before."""

    def __init__(self, original: Any) -> None:
        self._original = original
        self._known: dict[Any, tuple[Any, Any, Any]] = {}
        # By its id, which the options that are kept here have for good.
        self._options: dict[int, tuple[str, Any]] = {}

    def __get__(self, function: Any, owner: Any) -> Any:
        return lambda context, arguments, named: self._find(function, context, arguments, named)

    def _find(self, function: Any, context: Any, arguments: Any, named: Any) -> Any:
        options = cast("Any", ConfigStack).top_or_none()
        said = self._options.get(id(options))
        if said is None:
            values = sorted((name, str(value)) for name, value in options._values.items()) if options else ()
            said = self._options[id(options)] = (str(values), options)
        asked = (function, context, tuple(arguments), tuple(named.items()), said[0])
        answer = self._known.get(asked)
        if answer is None:
            signature = self._original(function, context, arguments, named)
            self._known[asked] = (function, signature, function._impl_keys[signature.args])
            return signature
        _, signature, key = answer
        function._impl_keys[signature.args] = key
        return signature


def _sizes(original: Callable[..., int]) -> Callable[..., int]:
    """Remember how many bytes values of a type take: to find out LLVM reads a program that is written for it."""
    known: dict[str, int] = {}

    def size(kind: Any, target: Any, context: Any = None) -> int:
        name = str(kind)
        if name not in known:
            known[name] = original(kind, target, context)
        return known[name]

    return size


class _Once:
    """A method that does nothing when it is called on an object again."""

    def __init__(self, original: Any) -> None:
        self._original = original
        self._done: list[Any] = []

    def __get__(self, thing: Any, owner: Any) -> Any:
        if any(one is thing for one in self._done):
            return _nothing
        self._done.append(thing)
        return lambda: self._original(thing)


def _nothing() -> None:
    pass
