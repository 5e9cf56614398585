"""Files of an index, with checksums that are right: the manifest, the deletions, the segment."""

from __future__ import annotations

import json
import random
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import newsindex
from newsindex.analysis import Analyzer
from newsindex.check import check_segments
from newsindex.codec.merge import Part, merge_segments
from newsindex.codec.reader import SegmentReader
from newsindex.errors import FormatError, QueryError, QueryTooComplex, SchemaError
from newsindex.index import NewsIndex
from newsindex.query.clock import Clock
from newsindex.schema import Schema
from newsindex.store.envelope import HEADER_BYTES, checksum_of, footer, header, open_content, verify_content
from newsindex.store.live import living_articles, open_live
from newsindex.store.manifest import FileEntry, Manifest, SegmentEntry, parse_manifest, toc_name
from newsindex.store.snapshot import OpenSegment
from newsindex.store.store import Store
from tests.faults.damages import read_manifest
from tests.faults.fuzz.targets import Target, expect
from tests.faults.storages import RecordingStorage
from tests.strategies import Counted

UUID = "00112233445566778899aabbccddeeff"
ANALYZER = Analyzer("english")
QUERIES = (
    "quay", '"quay reef"', "qua*", "q?ay", "quag~", "=Quay", "caps(quay)", "quay w/3 reef", "quay /s reef", "-quay",
    "quay OR dock^2", "lead:reef", "atleast2(reef)", "source:wire", "tags:s*", "words:>3", "live:true", "grade:*",
    "published:2024-03..2024-05", "*", "id:a7", "title:quay -source:post", "min:2(quay reef dock)",
)  # fmt: skip
_PLACES = 128 + 40  # so that common words fill a block


def articles(part: str) -> list[dict[str, Any]]:
    chance = random.Random(part)
    words = "quay reef dock tide mast version Quay QUAY d’eau São 中文 20,000".split()
    return [
        {
            "id": f"{part}{number}",
            "title": " ".join(chance.choices(words, k=4)),
            "body": ". ".join(" ".join(chance.choices(words, k=6)) for _ in range(4)) + f"\n\nrare{number % 50}",
            "source": chance.choice(("Wire", "Post", "Daily Mirror")),
            "tags": chance.sample(["s1", "S1", "s2", "s3"], k=2),
            "published": f"2024-{number % 12 + 1:02}-03",
            "words": number - 3,
            "grade": number / 4,
            "live": number % 2 == 0,
        }
        for number in range(_PLACES if part == "a" else 20)
    ]


@cache
def whole() -> tuple[dict[str, bytes], Manifest]:
    """Return the files of an index of two segments, one of them with deletions."""
    with tempfile.TemporaryDirectory() as folder:
        with newsindex.open(folder, create=True, model=Counted) as index:
            for part in "ab":
                index.add(articles(part))
            index.delete([f"a{number}" for number in range(0, _PLACES, 9)])
        files = {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.name[:6] != "write."}
    return files, read_manifest(files)


def body_of(file: bytes) -> bytes:
    content = open_content(memoryview(file), "file", *_kind_and_name(file))
    return bytes(content.body)


def _kind_and_name(file: bytes) -> tuple[str, str]:
    return file[16:24].rstrip(b"\0").decode(), file[48:112].rstrip(b"\0").decode()


# The envelope


def run_envelope(data: bytes) -> None:
    """Any file, once as it is, and once with the checksums of its header and its content made right."""
    name = toc_name(7)
    with suppress(FormatError):
        verify_content(open_content(memoryview(data), "file", "manifest", name, UUID), "file")
    body = data[HEADER_BYTES:]
    whole_file = header("manifest", UUID, name) + body + footer(len(body), checksum_of(body))
    assert bytes(open_content(memoryview(whole_file), "file", "manifest", name, UUID).body) == body
    for at in (len(whole_file) - 1, len(whole_file) - 9, len(whole_file) - 24, 127, 60, 20, 0):
        changed = bytearray(whole_file)
        changed[at] ^= 1 + data[-1] % 255 if data else 1
        try:
            verify_content(open_content(memoryview(changed), "file", "manifest", name, UUID), "file")
        except FormatError:
            continue
        raise AssertionError(f"a change at {at} was not noticed")


def envelope_seeds() -> list[bytes]:
    return list(whole()[0].values())


# The manifest


