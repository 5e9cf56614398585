"""Filters written as text, FIELD=VALUE, to what `where=` takes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from newsindex.errors import QueryError
from newsindex.schema import Date, Number, Schema

__all__ = ["parse_where", "split_conditions"]

# A value ends at the next FIELD= or at the end, so `section=World News source=CNN` needs no quotes.
_CONDITION = re.compile(r'\s*(\w+=(?:"[^"]*"|.*?))(?=\s+\w+=|\s*\Z)', re.DOTALL)


def split_conditions(text: str) -> list[str]:
    """Split a line of conditions.

    >>> split_conditions('source="A = B" section=World News')
    ['source="A = B"', 'section=World News']

    Raises:
        QueryError: the line does not begin with FIELD=VALUE.
    """
    conditions = []
    at = 0
    while text[at:].strip():
        found = _CONDITION.match(text, at)
        if found is None:
            raise QueryError(f"not a filter: {text[at:].strip()[:40]!r}; write FIELD=VALUE or FIELD=FROM..TO")
        conditions.append(found[1])
        at = found.end()
    return conditions


def parse_where(conditions: Iterable[str], schema: Schema) -> dict[str, Any]:
    """Return the filter: values of one field are alternatives; FROM..TO on a date or number is a range, ends included.

    Raises:
        QueryError: not FIELD=VALUE, or a range beside another value of its field. Whether field and value exist is
            found out by the search.
    """
    found: dict[str, list[Any]] = {}
    for condition in conditions:
        name, sign, value = condition.partition("=")
        name, value = name.strip(), value.strip()
        if not sign or not name or not value:
            raise QueryError(f"not a filter: {condition[:40]!r}; write FIELD=VALUE or FIELD=FROM..TO")
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1]
        field = schema.fields.get(name)
        written: Any = value
        if field is not None and isinstance(field.kind, Date | Number) and ".." in value:
            low, _, high = value.partition("..")
            written = (low.strip() or None, high.strip() or None)
        found.setdefault(name, []).append(written)
    for name, values in found.items():
        if len(values) > 1 and any(isinstance(value, tuple) for value in values):
            raise QueryError(f"where: {name!r}: a range stands alone; give one range, or single values")
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}
