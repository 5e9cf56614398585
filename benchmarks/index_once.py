"""Index a corpus once and print what it took, as JSON: `python -m benchmarks.index_once FOLDER SIZE [FILE]`.

A process of its own, so that memory and processor time are those of the indexing and of nothing else.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from time import perf_counter

import newsindex
from benchmarks.corpus import Corpus, text_bytes


def peak_memory() -> int:
    """Return the most memory that this process has held so far, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # On Linux ru_maxrss begins with the peak of the process that started this one.
        fields = dict(line.split(":", 1) for line in status.read_text(encoding="ascii", errors="replace").splitlines())
        return int(fields["VmHWM"].split()[0]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def cpu_seconds() -> float:
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in spent)


def measure(folder: Path, corpus: Corpus) -> dict[str, float]:
    articles = list(corpus.articles())
    memory, cpu, begun = peak_memory(), cpu_seconds(), perf_counter()
    with newsindex.open(folder, create=True) as index:
        report = index.add(articles)
    seconds = perf_counter() - begun
    return {
        "articles": len(articles),
        "kept": report.added + report.updated + report.unchanged,
        "text_bytes": sum(map(text_bytes, articles)),
        "seconds": seconds,
        "cpu_seconds": cpu_seconds() - cpu,
        "peak_bytes": peak_memory() - memory,
        "disk_bytes": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
    }


if __name__ == "__main__":
    folder, size, *file = sys.argv[1:]
    print(json.dumps(measure(Path(folder), Corpus(Path(file[0]) if file else None, int(size)))))
