"""The process that parses web pages and feeds: used again, replaced, limited, and not believed."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from newsindex.errors import SourceError
from newsindex.sources import Record, parser_child, parser_process
from newsindex.sources.frames import Broken, read_frame, read_message, send_frame, send_message
from newsindex.sources.parser_process import ParserProcess, parse_apart

PAGE = b"<html><title>Harbour reopens</title><body><p>Ships left port at dawn.</p></body></html>"
# lxml takes time by the square of the number of attributes.
SLOW = b"<html><title>x</title><p " + b"".join(b"a%d=1 " % number for number in range(50_000)) + b">x"
RESTRICTED = """
import os, socket, subprocess, sys
from newsindex.sources import parser_child
reader = parser_child._reader("html")
parser_child._restrict(100 * 2**20)
socket.socket.connect  # its code is loaded
for act in (
    lambda: socket.create_connection(("127.0.0.1", 9)), lambda: socket.getaddrinfo("example.org", 80),
    lambda: subprocess.run(["true"]), lambda: os.system("true"), lambda: os.fork(), lambda: open("made", "w"),
    lambda: os.open("made", os.O_CREAT), lambda: os.rename("a", "b"),
):
    try:
        act()
    except PermissionError:
        continue
    sys.exit(1)
try:
    bytearray(150 * 2**20)
except MemoryError:
    print(len(list(reader(b"<html><title>x</title></html>", "x"))), "record")