def run_manifest(data: bytes) -> None:
    """A manifest is refused, or reads back as it was written, and so does its schema."""
    try:
        manifest = parse_manifest(memoryview(data), "toc", 3, UUID)
    except FormatError as error:
        expect("\n" not in str(error), error)
        return
    assert parse_manifest(memoryview(manifest.to_json()), "toc", 3, UUID) == manifest
    try:
        schema = Schema.from_json(manifest.schema, "toc")
    except (FormatError, SchemaError):
        return
    assert Schema.from_json(schema.to_json(), "toc").to_json() == schema.to_json()


def manifest_seeds() -> list[bytes]:
    told = json.loads(whole()[1].to_json()) | {"index_uuid": UUID, "generation": 3}
    return [json.dumps(told | {"schema": schema}).encode() for schema in (told["schema"], {}, {"fields": []})]


# The deletions


def run_deletions(data: bytes) -> None:
    """A count in two bytes, then the bits."""
    count = int.from_bytes(data[:2], "little")
    entry = SegmentEntry(
        FileEntry(f"seg-{1:020d}-{'a' * 32}.nix", 200, "0" * 16, 70_000),
        FileEntry(f"del-{1:020d}-{'a' * 32}", 200, "0" * 16, sum(byte.bit_count() for byte in data[2:])),
    )
    with suppress(FormatError):
        live = living_articles(OpenSegment(entry, memoryview(b""), memoryview(data[2:])), count)
        assert live.size == count
        assert count - int(live.sum()) == (entry.deletions.doc_count if entry.deletions else 0)


# The segment


@cache
def segment() -> tuple[str, bytes, dict[str, tuple[int, int]]]:
    """Return the name of the first segment, its body, and where its sections are, the directory too."""
    files, manifest = whole()
    name = manifest.segments[0].file.name
    body = body_of(files[name])
    offset = int.from_bytes(body[-16:-8], "little")
    places = {key: (begin, size) for key, (begin, size) in json.loads(body[offset:-16])["sections"].items() if size}
    return name, body, places | {"directory": (offset, len(body) - 16 - offset), "trailer": (len(body) - 16, 16)}


def edited(data: bytes) -> bytes:
    """Return the body with changes: in each line of `data` a section, a place in it, and what to put there, in hex."""
    _, body, places = segment()
    changed = bytearray(body)
    for line in data.decode("ascii", "replace").splitlines():
        words = line.split()
        if len(words) == 3 and words[0] in places and words[1].isdecimal():
            begin, size = places[words[0]]
            at = begin + int(words[1][:9]) % size
            with suppress(ValueError):
                new = bytes.fromhex(words[2])[: begin + size - at]
                changed[at : at + len(new)] = new
    return bytes(changed)


def make_edits(chance: random.Random) -> bytes:
    """Return edits; numbers of the directory are changed as such, for other changes there are only seen to be none."""
    _, body, places = segment()
    lines = []
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        name = chance.choice(list(places))
        begin, size = places[name]
        at = chance.randrange(min(size, chance.choice((8, 64, size))))
        length = min(chance.choice((1, 1, 2, 4, 8, 24)), size - at)
        if name == "directory":
            digits = [place for place in range(size) if body[begin + place : begin + place + 1].isdigit()]
            at, new = chance.choice(digits), b"%d" % chance.randrange(10)
        else:
            source = begin + chance.randrange(size - length + 1)
            new = chance.choice((
                bytes([body[begin + at] ^ 1 << chance.randrange(8)]), chance.randbytes(length), b"\xff" * length,
                bytes(length), b"\x80" * length, body[source : source + length],
            ))  # fmt: skip
        lines.append(f"{name} {at} {new.hex()}\n")
    return "".join(lines).encode()


def read_all(reader: SegmentReader) -> None:
    """Decode everything that a segment has; what is damaged is a FormatError."""
    schema = reader.schema
    for _, info in reader.terms():
        reader.postings(info)
        reader.position_gaps(info)
    for _ in reader.words(b""):
        pass
    _ = reader.words_of_terms, reader.dictionary()
    reader.find_all([b"quay", b"rare1", b"zzz", b""])
    reader.prefix_rows(b"r", 100)
    dictionary = reader.dictionary_of_terms
    dictionary.fitting("r*e?1*", *dictionary.between(b"r"))
    dictionary.fuzzy("quag", 2, 0, dictionary.count)
    for name in schema.text_fields:
        reader.lengths(name)
    for name in ("source", "tags", "authors"):
        column = reader.keywords(name)
        column.number(b"wire")
        for number in range(len(column.keys)):
            _ = column.keys[number], column.shown[number], column.docs(number)
    for name in ("published", "words", "grade", "live"):
        reader.column(name)
    boundaries = reader.boundaries()
    for doc in range(reader.doc_count):
        _ = reader.ids[doc], reader.titles[doc], reader.stored(doc), reader.digest(doc), boundaries.encoded(doc)
    reader.shown.both(np.arange(reader.doc_count)[::-1].copy())
    list(reader.find_ids(["a5", "b5", ""]))
    list(reader.stored_articles(np.ones(reader.doc_count, bool)))


