"""Dates as people who search news write them: ISO 8601 whole or in part, durations, and words such as `last week`.

Each names a half-open period. What names no zone is in the zone of the clock; weeks begin on Monday.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from newsindex.dates import EPOCH, parse_date, to_microseconds
from newsindex.query.clock import EARLIEST, Clock, beginning, later

__all__ = ["EmptyRange", "Moments", "nearest_date", "read_period"]

Moments = tuple[int, int | None]
"""A half-open period in microseconds since 1970 UTC; None when it reaches to the end of the year 9999."""
_Walls = tuple[datetime, datetime | None]
"""The same as dates without a zone, as a clock on the wall shows them."""

_LATEST = to_microseconds(datetime.max.replace(tzinfo=UTC))
_UNITS = {
    "h": "hour", "hr": "hour", "d": "day", "w": "week", "wk": "week", "m": "month", "mo": "month", "q": "quarter",
    "y": "year", "yr": "year",
} | {unit: unit for unit in ("hour", "day", "week", "month", "quarter", "year")}  # fmt: skip
_MONTHS = {
    name: number
    for number, names in enumerate(
        "january jan|february feb|march mar|april apr|may|june jun|july jul|august aug|september sep sept|october oct|"
        "november nov|december dec".split("|"), 1,
    )
    for name in names.split()
}  # fmt: skip
_WEEKDAYS = {name: day for day, name in enumerate("monday tuesday wednesday thursday friday saturday sunday".split())}
_NUMBERS = {
    name: n for n, name in enumerate("one two three four five six seven eight nine ten eleven twelve".split(), 1)
}
_COUNT = rf"(\d{{1,6}}|{'|'.join(_NUMBERS)})"
_UNIT = r"(hour|day|week|month|quarter|year)s?"
_QUOTED = re.compile(r"([\"'‘’“”`])(.*)([\"'‘’“”`])\Z", re.DOTALL)
_PARTIAL = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?\Z")
_JOINED = re.compile(r"([a-z]+)[_-](?=[a-z])")
_NOW = re.compile(r"now((?:[-+]\d{1,6}(?:hour|day|week|month|year)s?)*)(?:/(hour|day|week|month|year)s?)?\Z")
_STEP = re.compile(r"([-+]\d+)(hour|day|week|month|year)")
_DURATION = re.compile(
    r"p(?=[\dt])(?:(\d{1,6})y)?(?:(\d{1,6})m)?(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:t(?=\d)(?:(\d{1,6})h)?(?:(\d{1,6})m)?)?\Z"
)
_LONGEST = 100
_YEAR = re.compile(r"\d\d")
_DAY = 86_400_000_000
_OFFSET = re.compile(r"(?<=\d)\s*[-+]\d\d(?::?\d\d)?\Z|z\Z")
_TIME_OF_DAY = re.compile(r"\d:(?P<minute>\d\d)(?::(?P<second>\d\d)(?P<fraction>[.,]\d)?)?")
_SHORT_TIME = re.compile(r"t\d\d(?P<minute>\d\d)?(?P<second>\d\d)?(?P<fraction>[.,]\d)?|\d\s*[ap]\.?m\b")
_KNOWN = (
    "now", "today", "yesterday", "tomorrow", *_WEEKDAYS,
    *(f"{which} {unit}" for which in ("this", "last", "previous", "past") for unit in _UNITS if len(unit) > 2),
)  # fmt: skip


class EmptyRange(ValueError):
    """A range that ends before it begins."""


def read_period(text: str, clock: Clock) -> Moments:
    """Return the period that a text names.

    >>> clock = Clock(datetime(2024, 5, 15, 12, tzinfo=UTC), UTC)
    >>> [str(EPOCH + timedelta(microseconds=end)) for end in read_period("last week", clock)]
    ['2024-05-06 00:00:00+00:00', '2024-05-13 00:00:00+00:00']

    Raises:
        EmptyRange: an interval that ends before it begins.
        ValueError: it names none.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"not a date: {text.strip()[:40]!r}…; it is too long")
    try:
        partial = _partial(text, clock)  # most are
        if partial is not None:
            return partial
        written = _bare(text)
        for reader in _READERS:
            found = reader(written, clock)
            if found is not None:
                return found
        if not _YEAR.search(text):  # nothing that an article could carry
            raise ValueError(text)
        return _dated(text.strip(), clock)
    except EmptyRange:
        raise
    except (ValueError, OverflowError, OSError) as error:
        if str(error).startswith("ambiguous"):
            raise ValueError(str(error)) from error
        raise ValueError(
            f"not a date: {text.strip()[:40]!r}; write it as 2024, 2024-04, 2024-04-09, last week or 2024-04..2024-06"
        ) from error


