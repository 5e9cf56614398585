"""The query tree: what a query means, whatever engine runs it.

    Everything  Word  Phrase  Prefix          text, in one field or (field None) in all text fields
    Value  Range                              keyword values; dates (microseconds since 1970 UTC), numbers, flags
    And  Or  Not  Boost                       combinations

`str()` of a node is query text that means the node. Nodes do not change, can be keys of a dict, and are equal when they
mean the same: `start` and `end`, the places in the query text, do not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from operator import attrgetter
from typing import Any

from newsindex.dates import from_microseconds

__all__ = [
    "And",
    "Boost",
    "Everything",
    "Node",
    "Not",
    "Nothing",
    "Or",
    "Phrase",
    "Prefix",
    "Range",
    "Value",
    "Word",
]

_PLAIN = re.compile(r"[^\W_][^\s()\[\]{}\"“”„‟«»＂:^*~]*\Z")


def _scoped(name: str | None, text: str) -> str:
    return f"{name}:{text}" if name else text


def _quoted(text: str) -> str:
    return '"' + re.sub(r"([\"“”„‟«»＂\\])", r"\\\1", text) + '"'


def _written(text: str) -> str:
    plain = _PLAIN.match(text) and text not in {"AND", "OR", "NOT"} and not text.endswith(".")
    return text if plain else _quoted(text)


def _read(slot: str) -> Any:
    """Return an attribute that can be read only; a node of a frozen dataclass takes eight times as long to make."""
    return property(attrgetter(slot))


class _Node:
    """What nodes have in common; `__match_args__` are the attributes that tell one from another."""

    __slots__ = ()
    __match_args__: tuple[str, ...] = ()

    def _values(self) -> Iterator[Any]:
        return (getattr(self, name) for name in self.__match_args__)

    def __eq__(self, other: object) -> bool:
        """Tell whether both mean the same."""
        if type(other) is not type(self):
            return NotImplemented
        assert isinstance(other, _Node)
        return tuple(self._values()) == tuple(other._values())

    def __hash__(self) -> int:
        """Return the hash of what the node means."""
        return hash(tuple(self._values()))

    def __repr__(self) -> str:
        """Show the node as Python makes it."""
        shown = (f"{name}={value!r}" for name, value in zip(self.__match_args__, self._values(), strict=True))
        return f"{type(self).__name__}({', '.join(shown)})"


class Everything(_Node):
    """Every article."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return the empty query's printed form."""
        return "*"


class Nothing(_Node):
    """No article: the query had no word in it."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return the printed form."""
        return "-*"


class _Leaf(_Node):
    """Text as it was typed, perhaps in a field, and where."""

    __slots__ = ("_end", "_field", "_start", "_text")
    __match_args__ = ("text", "field")

    def __init__(self, text: str, field: str | None = None, start: int = 0, end: int = 0) -> None:
        self._text = text
        self._field = field
        self._start = start
        self._end = end

    text: str = _read("_text")
    field: str | None = _read("_field")
    start: int = _read("_start")
    end: int = _read("_end")

    def __eq__(self, other: object) -> bool:
        """Tell whether both mean the same."""
        if type(other) is not type(self):
            return NotImplemented
        assert isinstance(other, _Leaf)
        return self._text == other._text and self._field == other._field

    def __hash__(self) -> int:
        """Return the hash of what the node means."""
        return hash((self._text, self._field))


class Word(_Leaf):
    """A word as it was typed; one that analysis splits (`COVID-19`) is the phrase of its parts."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return query text."""
        return _scoped(self.field, _written(self.text))


class Phrase(_Leaf):
    """Words next to each other, in this order, in one field."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return query text."""
        return _scoped(self.field, _quoted(self.text))


class Prefix(_Leaf):
    """Every word of the archive that begins so, or every value of a keyword field."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return query text."""
        # A value of several words can only be continued in parentheses.
        return _scoped(self.field, f"({self.text}*)" if " " in self.text else f"{self.text}*")


