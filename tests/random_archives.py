"""Archives and queries from a random number generator: larger than what Hypothesis makes, and quicker."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from newsindex.query.tree import (
    And,
    AtLeast,
    Boost,
    Cased,
    Everything,
    Exact,
    Exists,
    Fuzzy,
    Near,
    Node,
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
from tests.oracle import Formula
from tests.strategies import DATES, DAYS, SOURCES, TAGS, WORDS

# From words in nearly every text to some in few.
_VOCABULARY = [*WORDS, *(f"word{number}" for number in range(40))]
_WEIGHTS = [1 / (place + 1) for place in range(len(_VOCABULARY))]
_MOSTLY_SMALL = [5, 40, 150, 150, 400, 400, 1200]


def random_articles(pick: random.Random) -> Iterator[tuple[list[dict[str, Any]], list[str]]]:
    """Yield commits: articles to add, some in place of others, and ids to delete."""
    size = pick.choice(_MOSTLY_SMALL)
    ids = [f"a{number}" for number in range(size)]
    for commit in range(pick.randrange(1, 4)):
        share = ids if commit == 0 else pick.sample(ids, k=max(1, size // pick.choice([2, 5, 20])))
        doomed = pick.sample(ids, k=size // 10) if pick.random() < 0.5 else []
        yield [{"id": name} | _article(pick) for name in share], doomed


def _article(pick: random.Random) -> dict[str, Any]:
    article: dict[str, Any] = {"title": _text(pick, 1, 6)}
    if pick.random() < 0.3:
        article["summary"] = _text(pick, 1, 12)
    if pick.random() < 0.9:
        article["body"] = _prose(pick, 0, pick.choice([10, 30, 90, 200]))
    if pick.random() < 0.8:
        article["source"] = pick.choice(SOURCES)
    if pick.random() < 0.7:
        article["published"] = pick.choice(DATES)
    article["tags"] = pick.sample(TAGS, k=pick.randrange(3))
    if pick.random() < 0.6:
        article["words"] = pick.randrange(-3, 4)
        article["grade"] = pick.randrange(-3, 4) / 2
        article["live"] = pick.random() < 0.5
    return article


def _text(pick: random.Random, least: int, most: int) -> str:
    return " ".join(pick.choices(_VOCABULARY, _WEIGHTS, k=pick.randint(least, most)))


def _prose(pick: random.Random, least: int, most: int) -> str:
    """Return text with sentences and paragraphs."""
    found, begins = [], True
    for word in _text(pick, least, most).split():
        found.append(word[:1].upper() + word[1:] if begins or pick.random() < 0.05 else word)
        end = pick.choices(["", ".", ".\n\n"], [10, 2, 1])[0]
        begins = bool(end)
        found[-1] += end
    return " ".join(found)


def random_tree(pick: random.Random) -> Node:
    """Return a query: often one of those that people ask, now and then anything."""
    words = [_word(pick) for _ in range(pick.randrange(2, 5))]
    match pick.randrange(14):
        case 0:
            return _word(pick)
        case 1 | 2:
            return And(tuple(words))
        case 3:
            return Or(tuple(words))
        case 4:
            return _phrase(pick)
        case 5:
            return And((*words[:2], _phrase(pick)))
        case 6:
            return And((*words[:2], Not(_leaf(pick)), _filter(pick)))
        case 7:
            return And((Or(tuple(words)), Not(_leaf(pick)), _filter(pick)))
        case 8:
            return Boost(Or((Boost(words[0], 2.5), *words[1:])), 0.5)
        case 9 | 10:
            return _placed(pick)
        case 11:
            return And((_word(pick), _placed(pick)))
        case 12:
            return SomeOf((*words, _leaf(pick), _leaf(pick)), pick.randrange(1, 4))
    return _any(pick, 3)


def _any(pick: random.Random, depth: int) -> Node:
    if depth == 0 or pick.random() < 0.25:
        return _leaf(pick)
    children = tuple(_any(pick, depth - 1) for _ in range(pick.randrange(2, 4)))
    match pick.randrange(5):
        case 0 | 1:
            return And(children)
        case 2 | 3:
            return Or(children)
    return Not(children[0])


def _leaf(pick: random.Random) -> Node:
    chance = pick.random()
    if chance < 0.5:
        return _word(pick)
    if chance < 0.65:
        return _phrase(pick)
    if chance < 0.75:
        return Prefix(pick.choice(["ra", "elect", "b", "word1", "w", "zz"]), _field(pick))
    if chance < 0.8:
        return Everything()
    if chance < 0.82:
        return _placed(pick)
    if chance < 0.87:
        return Boost(_word(pick), pick.choice([0.5, 2.0, 3.7]))
    return _filter(pick)


def _field(pick: random.Random) -> str | None:
    return pick.choice([None, None, None, "title", "body"])


def _word(pick: random.Random) -> Word:
    return Word(pick.choices([*_VOCABULARY, "中", "missing"], [*_WEIGHTS, 0.05, 0.05])[0], _field(pick))


def _phrase(pick: random.Random) -> Phrase:
    return Phrase(_text(pick, 1, 3), _field(pick))


def _placed(pick: random.Random) -> Node:
    """Return an operator that looks where words stand, how often, or how they are written."""
    match pick.randrange(6):
        case 0 | 1:
            return _near(pick)
        case 2:
            return AtLeast(_operand(pick), pick.randrange(1, 5))
        case 3:
            return Phrase(_text(pick, 2, 3), _field(pick), slop=pick.choice([1, 2, 5, 40]))
        case 4:
            return type(leaf := _like(pick))(leaf.text, "lead")
    return _like(pick)


def _near(pick: random.Random) -> Near:
    left = _near(pick) if pick.random() < 0.2 else _operand(pick)
    unit, distance = pick.choice([("word", pick.choice([1, 2, 3, 10])), ("sentence", 0), ("paragraph", 0)])
    ordered = unit == "word" and pick.random() < 0.3
    return Near(left, _operand(pick), distance, ordered, unit, pick.random() < 0.25)


def _operand(pick: random.Random) -> Node:
    match pick.randrange(5):
        case 0:
            return Or((_word(pick), _like(pick)))
        case 1:
            return _like(pick)
        case 2:
            return _phrase(pick)
    return _word(pick)


def _like(pick: random.Random) -> Node:
    name = _field(pick)
    match pick.randrange(5):
        case 0:
            return Prefix(pick.choice(["ra", "elect", "elections", "rates", "b", "word1", "talks"]), name)
        case 1:
            return Wildcard(pick.choice(["b?nk", "r*e", "*s", "word?", "?il", "el*ons", "d*'t", "яm*", "x?y"]), name)
        case 2:
            return Fuzzy(pick.choice(["bnak", "rtae", "oils", "wrod1", "elections", "яма"]), name, pick.choice([1, 2]))
        case 3:
            return Cased(pick.choice(["Oil", "oil", "US", "U.S.", "Rates", "of the", "São", "Sao", "Election"]), name)
    return Exact(pick.choice(["rates", "rate", "elections", "bank", "talks of", "sao", "20000", "COVID-19"]), name)


def _filter(pick: random.Random) -> Node:
    match pick.randrange(10):
        case 6:
            return Exists(pick.choice(["title", "summary", "body", "source", "tags", "published", "words", "live"]))
        case 7:
            return Range("wc", pick.choice([None, 3, 20]), pick.choice([None, 8, 40]), pick.random() < 0.5)
        case 8:
            return Wildcard(pick.choice(["c?n", "*ua", "*o*o*", "tr*e"]), pick.choice(["source", "tags"]))
        case 0:
            return Value("source", pick.choice(SOURCES))
        case 1:
            return Or((Value("source", SOURCES[0]), Value("source", SOURCES[1])))
        case 2:
            return Value("tags", pick.choice(TAGS))
        case 3:
            return Range(pick.choice(["words", "grade"]), pick.choice([None, -1, 0]), pick.choice([None, 1, 2]))
        case 4:
            return Range("live", True, True)
    low, high = pick.choice([None, *DAYS]), pick.choice([None, *DAYS])
    return Range("published", low, high, high_open=high is not None, is_date=True)


def random_where(pick: random.Random) -> tuple[Node, ...]:
    """Return filters: mostly none."""
    return tuple(_filter(pick) for _ in range(pick.choice([0, 0, 1, 2])))


def random_formula(pick: random.Random, usual: dict[str, float]) -> Formula:
    """Return what a search asks of the formula: mostly what is usual."""
    if pick.random() < 0.6:
        return Formula()
    weights = {name: pick.choice([weight, 1.0, 0.25, 7.0]) for name, weight in usual.items()}
    return Formula(pick.choice([0.0, 0.9, 1.2, 3.0]), pick.choice([0.0, 0.4, 0.75, 1.0]), weights)
