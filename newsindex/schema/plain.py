"""The way round pydantic for records that it would take as they are: most of the speed of indexing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import itemgetter
from types import NoneType
from typing import Any, NamedTuple

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

__all__ = ["Moment", "PlainFields", "PlainRecords", "moment_of"]

# What JSON writes as it is, and pydantic does not touch.
_PLAIN_TYPES = frozenset({str, int, bool, type(None)})
_RULES_OF_ITS_OWN = frozenset(
    "__init__ __new__ __getattribute__ __getattr__ __iter__ model_post_init model_validate model_dump"
    " __get_pydantic_core_schema__ __pydantic_init_subclass__ __pydantic_extra__".split()
)
# Records of one source have the same keys in the same order, or a few such orders; a hostile source has any.
_MOST_SHAPES = 256
_MOST_VALUES = 4096
_MOST_DAYS = 16384
# A date to the second, in a zone that is whole hours from UTC.
_WHOLE_HOURS = re.compile(
    r"[0-9]{4}-[0-9][0-9]-[0-9][0-9][T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:Z|[+-][0-9][0-9]:00)?"
)
_MICROSECONDS = {f":{n // 60:02}:{n % 60:02}": n * 1_000_000 for n in range(3600)}
_HOURS = [f"{n:02}" for n in range(24)]
_NUMBERS = {hour: n for n, hour in enumerate(_HOURS)}
_HOUR, _DAY = 3_600_000_000, 86_400_000_000
_ONE_DAY = timedelta(days=1)
# How many hours each zone is before UTC.
_ZONES = {"": 0, "Z": 0} | {f"{sign}{hour}:00": int(f"{sign}{hour}") for sign in "+-" for hour in _HOURS}
_NAIVE_EPOCH = EPOCH.replace(tzinfo=None)

Moment = tuple[int, str, bool]
"""A date: microseconds since 1970 UTC, as it is stored, and whether it came without a zone."""


@dataclass(frozen=True, slots=True, eq=False)
class _Rule:
    """What a field takes: `default` is ... when it must be given, `many` tells of a list of strings."""

    name: str
    kind: type[Any]
    wanted: Any
    optional: bool
    default: Any
    many: bool


class PlainRecords(NamedTuple):
    """Records by columns: what is stored of each, but for the id; and as in `PreparedArticles` the rest."""

    ids: list[str | None]
    stored: list[dict[str, Any]]
    columns: dict[str, list[Any]]
    naive_dates: list[tuple[str, ...]]
    unknown_keys: list[tuple[str, ...]]

    def values(self, place: int) -> dict[str, Any]:
        """Return the non-empty indexed fields of one."""
        return {name: column[place] for name, column in self.columns.items() if column[place] is not None}


@dataclass(frozen=True, slots=True, eq=False)
class _Shape:
    """How to read records that have the same keys in the same order.

    `template` has what is stored, in order: the id, the model's fields, the other keys sorted. `known` are the keys to
    read when others are to be ignored; `rules` are of the fields to look at.
    """

    template: dict[str, Any]
    known: tuple[str, ...] | None
    unknown: tuple[str, ...]
    extras: tuple[str, ...]
    rules: tuple[_Rule, ...]
    id_may_be_text: bool
    id_optional: bool


class _NotPlain(Exception):
    """Pydantic must decide."""


class PlainFields:
    """The fields of a model that does no more than hold values of plain types."""

    def __init__(self, rules: tuple[_Rule, ...], extra: str | None) -> None:
        self._rules = rules
        self._extra = extra
        self._shapes: dict[tuple[Any, ...], _Shape | None] = {}
        # One tuple for all articles: of what is made for each, the garbage collector takes its share.
        self._alone: dict[str, tuple[str, ...]] = {}
        # When the days begin in UTC that are written so, up to the hour; how each, the next and the last are stored.
        self._days: dict[str, tuple[int, tuple[str, ...]]] = {}
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

    def read(self, records: Sequence[Mapping[str, Any]]) -> PlainRecords | None:
        """Return records as the model would have them.

        None when there is anything to convert or to refuse: then pydantic decides, and says why.
        """
        try:
            if not set(map(type, records)) <= {dict}:
                return None
            shapes = [self._shape_of(tuple(record)) for record in records]
            stored = [
                {**shape.template, **(record if shape.known is None else {name: record[name] for name in shape.known})}
                for record, shape in zip(records, shapes, strict=True)
            ]
            found = PlainRecords([], stored, {}, [()] * len(stored), [shape.unknown for shape in shapes])
            kinds = dict.fromkeys(shapes)
            # A field that some have not is absent there, or has a default that is as plain.
            for rule in dict.fromkeys(rule for shape in kinds for rule in shape.rules):
                self._read_field(rule, found)
            for name in dict.fromkeys(name for shape in kinds for name in shape.extras):
                for one in _given_as_none(name, stored):
                    del one[name]
                if not _are_plain([one[name] for one in stored if name in one]):
                    raise _NotPlain
            found.ids.extend([one["id"] for one in stored])
            for kind in set(map(type, found.ids)):
                if not (
                    (kind is str and all(shape.id_may_be_text for shape in kinds))
                    or (kind is NoneType and all(shape.id_optional for shape in kinds))
                ):
                    raise _NotPlain
        except _NotPlain:
            return None
        texts = [found.columns[rule.name] for rule in self._rules if rule.kind is Text and rule.name in found.columns]
        have_text = texts and all(map(any, zip(*texts, strict=True)))
        return found if have_text or not stored else None

    def _shape_of(self, keys: tuple[Any, ...]) -> _Shape:
        try:
            shape = self._shapes[keys]
        except KeyError:
            shape = self._learn(keys)
        if shape is None:
            raise _NotPlain
        return shape

    def _read_field(self, rule: _Rule, found: PlainRecords) -> None:
        """Take a field from what is stored, and put there what the model would have."""
        name = rule.name
        if rule.many:
            found.columns[name] = self._read_lists(name, found.stored)
            return
        try:
            column = list(map(itemgetter(name), found.stored))
        except KeyError:
            column = [one.get(name) for one in found.stored]
        kinds = set(map(type, column))
        if NoneType in kinds:
            kinds.remove(NoneType)
            for one in _given_as_none(name, found.stored):
                if not rule.optional:
                    raise _NotPlain
                del one[name]
        if rule.kind is Date:
            self._read_dates(rule, column, found)
        elif rule.wanted is Any and rule.kind not in (Text, Keyword):
            if not _are_plain(column):
                raise _NotPlain
        elif not kinds <= {str if rule.kind in (Text, Keyword) else rule.wanted}:
            raise _NotPlain
        if rule.kind is Text:
            if not all(column) or any(map(str.isspace, column)):
                column = [value if value and not value.isspace() else None for value in column]
        elif rule.kind is Keyword:
            kept = {value: self._kept(value) for value in set(column)}
            column = list(map(kept.__getitem__, column))
        elif rule.kind is Number and not all(-LARGEST_NUMBER <= value <= LARGEST_NUMBER for value in column if value):
            raise _NotPlain
        if kinds and rule.kind is not Stored:
            found.columns[name] = column

    def _read_lists(self, name: str, stored: list[dict[str, Any]]) -> list[Any]:
        column: list[Any] = [None] * len(stored)
        for place, one in enumerate(stored):
            value = one[name]
            if type(value) is list:
                if value:
                    if not _are_strings(value):
                        raise _NotPlain
                    column[place] = tuple([text for text in value if has_key(text)]) or None
            elif type(value) is str:
                one[name] = [value]
                column[place] = self._kept(value)
            elif value is None:
                one[name] = []
            else:
                raise _NotPlain
        return column

    def _read_dates(self, rule: _Rule, column: list[Any], found: PlainRecords) -> None:
        name, stored, written = rule.name, found.stored, self._written_moment
        for place, value in enumerate(column):
            if value is None:
                continue
            moment = written(value) if type(value) is str else _moment(value)
            if moment is not None:
                column[place], stored[place][name], is_naive = moment
                if is_naive:
                    found.naive_dates[place] += (name,)
            elif rule.optional and type(value) is str and not value.strip():
                del found.stored[place][name]
                column[place] = None
            else:
                raise _NotPlain

    def _kept(self, value: str | None) -> tuple[str, ...] | None:
        """Return a keyword value as it is indexed: not at all when nothing is left of it."""
        if value is None:
            return None
        kept = self._alone.get(value)
        return (self._remember(value) if kept is None else kept) or None

    def _remember(self, value: str) -> tuple[str, ...]:
        """Return, and remember, a keyword value alone as it is indexed: not at all when nothing is left of it."""
        if len(self._alone) >= _MOST_VALUES:
            self._alone.clear()
        kept = self._alone[value] = (value,) if has_key(value) else ()
        return kept

    def _written_moment(self, text: str) -> Moment | None:
        """Return a written date that needs no care, else None."""
        # Many articles are of the same day.
        try:
            in_hour = text[13:19]
            hour = _NUMBERS[text[11:13]] - _ZONES[text[19:]]
            begin, days = self._days[text[:11]]
            since = begin + hour * _HOUR + _MICROSECONDS[in_hour]
            return since, f"{days[hour // 24]}{_HOURS[hour % 24]}{in_hour}Z", len(text) == 19
        except KeyError:
            pass  # another day, or another way to write dates
        moment = _written_moment(text)
        if moment is not None and _WHOLE_HOURS.fullmatch(text):
            self._remember_day(text, moment[0] + _ZONES[text[19:]] * _HOUR)
        return moment

    def _remember_day(self, text: str, local: int) -> None:
        """Remember the day of a written date, which is so many microseconds after 1970 by its own clock."""
        day = date.fromisoformat(text[:10])
        if date.min < day < date.max:
            if len(self._days) >= _MOST_DAYS:
                self._days.clear()
            near = (day, day + _ONE_DAY, day - _ONE_DAY)
            self._days[text[:11]] = local - local % _DAY, tuple(f"{one.isoformat()}T" for one in near)

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
        # A list that is not given is empty, and nothing is to be looked at.
        read = [rule for rule in self._rules if rule.name in given or (rule.name not in empty and not rule.many)]
        ids = [rule for rule in read if rule.name == "id"]
        return _Shape(
            template,
            known,
            unknown,
            tuple(sorted(unknown)),
            tuple(rule for rule in read if rule.name != "id"),
            all(rule.wanted in (str, Any) for rule in ids),
            all(rule.optional for rule in ids),
        )


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


def _given_as_none(name: str, stored: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in stored if name in one and one[name] is None]


def _are_strings(values: list[Any]) -> bool:
    return set(map(type, values)) <= {str}


def _are_plain(values: list[Any]) -> bool:
    kinds = set(map(type, values)) - _PLAIN_TYPES
    return not kinds or (kinds == {list} and all(_are_strings(value) for value in values if type(value) is list))
