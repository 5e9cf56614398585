"""The way round pydantic for records that it would take as they are: most of the speed of indexing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from newsindex.dates import EPOCH
from newsindex.schema.identity import has_key
from newsindex.schema.kinds import (
    LARGEST_NUMBER,
    Date,
    Field,
    Keyword,
    Number,
    Stored,
    Text,
    alternatives,
    as_date,
)

__all__ = ["Moment", "PlainFields", "PlainRecord", "moment_of"]

# What JSON writes as it is, and pydantic does not touch.
_PLAIN_TYPES = frozenset({str, int, bool, type(None)})
_RULES_OF_ITS_OWN = frozenset(
    "__init__ __new__ __getattribute__ __getattr__ __iter__ model_post_init model_validate model_dump"
    " __get_pydantic_core_schema__ __pydantic_init_subclass__ __pydantic_extra__".split()
)
# Records of one source have the same keys in the same order, or a few such orders; a hostile source has any.
_MOST_SHAPES = 256
_MOST_VALUES = 4096
_MOST_HOURS = 16384
# A date to the second, in a zone that is whole hours from UTC.
_WHOLE_HOURS = re.compile(
    r"[0-9]{4}-[0-9][0-9]-[0-9][0-9][T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:Z|[+-][0-9][0-9]:00)?"
)
_MICROSECONDS = {f":{n // 60:02}:{n % 60:02}": n * 1_000_000 for n in range(3600)}
_NAIVE_EPOCH = EPOCH.replace(tzinfo=None)

Moment = tuple[int, str, bool]
"""A date: microseconds since 1970 UTC, as it is stored, and whether it came without a zone."""
PlainRecord = tuple[dict[str, Any], dict[str, Any], tuple[str, ...], tuple[str, ...]]
"""What is stored, with the id as given; the values to index; the dates without a zone; the unknown keys."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a field takes: `default` is ... when it must be given, `many` tells of a list of strings."""

    name: str
    kind: type[Any]
    wanted: Any
    optional: bool
    default: Any
    many: bool


@dataclass(slots=True)
class _Shape:
    """How to read records that have the same keys in the same order.

    `template` has what is stored, in order: the id, the model's fields, the other keys sorted. `known` are the keys to
    read when others are to be ignored. The rest are the fields to look at, by kind, each with whether None will do.
    """

    template: dict[str, Any]
    known: tuple[str, ...] | None
    unknown: tuple[str, ...]
    extras: tuple[str, ...]
    id_may_be_text: bool = True
    id_optional: bool = True
    texts: tuple[tuple[str, bool], ...] = ()
    words: tuple[tuple[str, bool], ...] = ()
    lists: tuple[str, ...] = ()
    dates: tuple[tuple[str, bool], ...] = ()
    others: tuple[_Rule, ...] = ()


