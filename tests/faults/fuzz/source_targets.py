"""Files that somebody else made, by each of the readers; and what a parser that was taken over might answer."""

from __future__ import annotations

import gzip
import io
import json
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

from newsindex.errors import SourceError
from newsindex.schema import Article, Schema
from newsindex.sources import files as files_module
from newsindex.sources.decode import mended
from newsindex.sources.feed import read_feed
from newsindex.sources.frames import Broken, parsed_message, read_frame, read_message
from newsindex.sources.jsons import read_json, read_jsonl
from newsindex.sources.page import read_page
from newsindex.sources.parser_process import _item
from newsindex.sources.recognise import recognise
from newsindex.sources.record import Record
from newsindex.sources.streams import Rejoined
from newsindex.sources.table import read_table
from newsindex.sources.webpage import read_webpage
from tests.faults.fuzz.targets import Target, expect

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "newsindex" / "samples"
DATA = ROOT / "tests" / "data" / "sources"
SCHEMA = Schema(Article)
Items = Iterator[Record | SourceError]


def taken(items: Items) -> None:
    """Take all records: each is an article that reads back as it was stored, or is refused in one line."""
    try:
        for item in items:
            if isinstance(item, SourceError):
                assert "\n" not in item.reason, item
                assert item.line is None or item.line > 0
                continue
            with suppress(SourceError):
                prepared = SCHEMA.prepare(mended(item.values))
                again = SCHEMA.prepare(SCHEMA.load(prepared.stored))
                assert again.stored == prepared.stored, (again.stored, prepared.stored)
                assert again.article_id == prepared.article_id
    except SourceError as error:
        expect("\n" not in error.reason, error)


def by(reader: Callable[[BinaryIO, str], Items]) -> Callable[[bytes], None]:
    """Return a target for a reader of streams; each gives the same however its stream is cut into pieces."""

    def run(data: bytes) -> None:
        taken(reader(cast(BinaryIO, io.BufferedReader(Rejoined(io.BytesIO(data)))), "file"))

    return run


def by_whole(reader: Callable[[bytes, str], Items]) -> Callable[[bytes], None]:
    """Return a target for a reader that leaves parsing to a library, which raises anything; that is reported."""

    def run(data: bytes) -> None:
        try:
            taken(reader(data, "file"))
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1].filename
            if not {"feedparser", "feedparser_sgmllib", "trafilatura", "lxml"} & set(Path(place).parts):
                raise

    return run


class _Slow(io.BytesIO):
    """A stream that gives a few bytes at a time."""

    def read1(self, size: int | None = -1, /) -> bytes:
        return super().read1(min(7, size) if size is not None and size > 0 else 7)


def run_any(data: bytes) -> None:
    """Whatever the bytes are taken for, packed or not, the parsers of others left out."""
    parsers = {kind: files_module._READERS[kind] for kind in ("feed", "html")}
    nothing: dict[str, Callable[[BinaryIO, str], Items]] = dict.fromkeys(parsers, lambda _stream, _file: iter(()))
    files_module._READERS.update(nothing)
    try:
        for name in ("file", "file.json", "file.csv", "file.html"):
            for stream in (io.BytesIO(data), _Slow(data)):
                with suppress(SourceError):
                    taken(files_module._from_stream(cast(BinaryIO, stream), name))
    finally:
        files_module._READERS.update(parsers)


