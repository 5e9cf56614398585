"""Import, open, search once, and print the seconds of each as JSON: `python -m benchmarks.start_once FOLDER QUERY`."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from time import perf_counter
from typing import Any


def measure(folder: str, query: str) -> dict[str, Any]:
    begun = perf_counter()
    newsindex = import_module("newsindex")  # here, because it is what is timed
    imported = perf_counter()
    with newsindex.open(folder) as index:
        opened = perf_counter()
        hits = [(hit.title, hit.published) for hit in index.search(query)]
        answered = perf_counter()
    return {
        "import": imported - begun,
        "open": opened - imported,
        "first query": answered - opened,
        "hits": len(hits),
    }


if __name__ == "__main__":
    print(json.dumps(measure(*sys.argv[1:])))
