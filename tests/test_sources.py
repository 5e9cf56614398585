"""Every source format, good files and bad: records with their places, or errors with file, line and reason."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reading import FILES, Write, only, refused, taken

import newsindex
from newsindex.errors import SourceError
from newsindex.schema import Article, Schema
from newsindex.sources import Record, jsons, page, read, streams, table
from newsindex.sources.decode import decode
from newsindex.sources.page import cut_boilerplate
from newsindex.sources.recognise import recognise


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(name: str, data: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    return write_file


def lines(*values: Any) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


# Text pages


def test_page_parts() -> None:
    values = only(FILES / "page.txt")
    assert values["title"] == "Harbour bridge reopens after three-year repair"
    assert values["section"] == "Local News"
    assert values["authors"] == ["Ines Okafor", "Tomasz Lind"]
    assert values["published"] == "12 March 2024"
    assert values["body"].startswith("The Harbour Bridge reopened")
    assert values["body"].endswith("three winters on it.")
    assert values["body"].count("\n\n") == 2
    assert values["boilerplate"].startswith("Related Posts\n\nFerry timetable")
    assert values["boilerplate"].endswith("All rights reserved.")


def test_page_keeps_what_only_looks_like_a_header(write: Write) -> None:
    values = only(
        write("a.txt", "Headline\n\nSection\n\nPublished: some day\n\nBy the river the police found a boat.\n")
    )
    assert values == {
        "title": "Headline",
        "section": "Section",
        "body": "Published: some day\n\nBy the river the police found a boat.",
    }


def test_page_of_one_line_is_a_headline(write: Write) -> None:
    assert only(write("a.txt", "Rates rise\n")) == {"title": "Rates rise"}


def test_page_without_headline(write: Write) -> None:
    text = "word " * 100
    assert only(write("a.txt", text)) == {"body": text.strip()}


def test_page_in_a_western_character_set(write: Write) -> None:
    assert only(write("a.txt", "Café reopens\n\nIt’s open.".encode("cp1252")))["title"] == "Café reopens"


def test_page_in_utf16(write: Write) -> None:
    assert only(write("a.txt", "Łódź\n\nTo jest zdanie.".encode("utf-16"))) == {
        "title": "Łódź",
        "body": "To jest zdanie.",
    }


@pytest.mark.parametrize(
    "marker",
    [
        "Related Posts", "RELATED ARTICLES:", "Read more", "Read more: The bridge", "Share this", "Share this article",
        "More from Business", "Advertisement", "Follow us on X", "Sign up for our newsletter", "© 2024 Courier",
        "Courier. All rights reserved.", "Newsletter: the day in your inbox", "Lire aussi", "Читайте также",
        "Читайте також", "Mehr zum Thema", "Noticias relacionadas", "You may also like", "Leave a comment",
    ],
)  # fmt: skip
def test_boilerplate_is_cut(marker: str) -> None:
    assert cut_boilerplate(["Prose.", "", marker, "", "A link"]) == ("Prose.", f"{marker}\n\nA link")


@pytest.mark.parametrize("line", ["Read more than thirty books", "Shares fell", "Copyright law"])
def test_prose_is_not_cut(line: str) -> None:
    assert cut_boilerplate(["Prose.", "", line]) == (f"Prose.\n\n{line}", "")


def test_boilerplate_in_the_middle_stays() -> None:
    prose = "The minister said that the talks would go on until a settlement had been found."
    assert cut_boilerplate(["Advertisement", "", prose, "", "Share this"]) == (
        f"Advertisement\n\n{prose}",
        "Share this",
    )


def test_page_of_boilerplate_alone_keeps_it() -> None:
    assert cut_boilerplate(["Related Posts", "A link"]) == ("Related Posts\nA link", "")


# JSON


def test_jsonl_values_and_lines(write: Write) -> None:
    path = write("a.jsonl", '\ufeff{"title": "a", "desk": 1}\n\n{"title": "b"}')
    assert list(read([path])) == [
        Record({"title": "a", "desk": 1}, str(path), 1),
        Record({"title": "b"}, str(path), 3),
    ]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b'{"title": "b"', "not JSON"), (b"[1]", "an array"), (b'"x"', "a string"), (b"1", "a number"),
        (b"null", "null"), (b'{"title": "caf\xe9"}', "byte 0xe9 at column 15"), (b"[" * 100_000, "nested too deep"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
    ],
)  # fmt: skip
def test_jsonl_bad_line_in_the_middle(write: Write, bad: bytes, reason: str) -> None:
    path = write("a.jsonl", b'{"title": "a"}\n' + bad + b'\n{"title": "c"}\n')
    records, errors = taken(path)
    assert records == [{"title": "a"}, {"title": "c"}]
    assert [(error.file, error.line) for error in errors] == [(str(path), 2)]
    assert reason in errors[0].reason


def test_jsonl_broken_first_line(write: Write) -> None:
    records, errors = taken(write("noname", '{"title": broken}\n{"title": "b"}\n'))
    assert records == [{"title": "b"}]
    assert errors[0].line == 1


def test_jsonl_over_long_line(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsons, "LONGEST_LINE", 100)
    exact = {"t": "x" * 90}
    path = write("a.jsonl", lines({"t": 1}, {"t": "x" * 100_000}, exact, {"t": 3}))
    records, errors = taken(path)
    assert records == [{"t": 1}, exact, {"t": 3}]
    assert errors[0].line == 2
    assert "100 bytes" in errors[0].reason


def test_lone_surrogates_are_replaced(write: Write) -> None:
    values = only(write("a.jsonl", r'{"title": "a\ud800b \ud83d\ude00", "x\udfff": [{"y": "\udc00"}]}'))
    assert values == {"title": "a\ufffdb 😀", "x\ufffd": [{"y": "\ufffd"}]}


def test_json_array(write: Write) -> None:
    records, errors = taken(FILES / "articles.json")
    assert records == [{"title": "Bridge reopens", "body": "Trams run."}, {"title": "Storm", "section": None}]
    assert [(error.line, "a string" in error.reason) for error in errors] == [(3, True)]
    assert [item.line for item in read(FILES / "articles.json")] == [2, 3, 4]


@pytest.mark.parametrize(
    "text",
    [
        '{"articles": [{"title": "a"}, {"title": "b"}]}',
        '{\n "articles": [\n  {"title": "a"},\n  {"title": "b"}]}',
        '[{"title": "a"}, {"title": "b"}]',
        '{\n"title": "a"\n}\n{\n"title": "b"\n}\n',
        '[{"title": "a"},\n{"title": "b"}]',
    ],
)
def test_json_shapes(write: Write, text: str) -> None:
    assert taken(write("noname", text)) == ([{"title": "a"}, {"title": "b"}], [])


def test_json_array_breaks_off(write: Write) -> None:
    for text, line in [('[{"title": "a"},\n{"title": ', 2), ('[{"title": "a"}\n', 2)]:
        records, errors = taken(write("a.json", text))
        assert records == [{"title": "a"}]
        assert [error.line for error in errors] == [line]


def test_json_without_articles(write: Write) -> None:
    assert "no articles" in refused(write("a.json", "[]")).reason


def test_json_too_large(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsons, "LONGEST_FILE", 10)
    assert "a JSON file of 20 bytes; the limit is 10 bytes" in refused(write("a.json", "[" + " " * 18 + "]")).reason


# gzip


def test_gzip_is_recognised_by_content(write: Write) -> None:
    packed = gzip.compress((FILES / "page.txt").read_bytes())
    assert only(write("page.dat", packed)) == only(FILES / "page.txt")
    assert taken(write("a.gz", gzip.compress(b'{"title": "a"}\n') * 2))[0] == [{"title": "a"}] * 2


@pytest.mark.parametrize("many", [30, 30_000])
def test_truncated_gzip_gives_what_is_readable(write: Write, many: int) -> None:
    packed = gzip.compress(lines(*({"n": f"{n * 7919 % 104_729:x}"} for n in range(many))).encode(), mtime=0)
    path = write("a.jsonl.gz", packed[: len(packed) * 2 // 3])
    records, errors = taken(path)
    assert records == [{"n": f"{n * 7919 % 104_729:x}"} for n in range(len(records))]
    assert many // 3 < len(records) < many
    assert [(error.file, error.line) for error in errors] == [(str(path), len(records) + 1)]
    assert "breaks off" in errors[0].reason


def test_damaged_gzip(write: Write) -> None:
    packed = bytearray(gzip.compress(lines(*({"n": n} for n in range(1000))).encode()))
    packed[-6] ^= 1  # the checksum
    records, errors = taken(write("a.gz", bytes(packed)))
    assert len(records) == 1000
    assert "damaged" in errors[0].reason


def test_gzip_of_nothing_useful(write: Write) -> None:
    assert "empty" in refused(write("a.gz", gzip.compress(b""))).reason
    assert "twice" in refused(write("b.gz", gzip.compress(gzip.compress(b"text")))).reason
    assert "breaks off" in refused(write("c.gz", b"\x1f\x8b\x08")).reason
    assert "breaks off" in refused(write("d.txt.gz", gzip.compress((FILES / "page.txt").read_bytes())[:-20])).reason


# CSV


def test_csv_rows(write: Write) -> None:
    path = FILES / "articles.csv"
    items = list(read(path))
    assert [(type(item), item.line) for item in items] == [
        (Record, 2), (SourceError, 5), (SourceError, 6), (Record, 7),
    ]  # fmt: skip
    first, few, stray, last = items
    assert isinstance(first, Record)
    assert first.values == {
        "title": "Bridge, reopened",
        "body": "The bridge is open.\n\nTrams run from noon.",
        "published": "2024-03-12",
        "authors": ["Ines Okafor", "Tomasz Lind"],
        "tags": ["bridge", "trams"],
        "desk": "city",
    }
    assert "2 cells where the header has 6" in str(few)
    assert "not a CSV row" in str(stray)
    assert isinstance(last, Record)
    assert last.values["body"] == 'He said "soon".'


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_delimiters_by_content(write: Write, delimiter: str) -> None:
    text = "title,body,section\nA,B,C\n".replace(",", delimiter)
    assert only(write("noname", text)) == {"title": "A", "body": "B", "section": "C"}


def test_csv_open_quote_costs_one_row(write: Write) -> None:
    records, errors = taken(write("a.csv", 'title,body\na,"open\nb,1\nc,"2"\nd,"3\n\n4"\n'))
    assert [values["title"] for values in records] == ["b", "c", "d"]
    assert [error.line for error in errors] == [2]


def test_csv_long_cells_and_lines(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(only(write("a.csv", "title,body\na," + "x" * 200_000))["body"]) == 200_000
    monkeypatch.setattr(table, "LONGEST_ROW", 100)
    records, errors = taken(write("b.csv", "title,body\na," + "x" * 200 + "\nb,1\n"))
    assert records == [{"title": "b", "body": "1"}]
    assert [error.line for error in errors] == [2]


def test_csv_character_sets(write: Write) -> None:
    text = "title,body\nCafé,Łódź\n"
    assert only(write("a.csv", text.encode("utf-16")))["body"] == "Łódź"
    assert only(write("b.csv", text.encode("utf-8-sig")))["title"] == "Café"
    assert only(write("c.csv", b"title,body\r\nCaf\xe9,x\r\n"))["title"] == "Café"
    filler = b"a,b\n" * streams.HEAD
    records, errors = taken(write("d.csv", b"title,body\n" + filler + b"Caf\xe9,x\nc,d\n"))
    assert len(records) == streams.HEAD + 1
    assert [error.line for error in errors] == [streams.HEAD + 2]
    assert "not UTF-8" in errors[0].reason


def test_csv_column_twice(write: Write) -> None:
    assert "'title'" in refused(write("a.csv", "title,title\na,b\n")).reason


# Recognition, folders, standard input


@pytest.mark.parametrize(
    ("head", "name", "kind"),
    [
        (b"\x1f\x8b\x08", "a", "gzip"), (b'{"a": 1}\n{"a": 2}', "a.txt", "jsonl"), (b"oops\n{}", "a.jsonl", "jsonl"),
        (b"oops", "a.jsonl.gz", "jsonl"), (b'[{"a": 1}]', "a", "json"), (b"[Updated] Rates rise", "a", "text"),
        (b"{Editor} Rates rise", "a", "text"), (b"title,body\n", "a", "table"), (b"desk;slug\n", "a.csv", "table"),
        (b"Rates, title and all\n", "a.txt", "text"), (b"<!-- x --><rss>", "a.txt", "feed"),
        (b"<rdf:RDF>", "a", "feed"),
        (b"  <!doctype HTML><p>", "a.txt", "html"), (b"<html>", "a.xml", "html"), (b"<?xml?><html>", "a", "html"),
        (b"plain", "a.html", "text"), (b"see <b>x</b>", "a.html", "html"), (b"<3 the team wins", "a.txt", "text"),
    ],
)  # fmt: skip
def test_recognised_by_content(head: bytes, name: str, kind: str) -> None:
    assert recognise(head, name) == kind


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"%PDF-1.7 ", "a PDF"), (b"PK\x03\x04", "a zip"), (b"\x89PNG\r\n", "a PNG"), (b"WARC/1.0\r\n", "a WARC"),
        (b"<?xml version='1.0'?><newsItem/>", "NewsML"), (b"<?xml version='1.0'?><svg/>", "its root is <svg>"),
        (b"\x00\x01\x02", "not a text file"), (b"", "empty"), (b" \n\n", "empty"), (b"ab\x81\x8d", "not a text file"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["a.html", "a.txt"])
def test_what_is_not_read_is_named(write: Write, data: bytes, reason: str, name: str) -> None:
    assert reason in refused(write(name, data)).reason


def test_folders_in_order(write: Write, tmp_path: Path) -> None:
    for name in ("b", "a", ".hidden"):
        (tmp_path / name).mkdir()
    for name in ("b/1.txt", "a/2.txt", "a/1.txt", "z.txt", ".x.txt", ".hidden/y.txt"):
        write(name, name)
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "b" / "gone.txt").symlink_to(tmp_path / "nowhere")
    items = list(read([tmp_path]))
    assert [str(Path(item.file or "").relative_to(tmp_path)) for item in items] == [
        "z.txt", "a/1.txt", "a/2.txt", "b/1.txt", "b/gone.txt",
    ]  # fmt: skip
    assert isinstance(items[-1], SourceError)


def test_paths_that_hold_nothing(tmp_path: Path) -> None:
    assert "no files" in refused(tmp_path).reason
    assert "No such file" in refused(tmp_path / "missing.jsonl").reason
    assert "cannot be read" in str(next(read("bad\0name")))
    assert "neither a file nor a folder" in refused(Path("/dev/null")).reason


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    data = gzip.compress(b'{"title": "a"}\nbroken\n')
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    items = list(read(["-"]))
    assert isinstance(items[0], Record)
    assert (items[0].file, items[0].line) == ("-", 1)
    assert str(items[1]).startswith("-:2: not JSON")
    assert not sys.stdin.closed


def test_closed_standard_input_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    (error,) = read(["-"])
    assert isinstance(error, SourceError)
    assert str(error) == "-: standard input is closed"


def test_a_pipe_is_read_only_when_it_is_named(write: Write, tmp_path: Path) -> None:
    write("page.txt", "Headline\n\nText.\n")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    records, errors = taken(tmp_path)
    assert [record["title"] for record in records] == ["Headline"]
    assert [str(error) for error in errors] == [f"{pipe}: a pipe, which is read only when it is named itself"]
    writer = threading.Thread(target=pipe.write_text, args=(lines({"title": "T"}),))
    writer.start()
    assert only(pipe) == {"title": "T"}
    writer.join()


def test_the_files_of_an_archive_are_no_articles(write: Write, tmp_path: Path) -> None:
    with newsindex.open(tmp_path / "archive", create=True) as index:
        index.add([{"title": "T"}])
    write("page.txt", "Headline\n\nText.\n")
    records, errors = taken(tmp_path)
    assert [record["title"] for record in records] == ["Headline"]
    assert errors == []
    assert "an archive of newsindex" in refused(tmp_path / "archive").reason


def test_reading_is_lazy(write: Write) -> None:
    records = read([write("a.jsonl", '{"title": "a"}\n' * 100_000), Path("missing")])
    assert isinstance(next(records), Record)
    records.close()  # type: ignore[attr-defined]


def test_a_failing_parser_is_reported(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise IndexError("list index\nout of range")

    monkeypatch.setattr("newsindex.sources.page.cut_boilerplate", fails)
    records, errors = taken(write("a.txt", "text"), write("b.jsonl", '{"title": "b"}'))
    assert records == [{"title": "b"}]
    assert errors[0].reason == "cannot be read: IndexError: list index out of range"


def test_decode_prefers_what_is_true_to_what_is_declared() -> None:
    assert decode("é".encode(), "iso-8859-1") == "é"
    assert decode(b"\x93x\x94", "ISO-8859-1") == "“x”"
    assert decode("日本".encode("iso-2022-jp"), "iso-2022-jp") == "日本"
    assert decode(b"\xff", "punycode") is None
    assert decode(b"\xff") is None


def test_fixtures_fit_the_schema() -> None:
    records, _ = taken(FILES)
    schema = Schema(Article)
    assert all(schema.prepare(values).article_id for values in records)
    assert len(records) == 11


BEGINNINGS = st.sampled_from(
    [
        b"", b"{", b'{"title": "', b'[{"a": 1},', b"<html><body><p>", b"<rss><channel><item><title>", b"<?xml ", b"<!",
        b"title,body\n", b'title;body\n"', b"\xff\xfe", b"\xef\xbb\xbf", b"\x1f\x8b\x08\x00", b"\xfe\xff\x00<", b"\n",
        b"Headline\n\nBy x\n", b"<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>", b"\x00\x00\xfe\xff",
    ]
)  # fmt: skip
NAMES = st.sampled_from(["a", "a.html", "a.jsonl", "a.json", "a.csv", "a.xml", "a.txt", "a.jsonl.gz", "a.htm.gz"])
SOUP = st.lists(
    st.sampled_from([b"<", b">", b"</", b"<a ", b'"', b"'", b"&#xd800;", b"&", b"{", b"}", b"[", b"]", b",", b"\n",
                     b"\\ud800",
                     b"<item>", b"<p>", b"</p>", b"<!--", b"<![CDATA[", b"=", b";", b"\xe9", b"\x00", b"x",
                     b" 2024 ", b"date:"])
)  # fmt: skip


@settings(max_examples=300, deadline=None, derandomize=True)
@given(NAMES, BEGINNINGS, st.one_of(st.binary(max_size=200), SOUP.map(b"".join), st.text(max_size=200).map(str.encode)),
       st.sampled_from([0, 1, 2]))  # fmt: skip
@example("a.html", b"<html>", b"<p>&#xd800;</p><title>&#xdfff;</title>", 0)
def test_any_bytes_give_records_or_errors(name: str, beginning: bytes, rest: bytes, packing: int) -> None:
    data = beginning + rest
    if packing:
        data = gzip.compress(data)[: -9 if packing == 2 else None]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        items = list(read([path]))
    assert items
    for item in items:
        assert isinstance(item, Record | SourceError)
        assert item.file == str(path)
        if isinstance(item, Record):
            json.dumps(item.values, ensure_ascii=False).encode("utf-8")


def test_page_limit(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "LONGEST_PAGE", 10)
    assert "a text page of more than 1,000 bytes; the limit is 10 bytes" in refused(write("a.txt", "x" * 1000)).reason
