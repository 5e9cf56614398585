"""The query tree: what a query means, whatever engine runs it.

    Everything  Word  Phrase  Prefix          text, in one field or (field None) in all text fields
    Value  Range                              keyword values; dates (microseconds since 1970 UTC), numbers, flags
    And  Or  Not  Boost                       combinations

`str()` of a node is query text that means the node.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import datetime
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


@dataclass(frozen=True, slots=True)
class Everything:
    """Every article."""

    def __str__(self) -> str:
        """Return the empty query's printed form."""
        return "*"


@dataclass(frozen=True, slots=True)
class Nothing:
    """No article: the query had no word in it."""

    def __str__(self) -> str:
        """Return the printed form."""
        return "-*"


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it was typed; one that analysis splits (`COVID-19`) is the phrase of its parts."""

    text: str
    field: str | None = None
    start: int = attribute(default=0, compare=False, repr=False)
    end: int = attribute(default=0, compare=False, repr=False)

    def __str__(self) -> str:
        """Return query text."""
        return _scoped(self.field, _written(self.text))


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words next to each other, in this order, in one field."""

    text: str
    field: str | None = None
    start: int = attribute(default=0, compare=False, repr=False)
    end: int = attribute(default=0, compare=False, repr=False)

    def __str__(self) -> str:
        """Return query text."""
        return _scoped(self.field, _quoted(self.text))


@dataclass(frozen=True, slots=True)
class Prefix:
    """Every word of the archive that begins so, or every value of a keyword field."""

    text: str
    field: str | None = None
    start: int = attribute(default=0, compare=False, repr=False)
    end: int = attribute(default=0, compare=False, repr=False)

    def __str__(self) -> str:
        """Return query text."""
        # A value of several words can only be continued in parentheses.
        return _scoped(self.field, f"({self.text}*)" if " " in self.text else f"{self.text}*")


@dataclass(frozen=True, slots=True)
class Value:
    """A whole value of a keyword field, or an article's id."""

    field: str
    text: str
    start: int = attribute(default=0, compare=False, repr=False)
    end: int = attribute(default=0, compare=False, repr=False)

    def __str__(self) -> str:
        """Return query text."""
        return _scoped(self.field, _written(self.text))


@dataclass(frozen=True, slots=True)
class Range:
    """Values from `low` to `high`, both inside unless open; None means without end. Date ranges are half-open."""

    field: str
    low: int | float | None
    high: int | float | None
    low_open: bool = False
    high_open: bool = False
    is_date: bool = False

    def __str__(self) -> str:
        """Return query text."""
        if self.low == self.high and self.low is not None and not (self.low_open or self.high_open):
            return f"{self.field}:{self._end(self.low)}"
        low, high = self._end(self.low), self._end(self.high)
        return f"{self.field}:{'{' if self.low_open else '['}{low} TO {high}{'}' if self.high_open else ']'}"

    def _end(self, value: int | float | None) -> str:
        if value is None:
            return "*"
        if not self.is_date:
            return "true" if value is True else "false" if value is False else f"{value}"
        moment: datetime = from_microseconds(int(value))
        text = moment.isoformat().replace("+00:00", "Z")
        return text.removesuffix("T00:00:00Z")


@dataclass(frozen=True, slots=True)
class And:
    """All of them; a `Not` among them takes away."""

    children: tuple[Any, ...]

    def __str__(self) -> str:
        """Return query text."""
        return " ".join(f"({child})" if isinstance(child, And | Or) else str(child) for child in self.children)


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of them."""

    children: tuple[Any, ...]

    def __str__(self) -> str:
        """Return query text."""
        return " OR ".join(f"({child})" if isinstance(child, And | Or) else str(child) for child in self.children)


@dataclass(frozen=True, slots=True)
class Not:
    """Every article that the child does not match."""

    child: Any

    def __str__(self) -> str:
        """Return query text."""
        return f"-({self.child})" if isinstance(self.child, And | Or | Not | Nothing) else f"-{self.child}"


@dataclass(frozen=True, slots=True)
class Boost:
    """The child, its score multiplied by `factor`."""

    child: Any
    factor: float

    def __str__(self) -> str:
        """Return query text."""
        inner = f"({self.child})" if isinstance(self.child, And | Or | Not | Boost) else str(self.child)
        return f"{inner}^{self.factor:g}"


Node = Everything | Nothing | Word | Phrase | Prefix | Value | Range | And | Or | Not | Boost
