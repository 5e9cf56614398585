"""Eight readers in two processes beside a writer that adds, deletes and merges: every snapshot is one whole commit."""

from __future__ import annotations

import gc
import os
import random
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import newsindex
from newsindex.index import NewsIndex
from tests.faults.index_workload import WORDS, IndexWorkload, article, check_words
from tests.faults.kill_server import say

PROCESSES, THREADS, ROUNDS = 2, 4, 4


class Reader:
    """One thread's: it opens snapshots one after the other and never sees an older one after a newer one."""

    def __init__(self, folder: str, seed: int, name: str) -> None:
        self.folder = folder
        self.workload = IndexWorkload(seed)
        self.chance = random.Random(name)
        self.generation = 1
        self.seconds: list[float] = []

    def read(self, snapshots: int, until: float) -> int:
        """Open so many snapshots, or fewer when the time is over; return how many."""
        done = 0
        while done < snapshots and (begun := time.monotonic()) < until:
            with newsindex.open(self.folder) as index:
                self.check(index, begun)
                done += 1
                begun = time.monotonic()
                if index.refresh():
                    self.check(index, begun)
                    done += 1
        return done

    def check(self, index: NewsIndex, begun: float) -> None:
        generation = index.stats().generation
        assert generation >= self.generation, f"generation {generation} after {self.generation}"
        expected = self.workload.state(generation - 1)
        self.workload.forget(self.generation - 1)
        self.generation = generation
        check_words(index, expected, (self.chance.choice(WORDS),))
        if expected:
            one = self.chance.choice(sorted(expected))
            found = index.get(one)
            assert found is not None
            assert found.model_dump()["body"] == article(one, expected[one])["body"]
        self.seconds.append(time.monotonic() - begun)


def work(folder: str, seed: str, snapshots: str, seconds: str) -> None:
    """Write until the readers have done; say what each process of readers has done and used."""
    children = []
    for process in range(PROCESSES):
        child = os.fork()
        if not child:
            status = 1
            try:
                readers = [Reader(folder, int(seed), f"{process} {thread}") for thread in range(THREADS)]
                for line in read(readers, int(snapshots) // PROCESSES, float(seconds)):
                    say(line)
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(status)
        children.append(child)
    workload = IndexWorkload(int(seed))
    number = 0
    statuses = []
    with newsindex.open(folder) as index:
        while children:
            number += 1
            workload.commit(index, number)
            workload.forget(number - 1)
            ended = [(child, status) for child, status in (os.waitpid(one, os.WNOHANG) for one in children) if child]
            statuses += [status for _, status in ended]
            children = [child for child in children if child not in dict(ended)]
    say(f"commits {number} failed {sum(status != 0 for status in statuses)}")


def read(readers: list[Reader], snapshots: int, seconds: float) -> Iterator[str]:
    """Yield after each round: snapshots opened, open files, resident KiB; milliseconds of the slowest and of p99."""
    with ThreadPoolExecutor(THREADS) as threads:
        for number in range(ROUNDS):
            until = time.monotonic() + seconds / ROUNDS
            count = snapshots // (ROUNDS * THREADS)
            done = list(threads.map(lambda reader, count=count, until=until: reader.read(count, until), readers))
            gc.collect()
            files = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
            resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
            taken = sorted(seconds for reader in readers for seconds in reader.seconds)
            slowest, late = taken[-1], taken[len(taken) * 99 // 100]
            yield f"round {number} {sum(done)} {files} {resident} {slowest * 1000:.0f} {late * 1000:.0f}"
