"""Written dates: what articles carry, and what a person types, to aware moments in UTC."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import MAXYEAR, UTC, date, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from typing import Any

from dateutil import parser as dateutil_parser

from newsindex.wrong_value import shown

__all__ = [
    "EPOCH", "Period", "from_microseconds", "parse_date", "parse_period", "to_microseconds", "to_utc", "written_moment",
]  # fmt: skip

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LAST = datetime.max.replace(tzinfo=UTC)

# Two fill-ins that differ in every part: a part that dateutil had to invent differs in the two results.
_FILL_A = datetime(2000, 1, 1)
_FILL_B = datetime(2001, 2, 2)
# The abbreviations that news pages use; RFC 822 defines the American ones.
_ZONES = {
    "UTC": 0, "GMT": 0, "Z": 0, "BST": 3600, "CET": 3600, "CEST": 7200, "EET": 7200, "EEST": 10800, "MSK": 10800,
    "EST": -18000, "EDT": -14400, "CST": -21600, "CDT": -18000, "MST": -25200, "MDT": -21600, "PST": -28800,
    "PDT": -25200, "IST": 19800, "JST": 32400, "HKT": 28800, "AEST": 36000, "AEDT": 39600,
}  # fmt: skip
_LONGEST = 100
_PARTIAL = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?\Z")
_AMBIGUOUS = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.](?:\d{2}|\d{4})\b")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})\Z")

Period = tuple[datetime, datetime | None]
"""A half-open range of moments: [start, end); None when it reaches to the end of the year 9999."""


def _zone(name: str | None, offset: int | None) -> int | None:
    """Return the offset in seconds that a written zone means; None for one not known, which leaves the date naive."""
    return _ZONES.get(name or "", offset)


def to_utc(moment: datetime) -> datetime:
    """Return the moment in UTC; a naive one is taken as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def to_microseconds(moment: datetime) -> int:
    """Return the microseconds since 1970-01-01 UTC (negative before).

    >>> to_microseconds(datetime(1970, 1, 1, 0, 0, 1))
    1000000
    """
    since = to_utc(moment) - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def from_microseconds(microseconds: int) -> datetime:
    """Return the aware moment in UTC, the inverse of `to_microseconds`."""
    return EPOCH + timedelta(microseconds=microseconds)


def written_moment(microseconds: int, zone: tzinfo | None = UTC) -> str:
    """Return the moment in ISO 8601 with its offset in a zone; None is the zone of this computer.

    >>> written_moment(0)
    '1970-01-01T00:00Z'
    """
    moment = from_microseconds(microseconds)
    with suppress(OverflowError, ValueError, OSError):  # at the ends of what a date can be it stays in UTC
        moment = moment.astimezone(zone)
    text = moment.isoformat(timespec="auto" if moment.second or moment.microsecond else "minutes")
    return text.replace("+00:00", "Z")


def parse_date(value: Any) -> datetime:
    """Read a date as articles carry it; naive when it names no zone.

    Read are datetimes and dates, ISO 8601 in full or to the day, RFC 822, the compact 20240409, and the forms that
    news pages write ("Monday, December 29, 2014, 5:00 PM", "Tue Dec 16 09:00:12 UTC 2014", "2014-12-29 10:15:00 EST").
    A date with no day, month or year is refused rather than filled in, and so is one that could be read two ways
    (14-12-29, 03/04/2024).

    >>> parse_date("Tue, 09 Apr 2024 10:30:00 +0200").isoformat()
    '2024-04-09T10:30:00+02:00'
    >>> parse_date("9 April 2024").isoformat()
    '2024-04-09T00:00:00'

    Raises:
        ValueError: the text names no complete day, or an impossible zone.
    """
    moment = _read(value)
    try:
        moment.utcoffset()
    except ValueError as error:
        raise ValueError(f"not a date: {moment.replace(tzinfo=None)} in a zone a day or more from UTC") from error
    return moment


def _read(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if not isinstance(value, str):
        raise ValueError(f"not a date: {shown(value)}; give ISO 8601, as 2024-04-09T10:30:00Z")
    text = value.strip()
    if not text or len(text) > _LONGEST:
        raise ValueError(f"not a date: {text[:40]!r}")
    compact = _COMPACT.match(text)
    if compact:
        year, month, day = (int(part) for part in compact.groups())
        return datetime(year, month, day)
    if len(text) >= 8 and text[:4].isdigit() and not text.isdigit():
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass  # not ISO 8601: the looser readers below decide
    if "," in text[:5]:
        try:
            return parsedate_to_datetime(text)
        except (ValueError, IndexError, OverflowError):
            pass  # a weekday, but not RFC 822: the reader below decides
    if _AMBIGUOUS.match(text):
        raise ValueError(f"ambiguous date: {text!r}; give ISO 8601, as 2024-04-09")
    try:
        first: datetime
        first, second = (
            dateutil_parser.parse(text, default=fill, tzinfos=_zone, ignoretz=False) for fill in (_FILL_A, _FILL_B)
        )
        complete = first == second
    except (ValueError, ArithmeticError, TypeError, AttributeError) as error:
        raise ValueError(f"not a date: {text!r}; give ISO 8601, as 2024-04-09T10:30:00Z") from error
    if not complete:
        raise ValueError(f"not a complete date: {text!r} names no day, month or year")
    return first


def parse_period(value: Any) -> Period:
    """Read a moment, a day, a month or a year as the half-open range that it names, in UTC.

    >>> start, end = parse_period("2024-04")
    >>> start.isoformat(), end.isoformat()
    ('2024-04-01T00:00:00+00:00', '2024-05-01T00:00:00+00:00')

    Raises:
        ValueError: the value names no range of dates in the years 1 to 9999.
    """
    if isinstance(value, datetime):
        start = _in_utc(value)
        return start, _after(start, _MICROSECOND)
    if isinstance(value, date):
        start = datetime(value.year, value.month, value.day, tzinfo=UTC)
        return start, _after(start, timedelta(days=1))
    text = str(value).strip()
    partial = _PARTIAL.match(text)
    try:
        if partial:
            year, month, day = (int(part) if part else None for part in partial.groups())
            assert year is not None
            start = datetime(year, month or 1, day or 1, tzinfo=UTC)
            if day:
                return start, _after(start, timedelta(days=1))
            following = (year + month // 12, month % 12 + 1) if month else (year + 1, 1)
            return start, datetime(*following, 1, tzinfo=UTC) if following[0] <= MAXYEAR else None
        moment = parse_date(text)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"not a date: {text[:40]!r}; write 2024, 2024-04, 2024-04-09 or 2024-04-09T10:30") from error
    start = _in_utc(moment)
    whole_day = not re.search(r"\d:\d|T\d", text) and (start.hour, start.minute, start.second) == (0, 0, 0)
    return start, _after(start, timedelta(days=1) if whole_day else _MICROSECOND)


def _in_utc(moment: datetime) -> datetime:
    try:
        return to_utc(moment)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"not a date in the years 1 to 9999 in UTC: {moment.replace(tzinfo=None)}") from error


def _after(start: datetime, length: timedelta) -> datetime | None:
    return start + length if start <= _LAST - length else None
