"""Forks a process for each trial, so that the library is imported once: started by `test_kill.py`, spoken to by lines.

Commands: `work FOLDER SEED FIRST` makes commits until it is killed, `hold FOLDER` takes the lock and leaves a child
behind, `share FOLDER NAME COUNT` makes COUNT commits beside other writers. Each answers `pid N` first, `over` last.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from pathlib import Path

from newsindex.store.manifest import SegmentEntry
from newsindex.store.storage import FolderStorage
from newsindex.store.store import Store
from tests.faults.workload import Workload, text


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())  # one call, so that a kill cannot cut it


def work(folder: str, seed: str, first: str) -> None:
    store = Store.open(FolderStorage(Path(folder)))
    workload = Workload(int(seed))
    workload.live(int(first) + 500)
    for number in range(int(first), int(first) + 500):
        say(f"submitted {number}")
        workload.commit(store, number)
        say(f"acknowledged {number}")


def hold(folder: str) -> None:
    writer = Store.open(FolderStorage(Path(folder))).begin()
    child = os.fork()
    if child:
        say(f"child {child}")
    signal.pause()
    writer.close()


def share(folder: str, name: str, count: str) -> None:
    store = Store.open(FolderStorage(Path(folder)))
    for number in range(int(count)):
        article = f"{name}{number}"
        with store.begin(timeout=60) as writer:
            entry = writer.add_file("segment", [text(article)], 1)
            writer.commit([*writer.manifest.segments, SegmentEntry(entry)])
        say(f"acknowledged {article}")


COMMANDS = {"work": work, "hold": hold, "share": share}


def serve() -> None:
    children: list[int] = []
    for line in sys.stdin:
        name, *arguments = line.split("\t")
        arguments[-1] = arguments[-1].rstrip("\n")
        child = os.fork()
        if not child:
            try:
                say(f"pid {os.getpid()}")
                COMMANDS[name](*arguments)
                status = 0
            except BaseException:
                traceback.print_exc()
                status = 1
            os._exit(status)
        children.append(child)
        if name != "share":
            os.waitpid(children.pop(), 0)
            say("over")
        elif len(children) == 2:
            failed = [child for child in children if os.waitpid(child, 0)[1]]
            children.clear()
            say("failed" if failed else "over")


if __name__ == "__main__":
    serve()
