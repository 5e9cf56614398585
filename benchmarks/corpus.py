"""News-like articles to measure with: generated from a seed, or read from a file.

What the generated ones share with real news: function words with their usual shares, Zipf's law for the others, topics
whose words and names come together, fixed phrases, a few words that one article repeats, names that no other article
has, log-normal lengths, more articles in later years, few large sources and many small ones. What they lack: grammar.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.vocabulary import FUNCTION_PHRASES, FUNCTION_WORDS, invented_words, rare_name
from newsindex import sources
from newsindex.sources.record import Record

__all__ = ["FIRST_DAY", "LAST_DAY", "SEED", "Corpus", "articles", "text_bytes"]

SEED = 1987
FIRST_DAY = datetime(2014, 1, 1, tzinfo=UTC)
LAST_DAY = datetime(2026, 1, 1, tzinfo=UTC)

_WORDS = 50_000
_TOPICS = 60
_SECTIONS = (
    "World",
    "Politics",
    "Business",
    "Markets",
    "Sport",
    "Technology",
    "Science",
    "Health",
    "Culture",
    "Opinion",
)
_PAPERS = ("Herald", "Tribune", "Gazette", "Courier", "Post")
_MEDIAN_WORDS, _SPREAD = 250, 0.75
_SHORTEST, _LONGEST = 12, 2_500
_SENTENCES = (7, 10, 13, 16, 18, 20, 22, 24, 27, 31, 36)


class Weighted:
    """Things to draw from, each with the share of draws that it gets; the rarest is rounded up to one place."""

    def __init__(self, shares: dict[str, float], bits: int) -> None:
        scale = (1 << bits) / sum(shares.values())
        table = [entry for entry, share in shares.items() for _ in range(max(1, round(share * scale)))]
        self._table = table
        self._size = len(table)

    def draw(self, rng: random.Random, k: int) -> list[str]:
        # A table and raw random bytes: several times as fast as random.choices, which searches for every draw.
        table, size = self._table, self._size
        return [table[number * size >> 32] for number in memoryview(rng.randbytes(4 * k)).cast("I")]


class Topic(NamedTuple):
    section: str
    tags: list[str]
    names: list[str]
    words: Weighted


class World(NamedTuple):
    """What all articles of a seed draw from."""

    words: list[str]
    general: Weighted
    topics: list[Topic]
    sources: Weighted
    authors: Weighted


def articles(seed: int = SEED) -> Iterator[dict[str, Any]]:
    """Yield articles without end; the same seed gives the same ones, so any two sizes share their beginning."""
    world = _world(random.Random(f"{seed} world"))
    rng = random.Random(f"{seed} articles")
    for number in count():
        yield _article(world, rng, number)


@dataclass(frozen=True)
class Corpus:
    """Which articles are measured: the first `size` of a file that newsindex reads, or of the generated ones."""

    file: Path | None
    size: int

    @property
    def name(self) -> str:
        return self.file.name if self.file else f"generated, seed {SEED}"

    def articles(self) -> Iterator[dict[str, Any]]:
        if self.file is None:
            return islice(articles(), self.size)
        records = (record for record in sources.read([self.file]) if isinstance(record, Record))
        return (record.values for record in islice(records, self.size))

    def identity(self) -> dict[str, Any]:
        """Return what tells two corpora apart, as JSON data."""
        if self.file is None:
            return {"seed": SEED, "size": self.size}
        return {"file": str(self.file.resolve()), "bytes": self.file.stat().st_size, "size": self.size}


def text_bytes(article: dict[str, Any]) -> int:
    """Return the size of the article's searched text in UTF-8."""
    return sum(len((article.get(name) or "").encode()) for name in ("title", "summary", "body"))


def _zipf(entries: list[str], offset: float, total: float, exponent: float = 1.0) -> dict[str, float]:
    shares = [(rank + offset) ** -exponent for rank in range(1, len(entries) + 1)]
    scale = total / sum(shares)
    return {entry: share * scale for entry, share in zip(entries, shares, strict=True)}


