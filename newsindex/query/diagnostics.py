"""What was not understood in a query, or was understood as something else than was typed."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Diagnostic"]


@dataclass(frozen=True)
class Diagnostic:
    """A departure from what was typed.

    `kind` is one of a fixed set of words for programs to branch on; `start` and `end` are offsets into the query text
    (both 0 when the whole query is meant); `text` is what stands there; `suggestion` is what was perhaps meant.
    """

    kind: str
    message: str
    start: int = 0
    end: int = 0
    text: str = ""
    suggestion: str | None = None

    def __str__(self) -> str:
        """Return the message, with the suggestion when there is one."""
        return f"{self.message}; did you mean {self.suggestion}?" if self.suggestion else self.message
