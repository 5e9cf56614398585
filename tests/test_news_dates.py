"""Dates as people write them in queries: a table by a fixed clock in three zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsindex import Article, QueryError
from newsindex.analysis import Analyzer
from newsindex.dates import written_moment
from newsindex.query.clock import Clock
from newsindex.query.news_dates import read_period
from newsindex.query.parser import parse
from newsindex.query.tree import Nothing, Range
from newsindex.schema import Schema

SCHEMA = Schema(Article)
SURFACES = Analyzer("english").surfaces
# A leap year; two days before, clocks in Berlin went an hour forward, and those in New York three weeks before.
NOW = datetime(2024, 4, 2, 2, 30, tzinfo=UTC)
BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")

# What is written: the range in Berlin (Tuesday, 04:30), in New York (Monday, 22:30) and in UTC (Tuesday, 02:30).
TABLE = {
    "2024": (
        "2024-01-01T00:00+01:00 2025-01-01T00:00+01:00",
        "2024-01-01T00:00-05:00 2025-01-01T00:00-05:00",
        "2024-01-01T00:00Z 2025-01-01T00:00Z",
    ),
    "2024-03": (
        "2024-03-01T00:00+01:00 2024-04-01T00:00+02:00",
        "2024-03-01T00:00-05:00 2024-04-01T00:00-04:00",
        "2024-03-01T00:00Z 2024-04-01T00:00Z",
    ),
    # The day on which the clocks change has 23 hours in Berlin.
    "2024-03-31": (
        "2024-03-31T00:00+01:00 2024-04-01T00:00+02:00",
        "2024-03-31T00:00-04:00 2024-04-01T00:00-04:00",
        "2024-03-31T00:00Z 2024-04-01T00:00Z",
    ),
    # 02:30 does not exist on that day in Berlin.
    "2024-03-31T02:30": (
        "2024-03-31T03:30+02:00 2024-03-31T03:31+02:00",
        "2024-03-31T02:30-04:00 2024-03-31T02:31-04:00",
        "2024-03-31T02:30Z 2024-03-31T02:31Z",
    ),
    "today": (
        "2024-04-02T00:00+02:00 2024-04-03T00:00+02:00",
        "2024-04-01T00:00-04:00 2024-04-02T00:00-04:00",
        "2024-04-02T00:00Z 2024-04-03T00:00Z",
    ),
    "yesterday": (
        "2024-04-01T00:00+02:00 2024-04-02T00:00+02:00",
        "2024-03-31T00:00-04:00 2024-04-01T00:00-04:00",
        "2024-04-01T00:00Z 2024-04-02T00:00Z",
    ),
    "last week": (
        "2024-03-25T00:00+01:00 2024-04-01T00:00+02:00",
        "2024-03-25T00:00-04:00 2024-04-01T00:00-04:00",
        "2024-03-25T00:00Z 2024-04-01T00:00Z",
    ),
    "this week": (
        "2024-04-01T00:00+02:00 2024-04-08T00:00+02:00",
        "2024-04-01T00:00-04:00 2024-04-08T00:00-04:00",
        "2024-04-01T00:00Z 2024-04-08T00:00Z",
    ),
    "previous month": (
        "2024-03-01T00:00+01:00 2024-04-01T00:00+02:00",
        "2024-03-01T00:00-05:00 2024-04-01T00:00-04:00",
        "2024-03-01T00:00Z 2024-04-01T00:00Z",
    ),
    # Three days by the calendar, an hour less by the clock in Berlin.
    "last 3 days": (
        "2024-03-30T04:30+01:00 2024-04-02T04:30+02:00",
        "2024-03-29T22:30-04:00 2024-04-01T22:30-04:00",
        "2024-03-30T02:30Z 2024-04-02T02:30Z",
    ),
    "72h": (
        "2024-03-30T03:30+01:00 2024-04-02T04:30+02:00",
        "2024-03-29T22:30-04:00 2024-04-01T22:30-04:00",
        "2024-03-30T02:30Z 2024-04-02T02:30Z",
    ),
    "NOW-14DAYS/DAY": (
        "2024-03-19T00:00+01:00 2024-04-02T04:30:00.000001+02:00",
        "2024-03-18T00:00-04:00 2024-04-01T22:30:00.000001-04:00",
        "2024-03-19T00:00Z 2024-04-02T02:30:00.000001Z",
    ),
}
# What needs no zone to be told: the same days everywhere.
DAYS = {
    "20240301": ("2024-03-01", "2024-03-02"),
    "2024/3/1": ("2024-03-01", "2024-03-02"),
    "2024-02-28/2024-02-29": ("2024-02-28", "2024-03-01"),
    "2022-03/2022-04": ("2022-03-01", "2022-05-01"),
    "2022-03..2022-04": ("2022-03-01", "2022-05-01"),
    "2022-03-01/P1M": ("2022-03-01", "2022-04-01"),
    "2024-01-31/P1M": ("2024-01-31", "2024-02-29"),
    "2023-01-31/P1M": ("2023-01-31", "2023-02-28"),
    "P1M/2022-03": ("2022-03-01", "2022-04-01"),
    "P1Y/2024-02-28": ("2023-02-28", "2024-02-29"),
    "2022-03/": ("2022-03-01", None),
    "/2022-04": (None, "2022-05-01"),
    "2022-03..": ("2022-03-01", None),
    "..2022-03": (None, "2022-04-01"),
    "March 2022": ("2022-03-01", "2022-04-01"),
    "mar. 2022": ("2022-03-01", "2022-04-01"),
    "9 March 2022": ("2022-03-09", "2022-03-10"),
    "March 9, 2022": ("2022-03-09", "2022-03-10"),
    "2024-W10": ("2024-03-04", "2024-03-11"),
    "2024-Q1": ("2024-01-01", "2024-04-01"),
    "Q4 2023": ("2023-10-01", "2024-01-01"),
    "'2022-03'": ("2022-03-01", "2022-04-01"),
    "last year": ("2023-01-01", "2024-01-01"),
    "previous_quarter": ("2024-01-01", "2024-04-01"),
    "this month": ("2024-04-01", "2024-05-01"),
    "two weeks ago": ("2024-03-18", "2024-03-25"),
    "[2022-03-01 TO 2022-03-31]": ("2022-03-01", "2022-04-01"),
    "['2022-03-01' to '2022-03-31']": ("2022-03-01", "2022-04-01"),
    "[2022-03-01 to]": ("2022-03-01", None),
    "[TO 2022]": (None, "2023-01-01"),
    ">2022-03": ("2022-04-01", None),
    ">= 2022-03": ("2022-03-01", None),
    "<2022": (None, "2022-01-01"),
}
WRONG = (
    "blarg",
    "2024-02-30",
    "2023-02-29",
    "2024-13",
    "last",
    "week",
    "14-12-29",
    "March",
    "25h ago",
    "",
    "10:30",
    "P",
    "//",
)


def searched(text: str, zone: tzinfo) -> str:
    query = parse(text, SCHEMA, SURFACES, Clock(NOW, zone))
    assert query.diagnostics == ()
    assert isinstance(query.tree, Range)
    again = parse(str(query.tree), SCHEMA, SURFACES, Clock(NOW, UTC))
    assert again.tree == query.tree
    low, high = query.tree.low, query.tree.high
    written = [None if end is None else written_moment(int(end), zone) for end in (low, high)]
    ends = f"[{written[0] or '*'} TO {written[1] or '*'}{'}' if high is not None else ']'}"
    assert str(query.tree) == f"published:{ends}"  # the range that was searched, with its offsets
    return f"{written[0]} {written[1]}"


@pytest.mark.parametrize("text", TABLE)
def test_a_date_in_three_zones(text: str) -> None:
    for zone, expected in zip((BERLIN, NEW_YORK, UTC), TABLE[text], strict=True):
        assert searched(f'published:"{text}"', zone) == expected
        assert searched(f'when:"{text}"', zone) == expected


@pytest.mark.parametrize("text", DAYS)
def test_whole_days_in_three_zones(text: str) -> None:
    for zone in (BERLIN, NEW_YORK, UTC):
        ends = [None if day is None else datetime.fromisoformat(day).replace(tzinfo=zone) for day in DAYS[text]]
        found = parse(f'published:"{text}"', SCHEMA, SURFACES, Clock(NOW, zone))
        assert found.diagnostics == ()
        assert isinstance(found.tree, Range)
        micro = [None if end is None else int(end.timestamp()) * 1_000_000 for end in ends]
        assert [found.tree.low, found.tree.high] == micro


def test_several_words_need_no_quotes() -> None:
    for text in ("published:(last week)", "published:last week", "when:last week", "published:'last week'",
                 "published:last-week", "(published:last week)"):  # fmt: skip
        assert searched(text, UTC) == TABLE["last week"][2], text
    query = parse("published:March 2022 floods", SCHEMA, SURFACES, Clock(NOW, UTC))
    assert str(query.tree) == "published:[2022-03-01T00:00Z TO 2022-04-01T00:00Z} floods"
    query = parse("published:2024 3 5", SCHEMA, SURFACES, Clock(NOW, UTC))
    assert str(query.tree) == "published:[2024-01-01T00:00Z TO 2025-01-01T00:00Z} 3 5"


def test_after_begins_and_before_ends_where_the_period_begins() -> None:
    assert searched("after:2020", UTC) == "2020-01-01T00:00Z None"
    assert searched("before:2020-03", BERLIN) == "None 2020-03-01T00:00+01:00"
    assert searched("after:yesterday", UTC) == "2024-04-01T00:00Z None"
    assert searched("when:7d", UTC) == "2024-03-26T02:30Z 2024-04-02T02:30Z"
    assert searched("when:24h", UTC) == "2024-04-01T02:30Z 2024-04-02T02:30Z"
    assert searched("when:2m", UTC) == "2024-02-02T02:30Z 2024-04-02T02:30Z"
    assert searched("when:1y", UTC) == "2023-04-02T02:30Z 2024-04-02T02:30Z"
    assert searched("published:P1W", UTC) == "2024-03-26T02:30Z 2024-04-02T02:30Z"
    assert searched("published:[NOW-14DAYS/DAY TO NOW]", UTC) == "2024-03-19T00:00Z 2024-04-02T02:30:00.000001Z"
    assert searched("published:[last week to now]", UTC) == "2024-03-25T00:00Z 2024-04-02T02:30:00.000001Z"


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_date_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="date"):
        read_period(text, Clock(NOW, UTC))


def test_the_nearest_date_is_suggested() -> None:
    for text, guess in {"yesteday": "yesterday", '"last weak"': "last week", "previos month": "previous month"}.items():
        (remark,) = parse(f"published:{text} oil", SCHEMA, SURFACES, Clock(NOW, UTC)).diagnostics[:1]
        assert (remark.kind, remark.suggestion) == ("bad-date", guess)
    assert parse("published:2024..2023", SCHEMA, SURFACES).tree == Nothing()


@given(st.text("0123456789-/.:PTWDMYnowlastkd ", max_size=24), st.sampled_from([BERLIN, NEW_YORK, UTC, None]))
def test_any_text_is_a_period_or_no_date(text: str, zone: tzinfo | None) -> None:
    try:
        start, end = read_period(text, Clock(NOW, zone))
    except ValueError:
        return
    assert end is None or start < end


@given(st.datetimes(), st.sampled_from([BERLIN, NEW_YORK, UTC, None]))
def test_periods_in_words_hold_their_now_or_touch_it(now: datetime, zone: tzinfo | None) -> None:
    clock = Clock(now.replace(tzinfo=UTC), zone)
    try:
        today, yesterday, week = (read_period(text, clock) for text in ("today", "yesterday", "this week"))
    except ValueError:
        assert now.year in (1, 9999)
        return
    moment = (now.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert today[0] <= moment + 1_000_000
    assert today[1] is None or moment <= today[1]
    assert yesterday[1] == today[0] or now.year == 1
    assert week[0] <= today[0]


def test_a_clock_that_cannot_be() -> None:
    with pytest.raises(QueryError, match="no time zone"):
        Clock.of(None, "Europe/Atlantis")
    with pytest.raises(QueryError, match="zone"):
        Clock.of(None, 5)  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="a datetime"):
        Clock.of("now", None)  # type: ignore[arg-type]
