"""Hypothesis strategies for articles and queries over a small vocabulary, so that they meet."""

from __future__ import annotations

from typing import Annotated, Any

from hypothesis import strategies as st

from newsindex import Article, Flag, Number
from newsindex.query.tree import (
    And,
    AtLeast,
    Boost,
    Cased,
    Everything,
    Exact,
    Fuzzy,
    Near,
    Not,
    Or,
    Phrase,
    Prefix,
    Range,
    SomeOf,
    Value,
    Wildcard,
    Word,
)

WORDS = [
    *"rates rate fell oil bank banks the of talks talk didn’t U.S. COVID-19 20,000 São 中文 яма".split(),
    *("election", "elections", "elected"),
]
SOURCES = ["CNN", "Xinhua", "São Paulo Post"]
TAGS = ["energy", "Trade", "peace talks"]
# 2024-04-01 and the days after it, in microseconds.
DAYS = [1_711_929_600_000_000 + day * 86_400_000_000 for day in range(5)]
DATES = [f"2024-04-0{day + 1}T00:00:00Z" for day in range(5)]


class Counted(Article):
    """An article with a number and a flag."""

    words: Annotated[int | None, Number()] = None
    grade: Annotated[float | None, Number()] = None
    live: Annotated[bool | None, Flag()] = None


# Ten terms at most: up to there Whoosh keeps lengths exactly.
TEXTS = st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join)
NUMBERS = st.integers(-3, 3)

ARTICLES = st.fixed_dictionaries(
    {"title": st.sampled_from(WORDS)},
    optional={
        "summary": TEXTS,
        "body": TEXTS,
        "source": st.sampled_from(SOURCES),
        "tags": st.lists(st.sampled_from(TAGS), max_size=2),
        "published": st.sampled_from(DATES),
        "words": NUMBERS,
        "grade": NUMBERS.map(lambda n: n / 2),
        "live": st.booleans(),
    },
)
ARCHIVES = st.lists(ARTICLES, min_size=1, max_size=12)
UNDATED = ARTICLES.map(lambda article: {key: value for key, value in article.items() if key != "published"})

# Commits one after the other: each has articles to add, or to replace what has their id, and ids to delete.
IDS = st.sampled_from([f"a{number}" for number in range(8)])
Commit = tuple[dict[str, dict[str, Any]], set[str]]
COMMITS = st.lists(
    st.tuples(st.dictionaries(IDS, ARTICLES | UNDATED, max_size=6), st.sets(IDS, max_size=3)), min_size=2, max_size=4
)

_FIELDS = st.sampled_from([None, None, "title", "body"])
_TEXT_LEAVES = (
    st.builds(Word, st.sampled_from([*WORDS, "中", "文", "я"]), _FIELDS)
    | st.builds(Phrase, st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join), _FIELDS)
    | st.builds(Prefix, st.sampled_from(["ra", "elect", "b", "talks", "20", "zz"]), _FIELDS)
)
_LIKE = (
    st.builds(Wildcard, st.sampled_from(["b?nk", "r*e", "*s", "?il", "el*ons", "u?"]), _FIELDS)
    | st.builds(Fuzzy, st.sampled_from(["bnak", "rtae", "oils", "election"]), _FIELDS, st.sampled_from([1, 2]))
    | st.builds(Exact, st.sampled_from(["rates", "bank", "the talks", "sao", "COVID-19"]), _FIELDS)
    | st.builds(Cased, st.sampled_from(["US", "U.S.", "oil", "Oil", "São"]), _FIELDS)
)
_PLACED = st.recursive(
    _TEXT_LEAVES | _LIKE,
    lambda inner: st.builds(
        lambda left, right, unit, distance, ordered, negated: Near(
            left, right, distance if unit == "word" else 0, ordered and unit == "word", unit, negated
        ),
        inner,
        _TEXT_LEAVES | _LIKE,
        st.sampled_from(["word", "word", "sentence", "paragraph"]),
        st.integers(1, 4),
        st.booleans(),
        st.booleans(),
    ),
    max_leaves=3,
)
_BOUNDS = st.tuples(st.none() | NUMBERS, st.none() | NUMBERS)
FILTERS = (
    st.builds(Value, st.just("source"), st.sampled_from([*SOURCES, "cnn", "nobody"]))
    | st.builds(Value, st.just("tags"), st.sampled_from(TAGS))
    | st.builds(Prefix, st.sampled_from(["x", "PEACE"]), st.just("tags"))
    | st.builds(
        lambda name, ends, a, b: Range(name, ends[0], ends[1], a and ends[0] is not None, b and ends[1] is not None),
        st.sampled_from(["words", "grade"]),
        _BOUNDS,
        st.booleans(),
        st.booleans(),
    )
    | st.booleans().map(lambda flag: Range("live", flag, flag))
    | st.builds(
        lambda low, high: Range("published", low, high, high_open=high is not None, is_date=True),
        st.none() | st.sampled_from(DAYS),
        st.none() | st.sampled_from(DAYS),
    )
)
LEAVES = _TEXT_LEAVES | FILTERS | st.builds(Everything)


def _trees(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, min_size=2, max_size=3).map(lambda nodes: And(tuple(nodes)))
            | st.lists(inner, min_size=2, max_size=4).map(lambda nodes: Or(tuple(nodes)))
            | inner.map(Not)
            | st.builds(Boost, _TEXT_LEAVES, st.sampled_from([0.5, 2.0]))
        ),
        max_leaves=6,
    )


PLAIN_TREES = _trees(_TEXT_LEAVES | LEAVES)
"""Without the operators that Whoosh has not."""
_OPERATORS = (
    _PLACED
    | st.builds(AtLeast, _TEXT_LEAVES, st.integers(1, 3))
    | st.builds(SomeOf, st.lists(_TEXT_LEAVES | FILTERS, min_size=2, max_size=4).map(tuple), st.integers(1, 3))
)
TREES = _trees(_TEXT_LEAVES | LEAVES | _OPERATORS)
