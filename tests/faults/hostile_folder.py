"""A folder of files that are made to harm whoever reads them, each beside a good one; and what reading it costs."""

from __future__ import annotations

import gzip
import io
import json
import os
import resource
import sys
import tarfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.faults.memory import peak_bytes

MIB = 2**20
GIB = 2**30


def good(name: str) -> str:
    return json.dumps({"id": name, "title": f"Good neighbour {name}", "body": "Ships left port at dawn."}) + "\n"


def sparse(path: Path, size: int, head: bytes, tail: bytes = b"") -> None:
    """Write a file that takes next to no disk: a hole of NUL characters after the first 128 KiB."""
    with path.open("wb") as file:
        file.write(head.ljust(128 * 1024, b"x"))
        file.seek(size - len(tail))
        file.write(tail)
        file.truncate(size)


def packed(chunk: bytes, times: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([*(packer.compress(chunk) for _ in range(times)), packer.flush()])


def feed(items: bytes, title: bytes = b"F") -> bytes:
    return (
        b"<?xml version='1.0'?><rss version='2.0'><channel><title>" + title + b"</title>" + items + b"</channel></rss>"
    )


def contents() -> Iterator[tuple[str, bytes]]:
    """Yield hostile files, none of which holds an article that can be read."""
    laughs = b"".join(b'<!ENTITY l%d "%s">' % (number, b"&l%d;" % (number - 1) * 10) for number in range(1, 10))
    laughs = b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY l0 "ha">' + laughs + b"]>"
    yield "laughs.xml", laughs + b"<rss><channel><title>&l9;</title><item><title>&l9;</title></item></channel></rss>"
    yield (
        "external.xml",
        (
            b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
            b"<rss><channel><item><title>&x;</title></item></channel></rss>"
        ),
    )
    yield "laughs-newsml.xml", laughs + b"<newsItem><headline>&l9;</headline></newsItem>"
    yield "nested.html", b"<html><body>" + b"<div>" * 200_000 + b"deep"
    yield "nested-less.html", b"<html><title>x</title><body>" + b"<div>" * 9_000 + b"deep"
    yield "nested.rss", feed(b"<item><description>" + b"<b>" * 200_000 + b"</description></item>")
    yield "nested.json", b"[" * 5_000_000
    yield "nested.jsonl", b'{"title": ' + b"[" * 200_000 + b"]" * 200_000 + b"}\n"
    yield "nested-less.jsonl", b'{"title": "x", "a": ' + b"[" * 300 + b"]" * 300 + b"}\n"
    yield "elements.html", b"<html><body>" + b"<p>x" * 90_000
    yield "tags.html", b"<html><body>" + b"<br>" * (4 * MIB)
    yield "attributes.html", b"<html><title>x</title><p " + b"".join(b"a%d=1 " % n for n in range(50_000)) + b">x"
    yield "open-tags.html", b"<html><body>" + b"<a " * (6 * MIB)
    yield "long-text.html", b"<html><title>x</title><p>" + b"word " * (3 * MIB)
    yield "items.rss", feed(b"<item><title>x</title></item>" * 600_000)
    yield "open-items.rss", feed(b"<item><title>x<![CDATA[" * 500_000)
    yield "title.rss", feed(b"<item/>" * 100, b"long " * (3 * MIB))
    yield "values.jsonl", b'{"title": "x", "a": [' + b"{}," * (5 * MIB) + b"{}]}\n"
    yield "values.json", b'{"title": "x", "a": [' + b"[]," * (9 * MIB) + b"[]]}\n"
    yield "cells.csv", b"title,body\n" + b"ab," * (5 * MIB) + b"\n"
    yield "quote.csv", b'title,body\nx,"' + b"\n" * (20 * MIB)
    yield "lines.txt", b"a\n" * (9 * MIB)
    yield "errors.jsonl", b'{"title": 1}\n' + b"x\n" * (9 * MIB)
    yield "errors.csv", b"title,body\n" + b"x\n" * (9 * MIB)
    yield "without.jsonl", b"{}\n" * 200_000
    yield "blank.jsonl", b"{}\n" + b"\n" * (20 * MIB)
    yield "wide.json", "\ufeff[".encode("utf-16-le") + "😀".encode("utf-16-le") * (10 * MIB)
    yield "bomb.jsonl.gz", packed(b"x" * MIB, 256)
    yield "bomb.html.gz", packed(b"<html>" + b" " * MIB, 64)
    yield "bomb.xml.gz", packed(b"<rss>" + b"<a>" * (MIB // 3), 64)
    yield "twice.gz", gzip.compress(packed(bytes(MIB), 64))
    yield "bomb.zip", b"PK\x03\x04" + bytes(1000)
    climbing = io.BytesIO()
    with tarfile.open(fileobj=climbing, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("../../climbed.jsonl"), io.BytesIO())
    yield "climbing.tar", climbing.getvalue()
    yield "climbing.tar.gz", gzip.compress(climbing.getvalue())
    yield "cut.jsonl.gz", gzip.compress(b'{"title": "x"')[:20]
    yield "binary.txt", bytes(range(256)) * 100
    yield "empty.html", b""


def make(folder: Path, *, full: bool) -> tuple[int, int]:
    """Make the folder, in full or without the largest; return how many hostile files and good articles are in it."""
    folder.mkdir()
    long = GIB if full else 64 * MIB
    hostile = articles = 0
    for number, (name, data) in enumerate(contents()):
        if not full and len(data) > 2 * MIB:
            continue
        (folder / name).write_bytes(data)
        (folder / f"{name}-good.jsonl").write_text(good(f"{number}"))
        hostile += 1
        articles += 1
    # One line of a GiB; in the last two the articles before and after it are good.
    sparse(folder / "line.txt", long, b"Headline\n\nText ")
    sparse(folder / "line.html", long, b"<html><title>x</title><p>")
    sparse(folder / "line.rss", long, b"<rss><channel>")
    sparse(folder / "line.json", long, b'[{"title": "')
    sparse(folder / "line.jsonl", long, good("before").encode() + b'{"title": "', b'"}\n' + good("after").encode())
    sparse(folder / "line.csv", long, b"id,title\ncsv-before,Good\nx,", b"\ncsv-after,Good\n")
    hostile, articles = hostile + 6, articles + 4
    (folder / "loop").symlink_to("loop")
    (folder / "up").symlink_to(folder)
    (folder / "gone.html").symlink_to("nowhere.html")
    (folder / "zero.html").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.jsonl")
    return hostile + 4, articles  # the link to a folder is not followed, and says nothing


def add(archive: str, folder: str) -> None:
    """Run the command; then say on standard error what it cost: seconds, and KiB of it and of its largest parser.

    The system counts a parser's memory from before it has begun its program, when it still was this process: what is
    told of parsers is at least what this process held then.
    """
    from newsindex.cli import main
    from newsindex.sources import files, parser_process

    took: dict[str, float] = {}
    read_file = files._file

    def timed(file: str, **named: bool) -> Iterator[Any]:
        items = read_file(file, **named)
        while True:
            begun = time.monotonic()
            item = next(items, None)
            took[file] = took.get(file, 0.0) + time.monotonic() - begun
            if item is None:
                return
            yield item

    files._file = timed
    begun = time.monotonic()
    status = main(["add", archive, folder, "--json"])
    seconds = time.monotonic() - begun
    parser_process._end_all()
    own, parsers = peak_bytes() // 1024, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    slowest = max(took, key=took.__getitem__)
    told = {"status": status, "seconds": seconds, "own": own, "parsers": parsers}
    print(json.dumps(told | {"slowest": took[slowest], "file": Path(slowest).name}), file=sys.stderr)


if __name__ == "__main__":
    add(*sys.argv[1:])
