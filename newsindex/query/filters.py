"""`where=` to query nodes: filters that do not touch the score."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from newsindex.errors import QueryError, QueryTooComplex
from newsindex.query.ranges import single, span
from newsindex.query.tree import Node, Or, Range, Value
from newsindex.schema import Keyword, Schema, Stored, Text
from newsindex.wrong_value import shown

__all__ = ["Where", "filter_nodes", "nearest"]

# A date takes some 50 µs, so that all together are looked up within a second.
MOST_VALUES = 10_000

Where = Mapping[str, Any]
"""Field name to a value, a list of values (any of them), or a tuple (low, high), both included, None without end."""


def filter_nodes(schema: Schema, where: Where | None) -> tuple[Node, ...]:
    """Return one node for each field of the filter; all of them must hold.

    Raises:
        QueryError: an unknown field, one that cannot be filtered, or a value that does not fit it.
        QueryTooComplex: more than 10,000 values of one field.
    """
    if where is None:
        return ()
    if type(where) is not dict and not isinstance(where, Mapping):
        raise QueryError(f'where: a dict as {{"source": "CNN"}}, not {shown(where)}')
    return tuple([_node(schema, name, value) for name, value in where.items()])


def nearest(name: str, names: list[str] | tuple[str, ...]) -> str | None:
    """Return the name most like the given one, None when none is like it."""
    found = difflib.get_close_matches(name.lower(), [known.lower() for known in names], n=1, cutoff=0.6)
    return next((known for known in names if known.lower() == found[0]), None) if found else None


def _node(schema: Schema, name: str, value: Any) -> Node:
    if not isinstance(name, str):
        raise QueryError(f"where: the name of a field is a string, not {shown(name)}")
    if name == "id":
        ids = _listed(value)
        # Python does not write a number of more than 4,300 digits.
        if not ids or not all(isinstance(one, str) or (type(one) is int and abs(one) < 10**640) for one in ids):
            raise QueryError(f"where: 'id' takes an id or a list of ids, not {shown(value)}")
        return _any_of([Value("id", str(one)) for one in ids])
    field = schema.fields.get(name)
    if field is None:
        guess = nearest(name, list(schema.fields))
        raise QueryError(f"where: no field {name!r}" + (f"; did you mean {guess!r}?" if guess else ""))
    kind = field.kind
    if isinstance(kind, Text):
        raise QueryError(f"where: {name!r} is running text; write {name}:… in the query instead")
    if isinstance(kind, Stored):
        raise QueryError(f"where: {name!r} is stored only; annotate it as Keyword() to filter by it")
    if isinstance(kind, Keyword):
        if type(value) is str:
            return Value(name, value)
        values = _listed(value)
        if not values or not all(isinstance(text, str) for text in values):
            raise QueryError(f"where: {name!r} takes a string or a list of strings, not {shown(value)}")
        return _any_of([Value(name, text) for text in values])
    values = _listed(value)
    try:
        if isinstance(value, tuple):
            if len(value) != 2:
                raise ValueError(f"a range is a tuple (low, high), not {shown(value)}")
            return span(field, *value)
        if type(value) is str:
            return single(field, value)
        if not values or any(part is None for part in values):
            raise ValueError(f"no value: {shown(value)}")
        return _any_of([single(field, part) for part in values])
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise QueryError(f"where: {name!r}: {error}") from error


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple | set | frozenset):
        return [value]
    if len(value) > MOST_VALUES:
        raise QueryTooComplex("the number of values of one field in where=", len(value), MOST_VALUES)
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)  # the search as written, and with it cursors, must not change with the process
    return list(value)


def _any_of(nodes: list[Value] | list[Range]) -> Node:
    return nodes[0] if len(nodes) == 1 else Or(tuple(nodes))
