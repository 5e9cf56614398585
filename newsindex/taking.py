"""Records as they are given to a writer: a few together, and about how much they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from newsindex.errors import SourceError
from newsindex.sources.record import Record

__all__ = ["AnyRecord", "taken"]

# Characters of text that an entry of a list counts as: it may be anything.
_SIZE_OF_ENTRY = 1024
_SEVERAL = (list, dict, tuple, set)

AnyRecord = BaseModel | Mapping[str, Any] | Record | SourceError


def taken(records: Iterable[AnyRecord], together: int, most: int) -> Iterator[tuple[Sequence[AnyRecord], int]]:
    """Yield records with about how many characters they have: one, or so many together that have less than `most`.

    Who makes them one by one may fill the same dict or model anew for the next: of these each is yielded in a copy.
    """
    if type(records) is not list and type(records) is not tuple:
        for record in records:
            values = _values(record)
            yield [_own(record, values)], _size(values)
        return
    first = 0
    while some := records[first : first + together]:
        sizes = [_size(_values(record)) for record in some]
        if sum(sizes) < most:
            yield some, sum(sizes)
        else:
            yield from (([record], size) for record, size in zip(some, sizes, strict=True))
        first += together


def _values(record: AnyRecord) -> dict[str, Any]:
    """Return what a record has, where it can be looked at without asking it."""
    if type(record) is dict:  # which is told sooner than whether it is a model
        return record
    values: Any = record
    if isinstance(record, BaseModel):
        values = record.__dict__
    elif isinstance(record, Record):
        values = record.values
    return values if isinstance(values, dict) else {}


def _size(values: dict[str, Any]) -> int:
    size = 0
    for value in values.values():
        if type(value) is str:
            size += len(value)
        elif isinstance(value, _SEVERAL):
            size += _SIZE_OF_ENTRY * len(value)
    return size


def _own(record: AnyRecord, values: dict[str, Any]) -> AnyRecord:
    """Return a record that later changes do not reach; `values` are its own."""
    if type(record) is not dict and not isinstance(record, BaseModel):
        return record
    lists = {name: value.copy() for name, value in values.items() if type(value) is list}
    return record.model_copy(update=lists) if isinstance(record, BaseModel) else {**record, **lists}
