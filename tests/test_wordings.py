"""Which articles, and places, have some words of a term: against plain Python, over many blocks of postings."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from newsindex.analysis import Analyzer
from newsindex.errors import QueryTooComplex
from newsindex.schema import Schema
from newsindex.search import wordings
from newsindex.search.deadline import Deadline
from newsindex.search.occurrences import Window
from newsindex.search.segment import SearchSegment, bits_of
from newsindex.search.wordings import WordingPlaces, choose_words, wording_of, wordings_bitmap
from newsindex.store.live import LiveSegment
from tests.segments import make_segment
from tests.strategies import Counted
from tests.test_occurrences import ENTRY

SCHEMA = Schema(Counted)
ANALYZER = Analyzer("english")
# How often: words of "rate", and of "elect", which is none itself; some of them seldom.
WORDS = {
    "rate": 0.3,
    "rates": 0.4,
    "rating": 0.02,
    "rated": 0.005,
    "election": 0.3,
    "elections": 0.1,
    "electing": 0.004,
}


def archive(count: int, seed: int) -> tuple[SearchSegment, list[dict[str, Any]]]:
    pick = random.Random(seed)
    articles = []
    for number in range(count):
        bursts = 1 if number // 200 % 2 else 3  # parts with few words, so that blocks can be left out
        article = {"id": f"a{number}", "title": "news"}
        for name in SCHEMA.text_fields:
            words = [word for word, share in WORDS.items() for _ in range(bursts) if pick.random() < share]
            pick.shuffle(words)
            if words and pick.random() < 0.8:
                article[name] = " ".join(words)
        articles.append(article)
    reader = make_segment(SCHEMA, articles)
    return SearchSegment(LiveSegment(ENTRY, reader, np.ones(count, bool)), 0), articles


def having(articles: list[dict[str, Any]], words: set[str], mask: int) -> list[int]:
    names = [name for place, name in enumerate(SCHEMA.text_fields) if mask >> place & 1]
    return [
        number
        for number, article in enumerate(articles)
        if any(words & set(article.get(name, "").split()) for name in names)
    ]


def numbers(segment: SearchSegment, words: set[str]) -> Any:
    rows = segment.reader.dictionary_of_words.find([word.encode() for word in sorted(words)])[:, 0]
    return np.sort(rows[rows >= 0])


def places_of(articles: list[dict[str, Any]], words: set[str], term: str, mask: int) -> tuple[list[Any], list[bool]]:
    """Return the places of a term, and which are of one of the words."""
    places, has = [], []
    for number, article in enumerate(articles):
        for field, name in enumerate(SCHEMA.text_fields):
            for position, word in enumerate(article.get(name, "").split()):
                if mask >> field & 1 and ANALYZER.term(word) == term:
                    places.append((number << 36) + (field << 33) + position)
                    has.append(word in words)
    return places, has


CHOICES = [{"rates"}, {"rating"}, {"rates", "rating", "rated"}, {"election"}, {"elections"}, {"electing"},
           {"election", "electing"}, {"elections", "electing"}, {"rates", "elections"}]  # fmt: skip


@pytest.mark.parametrize("words", CHOICES, ids=lambda words: " ".join(sorted(words)))
@pytest.mark.parametrize("mask", [7, 4, 1, 5])
@pytest.mark.parametrize("count", [90, 1500])
def test_the_articles_and_places_of_words(words: set[str], mask: int, count: int) -> None:
    segment, articles = archive(count, 3)
    terms = sorted({ANALYZER.term(word).encode() for word in words})
    whole, found = choose_words(segment.reader, segment.find(terms), numbers(segment, words))
    assert not len(whole)
    expected = having(articles, words, mask)
    chosen = np.isin(np.arange(count), expected)
    assert wordings_bitmap(segment, found, mask).tolist() == bits_of(chosen).tolist()
    everything = bits_of(np.ones(count, bool))
    window = Window(segment, everything, 0, everything.size, None)
    for term, own in zip(terms, found.each(), strict=True):
        places = window.places(own.rows[0], mask)
        wanted, has = places_of(articles, words, term.decode(), mask)
        assert places.tolist() == wanted
        assert WordingPlaces(segment, own).among(window, places).tolist() == has


@pytest.mark.parametrize("word", [*WORDS, "elect", "rat", "bank"])
def test_one_word_of_a_term(word: str) -> None:
    segment, articles = archive(700, 5)
    for term in ("rate", "elect"):
        row = segment.find([term.encode()])[0]
        found = wording_of(segment.reader, row, term.encode(), word.encode())
        of_term = {word} if word in WORDS and ANALYZER.term(word) == term else set()
        chosen = np.isin(np.arange(700), having(articles, of_term, 7))
        assert wordings_bitmap(segment, found, 7).tolist() == bits_of(chosen).tolist()


def test_all_words_of_a_term_are_the_term() -> None:
    segment, _ = archive(90, 7)
    rows = segment.find([b"elect"])
    whole, found = choose_words(segment.reader, rows, numbers(segment, {"election", "elections", "electing"}))
    assert whole.tolist() == rows.tolist()
    assert not len(found.rows)


def test_it_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    segment, articles = archive(1500, 3)
    monkeypatch.setattr(wordings, "_BLOCKS", 1)
    monkeypatch.setattr(wordings, "_OCCURRENCES", 1)
    words = {"rates", "rating", "elections"}
    _, found = choose_words(segment.reader, segment.find([b"elect", b"rate"]), numbers(segment, words))
    chosen = np.isin(np.arange(1500), having(articles, words, 5))
    assert wordings_bitmap(segment, found, 5).tolist() == bits_of(chosen).tolist()
    with pytest.raises(QueryTooComplex):
        wordings_bitmap(segment, found, 5, Deadline(0.0))


def small_digest() -> str:
    segment, _ = archive(300, 9)
    said = []
    for words in CHOICES:
        terms = sorted({ANALYZER.term(word).encode() for word in words})
        _, found = choose_words(segment.reader, segment.find(terms), numbers(segment, words))
        said.append([wordings_bitmap(segment, found, mask).tolist() for mask in (7, 4)])
    return hashlib.sha256(repr(said).encode()).hexdigest()


def test_kernels_without_the_compiler() -> None:
    program = "from tests.test_wordings import small_digest; print(small_digest())"
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", program],
        capture_output=True, text=True, check=False, env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.strip() == small_digest()
