"""What the fault tests do with a whole index: commits that are pure functions of a seed and a number, and the model.

Commit `number` makes generation `number + 1`. It adds five articles, replaces five, deletes five or what a filter
finds, or does two of these. An article's text is a pure function of its id and its version, the number of the commit
that wrote it, so that brute force needs no second copy.
"""

from __future__ import annotations

import random
from functools import lru_cache
from pathlib import Path
from typing import Any

from newsindex.analysis import Analyzer
from newsindex.check import check_segments
from newsindex.index import NewsIndex
from newsindex.schema import Schema
from newsindex.store.live import open_live
from newsindex.store.storage import FolderStorage
from newsindex.store.store import Store

BATCH = 5
SECTIONS = 8
KINDS = ("add", "add", "add", "replace", "replace", "delete", "both", "sweep")
# No two of the same stem.
WORDS = tuple(
    "anchor bridge canal dock eel ferry gull harbour island jetty keel lock mast net oar pilot quay reef".split()
)

State = dict[str, int]  # id to version
_FORGOTTEN: State = {}


@lru_cache(512)
def article(article_id: str, version: int) -> dict[str, Any]:
    chance = random.Random(f"{article_id} {version}")
    first, second = " ".join(chance.choices(WORDS, k=12)), " ".join(chance.choices(WORDS, k=4))
    return {
        "id": article_id,
        "title": " ".join(chance.choices(WORDS, k=3)),
        "body": f"{first}. Version {version}.\n\n{second}",
        "source": chance.choice(("Wire", "Post", "Daily Mirror of the Harbour")),
        "section": section(article_id),
        "published": f"2024-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}T08:00:00Z",
    }


def section(article_id: str) -> str:
    return f"s{random.Random(article_id).randrange(SECTIONS)}"


def has_word(article_id: str, version: int, word: str) -> bool:
    told = article(article_id, version)
    return word in told["title"].split() or word in told["body"].replace(".", " ").split()


class IndexWorkload:
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._states: list[State] = [{}]
        self._kept = 0

    def state(self, number: int) -> State:
        """Return what is there after commit `number`."""
        while len(self._states) <= number:
            at = len(self._states)
            deleted, swept, added = self.changes(at)
            kept = self._states[at - 1].items()
            self._states.append(
                {one: version for one, version in kept if one not in deleted and section(one) != swept}
                | dict.fromkeys(added, at)
            )
        return self._states[number]

    def forget(self, number: int) -> None:
        """Let go what was there before commit `number`."""
        for old in range(self._kept, number):
            self._states[old] = _FORGOTTEN
        self._kept = max(self._kept, number)

    def changes(self, number: int) -> tuple[list[str], str | None, list[str]]:
        """Return what commit `number` deletes by id, the section it deletes, and the ids of which it adds articles."""
        chance = random.Random(f"{self.seed} change {number}")
        there = sorted(self.state(number - 1))
        kind = "add" if len(there) < 4 * BATCH else "sweep" if len(there) > 20 * BATCH else chance.choice(KINDS)
        new = [f"{number}.{place}" for place in range(BATCH)]
        some = chance.sample(there, BATCH) if len(there) >= BATCH else []
        match kind:
            case "add":
                return [], None, new
            case "replace":
                return [], None, some
            case "delete":
                return some, None, []
            case "both":
                return some[:2], None, some[2:] + new[:2]
        return [], section(chance.choice(there)), []

    def commit(self, index: NewsIndex, number: int) -> None:
        """Make commit `number`; when this returns it is acknowledged."""
        deleted, swept, added = self.changes(number)
        records = [article(one, number) for one in added]
        if swept is not None:
            assert index.delete(where={"section": swept}) > 0
        elif not records:
            assert index.delete(deleted) == len(deleted)
        elif not deleted:
            report = index.add(records)
            assert report.added + report.updated == len(added)
        else:
            with index.writer() as writer:
                assert writer.delete(deleted) == len(deleted)
                assert not writer.add(records).rejected


def check_words(index: NewsIndex, expected: State, words: tuple[str, ...]) -> None:
    """Compare what searches find with brute force."""
    for word in words:
        wanted = sorted(one for one, version in expected.items() if has_word(one, version, word))
        results = index.search(word, limit=None, facets=("source",))
        assert sorted(hit.id for hit in results) == wanted, word
        assert results.total == index.count(word) == len(wanted), word
        sources = [article(one, expected[one])["source"] for one in wanted]
        assert results.facets["source"] == {source: sources.count(source) for source in set(sources)}, word


def check_articles(index: NewsIndex, expected: State) -> None:
    """Compare every article, with its text, and that none is there twice."""
    found = [told.model_dump(mode="json", include=set(article("", 0))) for told in index.articles()]
    found.sort(key=lambda told: str(told["id"]))
    assert found == [article(one, expected[one]) for one in sorted(expected)]
    assert index.count() == index.stats().articles == len(expected)


def check_files(folder: Path) -> None:
    """Compare the segments, byte for byte, with what their stored articles give."""
    store = Store.open(FolderStorage(folder))
    schema = Schema.from_json(store.snapshot.manifest.schema, str(folder))
    problems = check_segments(store.snapshot, open_live(store.snapshot, schema), schema, Analyzer(schema.language))
    assert not problems, problems[0]
