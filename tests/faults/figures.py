"""What the fault tests measured, gathered into one table."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

COLUMNS = ("lost", "wrong", "undetected", "crashed")


@dataclass
class Row:
    """One kind of trial: counts of what went wrong, None where that cannot happen; the slowest one in seconds."""

    number: str
    what: str
    trials: int = 0
    counts: dict[str, int | None] = field(default_factory=lambda: dict.fromkeys(COLUMNS))
    slowest: float | None = None
    note: str = ""

    def cells(self) -> list[str]:
        shown = [self.counts[name] for name in COLUMNS]
        bound = f"{3 / self.trials:.1g}" if self.trials >= 10 else ""
        return [
            self.number, self.what, f"{self.trials:,}", *("" if count is None else f"{count:,}" for count in shown),
            bound, "" if self.slowest is None else f"{self.slowest:.3g} s", self.note,
        ]  # fmt: skip


class Figures:
    """Rows by number and name; trials told twice of the same row are added up."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Row] = {}

    def __call__(
        self, number: str, what: str, trials: int = 1, *, slowest: float | None = None, note: str = "", **counts: int
    ) -> None:
        assert counts.keys() <= set(COLUMNS), counts
        row = self.rows.setdefault((number, what), Row(number, what))
        row.trials += trials
        row.note = note or row.note
        for name, count in counts.items():
            row.counts[name] = (row.counts[name] or 0) + count
        if slowest is not None:
            row.slowest = max(slowest, row.slowest or 0.0)

    def told(self) -> list[dict[str, Any]]:
        """Return the rows as values that another process can be told."""
        return [asdict(row) for row in self.rows.values()]

    def take(self, told: list[dict[str, Any]]) -> None:
        """Take the rows that another process has told."""
        for row in told:
            counts = {name: count for name, count in row["counts"].items() if count is not None}
            self(row["number"], row["what"], row["trials"], slowest=row["slowest"], note=row["note"], **counts)

    def table(self) -> str:
        """Return the rows in order; "bound" is the share of failures up to which seeing none is no surprise (95 %)."""
        lines = [["test", "what", "trials", *COLUMNS, "bound", "slowest", ""]]
        lines += [
            row.cells() for _, row in sorted(self.rows.items(), key=lambda item: (_order(item[0][0]), item[0][1]))
        ]
        widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
        return "\n".join(
            "  ".join(
                cell.ljust(width) if at in (0, 1, len(widths) - 1) else cell.rjust(width)
                for at, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        )


def _order(number: str) -> tuple[int, str]:
    digits = "".join(character for character in number if character.isdigit())
    return int(digits or 0), number