def nearest_date(text: str) -> str | None:
    """Return the date in words that is most like the text."""
    found = difflib.get_close_matches(_bare(text[:40]), _KNOWN, n=1, cutoff=0.7)
    return found[0] if found else None


def _bare(text: str) -> str:
    quoted = _QUOTED.match(text.strip())
    written = " ".join((quoted[2] if quoted else text).lower().split())
    return _JOINED.sub(r"\1 ", written)


def _walls(clock: Clock, start: datetime, end: datetime | None) -> Moments:
    first = clock.microseconds(start)
    if first is None:
        raise ValueError("after the year 9999")
    return first, clock.microseconds(end)


def _partial(text: str, clock: Clock) -> Moments | None:
    found = _PARTIAL.match(text) or re.match(r"(\d{4})(?:/(\d{1,2})/(\d{1,2})|(\d{2})(\d{2}))\Z", text)
    if found is None:
        return None
    year, month, day = ([int(part) for part in found.groups() if part] + [0, 0])[:3]
    unit = "day" if day or found.re is not _PARTIAL else "month" if found[2] else "year"
    start = datetime(year, month if unit != "year" else 1, day if unit == "day" else 1)
    return _walls(clock, start, later(start, unit, 1))


def _part_of_year(text: str, clock: Clock) -> Moments | None:
    week = re.match(r"(\d{4})-?w(\d{1,2})\Z", text)
    if week:
        start = datetime.fromisocalendar(int(week[1]), int(week[2]), 1)
        return _walls(clock, start, later(start, "week", 1))
    quarter = re.match(r"(?P<year>\d{4})[- ]?q(?P<q>[1-4])\Z|q(?P<q2>[1-4]) (?P<year2>\d{4})\Z", text)
    if quarter:
        start = datetime(int(quarter["year"] or quarter["year2"]), 3 * int(quarter["q"] or quarter["q2"]) - 2, 1)
        return _walls(clock, start, later(start, "quarter", 1))
    month = re.match(r"([a-z]{3,9})\.?,? (?:of )?(\d{4})\Z|(\d{4}) ([a-z]{3,9})\Z", text)
    if month and (number := _MONTHS.get(month[1] or month[4])):
        start = datetime(int(month[2] or month[3]), number, 1)
        return _walls(clock, start, later(start, "month", 1))
    return None


def _words(text: str, clock: Clock) -> Moments | None:
    if text == "now":
        now = to_microseconds(clock.now())
        return now, now + 1
    days = {"yesterday": -1, "today": 0, "tomorrow": 1}.get(text)
    if days is not None:
        return _walls(clock, *_unit_of(clock, "day", days))
    if text.removeprefix("last ") in _WEEKDAYS:
        today = beginning(clock.wall(), "day")
        back = (today.weekday() - _WEEKDAYS[text.removeprefix("last ")]) % 7
        start = later(today, "day", -(back or 7 if text.startswith("last ") else back))
        assert start is not None
        return _walls(clock, start, later(start, "day", 1))
    relative = re.match(rf"(?:the )?(this|current|last|previous|past|next) {_UNIT}\Z", text)
    if relative is None:
        return None
    which, unit = relative.groups()
    if which == "past" or (unit in ("hour", "day") and which in ("last", "previous")):
        return _until_now(clock, unit, 1)
    return _walls(clock, *_unit_of(clock, unit, {"last": -1, "previous": -1, "next": 1}.get(which, 0)))


def _counted(text: str, clock: Clock) -> Moments | None:
    found = re.match(rf"(?:(?:the )?(?:last|past|previous) )?{_COUNT} ?{_UNIT}\Z|(\d{{1,6}})(h|d|w|m|y)\Z", text)
    if found:
        count = found[1] or found[3]
        return _until_now(clock, _UNITS[found[2] or found[4]], _NUMBERS.get(count) or int(count))
    ago = re.match(rf"{_COUNT} {_UNIT} ago\Z", text)
    if ago:
        return _walls(clock, *_unit_of(clock, ago[2], -(_NUMBERS.get(ago[1]) or int(ago[1]))))
    return None


