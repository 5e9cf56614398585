"""The readers on real archives; left out where they are not there."""

from __future__ import annotations

import os
import re
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from newsindex.errors import SourceError
from newsindex.schema import Article, Schema
from newsindex.sources import Record, read

DATA = Path(os.environ.get("NEWSINDEX_DATA") or Path(__file__).parents[2] / "shared" / "data")

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real articles at {DATA} (NEWSINDEX_DATA)")


@pytest.mark.parametrize(
    ("name", "articles"),
    [
        ("bbc", 2225), ("digitalgov_news_en", 1814), ("wikinews_en_2019_2020", 295), ("gilets_jaunes_fr", 4768),
        ("fakenews_es", 1543), ("reuters21578", 21_577), ("reuters_financial_40k", 40_000),
    ],
)  # fmt: skip
def test_archives_are_read_whole(name: str, articles: int) -> None:
    kinds = Counter(type(item) for item in read(DATA / f"{name}.jsonl.gz"))
    assert kinds == {Record: articles}


@pytest.mark.parametrize("name", ["reuters21578", "reuters_financial_40k", "gilets_jaunes_fr", "fakenews_es", "bbc"])
def test_archives_fit_the_schema(name: str) -> None:
    schema = Schema(Article)
    prepared, rejected = 0, []
    for record in islice(read(DATA / f"{name}.jsonl.gz"), 500):
        assert isinstance(record, Record)
        try:
            prepared += bool(schema.prepare(record.values).stored)
        except SourceError as error:
            rejected.append(str(error))
    assert prepared >= 495, rejected


def test_seed_article() -> None:
    (record,) = read(DATA / "seed-article.txt")
    assert isinstance(record, Record)
    assert record.values["title"].startswith("XI Jinping meets")
    assert record.values["section"] == "World News"
    assert record.values["boilerplate"] == "Related Posts"
    assert record.values["body"].count("\n\n") == 12


def overlap(text: str, wanted: str) -> float:
    have, want = (Counter(re.findall(r"\w+", part.lower())) for part in (text, wanted))
    return 2 * (have & want).total() / max(1, have.total() + want.total())


def test_web_pages() -> None:
    # Pages whose expected text is more than a caption: for the others it is what another extractor failed on.
    pairs = [(DATA / "html" / "html" / f"{text.stem}.html", text) for text in (DATA / "html" / "text").glob("*.txt")]
    chosen = sorted(pair for pair in pairs if pair[0].exists() and pair[1].stat().st_size > 1000)[::7]
    assert len(chosen) >= 12
    found = Counter[str]()
    scores = []
    for path, text in chosen:
        (record,) = read(path)
        assert isinstance(record, Record)
        found.update(record.values.keys())
        scores.append(overlap(record.values.get("body", ""), text.read_text("utf-8", "replace")))
    assert found["title"] == found["body"] == len(chosen)
    assert found["published"] >= len(chosen) * 0.8
    assert sum(scores) / len(scores) > 0.93


def test_feeds() -> None:
    items = list(read(DATA / "feeds"))
    reasons = Counter(item.reason.split(":")[0] for item in items if isinstance(item, SourceError))
    assert sum(isinstance(item, Record) for item in items) > 100
    assert not [reason for reason in reasons if reason == "cannot be read"]


def test_web_archives_are_named_not_read() -> None:
    errors = [item for item in read(DATA / "warc") if isinstance(item, SourceError)]
    assert len(errors) >= 12
    assert all(
        "web archive" in error.reason or "breaks off" in error.reason or "damaged" in error.reason for error in errors
    )
