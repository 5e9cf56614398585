"""What a search promises: hits, order, pages, facets, snippets, and an answer or a refusal to every query."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import newsindex
from newsindex import IndexNotFound, QueryError, QueryTooComplex
from newsindex.codec.reader import SegmentReader
from newsindex.index import NewsIndex
from newsindex.results import Snippet
from newsindex.search.cursor import Cursor
from newsindex.search.execute import Execution
from newsindex.search.plain_search import PlainSearch
from tests.strategies import Counted
from tests.test_index import ARTICLES, MakeIndex, ids


def test_hits(make_index: MakeIndex) -> None:
    hits = make_index(ARTICLES).search("rates", limit=5)
    assert [(hit.rank, hit.id, hit.title, hit.source) for hit in hits] == [
        (1, "1", "Rates fell", "CNN"), (2, "2", "Oil talks", "Xinhua"),
    ]  # fmt: skip
    assert hits[0].score > hits[1].score > 0
    assert hits[0].published == datetime(2024, 4, 1, tzinfo=UTC)
    assert hits[0].article.body == "The bank cut its rate."  # type: ignore[attr-defined]
    assert hits[0].snippet.html() == "The bank cut its <mark>rate</mark>."
    assert hits.total == 2


def test_an_article_without_a_title_is_called_by_its_first_line(make_index: MakeIndex) -> None:
    index = make_index([{"id": "1", "body": "First line.\nSecond line."}])
    assert index.search("second")[0].title == "First line."


def test_sorting_and_filters(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)
    assert ids(index.search(sort="newest")) == ["2", "1", "3"]
    assert ids(index.search("oil OR bank", sort="oldest")) == ["1", "2", "3"]
    assert sorted(ids(index.search(where={"source": "CNN"}))) == ["1", "3"]
    assert ids(index.search("oil", where={"source": ["CNN", "BBC"]})) == ["3"]
    assert ids(index.search(where={"published": ("2024-04-02", None)})) == ["2"]
    assert ids(index.search(where={"published": date(2024, 4, 1), "source": "cnn"})) == ["1"]
    assert ids(index.search("oil", where={"source": "nobody"})) == []
    assert (
        index.search("oil", where={"published": "2024-04"}).searched
        == "oil published:[2024-04-01T00:00Z TO 2024-05-01T00:00Z}"
    )


def test_facets_and_values(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)
    assert index.search("oil", facets=["source"], limit=1).facets == {"source": {"CNN": 1, "Xinhua": 1}}
    assert index.search("oil", facets="source").facets == {"source": {"CNN": 1, "Xinhua": 1}}
    assert index.values("source") == {"CNN": 2, "Xinhua": 1}
    assert index.values("source", "xi") == {"Xinhua": 1}
    with pytest.raises(QueryError, match="no keyword field"):
        index.search("oil", facets=["title"])


def test_what_excludes_nothing_is_remarked_upon(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)
    for query in ("oil -zeppelin", "oil -source:typo", "oil -id:9", "oil -zepp*"):
        (remark,) = index.search(query).diagnostics
        assert (remark.kind, "it excludes nothing" in remark.message) == ("no-such-exclusion", True)
    assert index.search("oil -rates").diagnostics == ()


def test_ids_are_text_or_whole_numbers(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)
    assert index.get(1).id == index.get(" 1 ").id == "1"  # type: ignore[union-attr]
    assert index.explain("bank", 1).value > 0
    for wrong in (None, True, 1.5, ["1"], "\ud800"):
        with pytest.raises(QueryError, match=r"^id: "):
            index.get(wrong)  # type: ignore[arg-type]
        with pytest.raises(QueryError, match=r"^id: "):
            index.delete([wrong])  # type: ignore[list-item]
    with pytest.raises(QueryError, match="an id, or several"):
        index.delete(None)  # type: ignore[arg-type]
    assert index.count("id:\ud800") == 0
    assert (index.delete([1, "2"]), index.delete(3)) == (2, 1)


@pytest.mark.parametrize("name", ["limit", "sort", "facets", "after", "k1", "b", "weights", "timeout", "zone", "now"])
def test_arguments_that_cannot_be_written_out_are_misused_too(name: str, make_index: MakeIndex) -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    index = make_index([{"id": "1", "body": "oil"}])
    for value in (deep, object(), -(10**5000)):  # the number for its sign, where large ones are taken
        with pytest.raises(QueryError, match=r"not|no keyword field"):
            index.search("oil", **{name: value})
    for ask in (index.get, index.values, lambda value: index.explain("oil", value)):
        for value in (deep, object(), 10**5000):
            with pytest.raises(QueryError):
                ask(value)
    for where in (deep, {"published": deep}, {"source": deep}, {"id": deep}, {deep and 3: "x"}):
        with pytest.raises(QueryError, match=r"^where: "):
            index.search("oil", where=where)
    for variants in ({"groups": 10**5000}, {"groups": [deep]}, {"spelling": deep}, {"without": deep}, {7: 1}):
        with pytest.raises(QueryError, match=r"^variants: "):
            newsindex.open(index._folder, variants=variants)
    for location in (deep, 10**5000):
        with pytest.raises(IndexNotFound, match="a folder is named by"):
            newsindex.open(location)  # type: ignore[arg-type]
    while deep:  # Python would take as many levels of its stack to let go of it
        deep = deep.pop()


def test_misuse_of_arguments(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)
    for arguments in (
        {"limit": -1}, {"limit": 1.5}, {"limit": True}, {"sort": "best"}, {"after": "???"}, {"after": 5},
        {"where": {"sauce": "x"}}, {"facets": "title"}, {"facets": ["nothing"]},
    ):  # fmt: skip
        with pytest.raises(QueryError):
            index.search("oil", **arguments)  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="a string"):
        index.search(5)  # type: ignore[arg-type]
    cursor = index.search("oil", limit=1).next
    assert cursor is not None
    with pytest.raises(QueryError, match="another search"):
        index.search("rates", after=cursor)
    with pytest.raises(QueryError, match="no article has the id"):
        index.explain("oil", "nobody")
    with pytest.raises(QueryError, match="does not match"):
        index.explain("oil", "1")
    assert len(index.search("oil", limit=0)) == 0


@settings(max_examples=50)
@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda data: data.decode("latin-1")))
def test_any_cursor_is_one_or_an_error(text: str) -> None:
    with pytest.raises(QueryError):
        Cursor.decode(text, "digest")


def test_a_cursor_holds_over_a_commit(make_index: MakeIndex) -> None:
    index = make_index([{"id": str(n), "title": "oil " * (n + 1)} for n in range(6)])
    first = index.search("oil", limit=2)
    index.add([{"id": "new", "title": "wheat"}])
    rest = index.search("oil", limit=10, after=first.next)
    assert sorted(ids(first) + ids(rest)) == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize("sort", ["relevance", "newest", "oldest"])
def test_a_cursor_holds_when_its_last_hit_is_deleted(make_index: MakeIndex, sort: Any) -> None:
    index = make_index({"id": str(n), "title": "oil " * (n + 1), "published": f"2024-04-0{n + 1}"} for n in range(8))
    whole = ids(index.search("oil", limit=None, sort=sort))
    first = index.search("oil", limit=3, sort=sort)
    index.delete(whole[1:3])
    assert ids(index.search("oil", limit=None, sort=sort, after=first.next)) == whole[3:]


def test_dates_far_away_keep_their_order_to_the_microsecond(make_index: MakeIndex) -> None:
    dates = [f"9998-01-01T00:00:00.{n:06}Z" for n in range(5)]
    index = make_index({"id": str(n), "title": "oil", "published": date} for n, date in enumerate(dates))
    first = index.search("oil", sort="newest", limit=2)
    assert ids(first) + ids(index.search("oil", sort="newest", after=first.next)) == ["4", "3", "2", "1", "0"]


def test_hostile_queries_are_answered_or_refused(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)
    for query in ("oil " * 25_000, "(" * 1000, "oil " * 1023 + "x y", '"' * 4000):
        with pytest.raises(QueryTooComplex):
            index.search(query)
    for query in (
        "NOT " * 1000,
        '"' * 2000,
        "-" * 4000,
        "*" * 100,
        "a* " * 100,
        ")" * 1000,
        "oil^" * 500,
        "\x00",
        "😀",
    ):
        assert index.search(query).diagnostics is not None


def test_costly_queries_are_answered_in_time_or_refused(make_index: MakeIndex) -> None:
    words = [first + second + third for first in "abcdefghij" for second in "klmnopqrst" for third in "uvwxyzabc"]
    index = make_index({"id": str(n), "title": "the oil", "body": " ".join(words[n : n + 300])} for n in range(100))
    for query in (
        "oil " * 1000, " ".join(words[:800]), " OR ".join(words[:500]), '"' + "the " * 900 + '"',
        "-" + " -".join(words[:600]), " OR ".join(f"{a}*" for a in "abcdefghij"), '"' + " ".join(words[:250]) + '"',
        " ".join(f"missing{n}" for n in range(300)), " OR ".join(f"missing{n}" for n in range(250)),
    ):  # fmt: skip
        results = index.search(query)
        assert results.total == len(index.search(query, limit=None))
    for query in ("a^" * 2000, "a:" * 2000, '"' + "a " * 1025 + '"', "x-" * 1025):
        with pytest.raises(QueryTooComplex, match="the number of words"):
            index.search(query)


def test_prefixes_share_one_limit_and_tell_when_it_cuts(make_index: MakeIndex) -> None:
    words = [f"{letter}{number}" for letter in "ab" for number in range(700)]
    index = make_index([{"id": "1", "title": " ".join(words)}, {"id": "2", "title": "b1"}])
    results = index.search("a* OR b* OR c9* OR a*")
    assert [remark.kind for remark in results.diagnostics] == ["cut-expansion", "no-such-term"]
    assert "700 words; the 324 most frequent" in results.diagnostics[0].message
    assert ids(index.search("b* a*")) == ["1"]
    assert index.search("b*").diagnostics == ()
    # What is remembered of each alone has the same limit.
    for _ in range(2):
        assert index.search("a*").diagnostics == ()
        again = index.search("a* OR b* OR c9* OR a*")
        assert (ids(again), again.diagnostics, again.scores) == (ids(results), results.diagnostics, results.scores)
        assert [said.kind for said in index.search("b* a*").diagnostics] == ["cut-expansion"]
        assert ids(index.search("a1* OR b*")) == ["1", "2"]


def test_a_search_that_takes_too_long_is_refused(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)
    for query in ("oil", "oil -bank", "o*", "", "oil OR bank"):
        with pytest.raises(QueryTooComplex, match="the time in milliseconds") as caught:
            index.search(query, timeout=1e-9)
        assert caught.value.maximum == 0
        assert index.search(query, timeout=None).total == index.search(query, timeout=60).total
    for wrong in (0, -1, True, "1", float("nan")):
        with pytest.raises(QueryError, match=r"^timeout: "):
            index.search("oil", timeout=wrong)  # type: ignore[arg-type]


_QUERY_PIECES = [
    *("oil", "rates", "中", "文", "é", "я", "source:", "published:", "title:", "id:", "words:", "live:", "grade:"),
    *(
        "(",
        ")",
        '"',
        "“",
        "-",
        "NOT ",
        " OR ",
        " AND ",
        "*",
        "^2",
        "^0",
        "..",
        ">=",
        "<",
        "[",
        " TO ",
        "]",
        "}",
        "~2",
        ",",
    ),
    *("2024", "9999", "9999-12-31", "0001-01-01", "31 December 9999", "0001-01-01T00:00:00+14:00", "true", "1.5", " "),
    *("9223372036854775807", "-1e400", "12345678901234567890999992024m Mon", "\ud800", "\x00"),
]


@pytest.fixture(scope="module")
def mixed_index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewsIndex]:
    with newsindex.open(tmp_path_factory.mktemp("mixed") / "index", create=True, model=Counted) as index:
        index.add(ARTICLES)
        index.add([{"id": "4", "title": "中文 oil", "words": 7, "grade": 1.5, "live": True, "tags": ["a", "b"]}])
        index.delete("2")
        yield index


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(_QUERY_PIECES) | st.text(max_size=3), max_size=12).map("".join) | st.text(max_size=40))
def test_any_query_text_is_answered_or_refused(mixed_index: NewsIndex, query: str) -> None:
    try:
        results = mixed_index.search(query, limit=None, facets="source")
        assert results.total == len(results) == mixed_index.count(query)
        assert len(mixed_index.search(query, sort="newest", limit=2)) == min(2, len(results))
        for hit in results[:1]:
            assert hit.snippet.text
            assert mixed_index.explain(query, hit.id).value == pytest.approx(hit.score, rel=1e-5, abs=1e-9)
    except QueryTooComplex:
        assert len(query) > 40  # a limit is all that a text may run into, and these are short


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("words:>4611686018427387903", []),
        ("words:>=-4611686018427387903", ["4"]),
        ("words:<=7", ["4"]),
        ("words:>6.5", ["4"]),
        ("words:<7", []),
        ("words:[7 TO *]", ["4"]),
        ("grade:>1.4", ["4"]),
        ("grade:{1.5 TO 2]", []),
        ("live:yes", ["4"]),
        ("live:no", []),
        ("published:<2024-04-02", ["1"]),
        ("-published:..9998", ["3", "4"]),
        ("tags:A", ["4"]),
    ],
)
def test_ranges_at_their_edges(mixed_index: NewsIndex, query: str, found: list[str]) -> None:
    assert sorted(ids(mixed_index.search(query))) == found


def test_a_letter_of_any_script_is_a_word_and_an_ideograph_stands_for_its_pairs(make_index: MakeIndex) -> None:
    titles = {"1": "яма", "2": "я и ты", "3": "中文", "4": "文", "5": "文化学", "6": "学文学", "7": "α β", "8": "αβ"}
    index = make_index({"id": key, "title": title} for key, title in titles.items())
    for query, found in {
        "я": ["2"],
        "α": ["7"],
        "文": ["3", "4", "5", "6"],
        "中": ["3"],
        "化": ["5"],
        "学": ["5", "6"],
    }.items():
        assert sorted(ids(index.search(query, limit=None))) == found, query
        assert all(hit.snippet.spans for hit in index.search(query, limit=None))
    assert ids(index.search('"文"', where={"id": "3"})) == ["3"]


def test_date_order_with_commits_in_which_nothing_is_dated(make_index: MakeIndex) -> None:
    index = make_index([{"id": "1", "title": "oil"}, {"id": "2", "title": "oil"}])
    index.add([{"id": "3", "title": "oil", "published": "2024-04-01"}, {"id": "4", "title": "oil"}])
    index.add([{"id": "5", "title": "oil", "published": "1960-04-01"}])
    assert ids(index.search("oil", sort="newest")) == ["3", "5", "1", "2", "4"]
    assert ids(index.search("oil", sort="oldest")) == ["5", "3", "1", "2", "4"]
    index.delete(["3", "5"])
    assert (index.stats().oldest, ids(index.search(sort="newest"))) == (None, ["1", "2", "4"])


def test_lists_of_hits_facets_and_statistics_need_no_stored_article(
    make_index: MakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = make_index(ARTICLES)
    before = [(hit.id, hit.title, hit.source) for hit in index.search("oil", sort="newest", facets=["source"])]
    assert before == [("2", "Oil talks", "Xinhua"), ("3", "Undated", "CNN")]

    def refuse(*_: Any) -> bytes:
        raise AssertionError("a stored article was read")

    monkeypatch.setattr(SegmentReader, "stored", refuse)
    results = index.search("oil", sort="newest", facets=["source", "tags"])
    assert [(hit.id, hit.title, hit.source) for hit in results] == before
    assert (results.total, index.values("source"), index.stats().articles) == (2, {"CNN": 2, "Xinhua": 1}, 3)
    with pytest.raises(AssertionError, match="a stored article"):
        _ = results[0].article


@pytest.mark.parametrize(
    ("query", "kind", "name"), [("oil^2", Execution, "_find"), ("oil OR talks", PlainSearch, "_matching")]
)
def test_a_page_with_total_and_facets_collects_its_matches_once(
    query: str, kind: Any, name: str, make_index: MakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = make_index(ARTICLES)
    calls: list[object] = []
    find = getattr(kind, name)

    def counted(*arguments: Any) -> Any:
        calls.append(arguments)
        return find(*arguments)

    monkeypatch.setattr(kind, name, counted)
    results = index.search(query, sort="newest", facets=["source", "tags"])
    assert (results.total, results.total, len(calls)) == (2, 2, 1)


def test_a_snippet_of_a_very_long_body_shows_a_late_match(make_index: MakeIndex) -> None:
    filler = "Nothing of the kind was said, otherwise than before. " * 4000
    index = make_index([{"id": "1", "title": "Long", "body": f"{filler}Happy zeppelins flew. {filler}"}])
    late = index.search("zeppelin happy")[0].snippet
    assert [late.text[start:end] for start, end in late.spans] == ["Happy", "zeppelins"]
    assert (late.cut_start, late.cut_end) == (True, True)
    assert index.search("nothing")[0].snippet.cut_start is False


def test_snippets_mark_phrases_stems_and_curly_quotes(make_index: MakeIndex) -> None:
    body = (
        "Filler sentence about nothing at all. " * 12
        + "They called it a plan “recognised by both Russia and Ukraine,” and Putin’s aide didn’t object. "
        + "Russia recognises nothing else. " * 8
    )
    index = make_index([{"id": "1", "title": "Plan", "body": body}])
    snippet = index.search('"recognised by both" putin’s')[0].snippet
    marked = [snippet.text[start:end] for start, end in snippet.spans]
    assert marked == ["recognised by both", "Putin"]
    assert snippet.cut_start
    assert snippet.cut_end
    assert "“<mark>recognised by both</mark> Russia" in snippet.html()
    assert index.search("recognise")[0].snippet.spans
    assert "<mark>didn’t</mark>" in index.search("didn't")[0].snippet.html()
    assert [index.highlight("russia", "Russia's", "body").html()] == ["<mark>Russia</mark>&#x27;s"]


def test_a_snippet_does_not_end_before_a_possessive_s(make_index: MakeIndex) -> None:
    for name in ("Petrenko’s", "Pet Inc.'s", "Pet Inc.’s", "U.S.'s", "PETER'S"):
        index = make_index(
            [{"id": "1", "body": "The port stays shut. " + "word " * 42 + f"{name} barges wait there " * 9}]
        )
        assert index.search("port")[0].snippet.text.endswith(f" word {name}")


@settings(max_examples=200)
@given(st.text("<>&\"'ab oil\u202e\x1b\n", max_size=60))
def test_snippets_as_html_are_escaped(text: str) -> None:
    rendered = Snippet(text, ((0, min(2, len(text))),) if text else ()).html()
    assert "<" not in rendered.replace("<mark>", "").replace("</mark>", "")
