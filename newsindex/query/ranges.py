"""Written dates, numbers and flags, alone or as ranges, to Range nodes."""

from __future__ import annotations

import re
from typing import Any

from newsindex.dates import parse_period, to_microseconds
from newsindex.query.tree import Range
from newsindex.schema import Date, Field, Flag

__all__ = ["comparison", "single", "span"]

_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_COMPARISON = re.compile(r"(>=|<=|>|<)\s*(.+)\Z")
_BRACKETED = re.compile(r"([\[{])\s*(.*?)\s+TO\s+(.*?)\s*([\]}])\Z", re.IGNORECASE | re.DOTALL)


def single(field: Field, value: Any) -> Range:
    """Return the range of one value: the whole period of a partial date.

    Raises:
        ValueError: not a value of this field.
    """
    if isinstance(field.kind, Date):
        start, end = parse_period(value)
        return Range(field.name, to_microseconds(start), to_microseconds(end), high_open=True, is_date=True)
    number = _number(field, value)
    return Range(field.name, number, number)


def span(field: Field, low: Any, high: Any, *, low_open: bool = False, high_open: bool = False) -> Range:
    """Return the range from one value to another; None or "*" is an open end; a partial date is its whole period.

    Raises:
        ValueError: not values of this field, or the range ends before it begins.
    """
    low, high = (None if end is None or end in ("*", "") else end for end in (low, high))
    if isinstance(field.kind, Date):
        first = None if low is None else to_microseconds(parse_period(low)[1 if low_open else 0])
        last = None if high is None else to_microseconds(parse_period(high)[0 if high_open else 1])
        result = Range(field.name, first, last, high_open=last is not None, is_date=True)
    else:
        result = Range(
            field.name,
            None if low is None else _number(field, low),
            None if high is None else _number(field, high),
            low_open and low is not None,
            high_open and high is not None,
        )
    ends = (result.low, result.high)
    if None not in ends and (ends[0] > ends[1] or (ends[0] == ends[1] and (result.low_open or result.high_open))):  # type: ignore[operator]
        raise ValueError(f"the range ends before it begins: {low} to {high}")
    return result


def comparison(field: Field, text: str) -> Range:
    """Read what stands after `field:` in a query: a value, `a..b`, `>=a`, `[a TO b}`.

    Raises:
        ValueError: not a value or range of this field.
    """
    sign = _COMPARISON.match(text)
    if sign:
        operator, value = sign.groups()
        if operator[0] == ">":
            return span(field, value, None, low_open=operator == ">")
        return span(field, None, value, high_open=operator == "<")
    bracketed = _BRACKETED.match(text)
    if bracketed:
        opening, low, high, closing = bracketed.groups()
        return span(field, low, high, low_open=opening == "{", high_open=closing == "}")
    if ".." in text:
        low, _, high = text.partition("..")
        return span(field, low, high)
    return single(field, text)


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
    if number != number or abs(number) >= 2**63:
        raise ValueError(f"not a finite 64-bit number: {str(value)[:40]!r}")
    return number
