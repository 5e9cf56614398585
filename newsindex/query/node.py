"""What the nodes of a query tree have in common, and how text is written so that it is read as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from operator import attrgetter
from typing import Any

__all__ = ["Leaf", "TreeNode", "escaped", "grouped", "quoted", "read", "scoped", "written", "written_value"]

_PLAIN = re.compile(r"[^\W_][\w.,;’'/-]*+\Z").match
_OPERATOR = re.compile(r"(?:AND|OR|NOT|&&|\|\|?|(?i:(?:w|near|pre)/\d{1,9}|/[sp]))\Z").match
# What has a meaning wherever it stands in a word, and what has one at its beginning.
_SPECIAL = re.compile(r"[\\()\[\]{}<>\"“”„‟«»＂^~*?|\s]|&(?=&)|(?<=&)&|\A[-=]|(?<=\A-)-|(?<=\A=)=")
_NAME = re.compile(r"[^\W\d]\w*(?=:)")
_IN_QUOTES = re.compile(r"([\"“”„‟«»＂\\])")


def scoped(name: str | None, text: str) -> str:
    """Return query text in a field."""
    return f"{name}:{text}" if name else text


def quoted(text: str) -> str:
    """Return a quotation."""
    return '"' + _IN_QUOTES.sub(r"\\\1", text) + '"'


def written(text: str) -> str:
    r"""Return a word so that nothing in it has a meaning.

    >>> print(written("COVID-19"), written("AND"), written("to:b*"))
    COVID-19 \AND to\:b\*
    """
    if _OPERATOR(text):
        return f"\\{text}"
    return text if _PLAIN(text) else escaped(text)


def escaped(text: str, but: str = "") -> str:
    """Return a word with a backslash before what has a meaning, `but` these."""
    name = _NAME.match(text)
    # Of white space only a space can have a backslash before it; the words on both sides are the same.
    marked = _SPECIAL.sub(
        lambda mark: mark[0] if mark[0] in but else "\\ " if mark[0].isspace() else f"\\{mark[0]}", text
    )
    return f"{name[0]}\\{marked[name.end() :]}" if name else marked


def written_value(text: str) -> str:
    """Return a value so that it is read as a whole: as it is, or as a quotation."""
    return text if _PLAIN(text) and not _OPERATOR(text) else quoted(text)


def grouped(node: object) -> str:
    """Return query text that stays together between words."""
    return f"({node})" if getattr(node, "joins", False) else str(node)


def read(slot: str) -> Any:
    """Return an attribute that can be read only; a node of a frozen dataclass takes eight times as long to make."""
    return property(attrgetter(slot))


class TreeNode:
    """A node; `__match_args__` are the attributes that tell one from another."""

    __slots__ = ()
    __match_args__: tuple[str, ...] = ()
    joins = False
    """Whether the printed form needs parentheses to stay together."""

    def _values(self) -> Iterator[Any]:
        return (getattr(self, name) for name in self.__match_args__)

    def __eq__(self, other: object) -> bool:
        """Tell whether both mean the same."""
        if type(other) is not type(self):
            return NotImplemented
        assert isinstance(other, TreeNode)
        return tuple(self._values()) == tuple(other._values())

    def __hash__(self) -> int:
        """Return the hash of what the node means."""
        return hash(tuple(self._values()))

    def __repr__(self) -> str:
        """Show the node as Python makes it."""
        shown = (f"{name}={value!r}" for name, value in zip(self.__match_args__, self._values(), strict=True))
        return f"{type(self).__name__}({', '.join(shown)})"


class Leaf(TreeNode):
    """Text as it was typed, perhaps in a field, and where."""

    __slots__ = ("_end", "_field", "_start", "_text")
    __match_args__: tuple[str, ...] = ("text", "field")

    def __init__(self, text: str, field: str | None = None, start: int = 0, end: int = 0) -> None:
        self._text = text
        self._field = field
        self._start = start
        self._end = end

    text: str = read("_text")
    field: str | None = read("_field")
    start: int = read("_start")
    end: int = read("_end")

    def __eq__(self, other: object) -> bool:
        """Tell whether both mean the same."""
        if type(other) is not type(self):
            return NotImplemented
        assert isinstance(other, Leaf)
        return self._text == other._text and self._field == other._field

    def __hash__(self) -> int:
        """Return the hash of what the node means."""
        return hash((self._text, self._field))
