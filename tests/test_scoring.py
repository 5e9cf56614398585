"""The formula, what a search may change of it, and how it is explained."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsindex import Article, QueryError
from newsindex.query.parser import parse
from newsindex.query.tree import Boost, Word
from newsindex.schema import Schema
from newsindex.search.deadline import Deadline
from newsindex.search.plan import make_plan
from newsindex.search.scoring import Parameters, Ranking, contribution, idf
from newsindex.search.shapes import shape_of
from newsindex.search.tree_parts import MAX_FACTOR, to_parts
from tests.test_index import MakeIndex, ids

ARTICLES: list[dict[str, Any]] = [
    {"id": "1", "title": "Oil", "body": "Talks about oil and gas"},
    {"id": "2", "title": "Gas talks", "body": "Oil oil oil oil"},
    {"id": "3", "title": "Rates", "body": "The bank cut its rates, as it had said it would"},
]


def test_the_formula_by_hand(make_index: MakeIndex) -> None:
    """`title` has the weight 3, `body` 1: tf of oil is 3 + 1 in article 1, and 4 in article 2."""
    index = make_index(ARTICLES)
    lengths = [3 + 5, 3 * 2 + 4, 3 + 11]
    rarity = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    expected = [4 / (4 + 1.2 * (0.25 + 0.75 * length / (sum(lengths) / 3))) * rarity for length in lengths[:2]]
    assert [(hit.id, hit.score) for hit in index.search("oil")] == [
        ("1", pytest.approx(expected[0], abs=2**-28)),
        ("2", pytest.approx(expected[1], abs=2**-28)),
    ]


@given(
    st.lists(st.tuples(st.floats(0.001, 1000), st.floats(0.1, 1e4), st.floats(0, 1e5)), min_size=2, max_size=30),
    st.randoms(use_true_random=False),
)
def test_sums_do_not_depend_on_their_order(words: list[tuple[float, float, float]], pick: Any) -> None:
    parameters = Parameters(1.2, 0.75, 300.0, np.ones(1))
    added = [contribution(factor, frequency, length, parameters) for factor, frequency, length in words]
    shuffled = added[:]
    pick.shuffle(shuffled)
    assert sum(added) == sum(shuffled) == math.fsum(added)
    for (factor, frequency, length), value in zip(words, added, strict=True):
        assert value * 2**28 == int(value * 2**28)
        exact = factor * frequency / (frequency + 1.2 * (0.25 + 0.75 * length / 300))
        assert value == pytest.approx(exact, rel=1e-12, abs=2**-28)


def test_the_idf_is_never_negative() -> None:
    assert idf(10, 10) > 0
    assert idf(1000, 1) > idf(1000, 2) > idf(1000, 999)


def test_k1_b_and_weights_of_a_search(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)
    assert ids(index.search("oil OR gas")) == ["2", "1"]
    assert ids(index.search("oil OR gas", weights={"title": 0.1})) == ["1", "2"]
    assert ids(index.search("talks", weights={"title": 0.01})) == ["1", "2"]
    assert ids(index.search("talks", weights={"title": 100})) == ["2", "1"]
    (once,) = {hit.score for hit in index.search("oil", k1=0)}
    assert once == pytest.approx(idf(3, 2), abs=2**-28)
    unlike = {hit.id: hit.score for hit in index.search("oil", b=0)}
    assert unlike["1"] == unlike["2"]
    usual = index.search("oil", k1=1.2, b=0.75, weights={"title": 3, "body": 1.0})
    assert [hit.score for hit in usual] == [hit.score for hit in index.search("oil")]


def test_an_explanation_is_of_the_same_ranking_as_its_search(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)
    ranking: dict[str, Any] = {"k1": 2.0, "b": 0.3, "weights": {"title": 5}}
    for query in ("oil", '"talks about" gas', "oil OR (gas -rates)", "ta* oil^3", "title:oil oil"):
        for hit in index.search(query, **ranking):
            assert index.explain(query, hit.id, **ranking).value == hit.score
    shown = str(index.explain("title:oil gas", "1", **ranking))
    assert "score, sum of (k1 2, b 0.3):" in shown
    assert "oil = factor 1 × idf 0.4700 (2 of 3 articles)" in shown
    assert "1 in title × weight 5" in shown


def test_a_cursor_belongs_to_one_ranking(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)
    cursor = index.search("oil", limit=1, k1=2).next
    assert ids(index.search("oil", after=cursor, k1=2)) == ["2"]
    with pytest.raises(QueryError, match="another search"):
        index.search("oil", after=cursor)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k1": -0.1}, "k1: a number from 0"),
        ({"k1": float("inf")}, "k1: a number from 0"),
        ({"k1": "1"}, "k1: a number from 0"),
        ({"b": 1.1}, "b: a number from 0 to 1"),
        ({"b": None}, "b: a number from 0 to 1"),
        ({"weights": {"titel": 2}}, "'titel' is no text field; those are title, summary, body"),
        ({"weights": {"source": 2}}, "'source' is no text field"),
        ({"weights": {"title": 0}}, "'title' takes a number"),
        ({"weights": {"title": True}}, "'title' takes a number"),
        ({"weights": ["title"]}, "weights: a dict"),
    ],
)
def test_misuse_of_the_ranking(make_index: MakeIndex, arguments: Any, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        make_index().search("oil", **arguments)


def test_bounds_of_other_weights_are_safe() -> None:
    schema = Schema(Article)
    ranking = Ranking.of(schema, 1.2, 0.75, {"title": 6, "body": 0.5})
    parameters = ranking.parameters((3.0, 1.5, 1.0), (10, 10, 10), 10)
    assert (parameters.frequency_bound, parameters.length_bound) == (2.0, 0.5)
    assert parameters.average == 8.0
    assert Ranking.of(schema, 1.2, 0.75, {"body": 1}) == Ranking()


def test_boosts_have_a_limit(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)
    results = index.search("(oil^2000 OR gas)^9000")
    assert [remark.kind for remark in results.diagnostics] == ["bad-boost", "bad-boost"]
    assert len(results) == 2
    said: list[Any] = []
    part: Any = to_parts(Boost(Boost(Word("oil"), 900.0), 900.0), index._vocabulary, said)
    assert (part.factor, len(said)) == (MAX_FACTOR, 1)


@pytest.mark.parametrize(
    ("query", "shape"),
    [
        ("oil", "all 1"),
        ("oil^2 oil", "all 1"),
        ("oil gas", "all 2"),
        ("title:oil oil", "all 2"),
        ('"oil and gas"', "all 3 phrases 1"),
        ('oil "oil and gas" -rates source:CNN published:2024', "all 3 phrases 1 sets 1 without 1 dates"),
        ("oil OR gas", "any 2"),
        ("oil OR (gas OR rates)^2", "any 3"),
        ("(oil OR gas) -rates -source:CNN", "any 2 without 2"),
        ("(oil OR gas) source:(CNN OR Xinhua) *", "any 2 sets 1"),
        ("oil published:2024 published:..2023", "all 1 sets 1 dates"),
        ('oil OR "oil and gas"', None),
        ("(oil OR gas) rates", None),
        ("oil OR (gas rates)", None),
        ("oi*", None),
        ("oil oi*", None),
        ("-oil", None),
        ("source:CNN", None),
        ("", None),
    ],
)
def test_which_queries_take_the_fast_road(make_index: MakeIndex, query: str, shape: str | None) -> None:
    index = make_index(ARTICLES)
    parsed = parse(query, index.schema, index._analyzer.surfaces)
    found = shape_of(make_plan(parsed.tree, (), index._vocabulary, index._snapshot, Ranking(), Deadline()))
    if shape is None or found is None:
        assert found is shape
        return
    told = [f"{'all' if found.words.required else 'any'} {len(found.words.terms)}"]
    told += [f"phrases {len(found.words.phrases)}"] if found.words.phrases else []
    told += [f"sets {len(found.sets)}"] if found.sets else []
    told += [f"without {len(found.without)}"] if found.without else []
    told += ["dates"] if found.dates else []
    assert " ".join(told) == shape
