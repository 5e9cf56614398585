"""How much one article may be: what is over a limit is refused by its name and the value, and its neighbours stay."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import pytest

import newsindex
from newsindex import results
from newsindex.limits import LONGEST_TEXT, MOST_METADATA_BYTES, MOST_WORDS
from newsindex.sources.record import Record

# With nine letters of an id, and nothing more.
AROUND = len('{"id":"most kept","authors":[],"tags":[],"more":""}')
SHORTER = "leave out keys that are not searched, or shorten lists"


def test_an_article_over_a_limit_is_refused_with_limit_and_value(tmp_path: Path) -> None:
    words = "rate " * (MOST_WORDS - 1)
    given = [
        {"id": "most words", "title": "x", "body": words},
        {"id": "a word more", "title": "x y", "body": words},
        {"id": "most text", "body": "r" * LONGEST_TEXT},
        {"id": "longer text", "title": "r", "body": "r" * LONGEST_TEXT},
        {"id": "much more", "title": "x", "more": {"key": ["é" * 40_000]}},
        {"id": "many tags", "title": "x", "tags": [f"tag {number}" for number in range(10_000)]},
        {"id": "boilerplate", "body": '"' * 70_000 + "x", "boilerplate": "é" * 70_000, "more": "x"},
        {"id": "most kept", "body": "x" * 70_000, "more": "x" * (MOST_METADATA_BYTES - AROUND)},
        {"id": "too great", "body": "x" * 70_000, "more": "x" * (MOST_METADATA_BYTES - AROUND + 1)},
        {"id": "a neighbour", "title": "x"},
    ]
    with newsindex.open(tmp_path / "index", create=True) as index:
        report = index.add(Record(values, "a.jsonl", line) for line, values in enumerate(given, 1))
        assert [(error.file, error.line, error.reason) for error in report.rejected] == [
            ("a.jsonl", 2, "the text has 1,000,001 words, the limit is 1,000,000; split the article"),
            ("a.jsonl", 4, "the text has 10,485,761 characters, the limit is 10,485,760; split the article"),
            ("a.jsonl", 5, f"80,061 bytes are kept with the text, the limit is 65,536; {SHORTER}"),
            ("a.jsonl", 6, f"108,930 bytes are kept with the text, the limit is 65,536; {SHORTER}"),
            ("a.jsonl", 9, f"65,537 bytes are kept with the text, the limit is 65,536; {SHORTER}"),
        ]
        kept = {article.model_dump()["id"] for article in index.articles()}
    assert kept == {"most words", "most text", "boilerplate", "most kept", "a neighbour"}


def test_rejected_records_are_counted_beyond_those_that_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "_MOST_REJECTED", 3)
    with newsindex.open(tmp_path / "index", create=True) as index:
        report = index.add([{}, {"title": "kept"}, {"body": 1}, {"title": []}, {}, {"tags": 7}, {"title": "kept too"}])
        assert report.added == 2
        assert len(report.rejected) == 3
        assert report.more_rejected == 2
        assert report.as_json()["more_rejected"] == 2
        files = [Record({}, file, line) for file in ("a", "b") for line in range(1, 6)]
        report = index.add(files)  # one file does not hide another
        assert [error.file for error in report.rejected] == ["a"] * 3 + ["b"] * 3
        assert report.more_rejected == 4


def test_unknown_keys_are_counted_beyond_those_that_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "_MOST_KEYS", 3)
    with newsindex.open(tmp_path / "index", create=True) as index:
        report = index.add({"title": f"{number}", "desk": 1, f"key {number % 4}": 2} for number in range(8))
    assert report.unknown_keys == {"desk": 8, "key 0": 2, "key 1": 2}
    assert report.more_unknown_keys == 4


def test_a_report_does_not_hold_on_to_what_was_rejected(tmp_path: Path) -> None:
    class Values(dict[str, Any]):
        pass

    def records() -> Any:
        for number in range(3):
            values = Values(title=number)
            held.append(weakref.ref(values))
            yield values

    held: list[weakref.ref[Values]] = []
    with newsindex.open(tmp_path / "index", create=True) as index:
        report = index.add(records())
    gc.collect()
    assert len(report.rejected) == len(held) == 3
    assert [one() for one in held] == [None, None, None]
