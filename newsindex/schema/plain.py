"""The way round pydantic for records that it would take as they are: most of the speed of indexing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from newsindex.schema.kinds import Date, Field, Keyword, Number, alternatives, as_date, as_list

__all__ = ["PlainFields"]

# What JSON writes as it is, and pydantic does not touch.
_PLAIN_TYPES = frozenset({str, int, bool, type(None)})
_RULES_OF_ITS_OWN = frozenset(
    "__init__ __new__ __getattribute__ __getattr__ __iter__ model_post_init model_validate model_dump"
    " __get_pydantic_core_schema__ __pydantic_init_subclass__ __pydantic_extra__".split()
)


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a field takes: `default` is ... when it must be given, `many` tells of a list of strings."""

    name: str
    wanted: Any
    optional: bool
    default: Any
    many: bool


class PlainFields:
    """The fields of a model that does no more than hold values of plain types."""

    def __init__(self, rules: tuple[_Rule, ...], extra: str | None) -> None:
        self._rules = tuple((rule.name, rule.wanted, rule.optional, rule.default, rule.many) for rule in rules)
        self._extra = extra
        self.has_floats = any(rule.wanted is float for rule in rules)

    @classmethod
    def of(cls, model: type[BaseModel], fields: dict[str, Field]) -> PlainFields | None:
        """Return those of a model; None when it has rules of its own, which only pydantic knows."""
        made = model.__mro__[: model.__mro__.index(BaseModel)]
        own = {name for part in made for name in (*vars(part), *vars(part).get("__annotations__", ()))}
        decorators = model.__pydantic_decorators__
        decorated = any(getattr(decorators, name) for name in decorators.__dataclass_fields__)
        if decorated or model.__private_attributes__ or not set(model.model_config) <= {"extra"}:
            return None
        rules = [_rule(info, fields[name]) for name, info in model.model_fields.items()]
        if own & _RULES_OF_ITS_OWN or None in rules:
            return None
        return cls(tuple(rule for rule in rules if rule is not None), model.model_config.get("extra"))

    def read(self, record: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return the fields and the other keys of a record as the model would have them.

        None when there is anything to convert or to refuse: then pydantic decides.
        """
        if type(record) is not dict:
            return None
        given: dict[str, Any] = {}
        known = 0
        for name, wanted, optional, default, many in self._rules:
            if name not in record:
                if default is ...:
                    return None
                given[name] = [] if many else default
                continue
            known += 1
            value = record[name]
            kind = type(value)
            if many:
                if value is None or kind is str:
                    value = as_list(value)
                elif kind is not list or not _are_strings(value):
                    return None
            elif value is not None:
                if wanted is datetime and (kind is str or kind is datetime):
                    try:
                        value = as_date(value)
                    except ValueError:
                        return None
                    if value is None and not optional:
                        return None
                elif kind is not wanted and not (wanted is Any and _is_plain(value)):
                    return None
            elif not optional:
                return None
            given[name] = value
        if known == len(record) or self._extra in (None, "ignore"):
            return given, {}
        extra = {key: value for key, value in record.items() if key not in given}
        if self._extra == "forbid" or not all(type(key) is str and _is_plain(extra[key]) for key in extra):
            return None
        return given, extra


def _rule(info: FieldInfo, field: Field) -> _Rule | None:
    types_ = alternatives(info.annotation)
    wanted = types_[0]
    many = wanted == list[str] and isinstance(field.kind, Keyword)
    plain = many or wanted in (str, int, bool, Any) or wanted is {Date: datetime, Number: float}.get(type(field.kind))
    default = ... if info.is_required() else info.default
    unchecked = default is None or (type(default) is wanted and wanted in (str, int, bool, float))
    simple = default is ... or (default == [] if many else unchecked)
    converted = [part for part in info.metadata if part != field.kind]
    if not plain or not simple or len(types_) > 1 or converted or info.default_factory or info.validate_default:
        return None
    return _Rule(field.name, wanted, types_ != (info.annotation,) or wanted is Any, default, many)


def _are_strings(values: list[Any]) -> bool:
    return all(type(value) is str for value in values)


def _is_plain(value: Any) -> bool:
    kind = type(value)
    return kind in _PLAIN_TYPES or (kind is list and _are_strings(value))
