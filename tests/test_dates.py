"""Written dates."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from dateutil.tz import tzoffset
from hypothesis import given
from hypothesis import strategies as st

from newsindex.dates import from_microseconds, parse_date, parse_period, to_microseconds

READ = {
    "2024-04-09": "2024-04-09T00:00:00",
    "2024-04-09T10:30:00Z": "2024-04-09T10:30:00+00:00",
    "2006-10-21T14:21:00-04:00": "2006-10-21T14:21:00-04:00",
    "2014-12-29T10:20:30.123Z": "2014-12-29T10:20:30.123000+00:00",
    "1987-02-26T15:03:27": "1987-02-26T15:03:27",
    "Tue, 09 Apr 2024 10:30:00 +0200": "2024-04-09T10:30:00+02:00",
    "Thu, 01 Jan 2004 19:48:21 GMT": "2004-01-01T19:48:21+00:00",
    "20141229": "2014-12-29T00:00:00",
    "20141229 10:20:30": "2014-12-29T10:20:30",
    "Monday, December 29, 2014,  5:00 PM": "2014-12-29T17:00:00",
    "Tue Dec 16 09:00:12 UTC 2014": "2014-12-16T09:00:12+00:00",
    "Sat, Dec 20 2014 10:11:12 +0100": "2014-12-20T10:11:12+01:00",
    "2014-12-29 10:15:00 EST": "2014-12-29T10:15:00-05:00",
    "2014-12-29 10:15": "2014-12-29T10:15:00",
    "2014-01-02T10:20-5:00": "2014-01-02T10:20:00-05:00",
    "Tue Dec 16 09:00:12 XYZ 2014": "2014-12-16T09:00:12",
    "9 April 2024": "2024-04-09T00:00:00",
    "  2024-04-09  ": "2024-04-09T00:00:00",
}
REFUSED = [
    "",
    "2014",
    "2024-04",
    "tuesday update",
    "yesterday",
    "14-12-29",
    "03/04/2024",
    "1419887700000",
    "2024-04-09T10:30:00+25:00",
    "Tue, 09 Apr 2024 10:30:00 +2500",
    "12345678901234567890999992024m Mon",
    datetime(2024, 4, 9, tzinfo=tzoffset(None, 90_000)),
    "x" * 200,
    5,
]


@pytest.mark.parametrize("text", READ)
def test_reads(text: str) -> None:
    assert parse_date(text).isoformat() == READ[text]


@pytest.mark.parametrize("value", REFUSED)
def test_refuses_what_names_no_day_or_two(value: object) -> None:
    with pytest.raises(ValueError, match="date"):
        parse_date(value)


@given(st.text(max_size=40) | st.text("0123456789-/: TZ+JanPM,", max_size=25))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        parse_date(text).utcoffset()


@given(
    st.text("0123456789-/: TZ+JanPM,", max_size=25)
    | st.datetimes()
    | st.datetimes(timezones=st.just(timezone(timedelta(hours=14))))
    | st.dates()
    | st.from_regex(r"(?:0001|9999|[0-9]{4})-[0-9]{2}-[0-9]{2}(?:T23:59:59[+-][0-9]{2}:00)?", fullmatch=True)
)
def test_any_period_is_a_range_of_time_or_refused(value: object) -> None:
    with contextlib.suppress(ValueError):
        start, end = parse_period(value)
        assert start.tzinfo is UTC
        assert end is None or start < end


def test_a_period_at_the_end_of_9999_has_no_end() -> None:
    for value in ("9999", "9999-12", "9999-12-31", date.max, datetime.max, "31 December 9999"):
        assert parse_period(value)[1] is None
    assert parse_period("9999-11")[1] == datetime(9999, 12, 1, tzinfo=UTC)
    assert parse_period("9999-12-30")[1] == datetime(9999, 12, 31, tzinfo=UTC)


def test_periods() -> None:
    day = datetime(2024, 4, 9, tzinfo=UTC)
    assert parse_period("2024") == (datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))
    assert parse_period("2024-12") == (datetime(2024, 12, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))
    assert parse_period("2024-4-9") == parse_period("20240409") == parse_period(date(2024, 4, 9))
    assert parse_period("2024-04-09") == (day, day + timedelta(days=1))
    assert parse_period("2024-04-09T10:30")[0] == day + timedelta(hours=10, minutes=30)
    start, end = parse_period(datetime(2024, 4, 9, 2, tzinfo=timezone(timedelta(hours=2))))
    assert (start, end) == (day, day + timedelta(microseconds=1))
    for bad in ("2024-13", "2024-02-30", "blarg", "0000", ""):
        with pytest.raises(ValueError, match="not a date"):
            parse_period(bad)


@given(st.datetimes(timezones=st.just(UTC)))
def test_microseconds_and_back(moment: datetime) -> None:
    assert from_microseconds(to_microseconds(moment)) == moment
