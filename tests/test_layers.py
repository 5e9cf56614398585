"""Imports go down the list only; heavy libraries have one door each."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import newsindex

PACKAGE = Path(newsindex.__file__).parent
ROWS = [
    ["errors", "wrong_value", "pipeline_kernel", "quick_import"],
    ["dates", "variants", "kernel", "haste_kernel", "whoosh_door"],
    ["schema"],
    ["sources"],
    ["analysis"],
    ["codec"],
    ["store"],
    ["check", "rebuild"],
    ["query"],
    ["results", "limits"],
    ["taking"],
    ["indexer"],
    ["search"],
    ["compiled"],
    ["compiling"],
    ["index"],
    ["display", "where"],
    ["repl"],
    ["cli"],
    ["__main__"],
]
RANK = {name: number for number, row in enumerate(ROWS) for name in row}
DOORS = {
    "whoosh": {"whoosh_door"},
    "newsindex.whoosh_door": {
        "analysis.whoosh_analyzer",
        "codec.whoosh_columns",
        "codec.whoosh_index",
        "codec.whoosh_matcher",
        "codec.whoosh_reader",
        "codec.whoosh_schema",
        "codec.whoosh_terms",
    },
    "numba": {
        "analysis.extent_kernel",
        "analysis.tokenizer_kernel",
        "codec.rows_kernel",
        "haste_kernel",
        "kernel",
        "pipeline_kernel",
        "search.lanes_kernel",
        "search.lock_kernel",
    },
    "llvmlite": {"codec.rows_kernel", "haste_kernel", "pipeline_kernel", "search.lanes_kernel"},
    "trafilatura": {"sources.webpage"},
    "lxml": {"sources.webpage"},
    "feedparser": {"sources.feed"},
    "newsindex.sources.feed": {"sources.parser_child"},
    "newsindex.sources.webpage": {"sources.parser_child"},
    "prompt_toolkit": {"repl"},
    "Stemmer": {"analysis"},
}
BANNED = {"pickle", "marshal", "shelve", "dill"}
# The opening of an index, its face towards Whoosh, the optional extra, and what would slow `newsindex --help`.
DEFERRED = ("__init__", "index", "cli", "repl", "sources.parser_child", "sources.webpage")


def modules() -> list[tuple[str, ast.Module]]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        found.append((name.removesuffix(".__init__") if name != "__init__" else name, ast.parse(path.read_text())))
    return found


def imports(tree: ast.AST) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            found.append(node.module or "")
            if node.module == "newsindex":
                found += [f"newsindex.{alias.name}" for alias in node.names]
    return found


def test_each_row_imports_only_rows_above_it() -> None:
    wrong = []
    for name, tree in modules():
        top = name.split(".")[0]
        if top == "__init__":
            continue
        for imported in imports(tree):
            parts = imported.split(".")
            if parts[0] == "newsindex" and len(parts) > 1 and parts[1] in RANK and RANK[parts[1]] > RANK[top]:
                wrong.append(f"{name} imports {imported}")
    assert wrong == []


def test_every_module_has_a_row() -> None:
    assert {name.split(".")[0] for name, _ in modules()} - {"__init__"} == set(RANK)


def test_heavy_libraries_have_one_door() -> None:
    wrong = []
    for name, tree in modules():
        for imported in imports(tree):
            for library, doors in DOORS.items():
                inside = imported == library or imported.startswith(f"{library}.")
                if inside and not any(name == door or name.startswith(f"{door}.") for door in doors):
                    wrong.append(f"{name} imports {imported}")
    assert wrong == []


def test_imports_stand_at_the_top() -> None:
    wrong = [
        f"{name}:{node.lineno}"
        for name, tree in modules()
        if not any(name == deferred or name.startswith(f"{deferred}.") for deferred in DEFERRED)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert wrong == []


def test_nothing_runs_what_it_reads() -> None:
    for name, tree in modules():
        assert not BANNED & {imported.split(".")[0] for imported in imports(tree)}, name
        calls = {
            node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not calls & {"eval", "exec", "compile", "__import__"}, name


def test_modules_are_short() -> None:
    lengths = {path.name: len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}
    assert max(lengths.values()) <= 500, lengths
    assert sorted(lengths.values())[len(lengths) // 2] <= 150


def test_importing_newsindex_is_light() -> None:
    program = "import sys, newsindex; print(sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    for library in ("whoosh", "rich", "prompt_toolkit", "feedparser", "trafilatura", "Stemmer", "numpy"):
        assert f"'{library}'" not in loaded
