"""The user's clock: what is now, in which zone, and the calendar there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from newsindex.dates import EPOCH, to_microseconds
from newsindex.errors import QueryError
from newsindex.wrong_value import shown

__all__ = ["EARLIEST", "Clock", "beginning", "later"]

EARLIEST = to_microseconds(datetime.min.replace(tzinfo=UTC))
"""The first moment of all in microseconds since 1970."""
_SECOND = timedelta(seconds=1)


class Clock:
    """What moment is now, and what zone a person is in: None is the zone of this computer."""

    __slots__ = ("_now", "stops", "zone")

    def __init__(self, now: datetime | None = None, zone: tzinfo | None = None) -> None:
        """Take a moment, in the zone where it names none; None is the moment when it is asked for."""
        self._now = now
        self.stops = False
        self.zone = zone

    @classmethod
    def of(cls, now: datetime | None, zone: tzinfo | str | None) -> Clock:
        """Make one of what a caller gave.

        Raises:
            QueryError: no such zone, or not a moment.
        """
        if now is not None and not isinstance(now, datetime):
            raise QueryError(f"now: a datetime, not {shown(now)}")
        if isinstance(zone, str):
            try:
                zone = ZoneInfo(zone)
            except (ValueError, OSError, KeyError) as error:
                raise QueryError(f"zone: no time zone {shown(zone)}; write one as Europe/London") from error
        elif zone is not None and not isinstance(zone, tzinfo):
            raise QueryError(f"zone: a name as 'Europe/London', a tzinfo, or None for yours, not {shown(zone)}")
        return cls(now, zone)

    def stopping(self) -> Clock:
        """Return a clock that stops when it is first asked: for it now is always the same moment."""
        clock = Clock(self._now, self.zone)
        clock.stops = True
        return clock

    def now(self) -> datetime:
        """Return the moment in UTC, to the second that has begun or begins."""
        moment = self._now or datetime.now(UTC)
        if self.stops:
            self._now = moment
        if moment.tzinfo is None:
            moment = self.moment(moment)
        whole = moment.astimezone(UTC).replace(microsecond=0)
        return whole + _SECOND if moment.microsecond else whole

    def wall(self) -> datetime:
        """Return what the clock on the wall shows, without zone."""
        return self.now().astimezone(self.zone).replace(tzinfo=None)

    def moment(self, wall: datetime) -> datetime:
        """Return the moment in UTC at which the wall shows this.

        Raises:
            ValueError, OverflowError, OSError: before the year 1 or after 9999 in UTC.
        """
        aware = wall.astimezone() if self.zone is None else wall.replace(tzinfo=self.zone)
        return aware.astimezone(UTC)

    def microseconds(self, wall: datetime | None) -> int | None:
        """Return the same in microseconds: None after 9999, the first moment of all before the year 1."""
        if wall is None:
            return None
        try:
            return to_microseconds(self.moment(wall))
        except (ValueError, OverflowError, OSError):
            return EARLIEST if wall.year < EPOCH.year else None

    def moved(self, moment: datetime, unit: str, count: int) -> datetime:
        """Return the moment so much later: hours by the clock, days and more by the calendar of the zone.

        Raises:
            ValueError, OverflowError, OSError: before the year 1 or after 9999.
        """
        if unit in ("hour", "minute"):
            return moment + timedelta(**{f"{unit}s": count})
        wall = later(moment.astimezone(self.zone).replace(tzinfo=None), unit, count)
        if wall is None:
            raise ValueError("after the year 9999")
        return self.moment(wall)


def beginning(wall: datetime, unit: str) -> datetime:
    """Return the beginning of the hour, day, week and so on in which this is."""
    if unit == "hour":
        return wall.replace(minute=0, second=0, microsecond=0)
    day = wall.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "week":
        return day - timedelta(days=day.weekday())
    if unit == "day":
        return day
    month = {"month": day.month, "quarter": (day.month - 1) // 3 * 3 + 1, "year": 1}[unit]
    return day.replace(day=1, month=month)


def later(wall: datetime, unit: str, count: int) -> datetime | None:
    """Return the same so many units later, or the month's last day where it has no such day; None after 9999."""
    if unit in ("hour", "minute", "day", "week"):
        try:
            return wall + timedelta(**{f"{unit}s": count})
        except OverflowError:
            if count < 0:
                raise
            return None
    months = wall.year * 12 + wall.month - 1 + count * {"month": 1, "quarter": 3, "year": 12}[unit]
    year, month = divmod(months, 12)
    if year > datetime.max.year:
        return None
    first = datetime(year, month + 1, 1)
    following = later(first, "day", 31)
    last = 31 if following is None else 31 - (following.day - 1 if following.month != month + 1 else 0)
    return wall.replace(year=year, month=month + 1, day=min(wall.day, last))
