"""Written dates, numbers and flags, alone or as ranges, to Range nodes."""

from __future__ import annotations

import re
from datetime import UTC, date
from typing import Any

from newsindex.dates import parse_period, to_microseconds
from newsindex.query.clock import EARLIEST, Clock
from newsindex.query.news_dates import EmptyRange, read_period
from newsindex.query.tree import Range
from newsindex.schema import Date, Field, Flag
from newsindex.schema.kinds import LARGEST_NUMBER

__all__ = ["EmptyRange", "comparison", "relative", "single", "span"]

_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_COMPARISON = re.compile(r"(>=|<=|>|<|=)\s*(.+)\Z", re.DOTALL)
_SINCE = re.compile(r"now[-+/]", re.IGNORECASE)
_TO = re.compile(r"(?<!\S)TO(?!\S)", re.IGNORECASE)
_PARTIAL = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?").fullmatch
_FIRST_DAY = date(1970, 1, 1).toordinal()
_LAST_DAY = date.max.toordinal()
_DAY = 86_400_000_000


def single(field: Field, value: Any, clock: Clock | None = None) -> Range:
    """Return the range of one value: the whole period of a date that a person wrote by a clock, or one in UTC.

    Raises:
        ValueError: not a value of this field.
    """
    if isinstance(field.kind, Date):
        return _dates(field, *_period(value, clock), clock)
    number = _number(field, value)
    return Range(field.name, number, number)


def span(
    field: Field,
    low: Any,
    high: Any,
    clock: Clock | None = None,
    *,
    low_open: bool = False,
    high_open: bool = False,
) -> Range:
    """Return the range from one value to another; None or "*" is an open end; a partial date is its whole period.

    Raises:
        EmptyRange: the range ends before it begins.
        ValueError: not values of this field, or a field without an order.
    """
    if isinstance(field.kind, Flag):
        raise ValueError(f"no ranges of true and false: {low} to {high}")
    low = None if low is None or low in ("*", "") else low
    high = None if high is None or high in ("*", "") else high
    if isinstance(field.kind, Date):
        first = None if low is None else _period(low, clock)[1 if low_open else 0]
        last = None if high is None else _period(high, clock)[0 if high_open else 1]
        if low is not None and first is None:
            raise EmptyRange(f"the range begins after the year 9999: after {low}")
        result = _dates(field, first, last, clock)
    else:
        result = Range(
            field.name,
            None if low is None else _number(field, low),
            None if high is None else _number(field, high),
            low_open and low is not None,
            high_open and high is not None,
        )
    begins, ends = result.low, result.high
    if (
        begins is None
        or ends is None
        or begins < ends
        or (begins == ends and not (result.low_open or result.high_open))
    ):
        return result
    raise EmptyRange(f"the range ends before it begins: {low} to {high}")


def _period(value: Any, clock: Clock | None) -> tuple[int, int | None]:
    """Return what `parse_period` does, in microseconds; what people and programs write most is read at once."""
    if clock is not None:
        return read_period(value, clock)
    partial = _PARTIAL(value) if type(value) is str else None
    if partial is not None:
        year, month, day = partial.groups()
        try:
            if day is not None:
                first = date(int(year), int(month), int(day)).toordinal()
                after = first + 1
            elif month is not None:
                number = int(month)
                first = date(int(year), number, 1).toordinal()
                after = first + 31 if number == 12 else date(int(year), number + 1, 1).toordinal()
            else:
                first = date(int(year), 1, 1).toordinal()
                after = date(int(year), 12, 31).toordinal() + 1
            return (first - _FIRST_DAY) * _DAY, None if after > _LAST_DAY else (after - _FIRST_DAY) * _DAY
        except ValueError:
            pass  # no such day: the error is told below
    start, end = parse_period(value)
    return to_microseconds(start), None if end is None else to_microseconds(end)


def _dates(field: Field, first: int | None, last: int | None, clock: Clock | None) -> Range:
    first = None if first == EARLIEST else first
    return Range(field.name, first, last, False, last is not None, True, UTC if clock is None else clock.zone)


def comparison(field: Field, text: str, clock: Clock) -> Range:
    """Read what stands after `field:` in a query: a value, `a..b`, `>=a`, `[a TO b}`.

    Raises:
        ValueError: not a value or range of this field.
    """
    text = text.strip()
    first = text[:1]
    sign = _COMPARISON.match(text) if first in (">", "<", "=") else None
    if sign:
        operator, value = sign.groups()
        if operator == "=":
            return single(field, value, clock)
        if operator[0] == ">":
            return span(field, value, None, clock, low_open=operator == ">")
        return span(field, None, value, clock, high_open=operator == "<")
    if first in ("[", "{") and text[-1] in "]}":
        ends = _TO.split(text[1:-1], maxsplit=1)
        if len(ends) == 2:
            low, high = ends
            return span(field, low.strip(), high.strip(), clock, low_open=first == "{", high_open=text[-1] == "}")
    if ".." in text:
        low, _, high = text.partition("..")
        return span(field, low.strip(), high.strip(), clock)
    if _SINCE.match(text) and isinstance(field.kind, Date):
        return span(field, text, "now", clock)
    return single(field, text, clock)


def relative(field: Field, name: str, text: str, clock: Clock) -> Range:
    """Read what stands after `when:`, `after:` (from its beginning on) or `before:` (until its beginning).

    Raises:
        ValueError: not a date.
    """
    if name == "when":
        return comparison(field, text, clock)
    start = read_period(text, clock)[0]
    return _dates(field, start, None, clock) if name == "after" else _dates(field, None, start, clock)


def _number(field: Field, value: Any) -> int | float:
    if isinstance(field.kind, Flag):
        flag = value if isinstance(value, bool) else _FLAGS.get(str(value).strip().lower())
        if flag is None:
            raise ValueError(f"not true or false: {value!r}")
        return flag
    if isinstance(value, int | float) and not isinstance(value, bool):
        number: int | float = value
    else:
        text = str(value).strip().replace(",", "").replace("_", "")
        try:
            number = int(text) if re.fullmatch(r"[-+]?\d{1,19}", text) else float(text)
        except ValueError:
            raise ValueError(f"not a number: {str(value)[:40]!r}") from None
    if not -LARGEST_NUMBER <= number <= LARGEST_NUMBER:
        raise ValueError(f"not a number from -2^62 to 2^62: {str(value)[:40]!r}")
    return number
