"""The demonstration: the articles that newsindex ships, added, searched, and left at the prompt."""

from __future__ import annotations

import sys
import tempfile
import time
from argparse import Namespace
from importlib import resources
from pathlib import Path

import newsindex
from newsindex.cli.adding import add_files, print_report
from newsindex.display import Screen, one_line
from newsindex.errors import StorageError
from newsindex.repl import run
from newsindex.repl.prompt import Prompt

__all__ = ["demo"]

# Each shows one thing: plain words, a phrase in curly quotes, a mistyped field, a filter, what several sources say.
_SHOWCASE = (
    "kyiv talks",
    "“interest rates” OR inflation",
    "titel:ferry",
    "storm -sports",
    ":facets source",
)


def demo(arguments: Namespace) -> int:
    """Build an archive of the articles that newsindex ships, search it, and end at the prompt when a person watches."""
    if arguments.archive is not None:
        return _demo(arguments.archive)
    with tempfile.TemporaryDirectory(prefix="newsindex-demo-") as folder:
        return _demo(folder)


def _demo(folder: str) -> int:
    screen = Screen(sys.stdout)
    with resources.as_file(resources.files("newsindex") / "samples") as samples:
        if not Path(samples).is_dir():
            raise StorageError(str(samples), "the sample articles are not installed; install newsindex anew")
        began = time.perf_counter()
        with newsindex.open(folder, create=True) as index:
            screen.say(f"newsindex add {one_line(folder)} {one_line(str(samples))}", "bold")
            print_report(screen, add_files(index, [str(samples)]), time.perf_counter() - began)
            prompt = Prompt(index, screen)
            prompt.answer(":limit 3")
            for line in _SHOWCASE:
                screen.print()
                screen.say(f"newsindex> {line}", "bold")
                prompt.answer(line)
            if sys.stdin.isatty() and sys.stdout.isatty():
                screen.print()
                run(index)
    return 0
