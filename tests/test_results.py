"""Hits and pages of them: made when asked for, and then kept."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from newsindex import Article
from newsindex.results import Hit, Results, Snippet
from tests.pages import GivenPage
from tests.test_index import ARTICLES, MakeIndex

GIVEN = [
    Article(id="a", title="Rates fell", source="CNN", published=datetime(2024, 4, 1, tzinfo=UTC), body="The bank."),
    Article(id="b", title="Oil talks"),
    Article(id="c", title="Undated", source="Wire"),
]


def test_a_page_is_a_sequence_of_hits() -> None:
    results = Results(GivenPage(GIVEN, given=10))
    assert (len(results), bool(results), results[-1].id, results[0] in results) == (3, True, "c", True)
    assert [hit.rank for hit in results] == [11, 12, 13]
    assert [hit.score for hit in results[:2]] == [2.5, 1.5]
    assert (results.ids, results.scores, results.titles) == (
        ["a", "b", "c"],
        [2.5, 1.5, 0.5],
        ["Rates fell", "Oil talks", "Undated"],
    )
    assert type(results[0].score) is float
    assert [hit.id for hit in reversed(results)] == ["c", "b", "a"]
    assert results[0] is results[0]
    assert repr(results) == "<Results of 'oil': 3 hits on this page>"
    assert not Results(GivenPage([]))
    with pytest.raises(IndexError):
        results[3]


def test_nothing_is_made_before_it_is_asked_for_and_then_once() -> None:
    page = GivenPage(GIVEN)
    results = Results(page)
    assert (len(results), results.facets, page.asked) == (3, {"source": {"CNN": 1}}, [])
    hits = list(results)
    assert page.asked == []
    assert [hit.title for hit in hits] == ["Rates fell", "Oil talks", "Undated"]
    assert page.asked == ["title"] * 3
    page.asked.clear()
    for _ in range(2):
        assert (results.total, results.next, results.searched, results.diagnostics) == (17, None, "oil", ())
        assert results[0].article is GIVEN[0]
        assert results[0].snippet == Snippet("The bank.")
    assert page.asked == ["count", "cursor", "searched", "diagnostics", "article", "snippet"]


def test_hits_are_equal_when_a_list_shows_the_same_and_do_not_change() -> None:
    first, second = Results(GivenPage(GIVEN)), Results(GivenPage(GIVEN))
    assert list(first) == list(second)
    assert len({*first, *second}) == 3
    assert first[0] != Results(GivenPage(GIVEN, given=1))[0]
    assert first[0] != "Rates fell"
    assert repr(first[0]) == (
        "Hit(rank=1, score=2.5, id='a', title='Rates fell', published=datetime.datetime(2024, 4, 1, 0, 0, "
        "tzinfo=datetime.timezone.utc), source='CNN')"
    )
    for name in ("rank", "score", "id", "title", "published", "source", "article", "snippet"):
        with pytest.raises(AttributeError):
            setattr(first[0], name, None)


def test_hits_stay_what_they_were_after_later_commits(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)
    results = index.search("rates", limit=1)
    hits: list[Hit] = list(results)
    index.add({"id": "1", "title": "Nothing of that"})
    index.delete(["2", "3"])
    assert (hits[0].title, hits[0].source, hits[0].snippet.text) == ("Rates fell", "CNN", "The bank cut its rate.")
    assert hits[0].article.body == "The bank cut its rate."  # type: ignore[attr-defined]
    assert (results.total, results.searched, results.next is None) == (2, "rates", False)
    assert index.search("rates").total == 0
