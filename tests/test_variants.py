"""Words that name the same: the table, spellings by rule, and searching all of them as one word."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest

import newsindex
from newsindex import QueryError
from newsindex.analysis import Analyzer
from newsindex.schema import Article, Schema
from newsindex.search.parts import Vocabulary
from newsindex.search.plan_text import explain_plan
from newsindex.variants import Variants
from tests.random_archives import random_articles
from tests.test_index import MakeIndex


def variants(word: str, given: Any = None, language: str = "english") -> set[str]:
    vocabulary = Vocabulary(Schema(Article), Analyzer(language), Variants.of(given))
    return {name.lower() for name, _ in vocabulary.variants(word)}


@pytest.mark.parametrize(
    ("word", "others"),
    [
        ("Kiev", "kyiv"), ("KYIV", "kiev"), ("Zelensky", "zelenskyy zelenskiy zelenskyj selenskyj"),
        ("favour", "favor"), ("neighborhoods", "neighbourhoods"), ("recognise", "recognize"), ("analyzed", "analysed"),
        ("organizations", "organisations"), ("theater", "theatre"), ("programmes", "program"), ("grey", "gray"),
        ("Türkiye", "turkey"), ("turkey", "türkiye"), ("hour", ""), ("four", ""), ("tour", ""), ("prize", ""),
        ("timber", ""), ("oil", ""), ("Kiev-based", ""), ("will", ""),
    ],
)  # fmt: skip
def test_the_variants_of_a_word(word: str, others: str) -> None:
    assert variants(word) == set(others.split())


def test_british_and_american_spellings_are_those_of_english() -> None:
    assert variants("favour", language="french") == set()
    assert variants("Kiev", language="french") == {"kyiv"}


def test_a_table_of_ones_own() -> None:
    own = {"groups": [["UK", "Britain"]], "without": ["Bombay"], "spelling": False}
    assert variants("Britain", own) == {"uk"}
    assert variants("U.K.", own) == {"britain"}
    assert variants("Peking", own) == {"beijing"}
    assert variants("Bombay", own) == variants("Mumbai", own) == variants("favour", own) == set()
    assert variants("Kiev", False) == set()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"group": []}, "'group' is none of groups, without, spelling"),
        ({"groups": "Kiev"}, "groups is a list of lists of words"),
        ({"groups": [["Kiev", "Kyiv"], ["one"]]}, "group 2 has 1 words"),
        ({"groups": [["Ivory Coast", "Ivoria"]]}, "group 1: 'Ivory Coast' is not a single word"),
        ({"groups": [[1, 2]]}, "group 1: 1 is not a single word"),
        ({"without": "Kiev"}, "without is a list of words"),
        ({"spelling": "no"}, "spelling is true or false"),
        (5, "a path, a dict, or False for none, not int"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(given: Any, said: str) -> None:
    with pytest.raises(QueryError, match=said):
        Variants.of(given)


def test_a_file_that_is_no_table_is_named(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    with pytest.raises(QueryError, match=r"own\.toml: No such file"):
        Variants.of(file)
    file.write_text("groups = [")
    with pytest.raises(QueryError, match=r"own\.toml: Invalid value"):
        Variants.of(str(file))
    file.write_text('groups = [["oil", "crude"]]\n')
    assert variants("crude", file) == {"oil"}
    file.write_text("groups = " + "[" * 100_000)
    with pytest.raises(QueryError, match=r"own\.toml: maximum recursion"):
        Variants.of(file)
    with file.open("wb") as long:
        long.truncate(2**30)
    with pytest.raises(QueryError, match=r"own\.toml: more than 4,194,304 bytes, the limit"):
        Variants.of(file)


_BANK = re.compile(r"\b([Bb])ank(s?)\b")


def _as_oil(found: re.Match[str]) -> str:
    return ("Oil" if found[1] == "B" else "oil") + found[2]


def test_variants_score_as_one_word(tmp_path: Path) -> None:
    """Searching one of two variants is searching the word in an archive in which there is only the one."""
    pick = random.Random(3)
    archive = [article for articles, _ in random_articles(pick) for article in articles]
    replaced = [
        {key: _BANK.sub(_as_oil, value) if isinstance(value, str) else value for key, value in article.items()}
        for article in archive
    ]
    queries = ["oil", "body:oil^2.5 rates", "oil OR fell", "oil fell -talks", "oil w/4 fell", "atleast2(oil)"]
    queries += ["lead:oil", "min:2(oil fell talks)", "oil w/3 (oil OR fell)"]
    queries += [
        '"oil fell"',
        '"oil rates"^2 talks',
        '"oil fell"~3',
        '"oil oil"~2 OR "fell oil"',
        'title:"oil"',
        "oil-rates",
    ]
    queries += ['-"oil fell" oil', 'lead:"oil fell"', 'lead:"rates oil"~4', '"oil fell" w/6 (oil OR "oil talks")']
    queries += ['atleast2("oil"~1)', 'min:2("oil fell" talks rates)', 'atleast2("fell oil"~5 OR oil)']
    with (
        newsindex.open(tmp_path / "one", create=True, variants={"groups": [["oil", "bank"]]}) as one,
        newsindex.open(tmp_path / "other", create=True, variants=False) as other,
    ):
        one.add(archive)
        other.add(replaced)
        for query in queries:
            found = one.search(query, limit=None)
            expected = other.search(query, limit=None)
            assert [(hit.id, hit.score) for hit in found] == [(hit.id, hit.score) for hit in expected], query
            assert {said.kind for said in found.diagnostics} == {"also-matched"}
            assert one.explain(query, found[0].id).value == found[0].score
        assert one.count("=oil") < one.count("oil") == other.count("oil")


def test_what_was_found_instead_is_said_and_shown(tmp_path: Path) -> None:
    with newsindex.open(tmp_path / "x", create=True) as index:
        index.add([{"title": "Talks in Kyiv", "body": "Kyiv said so."}, {"title": "Kiev", "body": "Long ago."}])
        results = index.search("kiev")
        assert {hit.title for hit in results} == {"Talks in Kyiv", "Kiev"}
        (said,) = results.diagnostics
        assert said.message.startswith("also matched: Kyiv")
        assert {hit.snippet.text[slice(*span)] for hit in results for span in hit.snippet.spans} == {"Kyiv"}
        assert "kiev or kyiv" in str(index.explain("kiev", results[0].id))
        assert [hit.title for hit in index.search("=kiev")] == ["Kiev"]
        results = index.search('"talks in kiev" OR kiev-said')
        assert [hit.title for hit in results] == ["Talks in Kyiv"]
        assert [said.message for said in results.diagnostics] == [
            "also matched: Kyiv; =\"talks in kiev\" finds just 'talks in kiev'",
            "also matched: Kyiv; =kiev-said finds just 'kiev-said'",
        ]
        assert results[0].snippet.html() == "<mark>Kyiv said</mark> so."
        assert index.highlight('"talks in kiev"', "Talks in Kyiv. Kyiv.", "title").spans == ((0, 13),)
        assert index.count('="talks in kiev"') == 0
        assert "side by side:" in index.explain_query('"talks in kiev"')
        # What nobody wrote is not mentioned.
        assert index.search("beijing").diagnostics[0].kind == "no-such-term"
        plan = explain_plan(index._search("kiev talks", None).plan)
        assert "as one word that 2 articles have" in plan
        with pytest.raises(QueryError, match="also matched"):
            index.delete(query="kiev")
    with newsindex.open(tmp_path / "x", variants=False) as index:
        assert index.count("kiev") == 1


def test_the_nearest_word_is_suggested(tmp_path: Path) -> None:
    with newsindex.open(tmp_path / "x", create=True) as index:
        index.add({"title": title} for title in ("Inflation", "The government", "Governments", "Oil"))
        for typed, meant in (("govermnent", "government"), ("inflaton", "inflation"), ("oill", "oil"), ("qqq", None)):
            (said,) = index.search(typed).diagnostics
            assert (said.kind, said.suggestion) == ("no-such-term", meant)
        assert index.search("-oill").diagnostics[-1].kind == "no-such-exclusion"


def test_a_plan_is_told(tmp_path: Path) -> None:
    with newsindex.open(tmp_path / "x", create=True) as index:
        index.add([{"title": "Oil talks", "body": "Banks fell, Kyiv said. Oil rose.", "source": "CNN"}] * 2)
        query = "(oil OR gas) w/5 rose min:2(oil kiev b?nk) -lead:rates ins* fell"
        plan = index.explain_query(query, {"source": "CNN"})
        for line in (
            "searched: ", "all of:", "  a place of:", "    w/5:", "      any of:", "at least 2 of:", "none of:",
            "  source:CNN: from columns", "oil (1 articles)", "in the lead", "road: sets of articles",
        ):  # fmt: skip
            assert line in plan, plan
        assert "road: the best first, driven by bank, the rarest word" in index.explain_query("banks oil")
        assert "road: the best first" in index.explain_query("banks OR oil")


def test_words_of_a_loose_phrase_are_marked(tmp_path: Path) -> None:
    with newsindex.open(tmp_path / "x", create=True) as index:
        index.add({"title": "A", "body": "The price of oil fell."})
        (hit,) = index.search('"oil price"~3')
        assert [hit.snippet.text[slice(*span)] for span in hit.snippet.spans] == ["price", "oil"]


def test_only_what_matched_is_marked(tmp_path: Path) -> None:
    """Not every word that has a stem in common with one that did."""
    text = (
        "Communism and communities: the community of communists. In the US they told us of insurers, in ins and outs."
    )
    with newsindex.open(tmp_path / "x", create=True) as index:
        index.add({"title": "A", "body": text})
        marked = {
            "communi*": "Communism communities community communists",
            "communit*": "communities community",
            "*unists": "communists",
            "comm?nity": "community",
            "comunity~1": "community",
            "ins*": "insurers ins",
            "=communities": "communities",
            "caps(US)": "US",
            "caps(us)": "us",
            '="the community"': "the community",
            "community": "communities community",
        }
        for query, words in marked.items():
            (hit,) = index.search(query)
            shown = [hit.snippet.text[slice(*span)] for span in hit.snippet.spans]
            assert " ".join(shown) == words, query


def test_words_with_variants_are_found_on_both_roads_alike(
    make_index: MakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    print("seed 77")
    pick = random.Random(77)
    table = {"groups": [["oil", "bank", "peace"], ["talks", "rates"]], "spelling": False}
    for articles, doomed in random_articles(pick):
        index = make_index(articles, variants=table)
        index.add({"id": "more", "title": "Oil bank peace", "body": "oil bank oil talks of peace rates"})
        index.delete(doomed)
        for query in (
            "oil", "oil talks", "oil OR minister", "title:bank", "oil rates minister", "talks OR peace OR kiev",
            "(oil OR talks) minister", "oil -minister", "oil source:cnn", "peace^2 OR minister", "oil bank", "oil oil",
            "oil title:oil",
        ):  # fmt: skip
            for weights in (None, {"title": 0.3, "body": 1.7}):
                answers = []
                for limit in (3, 1000):
                    one = index.search(query, limit=limit, weights=weights)
                    with monkeypatch.context() as patch:
                        patch.setattr("newsindex.search.execute.shape_of", lambda plan: None)
                        other = index.search(query, limit=limit, weights=weights)
                    assert (one.ids, one.scores) == (other.ids, other.scores), query
                    answers.append(one.ids)
                assert answers[1][:3] == answers[0]
                if one:
                    score = index.explain(query, one.ids[0], weights=weights).value
                    assert score == one.scores[0], query
        roads = {
            query: explain_plan(index._search(query, None).plan).splitlines()[-1] for query in ("oil", "oil rates")
        }
        assert all(road.startswith("road: the best first") for road in roads.values()), roads


def test_words_with_variants_that_stand_too_often_are_found_as_sets(
    make_index: MakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = make_index([{"id": "1", "title": "Kiev talks"}, {"id": "2", "title": "Kyiv"}])
    expected = [(hit.id, hit.score) for hit in index.search("kiev")]
    monkeypatch.setattr("newsindex.search.joined_terms._MOST_OCCURRENCES", 1)
    assert "sets of articles" in index.explain_query("kiev")
    assert [(hit.id, hit.score) for hit in index.search("kiev")] == expected
    assert {article_id for article_id, _ in expected} == {"1", "2"}


@pytest.mark.parametrize("word", "sceptic skeptic centre center colour mouldy organise fibre analyse Kiev".split())
def test_each_variant_is_another_term(word: str) -> None:
    vocabulary = Vocabulary(Schema(Article), Analyzer("english"), Variants.of(None))
    terms = [*vocabulary.terms(word), *(term for _, term in vocabulary.variants(word))]
    assert len(set(terms)) == len(terms)


def test_variants_with_one_stem_count_once(make_index: MakeIndex) -> None:
    index = make_index([{"id": "1", "title": "skeptic skeptic"}, {"id": "2", "title": "sceptic sceptic"}])
    one, other = index.search("sceptic").scores
    assert one == other
