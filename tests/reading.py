"""What the tests of the readers share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from newsindex.errors import SourceError
from newsindex.sources import Record, read

FILES = Path(__file__).parent / "data" / "sources"
Write = Callable[..., Path]


def taken(*paths: Path) -> tuple[list[dict[str, Any]], list[SourceError]]:
    items = list(read(paths))
    records = [item.values for item in items if isinstance(item, Record)]
    return records, [item for item in items if isinstance(item, SourceError)]


def only(path: Path) -> dict[str, Any]:
    records, errors = taken(path)
    assert errors == []
    assert len(records) == 1
    return records[0]


def refused(path: Path) -> SourceError:
    records, errors = taken(path)
    assert records == []
    assert len(errors) == 1
    assert errors[0].file == str(path)
    return errors[0]
