"""How numba compiles kernels and loads them again, without what they do not need: the same code in half of the time.

By itself numba makes good code, and machine code, of every function; and again of each as a part of whatever calls it.
And while it infers types, it asks a hundred thousand times whether two sets of options are equal, which takes long.

This leans on numba's insides (https://numba.readthedocs.io/en/stable/extending/index.html says of some how they are
meant), so it is for versions only whose insides were looked at: see `kernel`.
"""

from __future__ import annotations

from typing import Any

import xxhash
from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder, Flags
from numba.core.compiler_machinery import PassManager
from numba.core.runtime.nrt import rtsys
from numba.core.types import unliteral

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


class KernelCompiler(CompilerBase):
    """Compiles a function that Python calls."""

    def __init__(self, typing: Any, target: Any, library: Any, types: Any, result: Any, flags: Any, known: Any) -> None:
        super().__init__(typing, target, library, types, result, _Flags(flags), known)

    def define_pipelines(self) -> list[PassManager]:
        """Return numba's own passes but the idle ones."""
        passes = PassManager("kernel")
        for one, purpose in DefaultPassBuilder.define_nopython_pipeline(self.state).passes:
            if one.__name__ not in _IDLE:
                passes.add_pass(one, purpose)
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


class KernelCache(FunctionCache):
    """Loads what was compiled before without making numba ready to compile, which takes a third of a first search.

    Should something have to be compiled, its compiler makes ready itself.
    """

    def __init__(self, function: Any) -> None:
        super().__init__(function)
        self._cache_file.__class__ = _OneFile

    def load_overload(self, types: Any, target: Any) -> Any:
        """Return the compiled function for arguments of these types, None when there is none."""
        rtsys.initialize(target)
        with self._guard_against_spurious_io_errors():
            return self._load_overload(types, target)
        return None