def _now_and_steps(text: str, clock: Clock) -> Moments | None:
    found = _NOW.match(text)
    if found is None:
        return None
    moment = clock.now()
    for number, unit in _STEP.findall(found[1]):
        moment = clock.moved(moment, unit, int(number))
    start = to_microseconds(moment)
    if found[2]:
        wall = beginning(moment.astimezone(clock.zone).replace(tzinfo=None), found[2])
        start = clock.microseconds(wall) or start
    return start, start + 1


def _duration(text: str, clock: Clock) -> Moments | None:
    parts = _lengths(text)
    if parts is None:
        return None
    now = moment = clock.now()
    for unit, number in parts:
        moment = clock.moved(moment, unit, -number)
    return to_microseconds(moment), to_microseconds(now)


def _interval(text: str, clock: Clock) -> Moments | None:
    """Read `2022-03/2022-04`, `2022-03-01/P1M`, `P1M/2022-03`, `2022-03/`."""
    first, sign, last = text.partition("/")
    if not sign or "/" in last or (first in ("", "..") and last in ("", "..")):
        return None
    for_start, for_end = _lengths(first), _lengths(last)
    if for_start is not None and for_end is not None:
        return None
    end = None if last in ("", "..") or for_end is not None else read_period(last, clock)[1]
    start: int | None
    if for_start is not None:
        start = _shifted(clock, end, [(unit, -number) for unit, number in for_start])
    else:
        start = EARLIEST if first in ("", "..") else read_period(first, clock)[0]
    if for_end is not None:
        end = _shifted(clock, start, for_end)
    if start is None:
        raise ValueError("no beginning")
    if end is not None and end <= start:
        raise EmptyRange(f"the range ends before it begins: {text}")
    return start, end


_READERS: tuple[Callable[[str, Clock], Moments | None], ...] = (
    _partial, _part_of_year, _words, _counted, _now_and_steps, _duration, _interval,
)  # fmt: skip


def _dated(text: str, clock: Clock) -> Moments:
    """Read what an article could carry."""
    quoted = _QUOTED.match(text)
    text = quoted[2] if quoted else text
    moment = parse_date(text)
    length = _length(_OFFSET.sub("", text.lower()))
    whole_day = length is None and (moment.hour, moment.minute, moment.second) == (0, 0, 0)
    if whole_day and moment.tzinfo is None:
        return _walls(clock, moment, later(moment, "day", 1))
    start = to_microseconds(clock.moment(moment) if moment.tzinfo is None else moment.astimezone(UTC))
    after = start + (_DAY if whole_day else length or 1)
    return start, None if after > _LATEST else after


def _length(text: str) -> int | None:
    """Return the microseconds of the hour, minute, second or less that a time of day names; None if none is named."""
    found = _TIME_OF_DAY.search(text) or _SHORT_TIME.search(text)
    if found is None:
        return None
    if found["fraction"]:
        return 1
    return 1_000_000 * (1 if found["second"] else 60 if found["minute"] else 3600)


def _lengths(text: str) -> list[tuple[str, int]] | None:
    found = _DURATION.match(text)
    if found is None:
        return None
    units = ("year", "month", "week", "day", "hour", "minute")
    return [(unit, int(number)) for unit, number in zip(units, found.groups(), strict=True) if number]


def _unit_of(clock: Clock, unit: str, steps: int) -> _Walls:
    """Return the hour, day, week and so on that is so many after the one in which now is."""
    start = later(beginning(clock.wall(), unit), unit, steps)
    if start is None:
        raise ValueError("after the year 9999")
    return start, later(start, unit, 1)


def _until_now(clock: Clock, unit: str, count: int) -> Moments:
    now = clock.now()
    return to_microseconds(clock.moved(now, unit, -count)), to_microseconds(now)


def _shifted(clock: Clock, moment: int | None, parts: list[tuple[str, int]]) -> int | None:
    if moment is None:
        return None
    shifted = EPOCH + timedelta(microseconds=moment)
    for unit, number in parts:
        shifted = clock.moved(shifted, unit, number)
    return to_microseconds(shifted)
