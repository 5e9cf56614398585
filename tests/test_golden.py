"""Golden searches over the sample archive: the data is in golden/searches.jsonl."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

import newsindex
from newsindex import sources
from newsindex.index import NewsIndex

GOLDEN = [json.loads(line) for line in (Path(__file__).parent / "golden" / "searches.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewsIndex]:
    with newsindex.open(tmp_path_factory.mktemp("samples") / "archive", create=True) as index:
        report = index.add(sources.read([str(files("newsindex") / "samples")]))
        assert [str(error) for error in report.rejected] == []
        assert report.added == 62
        yield index


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: f"{golden['query']} {golden.get('where', '')}"[:60])
def test_search(archive: NewsIndex, golden: dict[str, Any]) -> None:
    results = archive.search(
        golden["query"], where=golden.get("where"), sort=golden.get("sort", "relevance"), limit=None
    )
    found = [hit.id if "ids" in golden else hit.title for hit in results]
    expected = golden["ids"] if "ids" in golden else golden["titles"]
    assert found == expected if golden.get("ordered") else sorted(found) == sorted(expected), golden["about"]
    assert results.total == len(expected)
    kinds = [diagnostic.kind for diagnostic in results.diagnostics]
    assert sorted(kinds) == sorted(golden.get("diagnostics", [])), golden["about"]


def test_every_hit_says_where_it_matched(archive: NewsIndex) -> None:
    for golden in GOLDEN:
        for hit in archive.search(golden["query"], limit=5):
            assert hit.snippet.text
            assert all(0 <= start < end <= len(hit.snippet.text) for start, end in hit.snippet.spans)
