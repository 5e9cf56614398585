"""Random archives in several segments, as the set engine has them and as plain lists, and the twins of its sets."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from newsindex.analysis import Analyzer
from newsindex.schema import PreparedArticle, Schema
from newsindex.search.segment import SearchSegment, bits_of, open_segments
from newsindex.store.live import LiveSegment
from newsindex.store.manifest import FileEntry, SegmentEntry
from tests.segments import make_segment
from tests.strategies import Counted

SCHEMA = Schema(Counted)
ANALYZER = Analyzer("english")
FIELDS = SCHEMA.text_fields
ALL = (1 << len(FIELDS)) - 1
ENTRY = SegmentEntry(FileEntry(f"seg-{1:020}-{0:032x}.nix", 1024, "0" * 16, 0))
# From one in every article to one in a handful.
WORDS = [f"w{number}" for number in range(40)]


@dataclass
class Plain:
    """A segment as lists: of each article whether it lives, its values, and its terms field by field."""

    live: list[bool]
    articles: list[PreparedArticle]
    terms: list[list[list[str]]]

    def having(self, term: str, mask: int) -> set[int]:
        return {
            doc
            for doc, fields in enumerate(self.terms)
            if any(term in fields[f] for f in range(len(FIELDS)) if mask >> f & 1)
        }

    def having_phrase(self, words: list[str], offsets: list[int], mask: int) -> set[int]:
        found = set()
        for doc, fields in enumerate(self.terms):
            for f, terms in enumerate(fields):
                if mask >> f & 1 and any(
                    all(at + o < len(terms) and terms[at + o] == word for word, o in zip(words, offsets, strict=True))
                    for at in range(len(terms))
                ):
                    found.add(doc)
        return found

    @property
    def living(self) -> set[int]:
        return {doc for doc, lives in enumerate(self.live) if lives}

    def value(self, doc: int, name: str) -> Any:
        return self.articles[doc].values.get(name)


def archive(sizes: list[int], seed: int, deleted: list[float]) -> tuple[tuple[SearchSegment, ...], list[Plain]]:
    """Return segments of so many articles with Zipf's words, and the same as lists."""
    rng = random.Random(seed)
    weights = [1 / (rank + 1) for rank in range(len(WORDS))]
    live_segments, plain = [], []
    for size, share in zip(sizes, deleted, strict=True):
        articles = []
        for number in range(size):
            values: dict[str, Any] = {"id": f"a{seed}-{len(plain)}-{number}"}
            for name, least, most in (("title", 1, 4), ("summary", 0, 3), ("body", 0, 30)):
                values[name] = " ".join(rng.choices(WORDS, weights, k=rng.randint(least, most)))
            if number % 50 == 7:
                values["body"] = " ".join(rng.choices(WORDS[:6], k=400))
            if rng.random() < 0.9:
                values["source"] = rng.choice(
                    ["CNN", "Xinhua", "São Paulo Post", rng.choice(["Paper", "PAPER"]) + f" {rng.randrange(30)}"]
                )
            values["tags"] = rng.sample(["energy", "Trade", "peace talks", "x1", "x2"], rng.randint(0, 3))
            if rng.random() < 0.9:
                values["published"] = f"20{10 + number % 7}-0{rng.randint(1, 9)}-{rng.randint(10, 28)}T00:00:00Z"
            if rng.random() < 0.8:
                values |= {"words": rng.randint(-5, 5), "grade": rng.randint(-5, 5) / 2, "live": rng.random() < 0.5}
            articles.append(SCHEMA.prepare(values))
        live = [rng.random() >= share for _ in articles]
        live_segments.append(LiveSegment(ENTRY, make_segment(SCHEMA, articles), np.array(live, bool)))
        plain.append(Plain(live, articles, [[ANALYZER.terms(a.values.get(f, "")) for f in FIELDS] for a in articles]))
    return open_segments(live_segments), plain


@cache
def large() -> tuple[tuple[SearchSegment, ...], list[Plain]]:
    return archive([900, 130, 400], 5, [0.0, 0.1, 0.2])


def docs(bits: Any) -> set[int]:
    return {place * 64 + bit for place, word in enumerate(bits.tolist()) for bit in range(64) if word >> bit & 1}


def bitmap(segment: SearchSegment, chosen: set[int]) -> Any:
    flags = np.zeros(segment.doc_count, bool)
    flags[list(chosen)] = True
    return bits_of(flags)
