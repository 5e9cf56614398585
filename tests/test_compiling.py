"""Compiling beforehand: in two processes, announced, and all of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from newsindex import compiled, compiling
from newsindex.codec.reader import SegmentReader
from newsindex.codec.sections import SectionReader
from newsindex.schema import Article, Schema

pytestmark = pytest.mark.skipif("NUMBA_DISABLE_JIT" in os.environ, reason="the compiler is switched off")


def test_a_later_process_compiles_nothing() -> None:
    compiling.compile_kernels()
    assert compiled.are_compiled()
    program = """if True:
        import sys
        from tempfile import TemporaryDirectory
        import newsindex
        from newsindex import compiling
        compiling._use_writers()
        compiling._use_readers()

        def kernels():
            for name in [name for name in sys.modules if name.startswith("newsindex.") and name.endswith("_kernel")]:
                for kernel in vars(sys.modules[name]).values():
                    if getattr(kernel, "stats", None):
                        yield kernel

        known = {}
        for kernel in kernels():
            assert not kernel.stats.cache_misses, (kernel, kernel.stats)
            known[kernel] = set(kernel.signatures)
        from newsindex.codec.encode_kernel import encode_terms
        assert encode_terms.stats.cache_hits
        # What the small segment has not: nothing of it calls a kernel in another way, be it compiled by now or not.
        with TemporaryDirectory() as folder, newsindex.open(folder, create=True) as index:
            names = [str(number) for number in range(300)]
            index.add([{"id": name, "title": "port", "body": "ports parts", "source": name} for name in names])
            assert len(index.search("port", facets=["source"]).facets["source"]) == 300
            assert index.search("pxrts").diagnostics[0].suggestion == "parts"  # of two that are no stems
        for kernel in kernels():
            assert set(kernel.signatures) == known[kernel], (kernel, kernel.signatures)
    """
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("program", ["", "no-such-python", "a-python"])
def test_without_a_second_process_one_compiles_all(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a-python").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "a-python").chmod(0o700)
    used: list[str] = []
    monkeypatch.setattr(compiling, "_use_writers", lambda: used.append("writers"))
    monkeypatch.setattr(compiling, "_use_readers", lambda: used.append("readers"))
    monkeypatch.setattr(sys, "executable", program and str(tmp_path / program))
    assert compiling.compile_kernels() > 0
    assert sorted(used) == ["readers", "writers"]


def test_the_small_segment_is_what_is_made_now() -> None:
    """Where the format has changed: `python -m newsindex.compiling segment`."""
    schema, segments = Schema(Article), []
    for body in (compiling._SMALL_SEGMENT.read_bytes(), compiling._small_segment()):
        stored = SegmentReader(np.frombuffer(body, np.uint8), "small", schema).stored
        sections = SectionReader(np.frombuffer(body, np.uint8), "small")
        # Another library may compress in another way.
        names = sections.sizes().keys() - {"stored.data", "stored.blocks"}
        parts = {name: sections.array(name, np.uint8).tobytes() for name in names}
        segments.append((parts, [stored(doc) for doc in range(200)], sections.said["long_words"]))
    assert segments[0] == segments[1]


def test_other_processes_take_both_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    for half in ("_use_writers", "_use_readers"):
        monkeypatch.setattr(compiling, half, lambda *body: pytest.fail("it was left to this one"))
    compiling.compile_kernels()


@pytest.mark.parametrize("others", [True, False])
def test_what_another_program_compiled_meanwhile_is_done(
    others: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "kernels-1.2"

    class Lock:
        def __init__(self, path: Path) -> None:
            assert path.parent == tmp_path

        def __enter__(self) -> None:
            if others:
                mark.touch()

        def __exit__(self, *exception: object) -> None:
            pass

    calls: list[Path] = []
    monkeypatch.setattr(compiling, "FileLock", Lock)
    monkeypatch.setattr(compiling, "compiled_mark", lambda: mark)
    monkeypatch.setattr(compiling, "_compile_halves", lambda mark, claims: calls.append(mark))
    compiling.compile_kernels()
    assert calls == ([] if others else [mark])


@pytest.mark.parametrize("watched", [True, False])
def test_who_waits_is_told(watched: bool, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    calls: list[bool] = []
    monkeypatch.setattr(compiling, "compile_kernels", lambda: calls.append(True))
    monkeypatch.setattr(compiling, "are_compiled", lambda: bool(calls))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: watched, raising=False)
    compiling.prepare()
    compiling.prepare()
    assert capsys.readouterr().err == (f"newsindex: {compiling.MESSAGE}\n" if watched else "")
    assert calls == [True]


def test_another_source_is_compiled_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "codec").mkdir()
    source = tmp_path / "codec" / "some_kernel.py"
    source.write_text("a = 1\n")
    monkeypatch.setattr(compiled, "__file__", str(tmp_path / "compiled.py"))
    marks = [compiled.compiled_mark.__wrapped__()]
    source.write_text("a = 12\n")
    marks.append(compiled.compiled_mark.__wrapped__())
    (tmp_path / "codec" / "other.py").write_text("a = 1\n")
    marks.append(compiled.compiled_mark.__wrapped__())
    assert marks[0] != marks[1] == marks[2]