class Value(_Node):
    """A whole value of a keyword field, or an article's id."""

    __slots__ = ("_end", "_field", "_start", "_text")
    __match_args__ = ("field", "text")

    def __init__(self, field: str, text: str, start: int = 0, end: int = 0) -> None:
        self._field = field
        self._text = text
        self._start = start
        self._end = end

    field: str = _read("_field")
    text: str = _read("_text")
    start: int = _read("_start")
    end: int = _read("_end")

    def __str__(self) -> str:
        """Return query text."""
        return _scoped(self.field, _written(self.text))


class Range(_Node):
    """Values from `low` to `high`, both inside unless open; None means without end. Date ranges are half-open."""

    __slots__ = ("_field", "_high", "_high_open", "_is_date", "_low", "_low_open")
    __match_args__ = ("field", "low", "high", "low_open", "high_open", "is_date")

    def __init__(
        self,
        field: str,
        low: int | float | None,
        high: int | float | None,
        low_open: bool = False,
        high_open: bool = False,
        is_date: bool = False,
    ) -> None:
        self._field = field
        self._low = low
        self._high = high
        self._low_open = low_open
        self._high_open = high_open
        self._is_date = is_date

    field: str = _read("_field")
    low: int | float | None = _read("_low")
    high: int | float | None = _read("_high")
    low_open: bool = _read("_low_open")
    high_open: bool = _read("_high_open")
    is_date: bool = _read("_is_date")

    def __str__(self) -> str:
        """Return query text."""
        if self.low == self.high and self.low is not None and not (self.low_open or self.high_open):
            return f"{self.field}:{self._written(self.low)}"
        low, high = self._written(self.low), self._written(self.high)
        return f"{self.field}:{'{' if self.low_open else '['}{low} TO {high}{'}' if self.high_open else ']'}"

    def _written(self, value: int | float | None) -> str:
        if value is None:
            return "*"
        if not self.is_date:
            return "true" if value is True else "false" if value is False else f"{value}"
        moment: datetime = from_microseconds(int(value))
        text = moment.isoformat().replace("+00:00", "Z")
        return text.removesuffix("T00:00:00Z")


class _Branch(_Node):
    """Nodes joined."""

    __slots__ = ("_children",)
    __match_args__ = ("children",)

    def __init__(self, children: tuple[Any, ...]) -> None:
        self._children = children

    children: tuple[Any, ...] = _read("_children")


class And(_Branch):
    """All of them; a `Not` among them takes away."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return query text."""
        return " ".join(f"({child})" if isinstance(child, _Branch) else str(child) for child in self.children)


class Or(_Branch):
    """At least one of them."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return query text."""
        return " OR ".join(f"({child})" if isinstance(child, _Branch) else str(child) for child in self.children)


class Not(_Node):
    """Every article that the child does not match."""

    __slots__ = ("_child",)
    __match_args__ = ("child",)

    def __init__(self, child: Any) -> None:
        self._child = child

    child: Any = _read("_child")

    def __str__(self) -> str:
        """Return query text."""
        return f"-({self.child})" if isinstance(self.child, And | Or | Not | Nothing) else f"-{self.child}"


class Boost(_Node):
    """The child, its score multiplied by `factor`."""

    __slots__ = ("_child", "_factor")
    __match_args__ = ("child", "factor")

    def __init__(self, child: Any, factor: float) -> None:
        self._child = child
        self._factor = factor

    child: Any = _read("_child")
    factor: float = _read("_factor")

    def __str__(self) -> str:
        """Return query text."""
        inner = f"({self.child})" if isinstance(self.child, And | Or | Not | Boost) else str(self.child)
        return f"{inner}^{self.factor:g}"


Node = Everything | Nothing | Word | Phrase | Prefix | Value | Range | And | Or | Not | Boost
