"""What docs/query-language.md says is so: its tables are run over the sample articles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from importlib.resources import files
from pathlib import Path

import pytest

import newsindex
from newsindex import QueryError, sources
from newsindex.index import NewsIndex

PAGE = (Path(__file__).parents[1] / "docs" / "query-language.md").read_text()
NOW = datetime(2024, 4, 2, 12)
ZONE = "Europe/Berlin"
FOUND = re.findall(r"^\| `(.+?)` \| (\d+) \|", PAGE, re.MULTILINE)
SEARCHED = re.findall(r"^\| `(.+?)` \| `(published:.+?)` \|", PAGE, re.MULTILINE)
HARMLESS = {"only-excluded", "also-matched"}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewsIndex]:
    with newsindex.open(tmp_path_factory.mktemp("language") / "archive", create=True, zone=ZONE) as index:
        index.add(sources.read([str(files("newsindex") / "samples")]))
        yield index


@pytest.mark.parametrize(("query", "number"), FOUND)
def test_so_many_articles_are_found(archive: NewsIndex, query: str, number: str) -> None:
    results = archive.search(query, limit=None)
    assert [remark for remark in results.diagnostics if remark.kind not in HARMLESS] == []
    assert results.total == int(number) > 0
    assert archive.search(results.searched).total == results.total


@pytest.mark.parametrize(("query", "searched"), SEARCHED)
def test_dates_are_searched_as_the_range(archive: NewsIndex, query: str, searched: str) -> None:
    results = archive.search(query, now=NOW)
    assert results.diagnostics == ()
    assert results.searched == searched


def test_the_page_has_every_operator_and_every_kind_of_remark() -> None:
    assert len(FOUND) > 40
    assert len(SEARCHED) > 20
    source = "".join(
        path.read_text()
        for part in ("query", "search")
        for path in Path(newsindex.__file__).parent.glob(f"{part}/*.py")
    )
    kinds = set(re.findall(r'(?:Diagnostic|note|say|missing)\(\s*"([a-z-]+)"', source))
    kinds |= set(re.findall(r'"((?:bad|no-such|cut|also)-[a-z-]+)"', source))
    assert len(kinds) > 20
    missing = {kind for kind in kinds if f"`{kind}`" not in PAGE.partition("## Diagnostics")[2]}
    assert missing == set()


def test_a_delete_does_not_take_other_spellings_with_it(archive: NewsIndex) -> None:
    before = archive.count()
    with pytest.raises(QueryError, match="nothing was deleted"):
        archive.delete(query="kiev")
    assert archive.count() == before
    assert archive.count("=kiev") < archive.count("kiev")


def test_a_period_until_now_has_a_next_page(archive: NewsIndex) -> None:
    first = archive.search("when:50y", limit=2, now=NOW)
    second = archive.search("when:50y", limit=2, now=datetime(2024, 4, 2, 13), after=first.next)
    assert first.searched != second.searched
    assert {hit.id for hit in first}.isdisjoint(hit.id for hit in second)
    assert len(second) == 2
