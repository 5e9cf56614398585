"""Damaged indexes: every real change is refused by the file's name; under right checksums nothing worse than that."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import newsindex
from newsindex.errors import FormatError
from newsindex.index import NewsIndex
from newsindex.store import snapshot as snapshot_module
from tests.faults import damages
from tests.faults.figures import Figures
from tests.faults.test_kill import FULL, Server

DAMAGES = 10_000 if FULL else 300
RESEALED = 5_000 if FULL else 200
QUESTIONS = 1.0 if FULL else 0.2  # the share that is asked of each
IN_ONE_PROCESS = 50


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> damages.Files:
    return damages.make_files(tmp_path_factory.mktemp("whole") / "index")


def answers(index: NewsIndex) -> list[Any]:
    """Return what five searches find, and an article."""
    searches = [
        index.search("quay", facets=("source",)),
        index.search('"version 1"', sort="newest", limit=5),
        index.search("qua* -reef"),
        index.search("source:wire published:2024-03..2024-06"),
        index.search("title:dock OR eel", where={"section": "s3"}, sort="oldest"),
    ]
    found = [
        (results.total, results.facets, [(hit.id, hit.score, hit.title, hit.published, hit.source) for hit in results])
        for results in searches
    ]
    return [*found, index.get("a10")]


def test_every_damage_is_refused_by_the_name_of_the_file(
    files: damages.Files, tmp_path: Path, figures: Figures
) -> None:
    kinds = {name[:3] for name in damages.in_use(files)}
    assert kinds == {"new", "toc", "seg", "del"}
    damages.write_files(files, tmp_path)
    with newsindex.open(tmp_path) as index:
        whole = answers(index)
        assert all(total for total, _, _ in whole[:5])
    done: Counter[str] = Counter()
    unchanged = 0
    for number in range(DAMAGES):
        what, changed, names = damages.damaged(files, number)
        where = f"damage {number}: {what} of {names}"
        damages.write_files(changed, tmp_path)
        # A new file may have the inode and the time of the one before it, and so look like one that was found whole.
        snapshot_module._verified.clear()
        if not names:
            unchanged += 1
            with newsindex.open(tmp_path) as index:
                assert answers(index) == whole, where
            continue
        with pytest.raises(FormatError) as caught, newsindex.open(tmp_path) as index:
            answers(index)
        assert Path(caught.value.file).name in names, f"{where}: {caught.value}"
        assert "\n" not in str(caught.value)
        done[what] += 1
    assert len(done) == 7
    figures(
        "T4a",
        "damage, whole index",
        done.total(),
        undetected=0,
        wrong=0,
        crashed=0,
        note="each refused by the file's name",
    )


def test_damage_under_right_checksums_is_refused_or_answered(
    index_server: Server, files: damages.Files, tmp_path: Path, figures: Figures
) -> None:
    folder = tmp_path / "whole"
    folder.mkdir()
    damages.write_files(files, folder)
    outcomes: Counter[str] = Counter()
    bad = []
    first = 0
    while first < RESEALED:
        index_server.ask("resealed", folder, first, min(first + IN_ONE_PROCESS, RESEALED), QUESTIONS)
        begun = first - 1
        ended = begun
        for words in index_server.answers():
            if words[0] == "begun":
                begun = int(words[1])
            elif words[0] in ("answered", "refused", "bad"):
                outcomes[words[0]] += ended != int(words[1])
                ended = int(words[1])
                if words[0] == "bad":
                    bad.append(" ".join(words))
        if ended != begun:
            bad.append(f"damage {begun} ended the process: {damages.resealed(files, begun)[0]}")
        first = begun + 1
    for line in bad:
        print(line)
    assert not bad, f"{len(bad)} of {RESEALED}, such as {bad[0]}"
    assert outcomes["answered"] + outcomes["refused"] == RESEALED
    assert min(outcomes["answered"], outcomes["refused"]) > RESEALED // 20
    figures(
        "T4b", "damage under right checksums", RESEALED, crashed=0,
        note=f"{outcomes['refused']:,} refused, {outcomes['answered']:,} answered; none over 2 s, 256 MiB",
    )  # fmt: skip
