"""A folder made to harm: the command ends soon and in little memory, tells of each file, and keeps the good ones."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import newsindex
from tests.faults import hostile_folder
from tests.faults.figures import Figures
from tests.faults.test_kill import FULL, ROOT

SECONDS = 60
MOST_KIB = 512 * 1024


def run(archive: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.hostile_folder", str(archive), str(folder)],
        cwd=ROOT, capture_output=True, text=True, timeout=10 * SECONDS,
    )  # fmt: skip


def test_a_hostile_folder_costs_its_own_records_only(tmp_path: Path, figures: Figures) -> None:
    folder = tmp_path / "folder"
    hostile, articles = hostile_folder.make(folder, full=FULL)
    (tmp_path / "first.jsonl").write_text(hostile_folder.good("0"))
    run(tmp_path / "first", tmp_path / "first.jsonl")  # compiles the kernels on a machine that has none
    done = run(tmp_path / "archive", folder)
    assert done.stderr, done.stdout
    cost = json.loads(done.stderr.splitlines()[-1])
    report = json.loads(done.stdout)
    rejected = {Path(told["file"]).name for told in report["rejected"]}
    made = {path.name for path in folder.iterdir()}
    assert rejected == {name for name in made if not name.endswith("-good.jsonl")} - {"up"}
    assert len(rejected) == hostile
    assert report["added"] == articles
    with newsindex.open(tmp_path / "archive") as index:
        assert index.count("good") == articles
        assert {"before", "after", "csv-before", "csv-after"} <= {str(hit.id) for hit in index.search("", limit=None)}
    assert not (tmp_path / "climbed.jsonl").exists()
    assert cost["status"] == 1
    assert cost["seconds"] <= SECONDS
    assert cost["own"] + cost["parsers"] <= MOST_KIB, cost
    figures(
        "T13", "hostile files in a folder", hostile, lost=0, undetected=0, crashed=0, slowest=cost["slowest"],
        note=f"{cost['seconds']:.3g} s all together, most for {cost['file']}; {articles} neighbours kept; "
        f"{cost['own'] >> 10} MiB, of parsing {cost['parsers'] >> 10}",
    )  # fmt: skip