"""


@pytest.fixture(autouse=True)
def _new_process() -> Iterator[None]:
    parser_process._end_all()
    yield
    parser_process._end_all()


def saying(answer: bytes, more: bytes = b"", *, end: bool = False) -> str:
    """Return the program of a parser that gives this answer to anything."""
    said = b"".join(len(told).to_bytes(8, "big") + told for told in (b'{"begun": ""}', answer)) + more
    wait = "" if end else "; sys.stdin.buffer.read()"
    taken = "jobs = sys.stdin.buffer; [jobs.read(int.from_bytes(jobs.read(8))) for _ in range(2)]"
    return f"import sys; {taken}; sys.stdout.buffer.write({said!r}); sys.stdout.flush(){wait}"


def the_idle_one() -> ParserProcess:
    (process,) = parser_process._idle
    return process


def check_page() -> None:
    (record,) = parse_apart("html", PAGE, "page.html")
    assert isinstance(record, Record)
    assert record.values["title"] == "Harbour reopens"
    assert record.file == "page.html"


def refusal(data: bytes, kind: str = "html") -> str:
    with pytest.raises(SourceError) as caught:
        parse_apart(kind, data, "bad")
    assert caught.value.file == "bad"
    return caught.value.reason


def test_one_process_serves_many_files() -> None:
    check_page()
    first = the_idle_one()
    for _ in range(5):
        check_page()
    assert parse_apart("feed", b"<rss><channel><item><title>x</title></item></channel></rss>", "f") == [
        Record({"title": "x"}, "f")
    ]
    assert the_idle_one() is first


def test_a_process_that_is_gone_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    check_page()
    gone = the_idle_one()
    gone._process.kill()
    gone._process.wait()
    check_page()
    again = the_idle_one()
    assert again is not gone
    again._process.kill()
    monkeypatch.setattr(again, "is_alive", lambda: True)  # it ended just now
    check_page()
    assert the_idle_one() is not again


def test_processor_time_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser_process, "SECONDS", 0.2)
    monkeypatch.setattr(parser_process, "SECONDS_A_MIB", 0.0)
    monkeypatch.setattr(parser_process, "PATIENCE", 100.0)
    assert refusal(SLOW) == "parsing takes more than 0.2 s of processor time, the limit for a file of this size"
    assert parser_process._idle == []
    check_page()


def test_the_clock_is_a_limit_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser_process, "PATIENCE", 0.1)
    assert refusal(SLOW) == "parsing takes more than 0.3 s, the limit for a file of this size"


@pytest.mark.skipif(not parser_child._STATM.exists(), reason="address space is limited on Linux only")
def test_memory_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser_process, "MEMORY", 12 * 2**20)
    assert refusal(b"<html><p>" + b"<br>x" * 19_000 + b"<!--" + b"x" * 18 * 2**20) == (
        "parsing takes more than 12 MiB of memory, the limit"
    )


def test_a_process_that_keeps_memory_serves_no_other_file(monkeypatch: pytest.MonkeyPatch) -> None:
    for tired, idle in ((b"false", 1), (b"true", 0)):
        monkeypatch.setattr(parser_process, "_PROGRAM", saying(b'{"end": true, "tired": ' + tired + b"}"))
        assert parse_apart("html", PAGE, "page") == []
        assert len(parser_process._idle) == idle
        parser_process._end_all()


def test_records_are_limited() -> None:
    item = b"<item><title>x</title></item>"
    feed = b"<rss><channel><title>" + b"long " * 200_000 + b"</title>" + item * 100 + b"</channel></rss>"
    items = parse_apart("feed", feed, "f")
    assert isinstance(items[-1], SourceError)
    assert "more than 16,777,216 characters, the limit" in items[-1].reason
    assert len(items) == 17


def test_an_interrupt_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    check_page()
    process = the_idle_one()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(parser_process, "read_frame", interrupted)
    with pytest.raises(KeyboardInterrupt):
        check_page()
    assert process._process.returncode is not None
    assert parser_process._idle == []


def test_where_no_process_can_be_had_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert "could not be started (" in refusal(PAGE)
    monkeypatch.undo()
    monkeypatch.setattr(parser_process, "_PROGRAM", "raise SystemExit(3)")
    assert refusal(PAGE).startswith("its parser could not be started (")


@pytest.mark.parametrize(
    "answer",
    [
        b"[]", b"{]", b'{"values": 1}', b'{"values": {"a": {}}}', b'{"values": {"a": [1]}}', b"[" * 100_000,
        b'{"error": "x", "line": "1"}', b"{}", b'{"values": {}, "line": 0}',
    ],
)  # fmt: skip
def test_a_parser_is_not_believed(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser_process, "_PROGRAM", saying(answer))
    assert refusal(PAGE).startswith("its parser failed (")


@pytest.mark.parametrize("ending", [b"\xff" * 8, b"\0" * 7 + b"\x09{}", b"\0\0"])
def test_a_parser_that_breaks_off(ending: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser_process, "_PROGRAM", saying(b'{"values": {}}', ending, end=True))
    assert refusal(PAGE).startswith("its parser failed (a message ")


def test_a_forked_child_leaves_the_parents_processes_alone() -> None:
    check_page()
    process = the_idle_one()
    jobs = process._jobs
    parser_process._forget_all()
    assert parser_process._idle == []
    assert jobs.closed
    check_page()
    process.end()
    parser_process._others.clear()


def test_a_parser_may_not_reach_out(tmp_path: object) -> None:
    done = subprocess.run([sys.executable, "-c", RESTRICTED], capture_output=True, text=True, cwd=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout == ("1 record\n" if parser_child._STATM.exists() else "")


def test_a_process_with_nothing_to_do_ends() -> None:
    program = "from newsindex.sources import parser_child as c; c.IDLE_SECONDS = 0.0; c.main()"
    started = time.monotonic()
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        assert process.wait(30) == 0
    assert time.monotonic() - started < 30


def test_the_parser_loads_no_kernels() -> None:
    program = (
        "import sys, newsindex.sources.parser_child as c; c._reader('html'); c._reader('feed'); print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "trafilatura" in loaded
    assert not {"numba", "numpy", "whoosh", "rich"} & set(loaded)


def test_frames() -> None:
    stream = io.BytesIO()
    assert send_message(stream, {"é": 1}) == len(json.dumps({"é": 1}, ensure_ascii=False).encode())
    send_frame(stream, b"")
    stream.seek(0)
    assert read_message(stream) == {"é": 1}
    assert read_frame(stream, 0) == b""
    assert read_frame(stream, 0) is None
    assert read_message(stream) is None
    stream.seek(0)
    with pytest.raises(Broken, match="a message of 9 bytes; the limit is 8"):
        read_frame(stream, 8)
