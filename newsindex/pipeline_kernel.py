"""How numba compiles kernels and loads them again, without what they do not need: the same code in half of the time.

By itself numba makes good code, and machine code, of every function; and again of each as a part of whatever calls it.
And while it infers types, it asks a hundred thousand times whether two sets of options are equal, which takes long.

This leans on numba's insides (https://numba.readthedocs.io/en/stable/extending/index.html says of some how they are
meant), so it is for versions only whose insides were looked at: see `kernel`.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

import llvmlite.binding as llvm  # type: ignore[import-untyped]
import xxhash
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, CompileResult, DefaultPassBuilder, Flags
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.environment import Environment
from numba.core.runtime import _nrt_python  # type: ignore[attr-defined]
from numba.core.typed_passes import NativeLowering
from numba.core.types import intp, uintp, unliteral

__all__ = ["InnerCompiler", "KernelCache", "KernelCompiler", "without_numbers"]

# What it looks for, no kernel has: closures, branches on constants, literal loops, expressions of arrays, …
_IDLE = frozenset(
    {
        "AnnotateTypes", "DeadBranchPrune", "DumpParforDiagnostics", "FindLiterallyCalls", "InlineClosureLikes",
        "InlineInlinables", "InlineOverloads", "LiteralPropagationSubPipelinePass", "LiteralUnroll",
        "MakeFunctionToJitFunction", "NoPythonSupportedFeatureValidation", "NopythonRewrites", "RewriteDynamicRaises",
        "WithLifting",
    }
)  # fmt: skip


class _Flags(Flags):
    """The options of a function; whether they are others' too is known in a moment."""

    def values(self) -> dict[str, Any]:
        return _DEFAULTS | self._values

    def __hash__(self) -> int:
        return _HASH


_DEFAULTS: dict[str, Any] = Flags().values()
_HASH = hash(Flags())


class _KernelLibrary(JITCodeLibrary):
    """Code of a kernel. Nobody else calls its parts, so they need not be given all that numba tells of an array.

    It is made good once, when it is whole. Numba does some of it twice before, so that fewer references are counted;
    kernels count hardly any.
    """

    def _optimize_functions(self, module: Any) -> None:
        module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        for part in self._final_module.functions:
            if part.linkage == llvm.Linkage.linkonce_odr:
                part.linkage = "internal"
        made = self._codegen._module_pass_manager()  # since numba 0.62 with what it was built by, which it runs with
        manager, *builder = made if isinstance(made, tuple) else (made,)
        manager.run(self._final_module, *builder)


def _place(context: Any, builder: Any, kind: Any, value: Any, size: Any) -> Any:
    """Return an index as it is; of one below 0 numba would count from the end, which takes longer for all others."""
    return context.cast(builder, value, kind, intp if kind.signed else uintp)


@register_pass(mutates_CFG=True, analysis_only=False)
class _Lowering(NativeLowering):
    """Makes code of a function that uses no index below 0."""

    _name = "kernel_lowering"

    def run_pass(self, state: Any) -> bool:
        """Do as numba does, but for that. Meanwhile nobody else compiles: numba has a lock for it."""
        arrayobj: Any = sys.modules["numba.np.arrayobj"]  # imported by numba when it is made ready to compile
        kept = arrayobj.fix_integer_index
        arrayobj.fix_integer_index = _place
        try:
            return bool(super().run_pass(state))
        finally:
            arrayobj.fix_integer_index = kept


class KernelCompiler(CompilerBase):
    """Compiles a function that Python calls."""

    def __init__(self, typing: Any, target: Any, library: Any, types: Any, result: Any, flags: Any, known: Any) -> None:
        super().__init__(typing, target, library, types, result, _Flags(flags), known)

    def define_pipelines(self) -> list[PassManager]:
        """Return numba's own passes but the idle ones."""
        state = self.state
        if state.library is None:
            state.library = _KernelLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
            state.library.enable_object_caching()
        passes = PassManager("kernel")
        for one, purpose in DefaultPassBuilder.define_nopython_pipeline(self.state).passes:
            if one.__name__ not in _IDLE:
                passes.add_pass(_Lowering if one is NativeLowering else one, purpose)
        passes.finalize()
        return [passes]


