"""The decorators of compiled functions: one way for all, so that each is compiled once and in the least time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from time import thread_time
from typing import Any

from newsindex.quick_import import importing

with importing(without="coverage"):
    import numba
    from numba.core import event

__all__ = ["COMPILER", "IS_KNOWN", "brief", "compile_seconds", "inner", "kernel", "lean"]

COMPILER = f"numba {numba.__version__}"

_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",  # no exception of a division by zero, and no code to raise it
    "no_cfunc_wrapper": True,  # nobody calls a kernel from C
}
_IS_OFF = bool(getattr(numba.config, "DISABLE_JIT", 0))
# Of other versions nobody knows whether their insides are the same: they compile in their own way, which takes longer.
IS_KNOWN = (0, 60) <= numba.version_info.short <= (0, 68)
if IS_KNOWN:
    from newsindex.pipeline_kernel import InnerCompiler, KernelCache, KernelCompiler, without_numbers

    _INNER = _OPTIONS | {"pipeline_class": InnerCompiler, "no_cpython_wrapper": True}
    _OPTIONS |= {"pipeline_class": KernelCompiler}


class _Compiling(threading.local):
    """The processor time that a thread has spent on compiling; while it does, how deep in it and since when."""

    seconds = began = 0.0
    depth = 0

    def notify(self, said: Any) -> None:
        """Hear of the beginning or the end of a compile, or of one within another."""
        if said.is_start:
            if not self.depth:
                self.began = thread_time()
            self.depth += 1
        elif self.depth:  # else it began before anybody listened
            self.depth -= 1
            if not self.depth:
                self.seconds += thread_time() - self.began


_compiling = _Compiling()


class _Listener(event.Listener):
    """What numba tells of what it compiles, in whichever thread."""

    def on_start(self, said: Any) -> None:
        _compiling.notify(said)

    on_end = on_start


_register: Any = event.register
_register("numba:compile", _Listener())


def compile_seconds() -> float:
    """Return the seconds of processor time that this thread has spent on compiling, those of this moment not counted.

    A kernel is compiled within a search when that was not done before, or when its arguments are of other types.
    """
    return _compiling.seconds


def kernel(function: Callable[..., Any], **options: Any) -> Any:
    """Compile a function when it is first called with arguments of such types; keep it on disk for later processes.

    A call with a number written out, f(0), compiles f for that number alone: write f(np.int64(0)).
    """
    if _IS_OFF:
        return function
    dispatcher: Any = numba.njit(cache=not IS_KNOWN, **_OPTIONS | options)(function)
    if IS_KNOWN:
        cache: Any = KernelCache
        dispatcher._cache = cache(function)
    return dispatcher


def lean(function: Callable[..., Any]) -> Any:
    """As `kernel`, for functions that make no arrays.

    References to those that they are given are not counted, which would take a third of the time.
    """
    return kernel(function, _nrt=False)


def brief(function: Callable[..., Any]) -> Any:
    """As `lean`, for functions that take a few microseconds at most.

    They keep the interpreter's lock: to give it up and get it back would take longer while another thread wants it.
    """
    return kernel(function, _nrt=False, nogil=False)


def inner(function: Callable[..., Any]) -> Any:
    """Compile a function into the kernels that call it, with their options, not by itself.

    Called from Python, as tests do, it is a kernel.
    """
    return _Inner(function, _INNER) if IS_KNOWN and not _IS_OFF else kernel(function)


class _Inner:
    """A function that kernels find compiled in one way and Python in another; nothing is made before it is needed."""

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        self.py_func, self.__name__, self.__doc__ = function, function.__name__, function.__doc__
        self._options = options

    @cached_property
    def _inside(self) -> Any:
        dispatcher: Any = numba.njit(**self._options)(self.py_func)
        template = dispatcher.get_call_template
        # A call with a number written out, f(0), would compile f once more for that number alone.
        dispatcher.get_call_template = lambda given, named: template(*without_numbers(given, named))
        return dispatcher

    @cached_property
    def _alone(self) -> Any:
        return kernel(self.py_func)

    @property
    def _numba_type_(self) -> Any:
        """What numba asks a callable for."""
        return self._inside._numba_type_

    def __call__(self, *arguments: Any) -> Any:
        return self._alone(*arguments)
