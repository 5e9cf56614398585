"""What the documents say is so: code blocks run, files exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "benchmarks/README.md", "docs/query-language.md"]


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / name).read_text(), re.MULTILINE | re.DOTALL)


def test_python_in_the_readme_runs(tmp_path: Path) -> None:
    found = blocks("README.md", "python")
    assert found
    program = "\n".join(found)
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # Lines such as `print(x)  # output` are checked against what was printed.
    expected = re.findall(r"^\s*print\(.*\)\s+# (.*)$", program, re.MULTILINE)
    assert done.stdout.splitlines() == expected


def test_commands_in_the_readme_run(tmp_path: Path) -> None:
    """Lines after `$ ` in console blocks run in one folder; what they print begins with the line shown under them."""
    commands = 0
    for block in blocks("README.md", "console"):
        for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            done = subprocess.run(
                command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False, executable="/bin/bash",
                env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tmp_path)},
            )  # fmt: skip
            printed = done.stdout + done.stderr
            for line in shown.splitlines():
                assert line.rstrip(" …") in printed, f"{command}: {line!r} not in {printed!r}"
            commands += 1
    assert commands >= 3


@pytest.mark.parametrize("name", DOCUMENTS)
def test_files_that_are_named_exist(name: str) -> None:
    text = (ROOT / name).read_text()
    for link in re.findall(r"\]\((?!http|#)([^)#]+)\)", text):
        assert ((ROOT / name).parent / link).exists(), link
    for path in re.findall(r"`((?:newsindex|tests|benchmarks)/[\w./]*)`", text):
        assert (ROOT / path).exists(), path


def test_the_architecture_page_is_short() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text().splitlines()) <= 200