class PlainFields:
    """The fields of a model that does no more than hold values of plain types."""

    def __init__(self, rules: tuple[_Rule, ...], extra: str | None) -> None:
        self._rules = rules
        self._extra = extra
        self._shapes: dict[tuple[Any, ...], _Shape | None] = {}
        # One tuple for all articles: of what is made for each, the garbage collector takes its share.
        self._alone: dict[str, tuple[str, ...]] = {}
        # Hours, with the zone, as they are written: the moment, the hour in UTC, whether there is no zone.
        self._hours: dict[str, Moment] = {}
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

    def read(self, record: Mapping[str, Any]) -> PlainRecord | None:
        """Return a record as the model would have it.

        None when there is anything to convert or to refuse: then pydantic decides, and says why.
        """
        if type(record) is not dict:
            return None
        keys = tuple(record)
        try:
            shape = self._shapes[keys]
        except KeyError:
            shape = self._learn(keys)
        if shape is None:
            return None
        stored = shape.template | (record if shape.known is None else {name: record[name] for name in shape.known})
        values: dict[str, Any] = {}
        for name, optional in shape.texts:
            value = stored[name]
            if type(value) is str:
                if value and not value.isspace():
                    values[name] = value
            elif value is None and optional:
                del stored[name]
            else:
                return None
        named = stored["id"]
        if not values or not ((type(named) is str and shape.id_may_be_text) or (named is None and shape.id_optional)):
            return None
        for name, optional in shape.words:
            value = stored[name]
            if type(value) is str:
                kept = self._alone.get(value)
                if kept is None:
                    kept = self._remember(value)
                if kept:
                    values[name] = kept
            elif value is None and optional:
                del stored[name]
            else:
                return None
        for name in shape.lists:
            value = stored[name]
            if type(value) is list:
                if value:
                    if not _are_strings(value):
                        return None
                    kept = tuple([text for text in value if has_key(text)])
                    if kept:
                        values[name] = kept
            elif type(value) is str:
                stored[name] = [value]
                kept = self._alone.get(value)
                if kept is None:
                    kept = self._remember(value)
                if kept:
                    values[name] = kept
            elif value is None:
                stored[name] = []
            else:
                return None
        naive: tuple[str, ...] = ()
        for name, optional in shape.dates:
            value = stored[name]
            moment = self._written_moment(value) if type(value) is str else _moment(value)
            if moment is not None:
                values[name], stored[name], is_naive = moment
                if is_naive:
                    naive += (name,)
            elif optional and (value is None or (type(value) is str and not value.strip())):
                del stored[name]
            else:
                return None
        for rule in shape.others:
            name = rule.name
            value = stored[name]
            if value is None:
                if not rule.optional:
                    return None
                del stored[name]
                continue
            if type(value) is not rule.wanted and not (rule.wanted is Any and _is_plain(value)):
                return None
            if rule.kind is not Stored:
                if rule.kind is Number and not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
                    return None
                values[name] = value
        for name in shape.extras:
            value = stored[name]
            if value is None:
                del stored[name]
            elif type(value) is not str and not _is_plain(value):
                return None
        return stored, values, naive, shape.unknown

    def _remember(self, value: str) -> tuple[str, ...]:
        """Return, and remember, a keyword value alone as it is indexed: not at all when nothing is left of it."""
        if len(self._alone) >= _MOST_VALUES:
            self._alone.clear()
        kept = self._alone[value] = (value,) if has_key(value) else ()
        return kept

    def _written_moment(self, text: str) -> Moment | None:
        """Return a written date that needs no care, else None."""
        # Many articles are of the same hour, and an hour has the same minutes everywhere but in a few zones.
        try:
            begin, hour, is_naive = self._hours[text[:13] + text[19:]]
            return begin + _MICROSECONDS[text[13:19]], f"{hour}{text[13:19]}Z", is_naive
        except KeyError:
            pass  # another hour, or another way to write dates
        moment = _written_moment(text)
        if moment is not None and _WHOLE_HOURS.fullmatch(text):
            if len(self._hours) >= _MOST_HOURS:
                self._hours.clear()
            microseconds, written, is_naive = moment
            self._hours[text[:13] + text[19:]] = microseconds - _MICROSECONDS[text[13:19]], written[:13], is_naive
        return moment

    def _learn(self, keys: tuple[Any, ...]) -> _Shape | None:
        """Return, and remember, how to read records with these keys; None when pydantic must."""
        if len(self._shapes) >= _MOST_SHAPES:
            self._shapes.clear()
        shape = self._shapes[keys] = self._shape(keys)
        return shape

    def _shape(self, keys: tuple[Any, ...]) -> _Shape | None:
        given = set(keys)
        names = {rule.name for rule in self._rules}
        others = [key for key in keys if key not in names]
        known = None
        if others and self._extra in (None, "ignore"):
            known, others = tuple(key for key in keys if key in names), []
        if not all(type(key) is str for key in others) or (others and self._extra == "forbid"):
            return None
        absent = [rule for rule in self._rules if rule.name not in given]
        if any(rule.default is ... for rule in absent):
            return None
        empty = {rule.name for rule in absent if rule.default is None}
        template: dict[str, Any] = {"id": None}
        template |= {rule.name: rule.default for rule in self._rules if rule.name not in empty}
        template |= dict.fromkeys(sorted(others))
        unknown = tuple(key for key in others if key != "id")
        shape = _Shape(template, known, unknown, tuple(sorted(unknown)))
        # A list that is not given is empty, and nothing is to be looked at.
        read = [rule for rule in self._rules if rule.name in given or (rule.name not in empty and not rule.many)]
        for rule in read:
            if rule.name == "id":
                shape.id_may_be_text, shape.id_optional = rule.wanted in (str, Any), rule.optional
        by_kind = {
            kind: [rule for rule in read if rule.kind is kind and rule.name != "id"] for kind in (Text, Keyword, Date)
        }
        shape.texts = tuple((rule.name, rule.optional) for rule in by_kind[Text])
        shape.words = tuple((rule.name, rule.optional) for rule in by_kind[Keyword] if not rule.many)
        shape.lists = tuple(rule.name for rule in by_kind[Keyword] if rule.many)
        shape.dates = tuple((rule.name, rule.optional) for rule in by_kind[Date])
        shape.others = tuple(rule for rule in read if rule.kind not in by_kind and rule.name != "id")
        return shape


def moment_of(value: datetime) -> Moment:
    """Return a date as it is indexed and stored.

    Raises:
        ValueError, OverflowError: it is outside the years 1 to 9999 in UTC.
    """
    is_naive = value.tzinfo is None
    since = value - (_NAIVE_EPOCH if is_naive else EPOCH)
    microseconds = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    # Without a zone it is written in half the time.
    return microseconds, (_NAIVE_EPOCH + since).isoformat() + "Z", is_naive


def _moment(value: Any) -> Moment | None:
    """Return a date that needs no care, else None."""
    if type(value) is not datetime:
        return None
    try:
        return moment_of(as_date(value))
    except (ValueError, OverflowError):
        return None


def _written_moment(text: str) -> Moment | None:
    """Return a written date that needs no care, else None."""
    try:
        # What as_date would come to for nearly every date of an archive, after looking for other forms.
        is_iso = text[4:5] == "-" and text[7:8] == "-" and text[:4].isdigit()
        return moment_of(datetime.fromisoformat(text)) if is_iso else _moment(as_date(text))
    except (ValueError, OverflowError):
        return None


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
    optional = types_ != (info.annotation,) or wanted is Any
    return _Rule(field.name, type(field.kind), wanted, optional, default, many)


def _are_strings(values: list[Any]) -> bool:
    return all(type(value) is str for value in values)


def _is_plain(value: Any) -> bool:
    kind = type(value)
    return kind in _PLAIN_TYPES or (kind is list and _are_strings(value))
