"""What the command line does to keep an archive: check it, copy it, make it anew."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

import newsindex
from newsindex.display import Screen, counted, one_line
from newsindex.index import rebuild_index
from newsindex.store.repair import return_to_previous
from newsindex.store.storage import FolderStorage

__all__ = ["backup", "check", "merge", "rebuild", "repair"]


def check(arguments: Namespace) -> int:
    """Decode everything and compare it with the stored articles; 1 when something is wrong."""
    screen = Screen(sys.stdout)
    with newsindex.open(arguments.archive, allow_network_fs=arguments.allow_network_fs) as index:
        problems = index.check()
        articles = index.count()
    for problem in problems:
        screen.say(one_line(str(problem)), "red")
    if not problems:
        screen.say(f"sound: {counted(articles, 'article')}, every file as its articles say")
    return 1 if problems else 0


def backup(arguments: Namespace) -> int:
    """Copy the newest commit into an empty folder."""
    with newsindex.open(arguments.archive, allow_network_fs=arguments.allow_network_fs) as index:
        index.backup(arguments.destination)
        Screen(sys.stdout).say(f"{counted(index.count(), 'article')} copied to {one_line(arguments.destination)}")
    return 0


def merge(arguments: Namespace) -> int:
    """Merge all segments into one."""
    with newsindex.open(arguments.archive, allow_network_fs=arguments.allow_network_fs) as index:
        merged = index.merge()
    Screen(sys.stdout).say(f"{counted(merged, 'segment')} merged into one" if merged else "nothing to merge")
    return 0


def rebuild(arguments: Namespace) -> int:
    """Make the archive anew from the articles stored in it; 1 when some could not be read."""
    screen = Screen(sys.stdout)
    report = rebuild_index(arguments.archive)
    screen.say(f"{counted(report.articles, 'article')} indexed anew")
    for line in report.lost:
        screen.say(f"lost: {one_line(line)}", "red")
    return 1 if report.lost else 0


def repair(arguments: Namespace) -> int:
    """Give the damaged newest commit up and commit again what the one before held."""
    done = return_to_previous(FolderStorage(Path(arguments.archive)))
    screen = Screen(sys.stdout)
    screen.say(f"given up: {one_line(done.damage)}", "red")
    screen.say(
        f"{counted(done.articles, 'article')}, as commit {done.returned_to} had them, are now commit {done.generation}"
    )
    return 0
