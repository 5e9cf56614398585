"""What a reader gives: one record, and where it stood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Record"]


@dataclass(frozen=True)
class Record:
    """One article's values as a source has them, not yet validated.

    `file` is the path as it was given ("-" for standard input); `line` is where the record begins, from 1, or None
    when the format has no lines.
    """

    values: dict[str, Any]
    file: str
    line: int | None = None
