"""The query tree: what a query means, whatever engine runs it.

    Everything  Nothing  Exists                every article, none, those that have anything in a field
    Word  Phrase  Prefix                       text, in one field or (field None) in all text fields
    Wildcard  Fuzzy  Exact  Cased              words that are like the text, or just as it
    Near  AtLeast                              where words stand, and how often
    Value  Range                               keyword values; dates (microseconds since 1970 UTC), numbers, flags
    And  Or  Not  Boost  SomeOf                combinations

`str()` of a node is query text that means the node. Nodes do not change, can be keys of a dict, and are equal when they
mean the same: `start` and `end`, the places in the query text, do not count.

Two fields need not be of the schema: text in `lead` is looked for at the beginning of an article, `wc` is its length
in words.
"""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import Any

from newsindex.dates import written_moment
from newsindex.query.node import Leaf, TreeNode, escaped, grouped, quoted, read, scoped, written, written_value
from newsindex.query.operators import AtLeast, Cased, Exact, Exists, Fuzzy, Near, SomeOf, Wildcard

__all__ = [
    "And",
    "AtLeast",
    "Boost",
    "Cased",
    "Everything",
    "Exact",
    "Exists",
    "Fuzzy",
    "Near",
    "Node",
    "Not",
    "Nothing",
    "Or",
    "Phrase",
    "Prefix",
    "Range",
    "SomeOf",
    "Value",
    "Wildcard",
    "Word",
]


class Everything(TreeNode):
    """Every article."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return the empty query's printed form."""
        return "*"


class Nothing(TreeNode):
    """No article: the query had no word in it."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return the printed form."""
        return "-*"


class Word(Leaf):
    """A word as it was typed; one that analysis splits (`COVID-19`) is the phrase of its parts."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return query text."""
        return scoped(self.field, written(self.text))


class Phrase(Leaf):
    """Words next to each other, in this order, in one field.

    With a `slop` above 0: in any order, each at a place of its own, from first to last over at most so many places more
    than there are words.
    """

    __slots__ = ("_slop",)
    __match_args__ = ("text", "field", "slop")

    def __init__(self, text: str, field: str | None = None, start: int = 0, end: int = 0, slop: int = 0) -> None:
        self._text = text
        self._field = field
        self._start = start
        self._end = end
        self._slop = slop

    slop: int = read("_slop")
    __eq__ = TreeNode.__eq__
    __hash__ = TreeNode.__hash__

    def __str__(self) -> str:
        """Return query text."""
        return scoped(self.field, quoted(self.text) + (f"~{self.slop}" if self.slop else ""))


class Prefix(Leaf):
    """Every word of the archive that begins so, or every value of a keyword field."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return query text."""
        return scoped(self.field, f"{escaped(self.text)}*")


class Value(TreeNode):
    """A whole value of a keyword field, or an article's id."""

    __slots__ = ("_end", "_field", "_start", "_text")
    __match_args__ = ("field", "text")

    def __init__(self, field: str, text: str, start: int = 0, end: int = 0) -> None:
        self._field = field
        self._text = text
        self._start = start
        self._end = end

    field: str = read("_field")
    text: str = read("_text")
    start: int = read("_start")
    end: int = read("_end")

    def __str__(self) -> str:
        """Return query text."""
        return scoped(self.field, written_value(self.text))


class Range(TreeNode):
    """Values from `low` to `high`, both inside unless open; None means without end. Date ranges are half-open.

    A date is printed in `zone` (None: that of this computer); what is meant does not depend on it.
    """

    __slots__ = ("_field", "_high", "_high_open", "_is_date", "_low", "_low_open", "_zone")
    __match_args__ = ("field", "low", "high", "low_open", "high_open", "is_date")

    def __init__(
        self,
        field: str,
        low: int | float | None,
        high: int | float | None,
        low_open: bool = False,
        high_open: bool = False,
        is_date: bool = False,
        zone: tzinfo | None = UTC,
    ) -> None:
        self._field = field
        self._low = low
        self._high = high
        self._low_open = low_open
        self._high_open = high_open
        self._is_date = is_date
        self._zone = zone

    field: str = read("_field")
    low: int | float | None = read("_low")
    high: int | float | None = read("_high")
    low_open: bool = read("_low_open")
    high_open: bool = read("_high_open")
    is_date: bool = read("_is_date")
    zone: tzinfo | None = read("_zone")

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
        return written_moment(int(value), self.zone)


class _Branch(TreeNode):
    """Nodes joined."""

    __slots__ = ("_children",)
    __match_args__ = ("children",)
    joins = True

    def __init__(self, children: tuple[Any, ...]) -> None:
        self._children = children

    children: tuple[Any, ...] = read("_children")


class And(_Branch):
    """All of them; a `Not` among them takes away."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return query text."""
        return " ".join(map(grouped, self.children))


class Or(_Branch):
    """At least one of them."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return query text."""
        return " OR ".join(map(grouped, self.children))


class Not(TreeNode):
    """Every article that the child does not match."""

    __slots__ = ("_child",)
    __match_args__ = ("child",)

    def __init__(self, child: Any) -> None:
        self._child = child

    child: Any = read("_child")

    def __str__(self) -> str:
        """Return query text."""
        return f"-({self.child})" if isinstance(self.child, Not | Nothing) else f"-{grouped(self.child)}"


class Boost(TreeNode):
    """The child, its score multiplied by `factor`."""

    __slots__ = ("_child", "_factor")
    __match_args__ = ("child", "factor")

    def __init__(self, child: Any, factor: float) -> None:
        self._child = child
        self._factor = factor

    child: Any = read("_child")
    factor: float = read("_factor")

    def __str__(self) -> str:
        """Return query text."""
        inner = f"({self.child})" if isinstance(self.child, Not | Boost) else grouped(self.child)
        factor = f"{self.factor:.4f}".rstrip("0").rstrip(".")
        return f"{inner}^{factor}"


Node = (
    Everything
    | Nothing
    | Exists
    | Word
    | Phrase
    | Prefix
    | Wildcard
    | Fuzzy
    | Exact
    | Cased
    | Near
    | AtLeast
    | Value
    | Range
    | And
    | Or
    | Not
    | Boost
    | SomeOf
)
