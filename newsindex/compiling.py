"""The kernels' first compile on a machine, at a chosen moment.

Two processes compile about a half each, into numba's cache: being nobody else's, they may make haste. Numba compiles a
function anew when its own file is another, but not when that of a function compiled into it is; so here all are
forgotten when one file is another.

python -m newsindex.compiling segment           writes `small_segment.nix`, for when the format has changed
python -m newsindex.compiling writers CLAIMS    compiles the first half
python -m newsindex.compiling readers CLAIMS    compiles the second half, with that segment
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

import numpy as np
from filelock import FileLock

from newsindex.analysis import Analyzer
from newsindex.analysis.batch import BatchTokenizer
from newsindex.analysis.tokenizer_kernel import rehash
from newsindex.codec.merge import Part, merge_segments
from newsindex.codec.reader import SegmentReader
from newsindex.codec.writer import encode_articles
from newsindex.compiled import are_compiled, compiled_mark
from newsindex.kernel import IS_KNOWN
from newsindex.query.parser import ParsedQuery
from newsindex.query.tree import Exact, Fuzzy, Near, Node, Wildcard, Word
from newsindex.schema import Article, Schema
from newsindex.search.bits_kernel import count_values
from newsindex.search.parts import Vocabulary
from newsindex.search.request import Search
from newsindex.search.segment import KeywordValues
from newsindex.search.snapshot import Snapshot
from newsindex.store.envelope import ENVELOPE_BYTES
from newsindex.store.live import LiveSegment
from newsindex.store.manifest import FileEntry, SegmentEntry, new_file_name

__all__ = ["MESSAGE", "compile_kernels", "prepare"]

MESSAGE = "compiling, once on this machine; some fifteen seconds …"
_PATIENCE = 300.0
# The body of a segment, as `_small_segment` returns it: to make it takes kernels, or without them as long as a
# twentieth of the compiling.
_SMALL_SEGMENT = Path(__file__).with_name("small_segment.nix")
_turn = Lock()


def prepare() -> None:
    """Compile the kernels unless that was done before; a person at a terminal is told what takes so long."""
    with _turn:
        if are_compiled():
            return
        if sys.stderr.isatty():
            print(f"newsindex: {MESSAGE}", file=sys.stderr, flush=True)
        compile_kernels()


def compile_kernels() -> float:
    """Compile each kernel, or load it where that was done before, and return the seconds that it took."""
    began = time.perf_counter()
    mark = compiled_mark()
    if mark is None:
        _use_writers()
        _use_readers()
    else:
        missed = not mark.exists()
        with FileLock(mark.with_name("kernels.lock")):  # two programs that start at once need not do it twice
            if not (missed and mark.exists()):
                with TemporaryDirectory() as claims:
                    _compile_halves(mark, claims)
    return time.perf_counter() - began


def _compile_halves(mark: Path, claims: str) -> None:
    if not any(mark.parent.glob(f"{mark.stem}.*")):
        _forget()
    halves = (_start("readers", claims), _use_readers), (_start("writers", claims), _use_writers)
    for process, use in halves:
        if not _ends_well(process):
            use()
    mark.touch()


# Each half goes through the queries as sets and the operators from its own end: who is done first with the rest takes
# more of them. What takes long comes first, and is asked for by one half long before the other. What is new must call
# kernels with arrays as a search or a commit has them: writable or not makes two kernels of one.


def _use_writers() -> None:
    """Call each kernel that makes or merges segments, and those of sets."""
    schema = Schema(Article)
    rehash(np.zeros(0, np.int64), 0, np.zeros(8, np.int64))
    segment = SegmentReader(np.frombuffer(_small_segment(), np.uint8), "memory", schema)
    parts = [Part(segment, np.ones(segment.doc_count, bool)), Part(segment, np.zeros(segment.doc_count, bool))]
    for _ in merge_segments(schema, parts):
        pass
    _search(segment, _AS_SETS)
    _count(segment, _OPERATORS)


def _use_readers() -> None:
    """Call each kernel that reads segments, and those of the best hits and of sets."""
    body = np.frombuffer(_SMALL_SEGMENT.read_bytes(), np.uint8)
    segment = SegmentReader(body, _SMALL_SEGMENT.name, Schema(Article))
    info = segment.find(b"kernel")
    assert info is not None
    segment.postings(info)
    segment.position_gaps(info)
    segment.prefix_rows(b"k", 1)
    segment.dictionary()
    segment.ids.encoded(0)
    segment.shown.both(np.zeros(1, np.int64))
    # Of a field with over 255 values, whose numbers are uint32 and not uint8 as the small segment's.
    values = KeywordValues(segment.keywords("source"))
    many = np.zeros(segment.doc_count, np.uint32)
    count_values(np.zeros(1, np.uint64), many, values.ords, values.starts, np.zeros(values.count + 1, np.int64))
    _search(segment, _RANKED)
    _count(segment, _OPERATORS[::-1])
    _search(segment, _AS_SETS[::-1])


_AS_SETS = ("title:kernel OR (one “one two”)", "", "(kernel OR two) one", "(kern* OR two) one", "kern*")
_RANKED = ("kernel", "kernel one", "kernel OR one", "“one two”", "“one two” kernel -nothing")
_OPERATORS = (Near(Word("kernel"), Word("one"), 5), Exact("rates"), Wildcard("k*n?l"), Fuzzy("kernle"))
_WHERE = {"published": (None, "2024"), "source": "wire"}


def _search(reader: SegmentReader, queries: Sequence[str]) -> None:
    """Search and count, with filters and without, on a segment that lost an article and on one that did not."""
    schema = reader.schema
    vocabulary = Vocabulary(schema, Analyzer())
    lives = np.ones(reader.doc_count, bool), np.arange(reader.doc_count) > 0
    snapshots = [Snapshot(1, (LiveSegment(_entry(reader), reader, live),), schema) for live in lives]
    for query in queries:
        for snapshot in snapshots:
            for where in (None, _WHERE):
                search = Search.of_text(snapshot, vocabulary, query, where, timeout=None)
                first = search.results(limit=1)
                if query not in _RANKED:
                    search.results(limit=1, sort="newest", facets=("source", "tags"))
                    search.count()
                elif first.next:
                    search.results(limit=1, after=first.next)
                for hit in first:
                    assert hit.title
                    assert hit.snippet.text


def _count(reader: SegmentReader, trees: Sequence[Node]) -> None:
    """Count what matches queries as trees."""
    snapshot = Snapshot(1, (LiveSegment(_entry(reader), reader, np.ones(reader.doc_count, bool)),), reader.schema)
    vocabulary = Vocabulary(reader.schema, Analyzer())
    for tree in trees:
        Search(snapshot, vocabulary, ParsedQuery(tree, ()), timeout=None).count()


def _entry(reader: SegmentReader) -> SegmentEntry:
    return SegmentEntry(FileEntry(new_file_name("segment", 1), ENVELOPE_BYTES, "0" * 16, reader.doc_count))


def _small_segment() -> bytes:
    schema = Schema(Article)
    text = {
        "title": "kernel",
        "body": "one “two” thrée 4,000 rates rate",
        "source": "wire",
        "published": "2024-01-01T00:00Z",
    }
    articles = [schema.prepare(text | {"id": f"{number}"}) for number in range(200)]
    return b"".join(encode_articles(schema, articles, BatchTokenizer(Analyzer())))


def _start(*arguments: str) -> Any:
    """Start a process of this module; None where that cannot be."""
    if "python" not in Path(sys.executable or "").name.lower():
        return None  # a program with Python inside: who knows what it would do
    paths = os.pathsep.join(filter(None, sys.path))
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "newsindex.compiling", *arguments],
            env=os.environ | {"PYTHONPATH": paths},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return None


def _ends_well(process: subprocess.Popen[bytes] | None) -> bool:
    if process is None:
        return False
    try:
        return process.wait(timeout=_PATIENCE) == 0
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False


def _forget() -> None:
    """Delete what was compiled of other sources."""
    for name, module in list(sys.modules.items()):
        if name.startswith("newsindex.") and name.endswith("_kernel"):
            folders = {stats.cache_path for one in vars(module).values() if (stats := getattr(one, "stats", None))}
            for path in {path for folder in folders for path in Path(folder).glob(f"{name.rpartition('.')[2]}.*.nb?")}:
                path.unlink(missing_ok=True)


if __name__ == "__main__":
    if sys.argv[1] == "segment":
        _SMALL_SEGMENT.write_bytes(_small_segment())
    else:
        if IS_KNOWN:
            from newsindex.haste_kernel import make_haste

            make_haste(Path(sys.argv[2]))
        if sys.argv[1] == "writers":
            _use_writers()
        else:
            _use_readers()
