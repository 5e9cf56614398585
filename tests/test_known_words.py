"""Words searched for lately are found without a query tree and a plan: the answers are those of the plan."""

from __future__ import annotations

import random
from typing import Any

import pytest

import newsindex
from newsindex import QueryTooComplex
from newsindex.query.parser import parse
from newsindex.search.request import Search
from tests.random_archives import random_articles
from tests.strategies import WORDS
from tests.test_index import MakeIndex

SEED = 8086


def planned(index: newsindex.NewsIndex, query: str, limit: int | None) -> Search:
    """Return a search that goes by the tree."""
    parsed = parse(query, index.schema, index._analyzer.surfaces)
    return Search(index._snapshot, index._vocabulary, parsed)


def shown(results: Any) -> list[Any]:
    return [(hit.rank, hit.score, hit.id, hit.title) for hit in results]


def test_known_words_are_found_as_by_the_plan(make_index: MakeIndex) -> None:
    print("seed", SEED)
    pick = random.Random(SEED)
    quick = 0
    for articles, doomed in (commit for _ in range(2) for commit in random_articles(pick)):
        index = make_index(articles, variants=False)
        index.add({"id": "more", "title": " ".join(WORDS)})
        index.delete(doomed)
        words = [*WORDS, "or", "not", "OR", "nowhere"]
        for _ in range(150):
            chosen = pick.sample(words, k=pick.randrange(1, 5))
            if pick.random() < 0.1:
                chosen.append(chosen[0])
            query = pick.choice([" ", " OR ", " ", " OR ", "  ", " OR OR "]).join(chosen)
            limit = pick.choice([0, 1, 3, 10, 40])
            expected = planned(index, query, limit).results(limit=limit)
            for time in range(2):
                search = index._search(query, None)
                got = search.results(limit=limit)
                quick += time and search._plan is None
                assert shown(got) == shown(expected), query
                assert index.count(query) == expected.total, query
                assert (got.total, got.searched, got.diagnostics, got.next is None) == (
                    expected.total,
                    expected.searched,
                    expected.diagnostics,
                    expected.next is None,
                )
    assert quick > 100


def test_what_is_no_plain_word_is_not_remembered(make_index: MakeIndex) -> None:
    index = make_index([{"id": "1", "title": "or not kyiv oil", "body": "oil title"}, {"id": "2", "title": "kiev"}])
    for query in (
        r"\or",
        '"oil"',
        "not oil",
        "=oil",
        "oil^2",
        "title:oil",
        "kiev",
        "oi*",
        "-oil",
        "nowhere",
        "oil oil",
    ):
        index.search(query)
        assert not index._snapshot.known_words, query
    index.search("oil kiev")
    assert set(index._snapshot.known_words) == {"oil"}
    assert index.search("kiev oil").total == 1  # kyiv is a variant of it
    for query in ("oil", "oil OR title", "title oil"):
        assert index.search(query).ids == index.search(query).ids == ["1"]


def test_a_later_commit_is_searched_anew(make_index: MakeIndex) -> None:
    index = make_index([{"id": "1", "title": "oil"}])
    assert index.search("oil").ids == index.search("oil").ids == ["1"]
    index.add({"id": "2", "title": "oil oil"})
    assert sorted(index.search("oil").ids) == ["1", "2"]
    index.delete("1")
    assert index.search("oil").ids == ["2"]
    assert index.count("oil") == index.count("oil") == 1


def test_limits_hold_for_known_words(make_index: MakeIndex) -> None:
    index = make_index([{"id": "1", "title": "oil talks"}])
    index.search("oil talks")
    with pytest.raises(QueryTooComplex, match="characters"):
        index.search(" ".join(["oil"] * 2000))
