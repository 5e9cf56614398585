"""The benchmarks' articles and queries: the same for the same seed, like news, and each query with articles to find."""

from __future__ import annotations

import re
from datetime import datetime
from itertools import islice
from statistics import median
from typing import Any

import pytest

from benchmarks.corpus import FIRST_DAY, LAST_DAY, Corpus, articles, text_bytes
from benchmarks.queries import CLASSES, Query, Survey, make_queries, survey
from benchmarks.report import Report, percentiles
from newsindex.schema import Article

SIZE = 300


@pytest.fixture(scope="module")
def corpus() -> list[dict[str, Any]]:
    return list(Corpus(None, SIZE).articles())


@pytest.fixture(scope="module")
def surveyed(corpus: list[dict[str, Any]]) -> Survey:
    return survey(corpus)


@pytest.fixture(scope="module")
def queries(surveyed: Survey) -> dict[str, list[Query]]:
    return make_queries(surveyed, 50)


def test_smaller_corpus_is_beginning_of_larger(corpus: list[dict[str, Any]]) -> None:
    assert list(Corpus(None, 40).articles()) == corpus[:40]


def test_another_seed_gives_other_articles(corpus: list[dict[str, Any]]) -> None:
    others = list(islice(articles(seed=2), 20))
    assert not {article["body"] for article in others} & {article["body"] for article in corpus}


def test_articles_are_valid_and_different(corpus: list[dict[str, Any]]) -> None:
    assert len({article["id"] for article in corpus}) == SIZE
    for article in corpus:
        Article.model_validate(article, strict=False)
        assert set(article) <= set(Article.model_fields)


def test_lengths_spread_as_in_news(corpus: list[dict[str, Any]]) -> None:
    lengths = sorted(len(article["body"].split()) for article in corpus)
    assert 200 < median(lengths) < 350
    assert lengths[0] < 45
    assert lengths[-1] > 1_200
    assert lengths[SIZE // 4] > 100
    assert sum(map(text_bytes, corpus)) > sum(len(article["body"]) for article in corpus)


def test_dates_lie_in_span_and_more_are_recent(corpus: list[dict[str, Any]]) -> None:
    moments = [datetime.fromisoformat(article["published"]) for article in corpus]
    assert min(moments) >= FIRST_DAY
    assert max(moments) < LAST_DAY
    middle = FIRST_DAY + (LAST_DAY - FIRST_DAY) / 2
    assert sum(moment > middle for moment in moments) > 0.6 * SIZE


def test_words_follow_zipf(surveyed: Survey, corpus: list[dict[str, Any]]) -> None:
    words = [word for article in corpus for word in re.findall(r"[a-z]+", article["body"].lower())]
    assert 0.04 < words.count("the") / len(words) < 0.08
    shares = sorted(surveyed.doc_freq.values(), reverse=True)
    assert shares[20] > SIZE / 2
    assert shares[1_000] > 5
    assert sum(count == 1 for count in shares) > len(shares) / 4


def test_sources_are_skewed(corpus: list[dict[str, Any]]) -> None:
    names = [article["source"] for article in corpus]
    assert 10 < len(set(names)) <= 20
    assert names.count(max(set(names), key=names.count)) > SIZE / 10


@pytest.mark.parametrize("name", CLASSES)
def test_class_has_enough_queries_with_articles_to_find(
    name: str, queries: dict[str, list[Query]], corpus: list[dict[str, Any]]
) -> None:
    asked = queries[name]
    assert len({query.text for query in asked}) == 50
    bodies = [f" {re.sub('[^a-z0-9]+', ' ', article['body'].lower())} " for article in corpus]
    for query in asked:
        candidates = [body for body, article in zip(bodies, corpus, strict=True) if _passes(query.where or {}, article)]
        assert any(_matches(query.text, body) for body in candidates), query


def _passes(where: dict[str, Any], article: dict[str, Any]) -> bool:
    first, last = where.get("published", ("", "9999"))
    return first <= article["published"][:10] <= last and article["source"] == where.get("source", article["source"])


def _matches(text: str, body: str) -> bool:
    if text.startswith('"'):
        return f" {text[1:-1]} " in body
    if text.endswith("*"):
        return f" {text[:-1]}" in body
    joined = any if " OR " in text else all
    return joined(f" {word} " in body for word in text.replace(" OR ", " ").split())


def test_terms_lie_in_their_bands(queries: dict[str, list[Query]], surveyed: Survey) -> None:
    low, mid, high = (
        [surveyed.doc_freq[query.text] for query in queries[name]] for name in ("term_low", "term_mid", "term_high")
    )
    assert max(low) <= 2 <= min(mid) <= max(mid) < 15 <= min(high)


def test_queries_are_the_same_for_the_same_articles(
    queries: dict[str, list[Query]], corpus: list[dict[str, Any]]
) -> None:
    assert make_queries(survey(corpus), 50) == queries


def test_articles_that_the_index_refuses_are_left_out() -> None:
    bad = {"title": "t", "body": "alpha beta", "published": "03/04/2024"}
    good = {"title": "t", "body": "gamma 3.5 delta, epsilon", "published": "2024-04-03T23:30:00-05:00"}
    found = survey([bad, good])
    assert found.articles == 1
    assert found.sample[0].runs == [["gamma"], ["delta"], ["epsilon"]]
    assert str(found.sample[0].day) == "2024-04-04"


def test_percentiles() -> None:
    assert percentiles([float(n) for n in range(101)]) == (50.0, 95.0, 99.0)
    assert percentiles([7.0]) == (7.0, 7.0, 7.0)


def test_results_are_appended_as_markdown(tmp_path: Any) -> None:
    report = Report(corpus="made up")
    report.add("Search, µs", ("class", "p50"), ("and2", "70"))
    for _ in range(2):
        report.append_to(tmp_path / "results.md")
    text = (tmp_path / "results.md").read_text(encoding="utf-8")
    assert text.count("| class | p50 |\n| --- | ---: |\n| and2 | 70 |\n") == 2
    assert "- corpus: made up\n" in text
