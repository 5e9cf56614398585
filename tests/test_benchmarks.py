"""The benchmarks' articles and queries: the same for the same seed, like news, and each query with articles to find."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import pytest

import newsindex
from benchmarks.corpus import FIRST_DAY, LAST_DAY, Corpus, articles, text_bytes
from benchmarks.peers.archive import CLASSES as PEER_CLASSES
from benchmarks.peers.archive import Archive, days_as_moments
from benchmarks.peers.comparison import compare, too_far
from benchmarks.peers.engine import Unavailable
from benchmarks.peers.plots import plot_classes, plot_growth
from benchmarks.peers.rounds import Effort, Player, play
from benchmarks.peers.tables import add_tables, geometric_mean
from benchmarks.peers.worker import ENGINES, built, make_engine
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


# Search beside other engines


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    made = Archive(tmp_path_factory.mktemp("peers") / "generated-300")
    made.make(Corpus(None, SIZE), 10)
    return made


@pytest.fixture(scope="module")
def players(archive: Archive) -> Iterator[list[Player]]:
    opened = []
    for name in ("newsindex", "whoosh", "tantivy", "fts5"):
        player = Player(name, archive)
        if player.open():
            opened.append(player)
        else:
            assert "cannot be imported" in player.unavailable
            player.close()
    yield opened
    for player in opened:
        player.close()


def test_archive_gives_all_engines_the_same(archive: Archive, corpus: list[dict[str, Any]]) -> None:
    kept = list(archive.articles())
    assert [article["id"] for article in kept] == [article["id"] for article in corpus]
    assert [article["body"] for article in kept] == [article["body"] for article in corpus]
    assert all("summary" not in article for article in kept)
    queries = archive.queries()
    assert set(queries) == set(PEER_CLASSES)
    made = make_queries(survey(archive.articles()), 10)
    assert queries["and_date"] == made["and_date"]
    assert queries["top1000_ids"] == queries["top1000_titles"] == made["top1000"]


def test_archive_of_another_corpus_is_refused(archive: Archive) -> None:
    before = archive.articles_file.stat().st_mtime_ns
    archive.make(Corpus(None, SIZE), 10)
    assert archive.articles_file.stat().st_mtime_ns == before
    with pytest.raises(ValueError, match="another corpus"):
        archive.make(Corpus(None, SIZE - 1), 10)


def test_period_is_whole_days() -> None:
    first, after = days_as_moments(("2024-02-28", "2024-02-29"))
    assert first == datetime(2024, 2, 28, tzinfo=UTC)
    assert after == datetime(2024, 3, 1, tzinfo=UTC)


# In the other classes scores decide: weights of fields, of words in most articles, and how ties are broken.
_SAME_HITS = frozenset({"term_low", "and2", "and3", "sort_date", "top1000_ids", "top1000_titles"})


def test_engines_agree_and_take_turns(archive: Archive, players: list[Player]) -> None:
    assert [player.name for player in players[:2]] == ["newsindex", "whoosh"]
    for name in PEER_CLASSES:
        for differences in compare(players, name, 10).values():
            assert not too_far(differences), (name, differences)
            assert name not in _SAME_HITS or (differences["overlap"] or 0) > 0.7, (name, differences)
    effort = Effort(rounds=2, warm_seconds=0.0)
    for name in ("and2", "and2_ids", "facet_source"):
        times, others = play(players, name, 10, effort)
        assert list(times) == [player.name for player in players if name in player.facts["classes"]]
        assert all(len(best) == 10 and min(best) > 0 for best in times.values())
        assert others >= 0


def test_pass_ends_when_its_time_is_up(players: list[Player]) -> None:
    times, _ = play(players[:1], "or_stop", 10, Effort(rounds=3, warm_seconds=0.0, pass_seconds=0.0))
    assert len(times["newsindex"]) == 1


def test_index_of_other_articles_is_made_anew(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    for size in (20, 30):
        for file in ("corpus.json", "articles.jsonl", "queries.json"):
            (archive.folder / file).unlink(missing_ok=True)
        archive.make(Corpus(None, size), 2)
        assert built("newsindex", archive)["identity"]["size"] == size
        made = (archive.folder / "newsindex" / "newsindex.meta").stat().st_mtime_ns
        built("newsindex", archive)
        assert (archive.folder / "newsindex" / "newsindex.meta").stat().st_mtime_ns == made
        with newsindex.open(archive.folder / "newsindex") as index:
            assert index.count() == size


def test_missing_peer_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LUCENE_JARS", raising=False)
    with pytest.raises(Unavailable, match="LUCENE_JARS"):
        make_engine("lucene", tmp_path / "lucene")
    monkeypatch.setenv("LUCENE_JARS", str(tmp_path))
    with pytest.raises(Unavailable, match="no jar of lucene-core, lucene-analysis-common"):
        make_engine("lucene", tmp_path / "lucene")
    monkeypatch.setattr("benchmarks.peers.engine.import_module", _not_installed)
    for name in ("tantivy", "fts5", "bm25s", "pisa"):
        with pytest.raises(Unavailable, match="cannot be imported"):
            make_engine(name, tmp_path / name)


def _not_installed(name: str) -> Any:
    raise ImportError(f"No module named {name!r}")


def _measured(articles: int = 1000) -> dict[str, Any]:
    """newsindex takes half as long as tantivy for and2, twice as long as FTS5 for count."""
    times = {
        "and2": {"newsindex": [10_000, 20_000, 30_000], "tantivy": [20_000, 40_000, 60_000], "fts5": [90_000]},
        "count": {"newsindex": [8_000] * 3, "tantivy": [9_000] * 3, "fts5": [4_000] * 3},
        "and2_ids": {"newsindex": [5_000] * 3, "pisa": [10_000] * 3},
    }
    facts = {"version": "1", "bytes": 2_500_000, "prebuilt": ["count"]}
    return {
        "corpus": "made up",
        "articles": articles,
        "text_bytes": 1,
        "first": "newsindex",
        "engines": {name: facts for name in ENGINES if name in {"newsindex", "tantivy", "fts5", "pisa"}},
        "absent": {"lucene": "no jar"},
        "queries": dict.fromkeys(times, 3),
        "compared": {"and2": {"tantivy": {"same": 0.5, "off": 0.03, "worst": 0.5, "overlap": 0.75}}},
        "times": times,
        "others": {"and2": 0.25, "count": 0.75},
    }


def test_tables_show_ratios_and_losses() -> None:
    report = Report()
    add_tables(report, json.loads(json.dumps(_measured())))
    tables = {title.partition(":")[0]: table.rows for title, table in report.tables.items()}
    assert tables["Search, µs"] == [
        ("and2", "20 / 29 / 30", "40 / 58 / 60", "90 / 90 / 90 (1)", "–", "3"),
        ("count", "8 / 8 / 8*", "9 / 9 / 9*", "4 / 4 / 4*", "–", "3"),
    ]
    assert tables["newsindex / the best complete peer (losses marked !)"] == [
        ("and2", "0.50 (tantivy)", "0.50 (tantivy)", "0.50 (tantivy)"),
        ("count", "2.00! (fts5)", "2.00! (fts5)", "2.00! (fts5)"),
        ("geometric mean", "1.00", "1.00", "1.00"),
        ("losses", "1 of 2", "1 of 2", "1 of 2"),
    ]
    assert tables["newsindex / pisa (losses marked !)"][0] == ("and2_ids", "0.50", "0.50", "0.50")
    assert tables["What they find, beside newsindex"] == [("and2", "50% / 3.0% / 75%!", "–", "–")]
    assert tables["Not measured"] == [("lucene", "no jar")]
    assert tables["Cores used by others while it was measured"] == [("all classes", "0.50; at most 0.75 (count)")]


def test_geometric_mean() -> None:
    assert geometric_mean([0.5, 2.0, 8.0]) == pytest.approx(2.0)


def test_plots_are_the_same_for_the_same_numbers(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    first, second, growth = (tmp_path / "new" / f"{name}.svg" for name in ("first", "second", "growth"))
    for file in (first, second):
        plot_classes(_measured(), file)
    assert "<svg" in first.read_text(encoding="utf-8")
    assert first.read_bytes() == second.read_bytes()
    plot_growth([_measured(1000), _measured(100)], growth)
    assert "<svg" in growth.read_text(encoding="utf-8")
