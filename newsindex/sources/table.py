"""CSV to records: a header row that names the fields, then one article a row."""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from typing import Any, BinaryIO

from newsindex.errors import SourceError
from newsindex.schema import Article
from newsindex.sources.decode import decode
from newsindex.sources.recognise import delimiter_of
from newsindex.sources.record import Record
from newsindex.sources.streams import HEAD, MOST_VALUES, Line, Rejoined, numbered_lines

__all__ = ["LONGEST_ROW", "MOST_LINES", "read_table"]

LONGEST_ROW = 16 * 1024 * 1024
# Of a row whose cells have line breaks in them.
MOST_LINES = 200_000
_BYTES_A_LINE = 100
_LIST_FIELDS = frozenset({"authors", "tags"})
# A stray quote swallows the rows after it; they are read again, up to this much in all, so that a file made of stray
# quotes costs no more than a few times its size.
_REREAD = 4 * LONGEST_ROW


def read_table(stream: BinaryIO, file: str) -> Iterator[Record | SourceError]:
    """Yield one record a row, with the line where the row begins; a bad row is an error, and the next ones follow."""
    # The module's limit of 131,072 characters a cell is the process's, and less than long articles have.
    if csv.field_size_limit() < LONGEST_ROW:
        csv.field_size_limit(LONGEST_ROW)
    rows = _Rows(stream, file)
    names: list[str] = []
    for line, cells in rows:
        if isinstance(cells, SourceError):
            yield cells
        elif not any(cell.strip() for cell in cells):
            continue
        elif not names:
            names = [_column(cell) for cell in cells]
            twice = {name for name in names if name and names.count(name) > 1}
            if twice:
                yield SourceError(f"the column {min(twice)!r} is there twice; rename one", file, line)
                return
        elif len(cells) != len(names):
            yield SourceError(f"{len(cells)} cells where the header has {len(names)}", file, line)
        elif any("\udc80" <= character <= "\udcff" for cell in cells for character in cell if not cell.isascii()):
            yield SourceError("not UTF-8; convert the file (iconv -t utf-8)", file, line)
        else:
            values = {
                name: _value(name, cell) for name, cell in zip(names, cells, strict=True) if name and cell.strip()
            }
            yield Record(values, file, line)


def _column(cell: str) -> str:
    # People write "Title" at the head of a column; only the names that an article has are folded to its spelling.
    name = cell.strip().removeprefix("\ufeff")
    return name.lower() if name.lower() in Article.model_fields else name


def _value(name: str, cell: str) -> Any:
    if name in _LIST_FIELDS:
        return [part.strip() for part in re.split(r"[;|]", cell) if part.strip()]
    return cell.strip()


class _Rows:
    """The rows of a file with their first lines; lines swallowed by a faulty row are given again as rows."""

    def __init__(self, stream: BinaryIO, file: str) -> None:
        peeked = Rejoined(stream)
        # The last bytes of the head may be a character cut in two.
        encoding = (
            "utf-8-sig"
            if decode(peeked.head[:-4] if len(peeked.head) >= HEAD else peeked.head) is not None
            else "cp1252"
        )
        text = io.TextIOWrapper(io.BufferedReader(peeked), encoding, errors="surrogateescape", newline="")
        header = peeked.head.decode(encoding, "replace").lstrip("\r\n").splitlines()
        self._delimiter = delimiter_of(header[0]) if header else ","
        self._file = file
        self._text = text
        self._lines = numbered_lines(text, file, LONGEST_ROW)
        self._again: deque[Line] = deque()
        self._row: list[Line] = []
        self._budget = _REREAD

    def __iter__(self) -> Iterator[tuple[int, list[str] | SourceError]]:
        reader = csv.reader(self._fed(), delimiter=self._delimiter, strict=True)
        while True:
            self._row = []
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield self._faulty(str(error))
                reader = csv.reader(self._fed(), delimiter=self._delimiter, strict=True)
                continue
            if self._row[0][1] is None:
                reason = f"a line of more than {LONGEST_ROW:,} characters, the limit; the line is left out"
                yield self._row[0][0], SourceError(reason, self._file, self._row[0][0])
                continue
            yield self._row[0][0], cells

    def _faulty(self, reason: str) -> tuple[int, SourceError]:
        first = self._row[0][0]
        swallowed = self._row[1:]
        size = sum(len(line or "") + _BYTES_A_LINE for _, line in swallowed)
        if swallowed and size <= self._budget:
            self._budget -= size
            self._again.extendleft(reversed(swallowed))
        return first, SourceError(f"not a CSV row: {reason}", self._file, first)

    def _fed(self) -> Iterator[str]:
        size = cells = 0
        while True:
            line = self._again.popleft() if self._again else next(self._lines, None)
            if line is None:
                return
            if not self._row:
                size = cells = 0
                if line[1] == "\n":
                    continue
            self._row.append(line)
            size += len(line[1] or "")
            cells += line[1].count(self._delimiter) if line[1] else 0
            if size > LONGEST_ROW or cells > MOST_VALUES or len(self._row) > MOST_LINES:
                raise csv.Error(
                    f"{size:,} characters, {cells:,} cells, {len(self._row):,} lines and perhaps more; "
                    f"the limits are {LONGEST_ROW:,}, {MOST_VALUES:,} and {MOST_LINES:,}"
                )
            yield "\n" if line[1] is None else line[1]
