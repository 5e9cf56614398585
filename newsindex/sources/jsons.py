"""JSON to records: one object a line, or one file with an object or an array."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from newsindex.errors import SourceError
from newsindex.sources.decode import decode
from newsindex.sources.record import Record
from newsindex.sources.streams import MOST_VALUES, numbered_lines, read_whole

__all__ = ["DEEPEST", "LONGEST_FILE", "LONGEST_LINE", "read_json", "read_jsonl"]

LONGEST_LINE = 16 * 1024 * 1024
LONGEST_FILE = 32 * 1024 * 1024
DEEPEST = 64
_TOO_DEEP = f"not JSON that can be read: nested too deep; the limit is {DEEPEST}"
_BLANKS = " \t\r\n"
# NaN is not JSON, yet data frames write it for a value that is missing.
_DECODER = json.JSONDecoder(parse_constant=lambda _name: None)


def read_jsonl(stream: BinaryIO, file: str) -> Iterator[Record | SourceError]:
    """Yield one record a line; a line that cannot be read is an error, and the next ones follow."""
    for number, line in numbered_lines(stream, file, LONGEST_LINE):
        if line is None:
            yield SourceError(
                f"a line of more than {LONGEST_LINE:,} bytes, the limit; the line is left out", file, number
            )
            continue
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            if (reason := _too_much(text, "a line")) is not None:
                yield SourceError(reason, file, number)
            elif text:
                yield from _records(_DECODER.decode(text), file, number)
        except UnicodeDecodeError as error:
            yield SourceError(f"not UTF-8: byte {line[error.start]:#04x} at column {error.start + 1}", file, number)
        except (ValueError, RecursionError) as error:
            yield SourceError(_reason(error), file, number)


def read_json(stream: BinaryIO, file: str) -> Iterator[Record | SourceError]:
    """Yield the objects of an array, of {"articles": [...]}, or that stand one after the other."""
    text = decode(read_whole(stream, file, "a JSON file", LONGEST_FILE))
    if text is None:
        yield SourceError("not UTF-8; convert it (iconv -t utf-8)", file)
        return
    if (reason := _too_much(text, "a JSON file")) is not None:
        yield SourceError(reason, file)
        return
    at, line = _skip(text, 0, _BLANKS), 1
    counted = 0
    if text.startswith("[", at):
        at += 1
    while (at := _skip(text, at, _BLANKS + ",")) < len(text):
        line += text.count("\n", counted, at)
        counted = at
        if text[at] == "]":
            break
        try:
            value, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            yield SourceError(f"{_reason(error)}; what follows is not read", file, line)
            return
        yield from _records(value, file, line)
    else:
        if text.lstrip().startswith("["):
            yield SourceError("the array breaks off: no closing ]", file, text.count("\n") + 1)
            return


def _skip(text: str, at: int, characters: str) -> int:
    while at < len(text) and text[at] in characters:
        at += 1
    return at


def _records(value: Any, file: str, line: int) -> Iterator[Record | SourceError]:
    if isinstance(value, dict) and isinstance(value.get("articles"), list) and not {"title", "body"} & value.keys():
        for part in value["articles"]:
            yield from _records(part, file, line)
    elif isinstance(value, dict) and _is_too_deep(value):
        yield SourceError(_TOO_DEEP, file, line)
    elif isinstance(value, dict):
        yield Record(value, file, line)
    else:
        yield SourceError(f"not a JSON object but {_named(value)}; an article is an object", file, line)


def _named(value: Any) -> str:
    return {list: "an array", str: "a string", bool: "true or false", type(None): "null"}.get(type(value), "a number")


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg.lower()} at column {error.colno}"
    return _TOO_DEEP if isinstance(error, RecursionError) else f"not JSON: {error}"


def _too_much(text: str, what: str) -> str | None:
    """Return why the text is not decoded: it would make too many values."""
    if len(text) <= MOST_VALUES:
        return None
    values = text.count(",") + text.count("[") + text.count("{")
    return f"{what} with {values:,} commas and brackets; the limit is {MOST_VALUES:,}" if values > MOST_VALUES else None


def _is_too_deep(value: Any) -> bool:
    """Tell whether arrays and objects stand in each other deeper than the limit."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            part
            for one in level
            if isinstance(one, dict | list)
            for part in (one.values() if isinstance(one, dict) else one)
            if isinstance(part, dict | list)
        ]
        if not level:
            return False
    return True
