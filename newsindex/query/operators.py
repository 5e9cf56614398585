"""The nodes of newsroom operators: what is near what, how often, how exactly written."""

from __future__ import annotations

from typing import Any, Literal

from newsindex.query.node import Leaf, TreeNode, escaped, grouped, read, scoped, written, written_value

__all__ = ["AtLeast", "Cased", "Exact", "Exists", "Fuzzy", "Near", "SomeOf", "Unit", "Wildcard"]

Unit = Literal["word", "sentence", "paragraph"]
_UNITS = {"sentence": "/s", "paragraph": "/p"}


class Wildcard(Leaf):
    """Every word, before stemming, that fits: `*` stands for any letters, `?` for one; or every value that fits.

    The text is as it was typed. It has a `*` or `?` somewhere else than at its end, and a letter or a digit.
    """

    __slots__ = ()

    def __str__(self) -> str:
        """Return query text."""
        return scoped(self.field, escaped(self.text, but="*?"))


class Fuzzy(Leaf):
    """Every word, before stemming, that begins with the same letter and is at most `edits` (1 or 2) changes away.

    A change is a letter more, less or other, or two neighbours exchanged.
    """

    __slots__ = ("_edits",)
    __match_args__ = ("text", "field", "edits")

    def __init__(self, text: str, field: str | None = None, edits: int = 1, start: int = 0, end: int = 0) -> None:
        super().__init__(text, field, start, end)
        self._edits = edits

    edits: int = read("_edits")
    __eq__ = TreeNode.__eq__
    __hash__ = TreeNode.__hash__

    def __str__(self) -> str:
        """Return query text."""
        return scoped(self.field, f"{written(self.text)}~{self.edits}")


class Exact(Leaf):
    """A word, or words next to each other, as written but for case and accents: no other form, no other spelling."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return query text."""
        return scoped(self.field, f"={written_value(self.text)}")


class Cased(Leaf):
    """A word, or words next to each other, as written, capitals and small letters too."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return query text."""
        return scoped(self.field, f"caps({written_value(self.text)})")


class Near(TreeNode):
    """Something of `left` near something of `right`, in the same field.

    `unit` "word": at most `distance` words on, counted between nearest ends; "sentence", "paragraph": in the same one
    (`distance` is 0). `ordered`: `right` stands after `left`. `negated`: some `left` has no `right` so near.
    What matches, for a `Near` around this one, is the span from the first word of both to the last; if negated, `left`.
    """

    __slots__ = ("_distance", "_left", "_negated", "_ordered", "_right", "_unit")
    __match_args__ = ("left", "right", "distance", "ordered", "unit", "negated")
    joins = True

    def __init__(
        self,
        left: Any,
        right: Any,
        distance: int = 0,
        ordered: bool = False,
        unit: Unit = "word",
        negated: bool = False,
    ) -> None:
        self._left = left
        self._right = right
        self._distance = distance
        self._ordered = ordered
        self._unit = unit
        self._negated = negated

    left: Any = read("_left")
    right: Any = read("_right")
    distance: int = read("_distance")
    ordered: bool = read("_ordered")
    unit: Unit = read("_unit")
    negated: bool = read("_negated")

    @property
    def operator(self) -> str:
        """Return what is typed between the two."""
        sign = _UNITS.get(self.unit) or f"{'pre' if self.ordered else 'w'}/{self.distance}"
        return f"not {sign}" if self.negated else sign

    def __str__(self) -> str:
        """Return query text."""
        left = str(self.left) if isinstance(self.left, Near) else _operand(self.left)
        return f"{left} {self.operator} {_operand(self.right)}"


def _operand(node: Any) -> str:
    text = grouped(node)
    return f"\\{text}" if text == "not" else text  # else it would make the operator after it a negated one


class AtLeast(TreeNode):
    """Articles in whose fields the child, a word or the like or an `Or` of them, stands `count` times or more."""

    __slots__ = ("_child", "_count")
    __match_args__ = ("child", "count")

    def __init__(self, child: Any, count: int) -> None:
        self._child = child
        self._count = count

    child: Any = read("_child")
    count: int = read("_count")

    def __str__(self) -> str:
        """Return query text."""
        return f"atleast{self.count}({self.child})"


class SomeOf(TreeNode):
    """At least `count` of the children."""

    __slots__ = ("_children", "_count")
    __match_args__ = ("children", "count")

    def __init__(self, children: tuple[Any, ...], count: int) -> None:
        self._children = children
        self._count = count

    children: tuple[Any, ...] = read("_children")
    count: int = read("_count")

    def __str__(self) -> str:
        """Return query text."""
        return f"min:{self.count}({' '.join(map(grouped, self.children))})"


class Exists(TreeNode):
    """Articles that have anything in a field."""

    __slots__ = ("_field",)
    __match_args__ = ("field",)

    def __init__(self, field: str) -> None:
        self._field = field

    field: str = read("_field")

    def __str__(self) -> str:
        """Return query text."""
        return f"{self.field}:*"