def _world(rng: random.Random) -> World:
    # The more frequent a word is, the shorter, as in every language.
    words = sorted(islice(invented_words(rng), _WORDS), key=lambda word: len(word) + rng.uniform(0, 4))
    # Shares add to 100 over the function words, the phrases of them, the numbers and the invented words.
    little = {entry: 1.5 * share for entry, share in (FUNCTION_WORDS | FUNCTION_PHRASES).items()}
    numbers = [*map(str, range(1, 100)), *(f"{n},000" for n in range(2, 60)), *(f"{n / 10}" for n in range(3, 99, 2))]
    numbers += [str(year) for year in range(FIRST_DAY.year, LAST_DAY.year)]
    rng.shuffle(numbers)
    general = little | _zipf(numbers, 5, 2.5)
    general |= _zipf(words, 30, 100 - sum(general.values()), exponent=1.25)
    people = [f"{rare_name(rng)} {rare_name(rng)}" for _ in range(400)]
    papers = [f"{rare_name(rng)} {_PAPERS[number % len(_PAPERS)]}" for number in range(20)]
    return World(
        words=words,
        general=Weighted(general, bits=20),
        topics=[_topic(rng, words, _SECTIONS[number % len(_SECTIONS)]) for number in range(_TOPICS)],
        sources=Weighted(_zipf(papers, 0.5, 1), bits=12),
        authors=Weighted(_zipf(people, 20, 1), bits=14),
    )


def _topic(rng: random.Random, words: list[str], section: str) -> Topic:
    own = sorted({int(len(words) * rng.random() ** 3.5) for _ in range(450)})
    single = [words[place] for place in own]
    rng.shuffle(single)
    people = [f"{rare_name(rng)} {rare_name(rng)}" for _ in range(12)]
    bodies = [" ".join(word.capitalize() for word in rng.sample(single[:200], rng.choice((2, 3)))) for _ in range(8)]
    terms = [" ".join(rng.sample(single[:300], rng.choice((2, 2, 3)))) for _ in range(40)]
    names = people + bodies
    phrases = names + terms
    rng.shuffle(phrases)
    shares = _zipf(single, 12, 0.82, exponent=1.1) | _zipf(phrases, 5, 0.18)
    return Topic(section, rng.sample(single[:60], 8), names, Weighted(shares, bits=14))


def _article(world: World, rng: random.Random, number: int) -> dict[str, Any]:
    place = int(len(world.topics) * rng.random() ** 1.3)
    main, other = world.topics[place], rng.choice(world.topics)
    focus = [*rng.sample(main.names, 3), *main.words.draw(rng, 8), *rng.choices(world.words, k=2)]
    if rng.random() < 0.6:
        focus.append(rare_name(rng))
    length = int(min(max(rng.lognormvariate(0, _SPREAD) * _MEDIAN_WORDS, _SHORTEST), _LONGEST))
    if rng.random() < 0.04:
        length = rng.randint(_SHORTEST, 45)
    age = rng.random() ** 0.5
    published = FIRST_DAY + timedelta(seconds=int(age * (LAST_DAY - FIRST_DAY).total_seconds()))
    body = _body(world, rng, length, main, other, focus)
    article: dict[str, Any] = {
        "id": f"article-{number:07d}",
        "url": f"https://news.example/{published:%Y/%m/%d}/{number:07d}",
        "title": _title(world, rng, main, focus),
        "body": body,
        "published": published.isoformat(),
        "source": world.sources.draw(rng, 1)[0],
        "authors": world.authors.draw(rng, rng.choice((0, 1, 1, 1, 2))),
        "section": main.section if rng.random() < 0.85 else rng.choice(_SECTIONS),
        "tags": rng.sample(main.tags, rng.randint(0, 4)),
        "language": "en",
    }
    if rng.random() < 0.35:
        article["summary"] = body.partition("\n")[0]
    return article


def _title(world: World, rng: random.Random, main: Topic, focus: list[str]) -> str:
    parts = [
        *rng.sample(focus, 2),
        *main.words.draw(rng, rng.randint(1, 3)),
        *world.general.draw(rng, rng.randint(1, 3)),
    ]
    rng.shuffle(parts)
    return _capital(" ".join(parts))


def _body(world: World, rng: random.Random, length: int, main: Topic, other: Topic, focus: list[str]) -> str:
    words = world.general.draw(rng, length)
    # Strides instead of a draw for every place: the same shares at a third of the time.
    words[1::5] = main.words.draw(rng, len(range(1, length, 5)))
    words[3::10] = other.words.draw(rng, len(range(3, length, 10)))
    words[8::20] = rng.choices(focus, k=len(range(8, length, 20)))
    sizes = rng.choices(_SENTENCES, k=length // _SENTENCES[0] + 1)
    pieces: list[str] = []
    at = 0
    for size in sizes:
        sentence = words[at : at + size]
        if not sentence:
            break
        at += size
        if size > 16 and len(sentence) > 9:
            sentence[8] += ","
        text = _capital(" ".join(sentence))
        pieces.append(f"“{text},” said {focus[0]}." if size == 13 else f"{text}.")
        pieces.append("\n\n" if size % 3 == 0 else " ")
    return "".join(pieces).rstrip()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
