"""The kernels' first compile on a machine: whether it is still to come, and doing it at a chosen moment."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from newsindex.analysis import Analyzer
from newsindex.analysis.batch import BatchTokenizer
from newsindex.codec.encode_kernel import encode_terms
from newsindex.codec.merge import Part, merge_segments
from newsindex.codec.reader import SegmentReader
from newsindex.codec.writer import encode_articles
from newsindex.schema import Article, Schema

__all__ = ["are_compiled", "compile_kernels"]


def are_compiled() -> bool:
    """Tell whether the kernels are in numba's cache, from which a process loads them in a moment."""
    stats = getattr(encode_terms, "stats", None)
    if stats is None:  # the compiler is switched off
        return True
    return any(Path(stats.cache_path).glob("encode_kernel.encode_terms-*.nbi"))


def compile_kernels() -> float:
    """Use each kernel once, on articles that nobody keeps, and return the seconds that it took."""
    began = time.perf_counter()
    schema = Schema(Article)
    articles = [schema.prepare({"id": f"{n}", "title": "kernel", "body": "one “two” thrée 4,000"}) for n in range(3)]
    body = b"".join(encode_articles(schema, articles, BatchTokenizer(Analyzer())))
    segment = SegmentReader(np.frombuffer(body, np.uint8), "memory", schema)
    merged = b"".join(merge_segments(schema, [Part(segment, np.ones(3, bool)), Part(segment, np.zeros(3, bool))]))
    info = SegmentReader(np.frombuffer(merged, np.uint8), "memory", schema).find(b"kernel")
    if info is not None:
        segment.postings(info)
        segment.position_gaps(info)
    return time.perf_counter() - began
