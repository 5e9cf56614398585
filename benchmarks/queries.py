"""Queries of each class, made from the corpus: the words of each stand together in an article, so each has hits.

Words are chosen by document frequency, as a share of the articles. A news word is one that is no function word and
stands in at most 40 % of the articles. In an archive of some hundred articles the bands of frequency nearly touch.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from benchmarks.vocabulary import FUNCTION_WORDS
from newsindex.dates import parse_date, to_utc

__all__ = ["CLASSES", "Query", "Survey", "make_queries", "survey"]

_TOKEN = re.compile(r"\w+(?:['’.,\-]\w+)*|[^\w\s]")
_SAMPLE = 3_000
_STOP_SHARE = 0.4
# Words that a query language may take for operators when they stand outside a phrase.
_OPERATORS = frozenset({"and", "or", "not", "to"})
_ATTEMPTS = 400


@dataclass(frozen=True)
class Query:
    """What `search` is given; `count_only` asks for the number of matches, `snippets` for each hit's snippet too."""

    text: str
    where: dict[str, Any] | None = None
    sort: str = "relevance"
    limit: int = 10
    facets: tuple[str, ...] = ()
    count_only: bool = False
    snippets: bool = False

    def run(self, index: Any) -> int:
        """Search as a program does that shows the hits, and return the number of hits (or of matches)."""
        if self.count_only:
            return int(index.count(self.text, where=self.where))
        results = index.search(self.text, where=self.where, sort=self.sort, limit=self.limit, facets=self.facets)
        if self.snippets:
            return len([(hit.title, hit.published, hit.snippet.text) for hit in results])
        return len([(hit.title, hit.published) for hit in results])


@dataclass(frozen=True)
class SampledArticle:
    """An article as queries are made of it: the stretches of its body that hold nothing but plain words."""

    runs: list[list[str]]
    source: str | None
    day: date | None


@dataclass
class Survey:
    """What queries are made from: how many articles there are, how many have each word, and some of them in words."""

    articles: int = 0
    doc_freq: Counter[str] = field(default_factory=Counter)
    sample: list[SampledArticle] = field(default_factory=list)


def survey(articles: Iterable[dict[str, Any]], seed: int = 1) -> Survey:
    """Read the articles once; the sample is the same for the same articles and seed."""
    rng = random.Random(seed)
    found = Survey()
    for article in articles:
        try:
            day = _day(article.get("published"))
        except ValueError:
            continue  # the index refuses such an article, so no query may be made of it
        found.articles += 1
        runs = _runs(article.get("body") or "")
        found.doc_freq.update({word for run in runs for word in run})
        place = len(found.sample) if len(found.sample) < _SAMPLE else rng.randrange(found.articles)
        if place < _SAMPLE:
            found.sample[place : place + 1] = [SampledArticle(runs, article.get("source"), day)]
    return found


def make_queries(found: Survey, per_class: int, seed: int = 1) -> dict[str, list[Query]]:
    """Return up to `per_class` different queries of each class; fewer only where the corpus has no more."""
    made: dict[str, list[Query]] = {}
    for name, make in CLASSES.items():
        maker = _Maker(found, random.Random(f"{seed} {name}"))
        queries: dict[str, Query] = {}
        for _ in range(per_class * _ATTEMPTS):
            if len(queries) == per_class:
                break
            query = make(maker)
            if query is not None:
                queries.setdefault(query.text, query)
        made[name] = list(queries.values())
    return made


def _runs(text: str) -> list[list[str]]:
    runs: list[list[str]] = [[]]
    for token in _TOKEN.findall(text):
        # Numbers, abbreviations and words with a mark inside break a run: how they are analysed is not the point here.
        if token.isalpha():
            runs[-1].append(token.casefold())
        elif runs[-1]:
            runs.append([])
    return runs if runs[-1] else runs[:-1]


def _day(published: Any) -> date | None:
    return to_utc(parse_date(published)).date() if published else None


