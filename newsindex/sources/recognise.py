"""What a file is, by its first bytes; its name only where they leave it open."""

from __future__ import annotations

import codecs
import csv
import json
import re
from pathlib import PurePath
from typing import Literal

from newsindex.errors import SourceError
from newsindex.schema import Article
from newsindex.sources.decode import has_controls

__all__ = ["Kind", "delimiter_of", "known_columns", "recognise"]

Kind = Literal["gzip", "jsonl", "json", "table", "feed", "html", "text"]

_FOREIGN = (
    (b"%PDF-", "a PDF"), (b"PK\x03\x04", "a zip archive or an office file"), (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"), (b"GIF8", "a GIF image"), (b"WARC/", "a WARC web archive"),
    (b"filedesc://", "an ARC web archive"),
    (b"BZh", "bzip2 data"), (b"\xfd7zXZ\x00", "xz data"), (b"\x28\xb5\x2f\xfd", "zstd data"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"), (b"\xd0\xcf\x11\xe0", "an old office file"),
    (b"SQLite format 3", "an SQLite database"), (b"{\\rtf", "an RTF file"), (b"RIFF", "an image or sound"),
)  # fmt: skip
_PROLOG = re.compile(r"(?:\s|<\?.*?\?>|<!--.*?-->|<!(?!--)[^>\[]*(?:\[.*?\]\s*)?>)*", re.DOTALL)
_ELEMENT = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)")
_FEED_ROOTS = frozenset({"rss", "feed", "rdf"})
_NEWSML_ROOTS = frozenset({"newsitem", "newsmessage", "packageitem", "newsml", "nitf"})
_HTML_SIGN = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_LINE_NAMES = frozenset({".jsonl", ".ndjson"})
_TABLE_NAMES = frozenset({".csv", ".tsv"})
_DELIMITERS = ",\t;|"
# Names that other archives use for what an article has: they tell a table's header from a line of prose.
_OTHER_COLUMNS = frozenset(
    {"headline", "text", "content", "date", "link", "author", "publisher", "category", "description"}
)
_LONGEST_COLUMN = 60


def recognise(head: bytes, file: str) -> Kind:
    """Return the kind of a file from its first bytes (all of them, or some thousand).

    Raises:
        SourceError: empty, not text, or of a kind that is not read; the reason names it.
    """
    bare = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if not bare:
        raise SourceError("the file is empty", file)
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    for magic, name in _FOREIGN:
        if bare.startswith(magic):
            raise SourceError(f"recognised as {name}, which is not read; convert it to text, HTML or JSONL", file)
    text = bare.decode("utf-8", "replace")
    if has_controls(text):
        raise SourceError("not a text file: it has binary bytes near its beginning", file)
    suffixes = [suffix.lower() for suffix in PurePath(file).suffixes if suffix.lower() != ".gz"]
    suffix = suffixes[-1] if suffixes else ""
    if suffix in _LINE_NAMES:
        return "jsonl"
    if text[0] in "{[" and re.match(r"""\{\s*(?:["}]|\Z)|\[\s*(?:[\[{"\]\d]|\Z)""", text):
        return _json_kind(text)
    if suffix == ".json":
        return "jsonl" if '\n{"' in text else "json"
    if text[0] == "<":
        return _markup_kind(text, file, suffix)
    if suffix in _TABLE_NAMES or known_columns(text.split("\n", 1)[0]) >= 2:
        return "table"
    return "html" if suffix in {".html", ".htm", ".xhtml"} and "<" in text else "text"


def _json_kind(text: str) -> Kind:
    first, _, rest = text.partition("\n")
    if not rest.strip():
        return "json" if first.startswith("[") else "jsonl"
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        # Spread over lines, or a broken first line of many: then the next one is an object of its own.
        return "jsonl" if rest.lstrip().startswith('{"') and first.rstrip()[-1] not in "[,{" else "json"
    return "json" if first.startswith("[") else "jsonl"


def _markup_kind(text: str, file: str, suffix: str) -> Kind:
    root = _ELEMENT.match(text, _PROLOG.match(text).end())  # type: ignore[union-attr]
    name = root.group(1).lower() if root else ""
    if name in _FEED_ROOTS:
        return "feed"
    if name in _NEWSML_ROOTS:
        raise SourceError("recognised as NewsML or NITF, which is not read; convert it to JSONL", file)
    by_name = suffix in {".html", ".htm", ".xhtml"} and not text.startswith("<?xml")
    if name == "html" or by_name or _HTML_SIGN.search(text, 0, 4096):
        return "html"
    if text.startswith("<?xml") or suffix in {".xml", ".rss", ".atom"}:
        # A feed that is damaged at its very root is still worth a try: the feed parser forgives much.
        if re.search(r"<(?:rss|feed|channel|item|entry)\b", text):
            return "feed"
        shown = f" (its root is <{name}>)" if name else ""
        raise SourceError(f"recognised as XML, but not as RSS or Atom{shown}; convert it to JSONL", file)
    return "html" if re.match(r"<(?:div|p|article|h1|title|meta|table|span|section|main)\b", text, re.I) else "text"


def delimiter_of(header: str) -> str:
    """Return the delimiter that splits the header line into the most known columns, then into the most columns."""
    return max(_DELIMITERS, key=lambda mark: (known_columns(header, mark), header.count(mark)))


def known_columns(header: str, delimiter: str | None = None) -> int:
    """Count the columns of a header line whose names an article may have; 0 when the line is no header at all."""
    if delimiter is None:
        return max(known_columns(header, mark) for mark in _DELIMITERS)
    try:
        names = next(csv.reader([header.strip()], delimiter=delimiter), [])
    except csv.Error:
        return 0
    if any(len(name) > _LONGEST_COLUMN for name in names):
        return 0
    return sum(name.strip().lower() in _OTHER_COLUMNS or name.strip().lower() in Article.model_fields for name in names)