class _InnerLibrary(JITCodeLibrary):
    """Code that is made good, and machine code, only as a part of the kernels that it is compiled into."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


class InnerCompiler(KernelCompiler):
    """Compiles a function that only kernels call."""

    def define_pipelines(self) -> list[PassManager]:
        """Have the code put into a library that is linked only."""
        state = self.state
        state.library = _InnerLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        # By what Python would call it, numba knows a function apart; it has none, so something else of its own.
        state.targetctx.get_executable = lambda library, described, environment: environment.__sizeof__
        return super().define_pipelines()


def without_numbers(given: Any, named: Any) -> tuple[Any, Any]:
    """Return types of arguments as they are without what is known of the values."""
    return tuple(map(unliteral, given)), {name: unliteral(one) for name, one in named.items()}


class _OneFile(IndexDataCacheFile):
    """A file for each signature, named after it.

    Numba lists a function's signatures in one more file; of two processes that add to it at once, one's are lost.
    """

    def save(self, key: Any, data: Any) -> None:
        """Put in place what was compiled of these types on this machine."""
        self._save_data(self._name(key), (self._version, self._source_stamp, key, data))

    def load(self, key: Any) -> Any:
        """Return it, or None when there is none, or it is of another source or of another version of numba."""
        try:
            version, stamp, found, data = self._load_data(self._name(key))
        except FileNotFoundError:
            return None
        return data if (version, stamp, found) == (self._version, self._source_stamp, key) else None

    def _name(self, key: Any) -> str:
        types, machine, _ = key
        return self._data_name_pattern.format(number=xxhash.xxh32_intdigest(repr((types, machine)).encode()))


@cache
def _name_helpers() -> None:
    """Tell the linker where numba's helpers are.

    That is half of what numba does for it; to compile some more of them takes 20 ms, and what is on disk has them.
    """
    for name, address in _nrt_python.c_helpers.items():
        llvm.add_symbol(name if name.startswith("_") else f"NRT_{name}", address)


class _LoadedLibrary(JITCodeLibrary):
    """Machine code from disk; what other kernels would be compiled with, as large again, is not read before one is."""

    bitcode = b""

    def _get_module_for_linking(self) -> Any:
        if self._shared_module is None:
            self._shared_module = llvm.parse_bitcode(self.bitcode)
            self._codegen._engine._load_defined_symbols(self._shared_module)
        return self._shared_module


class _Kept:
    """An environment of a function that is part of a kernel. Numba would import the function's module with it."""

    def __init__(self, environment: Any) -> None:
        self._parts = list(environment.consts), environment.env_name

    def __reduce__(self) -> Any:
        return _environment, self._parts


def _environment(constants: list[Any], name: str) -> Environment:
    found = Environment({})  # only code that makes Python objects looks for anything there
    found.consts[:] = constants
    found.env_name = name
    return found


class _KernelData(CompileResultCacheImpl):
    """What is on disk of a kernel: what numba keeps, but loaded with less ado."""

    def reduce(self, compiled: Any) -> Any:
        *parts, environments = super().reduce(compiled)
        return *parts, tuple(map(_Kept, environments))

    def rebuild(self, target: Any, payload: Any) -> Any:
        stored, described, environment, signature, object_mode, lifted, types, starts, environments = payload
        for start in starts:
            start()
        name, _, (code, bitcode) = stored
        library = _LoadedLibrary(target.codegen(), name)
        library.bitcode = bitcode
        library.enable_object_caching()
        library._set_compiled_object(code)
        library._finalize_final_module()
        library.codegen._engine._defined_symbols.add(described.llvm_cpython_wrapper_name)  # all that is asked for
        entry = target.get_executable(library, described, environment)
        for one in environments:
            library.codegen.set_env(one.env_name, one)
        result: Any = CompileResult
        return result(
            typing_context=target.typing_context, target_context=target, entry_point=entry, typing_error=None,
            type_annotation=types, signature=signature, objectmode=object_mode, lifted=lifted, fndesc=described,
            library=library, call_helper=None, environment=environment, metadata=None, reload_init=starts,
            referenced_envs=environments,
        )  # fmt: skip


class KernelCache(FunctionCache):
    """Loads what was compiled before without making numba ready to compile, which takes a third of a first search.

    Should something have to be compiled, its compiler makes ready itself.
    """

    _impl_class = _KernelData

    def __init__(self, function: Any) -> None:
        super().__init__(function)
        self._cache_file.__class__ = _OneFile

    def load_overload(self, types: Any, target: Any) -> Any:
        """Return the compiled function for arguments of these types, None when there is none."""
        _name_helpers()
        with self._guard_against_spurious_io_errors():
            return self._load_overload(types, target)
        return None
