"""What the command line does to fill an archive."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from collections.abc import Sequence

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

import newsindex
from newsindex.display import Screen, counted, json_text, one_line
from newsindex.index import NewsIndex
from newsindex.results import AddReport
from newsindex.sources import read

__all__ = ["add", "add_files", "print_report"]

_MOST_REJECTED = 20


def add(arguments: Namespace) -> int:
    """Add files to an archive, which is made when there is none; 1 when records were rejected."""
    began = time.perf_counter()
    with newsindex.open(
        arguments.archive,
        create=True,
        language=arguments.language,
        allow_network_fs=arguments.allow_network_fs,
    ) as index:
        report = add_files(index, arguments.files, strict=arguments.strict)
    if arguments.json:
        print(json_text(report.as_json()))
    else:
        print_report(Screen(sys.stdout), report, time.perf_counter() - began)
    return 1 if report.rejected else 0


def add_files(index: NewsIndex, files: Sequence[str], *, strict: bool = False) -> AddReport:
    """Add files, with a progress line on standard error when a person watches."""
    if not sys.stderr.isatty():
        return index.add(read(files), strict=strict)
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} records"), TimeElapsedColumn())
    with Progress(*columns, console=Screen(sys.stderr), transient=True) as progress:
        task = progress.add_task("", total=None)
        return index.add(read(files), strict=strict, progress=lambda taken: progress.update(task, completed=taken))


def print_report(screen: Screen, report: AddReport, seconds: float) -> None:
    """Print what became of the records."""
    counts = {
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "rejected": len(report.rejected) + report.more_rejected,
    }
    screen.say(", ".join(f"{number:,} {name}" for name, number in counts.items()) + f" in {seconds:.1f} s")
    for error in report.rejected[:_MOST_REJECTED]:
        screen.say(one_line(str(error)), "red", 2)
    more = len(report.rejected[_MOST_REJECTED:]) + report.more_rejected
    if more:
        screen.say(f"and {more:,} more rejected", "red", 2)
    if report.naive_dates:
        screen.say(f"{counted(report.naive_dates, 'date')} named no zone: taken as UTC")
    if report.long_terms:
        screen.say(f"{counted(report.long_terms, 'word')} over 255 bytes: cut to that length, and found by it")
    if report.unknown_keys:
        keys = ", ".join(f"{one_line(key)} ({number:,})" for key, number in report.unknown_keys.items())
        others = f" and others ({report.more_unknown_keys:,})" if report.more_unknown_keys else ""
        screen.say(f"keys kept but not searchable: {keys}{others}")