class _Maker:
    """Makes one query at a time; a method returns None when the article it fell on does not serve."""

    def __init__(self, found: Survey, rng: random.Random) -> None:
        self.found = found
        self.rng = rng
        self.shares = {word: count / found.articles for word, count in found.doc_freq.items()}

    def is_stop(self, word: str) -> bool:
        return word in FUNCTION_WORDS or self.shares[word] > _STOP_SHARE

    def article(self) -> SampledArticle:
        return self.rng.choice(self.found.sample)

    def words(self, article: SampledArticle, least: float, below: float = 1.0) -> list[str]:
        """Return the article's news words whose share of the articles is at least `least` and under `below`."""
        words = {word for run in article.runs for word in run}
        return sorted(w for w in words if len(w) > 1 and not self.is_stop(w) and least <= self.shares[w] < below)

    def term(self, least: float, below: float = 1.0) -> Query | None:
        words = self.words(self.article(), least, below)
        return Query(self.rng.choice(words)) if words else None

    def some(self, article: SampledArticle, size: int) -> list[str] | None:
        """Return news words as people search for: neither so rare that they name one article, nor stop words."""
        words = self.words(article, max(0.001, 2 / self.found.articles))
        return self.rng.sample(words, size) if len(words) >= size else None

    def all_of(self, size: int) -> Query | None:
        words = self.some(self.article(), size)
        return Query(" ".join(words)) if words else None

    def any_of(self) -> Query | None:
        return self._any(self.article())

    def _any(self, article: SampledArticle, **how: Any) -> Query | None:
        words = self.some(article, self.rng.randint(2, 5))
        return Query(" OR ".join(words), **how) if words else None

    def any_of_with_stop(self) -> Query | None:
        article = self.article()
        words = self.some(article, self.rng.randint(1, 3))
        stop = sorted({w for run in article.runs for w in run if self.is_stop(w) and w not in _OPERATORS})
        if words is None or len(stop) < 2:
            return None
        # The article's most frequent stop words are "the", "of", "in": what questions in full sentences have.
        stop.sort(key=lambda word: -self.shares[word])
        chosen = words + self.rng.sample(stop[:12], 2)
        self.rng.shuffle(chosen)
        return Query(" OR ".join(chosen))

    def phrase(self, wanted: Callable[[str], bool]) -> Query | None:
        run = self.rng.choice(self.article().runs or [[]])
        size = self.rng.choice((2, 2, 3))
        starts = [at for at in range(len(run) - size + 1) if all(wanted(word) for word in run[at : at + size])]
        if not starts:
            return None
        at = self.rng.choice(starts)
        return Query(f'"{" ".join(run[at : at + size])}"') if len(set(run[at : at + size])) == size else None

    def news_phrase(self) -> Query | None:
        return self.phrase(lambda word: not self.is_stop(word))

    def frequent_phrase(self) -> Query | None:
        return self.phrase(lambda word: self.shares[word] >= 0.1)

    def all_in_period(self) -> Query | None:
        article = self.article()
        words = self.some(article, 2)
        if words is None or article.day is None:
            return None
        length = self.rng.choice((30, 90, 365))
        first = article.day - timedelta(days=self.rng.randrange(length))
        period = (first.isoformat(), (first + timedelta(days=length - 1)).isoformat())
        return Query(" ".join(words), where={"published": period})

    def any_in_source(self) -> Query | None:
        article = self.article()
        return self._any(article, where={"source": article.source}) if article.source else None

    def prefix(self) -> Query | None:
        words = [word for word in self.words(self.article(), 0.001) if len(word) > 4]
        return Query(f"{self.rng.choice(words)[: self.rng.randint(3, 4)]}*") if words else None

    def count(self) -> Query | None:
        words = self.some(self.article(), self.rng.randint(1, 2))
        return Query(" ".join(words), count_only=True) if words else None

    def newest(self) -> Query | None:
        words = self.some(self.article(), self.rng.randint(1, 2))
        return Query(" ".join(words), sort="newest") if words else None

    def thousand(self) -> Query | None:
        return self._any(self.article(), limit=1000)

    def facet(self) -> Query | None:
        words = self.some(self.article(), self.rng.randint(1, 2))
        return Query(" OR ".join(words), facets=("source",)) if words else None

    def snippets(self) -> Query | None:
        words = self.some(self.article(), self.rng.randint(1, 3))
        return Query(" ".join(words), snippets=True) if words else None


CLASSES: dict[str, Callable[[_Maker], Query | None]] = {
    "term_high": lambda maker: maker.term(0.05),
    "term_mid": lambda maker: maker.term(0.005, 0.05),
    "term_low": lambda maker: maker.term(0, max(0.001, 2.5 / maker.found.articles)),
    "and2": lambda maker: maker.all_of(2),
    "and3": lambda maker: maker.all_of(3),
    "or_news": _Maker.any_of,
    "or_stop": _Maker.any_of_with_stop,
    "phrase": _Maker.news_phrase,
    "phrase_high": _Maker.frequent_phrase,
    "and_date": _Maker.all_in_period,
    "or_source": _Maker.any_in_source,
    "prefix": _Maker.prefix,
    "count": _Maker.count,
    "sort_date": _Maker.newest,
    "top1000": _Maker.thousand,
    "facet_source": _Maker.facet,
    "snippets": _Maker.snippets,
}
"""The classes by name, in the order of the table."""