def run_gzip(data: bytes) -> None:
    """What is packed damaged and undamaged: the first byte says where the damage is, the rest is the file."""
    packed = bytearray(gzip.compress(data[1:], mtime=0))
    run_any(bytes(packed))
    if data:
        packed[data[0] * len(packed) // 256] ^= 1 + data[0] % 255
        run_any(bytes(packed))
        run_any(bytes(packed[: data[0] * len(packed) // 256]))


def run_recognise(data: bytes) -> None:
    for name in ("file", "file.json", "file.xml", "file.tsv"):
        with suppress(SourceError):
            recognise(data, name)


def run_frames(data: bytes) -> None:
    """What a parser says is a record, an error, or Broken."""
    stream = cast(BinaryIO, io.BytesIO(data))
    with suppress(Broken):
        while read_frame(stream, 1000) is not None:
            pass
    with suppress(Broken):
        read_message(cast(BinaryIO, io.BytesIO(data)))
    with suppress(Broken):
        taken(iter([_item(parsed_message(data), "file")]))
    framed = len(data).to_bytes(8, "big") + data
    with suppress(Broken):
        message = read_message(cast(BinaryIO, io.BytesIO(framed)))
        assert message is not None
        taken(iter([_item(message, "file")]))


def run_article(data: bytes) -> None:
    """Any JSON as an article."""
    with suppress(ValueError, RecursionError):
        given = json.loads(data)
        taken(iter([Record(given, "file")]) if isinstance(given, dict) else iter(()))


def contents(*patterns: str) -> list[bytes]:
    return [path.read_bytes() for pattern in patterns for path in sorted(ROOT.glob(pattern))]


ARTICLES = [
    json.dumps(one, ensure_ascii=False).encode()
    for one in (
        {"id": 7, "title": "Rates fell", "published": "2024-04-03", "authors": "A; B", "tags": ["x", 3], "more": [1.5]},
        {"url": "https://EXAMPLE.org:443/a?utm_x=1#/b", "body": "text", "source": " São  Paulo ", "published": None},
        {
            "title": "x",
            "published": "3 May 2024 14:05 +0200",
            "language": "pt",
            "summary": "é\u0301",
            "boilerplate": "b",
        },
    )
]
_JSON = (
    b'"', b"[", b"]", b"{", b"}", b",", b":", b"null", b"true", b"NaN", b"Infinity", b"-0", b"1e999", b"\\ud800",
    b"\\u0000",
    b'"id":', b'"url":"http://[', b'"published":"0001-01-01T00:00+14:00"', b'"tags":[null]', b'"articles":[', b"\xff",
    b"\xef\xbb\xbf", b"\n", b"\r\n", b"\0", b"9" * 5000, b"[" * 70, b'"body":" "', b'"\\ud83d\\ude00"',
    b'"published":1e12',
    b'"authors":{}', b'"title":7',
)  # fmt: skip
_CSV = (b'"', b'""', b",", b";", b"\t", b"|", b"\n", b"\r", b"\r\n", b"title", b"\xff", b"\0", b"tags", b"\xef\xbb\xbf",
        b"=1+1", b'"\n' * 9, b"\x85")  # fmt: skip
_MARKUP = (
    b"<", b">", b"</", b"/>", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<!DOCTYPE html>", b"<!ENTITY a 'b'>", b"&#0;",
    b"&#xD800;", b"&amp;", b"&lt;", b"<?xml version='1.0' encoding='utf-16'?>", b"<script>",
    b"<meta charset=utf-7>", b"<p>",
    b"<div>" * 20, b"<item>", b"<entry>", b"<title>", b"<pubDate>", b"<link href='http://[x'/>", b"\xff\xfe", b"\0",
    b"\xc3",
    b' datetime="', b"<time>", b'<script type="application/ld+json">', b"{", b"[", b'"@type"', b"'", b'"', b"<svg>",
    b"<base href='//'>",
)  # fmt: skip
_PAGE = (b"\n", b"\n\n", b"By ", b"Published: ", b"2024-04-03", b"Related Posts", b"\x0c", b"\x85", b"\xff", b"\0",
b"\xe2\x80\xa8",
         b"Tags: a, b", b"Section:", b"All rights reserved", b"\xef\xbb\xbf", b"URL: http://[")  # fmt: skip

JSONL = contents("newsindex/samples/*.jsonl")
TABLES = [*contents("tests/data/sources/*.csv"), b"title;body;tags\na;b;c|d\n", b'title\tbody\n"a\nb"\tc\n']
PAGES = contents("newsindex/samples/pages/*.txt", "tests/data/sources/*.txt")
WEBPAGES = contents("newsindex/samples/html/*.html", "tests/data/sources/*.html")
FEEDS = contents("newsindex/samples/feeds/*.xml", "tests/data/sources/feed.*")
MESSAGES = [
    b'{"values":{"title":"x","tags":["a"]},"line":3}', b'{"error":"reason","line":null}', b'{"end":true,"tired":false}',
    b"\0\0\0\0\0\0\0\x02{}",
]  # fmt: skip
ALL = [*JSONL, *ARTICLES, *TABLES, *PAGES, *WEBPAGES[:3], *FEEDS[:2]]

TARGETS = (
    Target("json", by(read_json), [*contents("tests/data/sources/*.json"),
    *ARTICLES, b"[" + b",".join(ARTICLES) + b"]"], _JSON),
    Target("jsonl", by(read_jsonl), [*JSONL, b"\n".join(ARTICLES)], _JSON),
    Target("table", by(read_table), TABLES, _CSV),
    Target("page", by(read_page), PAGES, _PAGE),
    Target("webpage", by_whole(read_webpage), WEBPAGES, _MARKUP, cost=60),
    Target("feed", by_whole(read_feed), FEEDS, _MARKUP, cost=20),
    Target("article", run_article, ARTICLES, _JSON),
    Target("recognise", run_recognise, ALL, (*_JSON, *_CSV, *_MARKUP, b"\x1f\x8b", b"%PDF", b"PK\x03\x04")),
    Target("any", run_any, ALL, (*_JSON, *_CSV, *_PAGE, b"\x1f\x8b", b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff"),
    cost=8),
    Target("gzip", run_gzip, [b"\x80" + one[:3000] for one in ALL], _JSON, cost=20),
    Target("frames", run_frames, MESSAGES, (*_JSON, b"\0" * 8, b"\0\0\0\0\0\0\0\x01", b'"line":-1',
    b'"values":{"a":[1]}')),
)  # fmt: skip
