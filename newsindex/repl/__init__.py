"""The search prompt: a query a line, hits below it, commands that begin with a colon.

On a terminal with editing, history and completion; otherwise plain lines in, plain lines out.
"""

from __future__ import annotations

import sys
from argparse import Namespace

import newsindex
from newsindex.display import Screen
from newsindex.index import NewsIndex
from newsindex.repl.prompt import Prompt

__all__ = ["repl", "run"]


def repl(arguments: Namespace) -> int:
    """Open the archive and search it at a prompt."""
    with newsindex.open(
        arguments.archive,
        allow_network_fs=arguments.allow_network_fs,
        variants=arguments.variants,
        zone=arguments.zone,
    ) as index:
        run(index)
    return 0


def run(index: NewsIndex) -> None:
    """Answer the lines of standard input until it ends or `:quit`."""
    if sys.stdin is None or sys.stdout is None:
        return
    if sys.stdin.isatty() and sys.stdout.isatty():
        from newsindex.repl.terminal import run_on_terminal

        run_on_terminal(index)
        return
    if hasattr(sys.stdin, "reconfigure"):
        sys.stdin.reconfigure(errors="replace")
    prompt = Prompt(index, Screen(sys.stdout))
    for line in sys.stdin:
        if not prompt.answer(line):
            return
        sys.stdout.flush()
