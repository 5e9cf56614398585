"""Indexes of every format version that was ever written can be read: tests/golden/index_v*."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import newsindex

GOLDEN = sorted((Path(__file__).parent / "golden").glob("index_v*.json"))


@pytest.mark.parametrize("said", GOLDEN, ids=lambda path: path.stem)
def test_a_golden_index_opens_and_answers_as_when_it_was_made(said: Path, tmp_path: Path) -> None:
    copy = tmp_path / "index"
    shutil.copytree(said.with_suffix(""), copy)
    expected = json.loads(said.read_text())
    with newsindex.open(copy, variants=False) as index:
        assert sorted(article.id for article in index.articles()) == expected.pop("articles")  # type: ignore[attr-defined]
        for query, ids in expected.items():
            assert [hit.id for hit in index.search(query, limit=None)] == ids, query
        assert index.check() == []
        assert index.add([{"id": "new", "title": "One more ferry"}]).added == 1
        assert index.count("title:ferry") >= 1


def test_there_is_a_golden_index() -> None:
    assert [path.stem for path in GOLDEN] == ["index_v1"]
