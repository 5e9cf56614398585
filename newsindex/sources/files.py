"""Paths to records: folders walked, files opened and recognised, each given to its reader."""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, cast

from newsindex.errors import SourceError
from newsindex.sources.decode import mended, to_utf8
from newsindex.sources.jsons import LONGEST_FILE, read_json, read_jsonl
from newsindex.sources.page import read_page
from newsindex.sources.parser_process import LARGEST, parse_apart
from newsindex.sources.recognise import recognise
from newsindex.sources.record import Record
from newsindex.sources.streams import Rejoined, Unpacked, read_whole
from newsindex.sources.table import read_table

__all__ = ["MOST_ERRORS", "read"]

_Reader = Callable[[BinaryIO, str], Iterator[Record | SourceError]]


def _read_feed(stream: BinaryIO, file: str) -> Iterator[Record | SourceError]:
    yield from parse_apart("feed", read_whole(stream, file, "a feed", LARGEST), file)


def _read_webpage(stream: BinaryIO, file: str) -> Iterator[Record | SourceError]:
    yield from parse_apart("html", read_whole(stream, file, "a web page", LARGEST), file)


_READERS: dict[str, _Reader] = {
    "jsonl": read_jsonl,
    "json": read_json,
    "table": read_table,
    "feed": _read_feed,
    "html": _read_webpage,
    "text": read_page,
}
_STANDARD_INPUT = "-"
# Of a file in which there are not more records than that: it is not what it was taken for, or made to have errors.
MOST_ERRORS = 5_000
# The file by which the folder of an archive is known; its other files are not articles.
_ARCHIVE_MARK = "newsindex.meta"


def read(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> Iterator[Record | SourceError]:
    """Yield what the files hold, one after the other; what cannot be read is yielded as an error, never raised.

    A file is a text page, a web page, RSS, Atom, CSV, JSON or JSON lines, any of them perhaps packed by gzip: its
    content decides. Folders are walked in sorted order; hidden files, folders behind links, and archives of newsindex
    are left out, and a pipe is read only when it is named itself. "-" is standard input. Files are read as the records
    are taken.
    """
    for path in [paths] if isinstance(paths, str | os.PathLike) else paths:
        name = os.fspath(path)
        if name == _STANDARD_INPUT:
            stream = getattr(sys.stdin, "buffer", None)
            if stream is None:
                yield SourceError("standard input is closed", name)
            else:
                yield from _guarded(_from_stream(stream, name), name)
        elif os.path.isfile(os.path.join(name, _ARCHIVE_MARK)):  # noqa: PTH113, PTH118 - a Path raises where nobody may look
            yield SourceError("an archive of newsindex, not articles; newsindex export writes what it holds", name)
        elif os.path.isdir(name):  # noqa: PTH112
            yield from _folder(name)
        else:
            yield from _file(name)


def _folder(folder: str) -> Iterator[Record | SourceError]:
    unread: list[OSError] = []
    found = False
    for place, folders, names in os.walk(folder, onerror=unread.append):
        folders[:] = [] if _ARCHIVE_MARK in names else sorted(name for name in folders if not name.startswith("."))
        for name in [] if _ARCHIVE_MARK in names else sorted(names):
            if not name.startswith("."):
                found = True
                yield from _file(os.path.join(place, name), named=False)  # noqa: PTH118 - as the path was given
    for error in unread:
        yield SourceError(f"cannot be read: {error.strerror}", str(error.filename))
    if not found and not unread:
        yield SourceError("the folder has no files to read", folder)


def _file(file: str, *, named: bool = True) -> Iterator[Record | SourceError]:
    try:
        mode = os.stat(file).st_mode  # noqa: PTH116 - before opening, for opening a pipe waits for its writer
        if stat.S_ISFIFO(mode) and not named:
            yield SourceError("a pipe, which is read only when it is named itself", file)
            return
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
            yield SourceError("neither a file nor a folder", file)
            return
        stream = open(file, "rb")  # noqa: SIM115, PTH123 - closed below; a generator may end early
    except (OSError, ValueError) as error:
        yield SourceError(f"cannot be read: {getattr(error, 'strerror', None) or error}", file)
        return
    with stream:
        yield from _guarded(_from_stream(stream, file), file)


def _from_stream(stream: BinaryIO, file: str) -> Iterator[Record | SourceError]:
    peeked = Rejoined(stream)
    kind = recognise(to_utf8(peeked.head) or peeked.head, file)
    if kind == "gzip":
        peeked = Rejoined(cast(BinaryIO, Unpacked(cast(BinaryIO, peeked), file)))
        if not peeked.head:
            read_whole(cast(BinaryIO, peeked), file, "", 0)
        kind = recognise(to_utf8(peeked.head) or peeked.head, file)
        if kind == "gzip":
            raise SourceError("packed by gzip twice; unpack it once", file)
    whole: BinaryIO = io.BufferedReader(peeked)
    if to_utf8(peeked.head[:4]) is not None:
        whole = io.BytesIO(to_utf8(read_whole(whole, file, "a file in UTF-16 or UTF-32", LONGEST_FILE)) or b"")
    yield from _READERS[kind](whole, file)


def _guarded(items: Iterator[Record | SourceError], file: str) -> Iterator[Record | SourceError]:
    """Yield the items; what a reader raises ends the file, not the run, and so do too many errors."""
    records = errors = 0
    while True:
        try:
            item = next(items)
            if isinstance(item, Record):
                item = Record(mended(item.values), item.file, item.line)
        except StopIteration:
            if not records + errors:
                yield SourceError("no articles in the file", file)
            return
        except SourceError as error:
            item = error
        except Exception as error:  # the parsers of others raise anything on hostile input; it is reported
            message = " ".join(str(error).split())[:200]
            item = SourceError(f"cannot be read: {type(error).__name__}{': ' if message else ''}{message}", file)
        records += isinstance(item, Record)
        errors += isinstance(item, SourceError)
        if errors > max(MOST_ERRORS, records):
            yield SourceError(
                f"more than {MOST_ERRORS:,} records that cannot be read, the limit, and fewer that can; "
                "what follows is left out", file, item.line,
            )  # fmt: skip
            return
        yield item
