"""Check, backup, rebuild; the report of long words; merges in real commits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import newsindex
from newsindex import FormatError, StorageError
from newsindex.check import check_segments
from newsindex.cli import main
from newsindex.codec.sections import SectionReader
from newsindex.index import NewsIndex, rebuild_index
from newsindex.store import merge_policy
from newsindex.store.envelope import ENVELOPE_BYTES, HEADER_BYTES
from newsindex.store.live import open_live

MakeIndex = Callable[..., NewsIndex]


def article(number: int, version: int = 0) -> dict[str, Any]:
    return {
        "id": f"a{number}",
        "title": f"Report {number}",
        "body": f"The bank’s word{number % 7} said {version}. " * (1 + number % 5),
        "source": f"S{number % 3}",
        "published": f"2024-04-{1 + number % 28:02d}",
    }


def test_a_sound_index_is_sound_after_updates_and_deletions(make_index: MakeIndex) -> None:
    index = make_index([article(n) for n in range(50)])
    index.add([article(n, 1) for n in range(0, 50, 3)])
    index.delete(["a1", "a7"])
    assert index.check() == []


def test_many_commits_are_merged_and_nothing_is_lost(make_index: MakeIndex) -> None:
    index = make_index()
    for n in range(30):
        index.add([article(n), article(n // 2, n)])
        if n % 4 == 0:
            index.delete([f"a{n}"])
    expected = {}
    for n in range(30):
        expected[f"a{n}"] = 0
        expected[f"a{n // 2}"] = n
        if n % 4 == 0:
            expected.pop(f"a{n}", None)
    found = {hit.id: hit.article.body for hit in index.search("bank", limit=None)}  # type: ignore[attr-defined]
    assert {key: int(body.split(" said ")[1].split(".")[0]) for key, body in found.items()} == expected
    assert index.stats().segments <= merge_policy._MOST_IN_TIER + 1
    assert index.check() == []
    names = {path.name for path in Path(index.stats().location).iterdir()}
    assert len([name for name in names if name.startswith("seg-")]) <= 2 * index.stats().segments + 2


def test_statistics_are_right_over_segments(make_index: MakeIndex) -> None:
    whole = make_index([article(n) for n in range(20)])
    parts = make_index([article(n) for n in range(7)])
    parts.add([article(n) for n in range(7, 20)])
    for query in ("word3", "bank OR word1", '"bank’s word2"', "title:report word5"):
        assert {hit.id: pytest.approx(hit.score) for hit in whole.search(query, limit=None)} == {
            hit.id: hit.score for hit in parts.search(query, limit=None)
        }


def test_check_names_the_section_that_is_not_what_the_articles_give(make_index: MakeIndex, tmp_path: Path) -> None:
    """The checksums are made right again: only decoding and comparing can tell."""
    index = make_index([article(n) for n in range(50)])
    (path,) = Path(index.stats().location).glob("seg-*.nix")
    data = bytearray(path.read_bytes())
    sections = SectionReader(np.frombuffer(bytes(data), np.uint8)[HEADER_BYTES : HEADER_BYTES - ENVELOPE_BYTES], "x")
    at = sections.place("lengths.body")
    data[HEADER_BYTES + at + 3] ^= 1
    body = np.frombuffer(bytes(data), np.uint8)[HEADER_BYTES : HEADER_BYTES - ENVELOPE_BYTES]
    opened = index._store.snapshot
    (segment,) = open_live(opened, index.schema)
    damaged = type(segment)(segment.entry, type(segment.reader)(body, path.name, index.schema), segment.live)
    (problem,) = check_segments(opened, [damaged], index.schema, index._analyzer)
    assert problem.file == path.name
    assert problem.byte == at + 3
    assert "lengths.body" in problem.reason


def test_a_backup_is_the_index(make_index: MakeIndex, tmp_path: Path) -> None:
    index = make_index([article(n) for n in range(20)])
    index.delete("a3")
    with index.writer() as writer:
        writer.add([article(99)])
        index.backup(tmp_path / "copy")
    with newsindex.open(tmp_path / "copy") as copy:
        assert copy.count() == 19
        assert copy.get("a99") is None
        assert copy.check() == []
        assert [a.model_dump() for a in copy.articles()] == [  # type: ignore[comparison-overlap]
            a.model_dump()
            for a in index.articles()
            if a.id != "a99"  # type: ignore[attr-defined]
        ]
        assert copy.add([article(100)]).added == 1
    with pytest.raises(StorageError, match="empty folder"):
        index.backup(tmp_path / "copy")


def test_merging_leaves_one_segment_without_what_was_deleted(make_index: MakeIndex) -> None:
    index = make_index([article(n) for n in range(20)])
    before = index.stats().generation
    assert index.merge() == 0
    assert index.stats().generation == before
    index.add([article(n) for n in range(20, 30)])
    before = [(hit.id, hit.title) for hit in index.search("bank", limit=None)]
    assert index.stats().segments == 2
    assert index.merge() == 2
    assert [(hit.id, hit.title) for hit in index.search("bank", limit=None)] == before
    assert (index.stats().segments, index.count(), index.check()) == (1, 30, [])
    index.delete("a3")
    assert index.merge() == 1
    assert (index.stats().segments, index.count(), index.check()) == (1, 29, [])
    (segment,) = index._snapshot.segments
    assert segment.doc_count == 29


def test_merging_takes_what_the_writer_added_and_is_rolled_back_with_it(make_index: MakeIndex) -> None:
    index = make_index([article(n) for n in range(3)])
    with index.writer() as writer:
        writer.add([article(5)])
        writer.merge()
        writer.rollback()
    assert (index.count(), index.stats().segments, writer.merged) == (3, 1, 0)
    with index.writer() as writer:
        writer.add([article(5)])
        writer.delete(["a0"])
        writer.merge()
    assert (index.count(), index.stats().segments, index.check()) == (3, 1, [])
    assert writer.merged == 2


def test_merging_an_index_whose_articles_are_all_deleted(make_index: MakeIndex) -> None:
    index = make_index([article(n) for n in range(3)])
    index.delete(["a0", "a1", "a2"])
    assert index.merge() == 0
    assert (index.count(), index.check()) == (0, [])


def test_rebuilding_keeps_everything(make_index: MakeIndex) -> None:
    index = make_index([article(n) for n in range(20)])
    index.delete("a3")
    before = {hit.id for hit in index.search("word1", limit=None)}
    report = rebuild_index(index.stats().location)
    assert (report.articles, report.lost) == (19, [])
    assert index.refresh()
    assert {hit.id for hit in index.search("word1", limit=None)} == before
    assert (index.count(), index.stats().segments, index.check()) == (19, 1, [])


def test_rebuilding_keeps_what_can_be_read_of_a_damaged_segment(make_index: MakeIndex) -> None:
    index = make_index([article(n) for n in range(20)])
    location = index.stats().location
    (path,) = Path(location).glob("seg-*.nix")
    data = bytearray(path.read_bytes())
    sections = SectionReader(np.frombuffer(bytes(data), np.uint8)[HEADER_BYTES : HEADER_BYTES - ENVELOPE_BYTES], "x")
    data[HEADER_BYTES + sections.place("postings") + 2] ^= 0xFF
    path.unlink()
    path.write_bytes(data)
    with pytest.raises(FormatError, match=path.name):
        newsindex.open(location)
    report = rebuild_index(location)
    assert (report.articles, report.lost) == (20, [])
    with newsindex.open(location) as again:
        assert (again.count("bank"), again.check()) == (20, [])


def test_long_words_are_counted_and_found(make_index: MakeIndex) -> None:
    index = make_index()
    report = index.add([{"id": "1", "title": "x", "body": "a " + "b" * 300 + " c"}])
    assert report.long_terms == 1
    assert index.count("b" * 300) == 1


def test_the_commands(make_index: MakeIndex, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    index = make_index([article(n) for n in range(5)])
    location = index.stats().location
    assert main(["check", location]) == 0
    assert "sound: 5 articles" in capsys.readouterr().out
    assert main(["backup", location, str(tmp_path / "copy")]) == 0
    assert main(["backup", location, str(tmp_path / "copy")]) == 2
    index.add([article(7)])
    assert main(["merge", location]) == 0
    assert "2 segments merged into one" in capsys.readouterr().out
    assert main(["merge", location]) == 0
    assert "nothing to merge" in capsys.readouterr().out
    assert main(["rebuild", location]) == 0
    assert "6 articles indexed anew" in capsys.readouterr().out
    (path,) = (tmp_path / "copy").glob("seg-*.nix")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert main(["check", str(tmp_path / "copy")]) == 2
    assert path.name in capsys.readouterr().err
