"""What a field may be, and how a model's annotation says so."""

from __future__ import annotations

import math
import types
import typing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Union

from pydantic import BaseModel, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from newsindex.dates import parse_date
from newsindex.errors import SchemaError

__all__ = [
    "KINDS", "LARGEST_NUMBER", "Date", "Field", "Flag", "Keyword", "Kind", "Number", "Stored", "Text", "alternatives",
    "as_date", "as_list", "as_text", "field_of",
]  # fmt: skip

# Words that the query language gives a meaning of their own, and the names that every hit has.
_RESERVED = frozenset({"and", "or", "not", "to", "score", "rank", "snippet"})
_INTERNAL = "newsindex_"
# Beyond it whole numbers come too near the ends of what columns of 64 bits hold.
LARGEST_NUMBER = 2**62


def as_text(value: Any) -> Any:
    """Return a whole number as text; true and false are no names."""
    return str(value) if type(value) is int else value


def as_list(value: Any) -> Any:
    """Return what a field of many values may be given as, as a list."""
    if value is None:
        return []
    if isinstance(value, str | int):
        value = [value]
    return [as_text(part) for part in value] if isinstance(value, list | tuple | set | frozenset) else value


def as_date(value: Any) -> Any:
    """Read a written date; a blank one is none."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    return parse_date(value)


def alternatives(annotation: Any) -> tuple[Any, ...]:
    """Return the types of a union without None; of any other annotation, itself."""
    if typing.get_origin(annotation) in (Union, types.UnionType):
        return tuple(part for part in typing.get_args(annotation) if part is not type(None))
    return (annotation,)


def _is_many(annotation: Any) -> bool:
    return any(typing.get_origin(part) in (list, tuple, set, frozenset) for part in alternatives(annotation))


@dataclass(frozen=True)
class Text:
    """Running text: analysed, ranked, with positions. `weight` > 0 multiplies its part in the score."""

    weight: float = 1.0


@dataclass(frozen=True)
class Keyword:
    """An exact value, or a list of them: filtered, counted; compared without case, accents and extra spaces."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Accept a whole number for a string, one string for a list, and None for an empty list."""
        reader = as_list if _is_many(source) else as_text
        return core_schema.no_info_before_validator_function(reader, handler(source))


@dataclass(frozen=True)
class Date:
    """A moment, kept in UTC to the microsecond; ranges and sorting. Written dates of many forms are read."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read written dates before pydantic sees them."""
        return core_schema.no_info_before_validator_function(as_date, handler(source))


@dataclass(frozen=True)
class Number:
    """An integer or a float; ranges."""


@dataclass(frozen=True)
class Flag:
    """True or false; filtered."""


@dataclass(frozen=True)
class Stored:
    """Kept with the article, not searched."""


Kind = Text | Keyword | Date | Number | Flag | Stored
KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in (Text, Keyword, Date, Number, Flag, Stored)}
# What a value of each kind may be; Stored takes anything that JSON can hold.
_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "Text": (str,), "Keyword": (str,), "Date": (datetime,), "Number": (int, float), "Flag": (bool,),
}  # fmt: skip


@dataclass(frozen=True)
class Field:
    """One field of a schema; `many` when its value is a list.

    `type_name` is "str", "datetime", "int", "float", "bool" or "any".
    """

    name: str
    kind: Kind
    many: bool
    type_name: str


def field_of(model: type[BaseModel], name: str) -> Field:
    """Return a field of a model.

    Raises:
        SchemaError: its type does not fit its kind, or its name is reserved.
    """
    info = model.model_fields[name]
    kinds = [meta for meta in info.metadata if isinstance(meta, Kind)]
    if len(kinds) > 1:
        raise SchemaError(f"{model.__name__}.{name} has {len(kinds)} field kinds; give one", name)
    kind: Kind = kinds[0] if kinds else Stored()
    if name.startswith(_INTERNAL) or (not isinstance(kind, Stored) and (name.lower() in _RESERVED or name == "id")):
        raise SchemaError(f"{model.__name__}.{name}: the name is reserved; choose another", name)
    if info.exclude or any(
        alias is not None for alias in (info.alias, info.validation_alias, info.serialization_alias)
    ):
        reason = "a field with an alias or exclude=True does not come back from its JSON; name it as in the records"
        raise SchemaError(f"{model.__name__}.{name}: {reason}", name)
    if isinstance(kind, Text) and not 0 < kind.weight < math.inf:
        raise SchemaError(f"{model.__name__}.{name}: a weight must be above 0 and finite, not {kind.weight}", name)
    annotation = info.annotation
    many = isinstance(kind, Keyword) and _is_many(annotation)
    if isinstance(kind, Stored):
        return Field(name, kind, False, "str" if alternatives(annotation) == (str,) else "any")
    types_ = alternatives(annotation)
    if many:
        types_ = tuple(argument for part in types_ for argument in typing.get_args(part) if argument is not Ellipsis)
    kind_name = type(kind).__name__
    wanted = _PYTHON_TYPES[kind_name]
    if not types_ or any(part not in wanted for part in types_):
        names = " or ".join(part.__name__ for part in wanted)
        raise SchemaError(f"{model.__name__}.{name}: {kind_name} holds {names}, not {annotation}", name)
    return Field(name, kind, many, "float" if float in types_ else types_[0].__name__)