def run_segment(data: bytes) -> None:
    """Read all, then merge with a whole segment: each refuses, or gives what can be read."""
    name, _, _ = segment()
    files, manifest = whole()
    schema = Schema(Counted)
    body = edited(data)
    try:
        reader = SegmentReader(np.frombuffer(body, np.uint8), name, schema)
    except FormatError as error:
        expect(name in str(error), error)
        return
    with suppress(FormatError):
        read_all(reader)
    other = SegmentReader(np.frombuffer(body_of(files[manifest.segments[1].file.name]), np.uint8), "whole", schema)
    live = np.ones(reader.doc_count, bool)
    live[:: 1 + len(data) % 7] = False
    try:
        merged = b"".join(merge_segments(schema, [Part(other, np.ones(other.doc_count, bool)), Part(reader, live)]))
    except FormatError as error:
        expect(name in str(error), error)
        return
    with suppress(FormatError):
        read_all(SegmentReader(np.frombuffer(merged, np.uint8), "merged", schema))


def opened(data: bytes) -> NewsIndex:
    """Return an index in memory that has the edited segment, under right checksums."""
    name, _, _ = segment()
    files, manifest = whole()
    body = edited(data)
    entry = FileEntry(name, len(files[name]), checksum_of(body), manifest.segments[0].file.doc_count)
    segments = (SegmentEntry(entry, manifest.segments[0].deletions), *manifest.segments[1:])
    toc = Manifest(manifest.index_uuid, manifest.generation, manifest.schema, segments).to_json()
    changed = files | {
        name: header("segment", manifest.index_uuid, name) + body + footer(len(body), checksum_of(body)),
        toc_name(manifest.generation): header("manifest", manifest.index_uuid, toc_name(manifest.generation))
        + toc + footer(len(toc), checksum_of(toc)),
    }  # fmt: skip
    store = Store.open(RecordingStorage(changed))
    return NewsIndex(Path("memory"), store, Schema(Counted), Clock())


def run_search(data: bytes) -> None:
    """Ask an index with an edited segment some things, which ones follow from the edits; then write to it."""
    chance = random.Random(data)
    try:
        index = opened(data)
    except FormatError:
        return
    with index:
        for query in chance.sample(QUERIES, 4):
            with suppress(FormatError, QueryTooComplex):
                results = index.search(query, facets=("source", "tags"), sort=chance.choice(("relevance", "newest")))
                for hit in results:
                    _ = hit.id, hit.title, hit.published, str(hit.snippet), hit.article
                _ = results.total, results.facets, results.next
            with suppress(FormatError, QueryError, QueryTooComplex):
                str(index.explain(query, "a1"))
        with suppress(FormatError):
            _ = index.get("a7"), index.values("tags"), list(index.articles())
        with suppress(FormatError):
            snapshot = index._store.snapshot
            list(check_segments(snapshot, open_live(snapshot, index.schema), index.schema, ANALYZER))
        with suppress(FormatError):
            index.delete(["a1", "b1"])
            index.add(articles("b")[:2])


TARGETS = (
    Target("envelope", run_envelope, envelope_seeds(), (b"\x89NIX\r\n\x1a\n", b"NIXEND\r\n", b"xxh3_64\0", b"toc-")),
    Target(
        "manifest", run_manifest, manifest_seeds(),
        (b"null", b"[]", b"{}", b"-1", b"1e9", b"1.0", b'"many":true', b'"kind":"Text"', b'"name":"', b"../",
         b"\\u0000",
         b'"weight":0', b"NaN", b'"type":"float"', b'"Keyword"', b'"class"', b'"__init__"'),
    ),
    Target("deletions", run_deletions, (b"\x09\0\x80\x80", b"\0\0", b"\x08\0\xff"), (b"\0", b"\xff", b"\x80")),
    Target("segment", run_segment, make=make_edits, cost=20),
    Target("search", run_search, make=make_edits, cost=60),
)  # fmt: skip
