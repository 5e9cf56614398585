"""Public names: complete, sorted where a reader looks them up, described."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re

import pytest

import newsindex
from newsindex import errors

MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(newsindex.__path__, "newsindex.")
    if not name.endswith("__main__") and ".samples" not in name
]


@pytest.mark.parametrize("name", ["newsindex", *MODULES])
def test_all_names_exist_and_are_described(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__
    for public in getattr(module, "__all__", []):
        value = getattr(module, public)
        if (inspect.isclass(value) or inspect.isfunction(value)) and value.__module__.startswith("newsindex"):
            assert value.__doc__, f"{name}.{public}"


def test_the_top_level_names() -> None:
    assert len(set(newsindex.__all__)) == len(newsindex.__all__)
    exported = {name for name, value in vars(errors).items() if inspect.isclass(value)}
    assert exported <= set(newsindex.__all__)


def test_the_error_tree_is_as_drawn() -> None:
    drawn: dict[str, str] = {}
    parents: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^([\s│├└─]*)([A-Z]\w+)(?:\s|$)", line)
        if match and hasattr(errors, match[2]):
            depth = (len(match[1]) - 4) // 4
            parents = [*parents[:depth], match[2]]
            drawn[match[2]] = parents[-2] if depth > 0 else "Exception"
    actual = {
        name: value.__bases__[0].__name__
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, Exception)
    }
    assert drawn == actual
