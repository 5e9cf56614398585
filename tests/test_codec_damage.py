"""Segments whose sections are not as they should be: each is refused for what is wrong, by the file's name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import numpy as np
import pytest

from newsindex.analysis import Analyzer
from newsindex.analysis.batch import BatchTokenizer
from newsindex.codec.merge import Part, merge_segments
from newsindex.codec.reader import SegmentReader
from newsindex.codec.sections import SectionWriter
from newsindex.codec.writer import encode_articles
from newsindex.errors import FormatError
from newsindex.schema import Schema
from tests.strategies import Counted

SCHEMA = Schema(Counted)
Changes = dict[str, Any]


@cache
def body() -> bytes:
    records = [
        {"id": f"a{n}", "title": f"Rates {n}", "body": "the banks fell " * (n % 5 + 1) + f"word{n}",
         "source": f"S{n % 3}", "tags": ["x", "y"][: n % 3],
         "published": "2024-04-01", "words": n, "grade": n / 2, "live": n % 2 == 0}
        for n in range(140)
    ]  # fmt: skip
    return b"".join(encode_articles(SCHEMA, list(map(SCHEMA.prepare, records)), BatchTokenizer(Analyzer("english"))))


def said() -> dict[str, Any]:
    told: dict[str, Any] = json.loads(body()[int.from_bytes(body()[-16:-8], "little") : -16])
    return told


def section(name: str, dtype: Any = np.uint8) -> np.ndarray[Any, Any]:
    begin, size = said()["sections"][name]
    return np.frombuffer(body()[begin : begin + size], dtype).copy()


def rewritten(changes: Changes, **directory: Any) -> bytes:
    """Return the body with other sections, None for none at all, and other things said of it."""
    told = said()
    out = SectionWriter()
    chunks: list[Iterable[memoryview]] = []
    for name in [*told["sections"], *(changes.keys() - told["sections"].keys())]:
        data = changes.get(name, section(name) if name in told["sections"] else None)
        if data is not None:
            chunks.append(list(out.section(name, np.asarray(data).tobytes() if not isinstance(data, bytes) else data)))
    out.keywords = told.pop("keywords")
    told.pop("sections")
    end = list(out.directory(told))
    whole = b"".join(bytes(chunk) for some in [*chunks, end] for chunk in some)
    if directory:
        at = int.from_bytes(whole[-16:-8], "little")
        encoded = json.dumps(json.loads(whole[at:-16]) | directory).encode()
        whole = whole[:at] + encoded + at.to_bytes(8, "little") + len(encoded).to_bytes(8, "little")
    return whole


def opened(changes: Changes | None = None, **directory: Any) -> SegmentReader:
    return SegmentReader(np.frombuffer(rewritten(changes or {}, **directory), np.uint8), "that.nix", SCHEMA)


def changed(name: str, dtype: Any, at: Any, value: Any) -> Changes:
    data = section(name, dtype)
    data[at] = value
    return {name: data}


def narrow(name: str, count: int) -> Any:
    """Return the type of the numbers of a section."""
    return f"<u{said()['sections'][name][1] // count}"


def keywords(reader: SegmentReader) -> Any:
    column = reader.keywords("source")
    return column.sorted_keys(), column.number(b"s1"), column.docs(0)


def all_terms(reader: SegmentReader) -> None:
    for _, info in reader.terms():
        reader.postings(info)
        reader.position_gaps(info)


def merged(reader: SegmentReader) -> bytes:
    live = np.ones(reader.doc_count, bool)
    live[3] = False
    return b"".join(merge_segments(SCHEMA, [Part(reader, live)]))


COUNT = 140
DIRECTORY: list[tuple[str, dict[str, Any], str]] = [
    ("no articles told", {"doc_count": None}, "the directory lacks"),
    ("fewer than none", {"doc_count": -1}, "-1 articles"),
    ("no fields told", {"text_fields": {}}, "the directory lacks 'title'"),
    (
        "more articles than words",
        {"text_fields": {name: {"total": 1, "doc_count": 2} for name in ("title", "summary", "body")}},
        "1 words in 2 articles have a title",
    ),
    ("sections that are none", {"sections": []}, "is not as it should be"),
    ("a section out of line", {"sections": {"x": [1, 1]}}, "the section x is placed at 1"),
    ("a section too far", {"sections": {"x": [0, 10**9]}}, "the section x is placed at 0"),
]


def test_the_whole_segment_is_read() -> None:
    reader = opened()
    all_terms(reader)
    keywords(reader)
    assert merged(reader) != body()
    assert reader.section_sizes() == {name: size for name, (_, size) in said()["sections"].items()}
    assert opened({"unknown": b"a later version's"}).doc_count == COUNT


@pytest.mark.parametrize(("directory", "reason"), [row[1:] for row in DIRECTORY], ids=[row[0] for row in DIRECTORY])
def test_a_directory_that_is_wrong(directory: dict[str, Any], reason: str) -> None:
    with pytest.raises(FormatError, match=rf"^that.nix: damaged: .*{re.escape(reason)}"):
        opened(None, **directory)


@pytest.mark.parametrize(
    ("end", "reason"),
    [(b"x" * 9, "a trailer 16"), (b"{}" + bytes(16), "the trailer places the directory"),
     (b"{" + (0).to_bytes(8, "little") + (1).to_bytes(8, "little"), "is not as it should be")],
)  # fmt: skip
def test_a_body_without_a_directory(end: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        SegmentReader(np.frombuffer(end, np.uint8), "that.nix", SCHEMA)


def huge(name: str) -> Callable[[], Changes]:
    return lambda: {name: np.full(COUNT, 2**63, np.uint64)}


SECTIONS: list[tuple[str, Callable[[], Changes], Callable[[SegmentReader], Any], str]] = [
    ("missing", lambda: {"digest": None}, lambda r: r.digests(), "the section digest is missing"),
    ("too short", lambda: {"date.published": b"12345678"}, lambda r: r.column("published"), "not 140 numbers of 8"),
    ("odd size", lambda: {"date.published": b"123"}, lambda r: r.column("published"), "not 140 numbers of 8"),
    (
        "a date after all",
        lambda: changed("date.published", "<i8", 5, 2**62),
        lambda r: r.column("published"),
        "1 to 9999",
    ),
    (
        "a date before all",
        lambda: changed("date.published", "<i8", 5, -(2**62)),
        lambda r: r.column("published"),
        "1 to",
    ),
    ("numbers of values", huge("ords.source.counts"), keywords, "the numbers of values of source are out of range"),
    ("values", lambda: changed("ords.source", np.uint8, 3, 9), keywords, "the values of source are out of range"),
    (
        "keys in order",
        lambda: {"key.source.data": section("key.source.data")[::-1].copy()},
        keywords,
        "the values of source are not in order",
    ),
    (
        "keys that are text",
        lambda: changed("key.source.data", np.uint8, 1, 0xFF),
        keywords,
        "a string of key.source is not UTF-8",
    ),
    (
        "the end of strings",
        lambda: {"title.data": section("title.data")[:-1]},
        lambda r: r.titles[0],
        "the strings title do not end",
    ),
    (
        "where strings begin",
        lambda: changed("title.starts", narrow("title.starts", COUNT + 1), 7, 1000),
        lambda r: [r.titles.encoded(n) for n in range(COUNT)],
        "string 7 of title is placed at 1000",
    ),
    (
        "strings in order",
        lambda: changed("title.starts", narrow("title.starts", COUNT + 1), 7, 1000),
        lambda r: r.titles.texts(),
        "the strings title are not in order",
    ),
    (
        "strings of text",
        lambda: changed("title.data", np.uint8, 2, 0x80),
        lambda r: r.titles[0],
        "string 0 of title is not",
    ),
    (
        "all strings",
        lambda: changed("title.data", np.uint8, 2, 0x80),
        lambda r: r.titles.texts(),
        "a string of title is not",
    ),
    (
        "where ids begin",
        lambda: changed("id.blocks", narrow("id.blocks", 10), 1, 250),
        lambda r: [r.ids[n] for n in range(COUNT)],
        "of the strings id is placed at",
    ),
    ("ids", lambda: changed("id.data", np.uint8, 0, 200), lambda r: r.ids[0], "the strings id from byte 0 on"),
    ("all ids", lambda: changed("id.data", np.uint8, 0, 200), lambda r: r.ids.texts(), "the strings id from byte 0 on"),
    ("ids of text", lambda: changed("id.data", np.uint8, 2, 0xFF), lambda r: r.ids[0], "string 0 of id is not UTF-8"),
    (
        "all ids of text",
        lambda: changed("id.data", np.uint8, 2, 0xFF),
        lambda r: r.ids.texts(),
        "a string of id is not",
    ),
    (
        "stored in no block",
        lambda: changed("stored.starts", narrow("stored.starts", COUNT + 1), 4, 2**15),
        lambda r: [r.stored(n) for n in range(COUNT)],
        "the stored article 3 is placed at",
    ),
    (
        "all stored in no block",
        lambda: changed("stored.starts", narrow("stored.starts", COUNT + 1), 4, 2**15),
        lambda r: list(r.stored_articles(np.ones(COUNT, bool))),
        "the stored article 3 is placed at",
    ),
    (
        "blocks out of place",
        lambda: changed(
            "stored.blocks", narrow("stored.blocks", said()["sections"]["stored.sizes"][1] // 4 + 1), 0, 9999
        ),
        lambda r: r.stored(0),
        "stored block 0 is placed at 9999",
    ),
    (
        "a block of another size",
        lambda: changed("stored.sizes", "<u4", 0, section("stored.sizes", "<u4")[0] + 1),
        lambda r: r.stored(0),
        "stored block 0 at byte 0 .its size is another",
    ),
    (
        "a block that does not unpack",
        lambda: changed("stored.data", np.uint8, slice(12, 40), 0xFF),
        lambda r: r.stored(0),
        "stored block 0 at byte 0",
    ),
    ("terms cut", lambda: {"terms.data": section("terms.data")[:50]}, all_terms, "the dictionary terms cannot be read"),
    (
        "where terms begin",
        lambda: changed("terms.blocks", "<u8", 3, 2**40),
        lambda r: r.find(b"bank"),
        "the dictionary terms cannot be read",
    ),
    (
        "terms that are text",
        lambda: changed("terms.data", np.uint8, 2, 0xFF),
        all_terms,
        "terms (has a term that is not UTF-8|is not in order|cannot be read)",
    ),
    (
        "terms of words",
        lambda: {
            "words.data": np.where(section("words.data") == section("words.data")[-1], 0x7F, section("words.data"))
        },
        lambda r: (list(r.words(b"")), r.words_of_terms),
        "word|words",
    ),
    ("postings", lambda: {"postings": section("postings") ^ 0xFF}, all_terms, "the postings of term"),
    ("postings cut", lambda: {"postings": section("postings")[:64]}, all_terms, "the postings of term"),
    ("positions", lambda: {"positions": section("positions") | 0x80}, all_terms, "the positions of term"),
    ("positions cut", lambda: {"positions": section("positions")[:8]}, all_terms, "positions"),
    ("merged postings", lambda: {"postings": section("postings") ^ 0xFF}, merged, "the postings of terms 0 to"),
    (
        "merged positions",
        lambda: {"positions": section("positions") | 0x80},
        merged,
        "the postings of terms 0 to",
    ),
    ("merged ids", lambda: changed("id.data", np.uint8, 0, 200), merged, "the strings id"),
    ("merged titles", lambda: changed("title.starts", narrow("title.starts", COUNT + 1), 7, 1000), merged, "title"),
]


@pytest.mark.parametrize(("changes", "ask", "reason"), [row[1:] for row in SECTIONS], ids=[row[0] for row in SECTIONS])
def test_a_section_that_is_wrong(
    changes: Callable[[], Changes], ask: Callable[[SegmentReader], Any], reason: str
) -> None:
    with pytest.raises(FormatError, match=f"^that.nix: damaged: .*({reason})"):
        ask(opened(changes()))


@pytest.mark.parametrize("count", [None, "3", -1, 2**32, 1.5])
def test_the_number_of_values_must_be_told(count: Any) -> None:
    with pytest.raises(FormatError, match="does not tell the number of values of source"):
        opened(None, keywords={"source": count}).keywords("source")
    with pytest.raises(FormatError, match="does not tell the number of values of source"):
        opened(None, keywords=count).keywords("source")


def test_ids_of_one_hash_are_told_apart() -> None:
    hashes = section("id.hashes", "<u4")
    reader = opened({"id.hashes": np.full(COUNT, hashes[0], "<u4")})
    first = reader.ids[int(section("id.docs", narrow("id.docs", COUNT))[0])]
    assert reader.ids[reader.find_id(first) or 0] == first
    assert reader.find_id("nobody") is None
    docs = section("id.docs", narrow("id.docs", COUNT))
    docs[0] = 200
    assert opened({"id.docs": docs}).find_id(first) is None


def test_strings_by_number() -> None:
    reader = opened()
    assert len(reader.ids) == len(reader.titles) == COUNT
    for number in (-1, COUNT):
        with pytest.raises(IndexError):
            reader.ids.encoded(number)
