"""Make the golden index of a format version, once: python -m tests.make_golden_index tests/golden/index_v1

It is never made again for the same version: it proves that what was written once can always be read.
"""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from pathlib import Path

import newsindex

if __name__ == "__main__":
    target = Path(sys.argv[1])
    lines = (files("newsindex") / "samples" / "wire.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    with newsindex.open(target, create=True, variants=False) as index:
        index.add(records[:15])
        index.add(records[15:])
        index.delete([index.search(sort="oldest")[0].id])
        queries = [
            "ferry OR storm",
            "rates OR bank",
            '"interest rates"',
            "published:2024-03",
            "source:meridian*",
            "-the",
            "kyiv talk*",
        ]
        expected = {query: [hit.id for hit in index.search(query, limit=None)] for query in queries}
        expected["articles"] = sorted(article.id for article in index.articles())  # type: ignore[attr-defined]
    (target / "write.lock").unlink()
    (target / "write.holder").unlink()
    target.with_suffix(".json").write_text(json.dumps(expected, indent=1) + "\n")
