"""The command `newsindex`.

The modules of the commands are imported when one is run, so that help and a mistyped option answer at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from newsindex.cli.arguments import WrongArguments, parse
from newsindex.errors import IndexNotFound, NewsIndexError

__all__ = ["main"]

_ERROR = 2
_INTERRUPTED = 130
_BROKEN_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; an error is one line on standard error.

    Raises:
        SystemExit: help or the version was asked for, and printed.
    """
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        # An archive's text may hold what the terminal's encoding does not; it is escaped, not an error.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        arguments = parse(sys.argv[1:] if argv is None else argv)
        code = _run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Nobody reads any more (| head): what Python flushes at its end goes nowhere instead.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except (WrongArguments, NewsIndexError, OSError) as error:
        from newsindex.display import one_line

        print(f"newsindex: {one_line(_said(error))}", file=sys.stderr)
        return _ERROR
    return code


def _open_closed_streams() -> None:
    """Give what the caller closed (>&-) a place to go, so that no file of an archive is opened in its place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))


def _run(arguments: argparse.Namespace) -> int:
    if arguments.command == "add":
        from newsindex.cli.adding import add

        return add(arguments)
    if arguments.command == "demo":
        from newsindex.cli.demo import demo

        return demo(arguments)
    if arguments.command == "repl":
        from newsindex.repl import repl

        return repl(arguments)
    if arguments.command in ("check", "backup", "merge", "rebuild", "repair"):
        from newsindex.cli import keeping

        keep = {
            "check": keeping.check,
            "backup": keeping.backup,
            "merge": keeping.merge,
            "rebuild": keeping.rebuild,
            "repair": keeping.repair,
        }
        return keep[arguments.command](arguments)
    from newsindex.cli import commands

    actions = {
        "search": commands.search,
        "count": commands.count,
        "show": commands.show,
        "stats": commands.stats,
        "delete": commands.delete,
        "export": commands.export,
    }
    return actions[arguments.command](arguments)


def _said(error: Exception) -> str:
    if isinstance(error, IndexNotFound):
        return str(error).replace("create=True makes", "newsindex add makes")
    if isinstance(error, OSError) and not isinstance(error, NewsIndexError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
