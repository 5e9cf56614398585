"""Plain words are found without a query tree and a plan: the answers are those of the plan."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

import newsindex
from newsindex import QueryTooComplex
from newsindex.query.filters import filter_nodes
from newsindex.query.parser import parse
from newsindex.search.request import Search
from tests.random_archives import random_articles
from tests.strategies import WORDS
from tests.test_index import MakeIndex

SEED = 8086


def planned(index: newsindex.NewsIndex, query: str, where: dict[str, Any] | None = None) -> Search:
    """Return a search that goes by the tree."""
    parsed = parse(query, index.schema, index._analyzer.surfaces)
    return Search(index._snapshot, index._vocabulary, parsed, filter_nodes(index.schema, where))


def shown(results: Any) -> list[Any]:
    return [(hit.rank, hit.score, hit.id, hit.title, hit.published) for hit in results]


def test_plain_words_are_found_as_by_the_plan(make_index: MakeIndex) -> None:
    print("seed", SEED)
    pick = random.Random(SEED)
    quick: Counter[str] = Counter()
    for articles, doomed in (commit for _ in range(2) for commit in random_articles(pick)):
        table = {"groups": [["oil", "bank"], ["rates", "wire", "talks"]], "spelling": False}
        index = make_index(articles, variants=pick.choice([False, table]))
        index.add({"id": "more", "title": " ".join(WORDS), "source": "Wire", "published": "2024-03-05"})
        index.delete(doomed)
        words = [*WORDS, "or", "not", "OR", "nowhere"]
        sources = [*index.values("source", limit=3), "None Such"]
        for _ in range(300):
            chosen = pick.sample(words, k=pick.randrange(1, 5))
            if pick.random() < 0.1:
                chosen.append(chosen[0])
            query = pick.choice([" ", " OR ", " ", " OR ", "  ", " OR OR "]).join(chosen)
            if pick.random() < 0.3:
                query = f'"{" ".join(chosen[:2])}"'
            elif pick.random() < 0.2:
                query = f"{chosen[0][: pick.randrange(5)]}*"
            where: dict[str, Any] = {}
            if pick.random() < 0.3:
                where["source"] = pick.choice(sources)
            if pick.random() < 0.3:
                where["published"] = pick.choice(["2024", ("2024-01", "2024-04"), (None, "2024-03-05"), "1961"])
            limit, sort = pick.choice([0, 1, 3, 10, 40]), pick.choice(["relevance", "relevance", "newest", "oldest"])
            facets = pick.choice([(), (), ("source", "tags")])
            expected = planned(index, query, where).results(limit=limit, sort=sort, facets=facets)
            search = index._search(query, where)
            got = search.results(limit=limit, sort=sort, facets=facets)
            kind = (
                "phrase" if query[0] == '"' else "prefix" if query[-1] == "*" else "any" if " OR " in query else "all"
            )
            quick[kind, bool(where), sort, bool(facets)] += search._plan is None
            assert shown(got) == shown(expected), (query, where)
            if kind != "prefix":  # what a beginning is like is a function, a new one each time
                assert search.sought() == planned(index, query, where).sought(), (query, where)
            assert list(got.facets.items()) == list(expected.facets.items())
            assert got.total == expected.total == index.count(query, where), (query, where)
            assert (got.searched, got.diagnostics, got.next is None) == (
                expected.searched,
                expected.diagnostics,
                expected.next is None,
            )
            if got.next is not None:
                pages = search.results(limit=limit, sort=sort, after=got.next), planned(index, query, where)
                assert shown(pages[0]) == shown(pages[1].results(limit=limit, sort=sort, after=expected.next))
    assert len(quick) == 48
    assert sum(count > 0 for count in quick.values()) > 40, quick


def test_what_is_no_plain_word_takes_the_plan(make_index: MakeIndex) -> None:
    index = make_index([{"id": "1", "title": "or not kyiv oil", "body": "oil title"}, {"id": "2", "title": "kiev"}])
    for query in (
        r"\or",
        '"oil"',
        "oil not title",
        "oil AND title",
        "NOT",
        "OR",
        "=oil",
        "oil^2",
        "title:oil",
        "oi*l",
        "-oil",
        "nowhere",
        "oil nowhere",
        "oil oil",
        '"oil oil"',
        "oil  title",
        " oil",
    ):
        search = index._search(query, None)
        search.results(limit=10)
        plain = query == "oil not title"  # words, and a remark that tells of them
        assert (search._plan is None) == plain, query
    assert index._search("oil title", {"source": ["a", "b"]})._plain is None
    assert index.search("kiev oil").total == 1  # kyiv is a variant of it
    for query in ("kiev oil", '"kiev oil"', '"kyiv oil"', "kiev"):
        assert index._search(query, None)._plain is not None
    assert index.search("oil not title").diagnostics[0].kind == "lower-case-operator"
    for query in ("oil", "oil OR title", "title oil", '"kyiv oil"'):
        assert index.search(query).ids == index.search(query).ids == ["1"]


@pytest.mark.parametrize(
    ("query", "is_plain"),
    [
        ("runni*", False),
        ("harbo*", True),
        ("HARBO*", True),
        ("ins*", False),
        ("nowh*", False),
        ("x1*", False),
        ("*", False),
    ],
)
def test_a_prefix_takes_the_plan_where_another_term_has_a_word_that_begins_so(
    query: str, is_plain: bool, make_index: MakeIndex
) -> None:
    index = make_index([{"id": "1", "title": "Running harbours"}, {"id": "2", "title": "Run of harbour ins"}])
    search = index._search(query, None)
    found = [hit.id for hit in search.results(limit=10)]
    assert (search._plan is None) == is_plain
    assert found == [hit.id for hit in planned(index, query).results(limit=10)]


def test_a_prefix_of_too_many_words_takes_the_plan(make_index: MakeIndex) -> None:
    many = "".join(f" b{chr(97 + a)}{chr(97 + b)}" for a in range(26) for b in range(26))
    more = "".join(f" bx{chr(97 + a)}{chr(97 + b)}q" for a in range(26) for b in range(26))
    index = make_index([{"id": "1", "title": "bulk", "body": many}])
    index.add({"id": "2", "title": "bulk", "body": more})
    assert index._search("bx*", None)._plain is not None
    assert index._search("b*", None)._plain is None
    assert "most frequent" in index.search("b*").diagnostics[0].message


def test_what_is_known_of_words_is_forgotten_in_time(make_index: MakeIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsindex.search.plain_search._REMEMBERED", 2)
    index = make_index([{"id": "1", "title": "oil talks begin again"}])
    for query in ("oil", "oil talks", "oil talks begin", "again begin", "talks"):
        assert index.search(query).ids == ["1"]
    assert set(index._snapshot.known_words) == {"talks"}


def test_a_later_commit_is_searched_anew(make_index: MakeIndex) -> None:
    index = make_index([{"id": "1", "title": "oil"}])
    assert index.search("oil").ids == index.search("oil").ids == ["1"]
    index.add({"id": "2", "title": "oil oil"})
    assert sorted(index.search("oil").ids) == ["1", "2"]
    index.delete("1")
    assert index.search("oil").ids == ["2"]
    assert index.count("oil") == index.count("oil") == 1


def test_limits_hold_for_plain_words(make_index: MakeIndex) -> None:
    index = make_index([{"id": "1", "title": "oil talks"}])
    index.search("oil talks")
    with pytest.raises(QueryTooComplex, match="characters"):
        index.search(" ".join(["oil"] * 2000))


def test_a_prefix_stands_for_the_same_whatever_was_searched_before(
    make_index: MakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsindex.search.expansion.MAX_EXPANSIONS", 9)
    index = make_index([{"id": "1", "title": "aax aby acz", "body": "bqa bqe bqi bqo bqu bqy"}])
    index.add({"id": "2", "title": "aax aby adw", "body": "zza zze zzi zzo zzu zzy zzx"})
    said = [str(remark) for remark in index.search("a* OR zz*").diagnostics]
    index.refresh()
    index._snapshot.known_expansions.clear()
    assert index.search("b* OR a*").diagnostics is not None
    assert [str(remark) for remark in index.search("a* OR zz*").diagnostics] == said


def test_words_beside_a_joined_one_are_not_copied_without_bound(
    make_index: MakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = make_index([{"id": "1", "title": "Kiev talks"}, {"id": "2", "title": "Kyiv and talks"}])
    queries = ("kiev talks", "kiev OR talks", '"kiev talks"')
    expected = [shown(index.search(query)) for query in queries]
    monkeypatch.setattr("newsindex.search.joined_terms._MOST_BYTES", 0)
    for query, hits in zip(queries, expected, strict=True):
        assert index._search(query, None)._plain is None
        assert shown(index.search(query)) == hits
        assert "sets of articles" in index.explain_query(query)


def test_words_are_joined_in_time(make_index: MakeIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    index = make_index([{"id": "1", "title": "Kiev talks"}, {"id": "2", "title": "Kyiv and talks"}])
    monkeypatch.setattr("newsindex.search.deadline._UNNOTICED", 0.0)
    with pytest.raises(QueryTooComplex, match="time"):
        index.search("kiev", timeout=1e-9)


def test_what_is_joined_is_kept_by_segments_alone(make_index: MakeIndex) -> None:
    index = make_index([{"id": "1", "title": "Kiev talks"}, {"id": "2", "title": "Kyiv and talks"}])
    for query in ("kiev", "KIEV", "Kiev talks"):
        assert len(index.search(query)) > 0
    assert set(index._snapshot.known_words) == {"kiev", "KIEV", "Kiev", "talks"}
    # Of each word there are rows, and no postings.
    for word in index._snapshot.known_words.values():
        assert all(rows.shape[1] == 8 for rows in (*word.rows, *word.variants))
    assert sum(len(segment.kept_terms) for segment in index._snapshot.segments) == 1


def test_a_joined_word_is_joined_anew_when_its_segment_has_let_it_go(make_index: MakeIndex) -> None:
    index = make_index([{"id": "1", "title": "Kiev talks"}, {"id": "2", "title": "Kyiv and talks"}])
    index.add({"id": "3", "body": "From Kiev."})
    queries = ("kiev", "kiev talks", '"kiev talks"', "kiev OR talks")
    found = [shown(index.search(query)) for query in queries]
    assert [len(hits) for hits in found] == [3, 2, 1, 3]
    for query, hits in zip(queries, found, strict=True):
        for segment in index._snapshot.segments:
            segment.kept_terms.clear()
        assert shown(index.search(query)) == hits


def test_a_joined_word_is_not_counted_where_articles_are_deleted(make_index: MakeIndex) -> None:
    index = make_index([{"id": "1", "title": "Kiev"}, {"id": "2", "title": "Kyiv"}, {"id": "3", "title": "oil"}])
    assert index.count("kiev") == index.count("kiev") == 2
    index.delete("1")
    assert index.count("kiev") == index.count("kiev") == 1
    assert index.search("kiev").ids == ["2"]
