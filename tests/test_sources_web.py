"""Feeds and web pages: good files and bad, hostile ones, and what an article is made of."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from reading import FILES, Write, only, refused, taken

from newsindex.errors import SourceError
from newsindex.sources import Record, webpage
from newsindex.sources.feed import read_feed
from newsindex.sources.markup import plain_text


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(name: str, data: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    return write_file


# Feeds


def test_rss() -> None:
    records, errors = taken(FILES / "feed.rss")
    assert errors == []
    assert records[0] == {
        "url": "https://courier.example/bridge",
        "title": "Bridge & tower reopen",
        "summary": "The bridge is open.",
        "body": "The bridge is open again.\n\nTrams run\nfrom noon.",
        "published": "2024-03-12T08:30:00+01:00",
        "source": "The Harbour Courier",
        "authors": ["Ines Okafor"],
        "tags": ["Transport", "City"],
        "language": "en",
    }
    assert records[1] == {
        "url": "https://courier.example/storm",
        "title": "Storm closes port",
        "summary": "High wind.",
        "source": "The Harbour Courier",
        "language": "en",
    }
    assert records[2]["id"] == "tag:courier.example,2024:9"


def test_atom() -> None:
    assert only(FILES / "feed.atom") == {
        "id": "urn:uuid:0d9b1c1e-0001-4d7a-9d52-8a4f2f2f0001",
        "url": "https://kurier.example/bruecke",
        "title": "Brücke wieder offen",
        "summary": "Die Brücke ist offen.",
        "body": "Nach drei Jahren.\n\nEnde der Sperre.",
        "published": "2024-03-12T09:00:00+01:00",
        "source": "Hafenkurier",
        "authors": ["Lena Brandt"],
        "tags": ["Verkehr"],
        "language": "de",
    }


def feed(item: str, prolog: str = "") -> str:
    return f"{prolog}<rss version='2.0'><channel><title>F</title><link>https://f.example</link>{item}</channel></rss>"


def test_feed_ids_that_are_unique_in_their_feed_only(write: Write) -> None:
    assert only(write("a.xml", feed("<item><title>x</title><guid>7</guid></item>")))["id"] == "https://f.example#7"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    ("declaration", "kind"),
    [
        ('<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>', "DOCTYPE"),
        ('<!doctype rss SYSTEM "file:///etc/passwd">', "doctype"),
        ('<!ENTITY a "ha">', "ENTITY"),
    ],
)
def test_feed_declarations_are_refused(write: Write, encoding: str, declaration: str, kind: str) -> None:
    text = feed("<item><title>&a;</title></item>", f"<?xml version='1.0'?>\n{declaration}\n")
    error = refused(write("a.xml", text.encode(encoding)))
    assert f"<!{kind}" in error.reason
    assert error.line == 2


def test_feed_never_opens_files_or_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: Any, **__: Any) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr("socket.socket.connect", forbidden)
    item = "<item><title>x</title><link>https://f.example/1</link><enclosure url='https://f.example/2'/></item>"
    (record,) = read_feed(feed(item).encode(), "a.xml")
    assert isinstance(record, Record)
    assert record.values["title"] == "x"


def test_feed_in_a_declared_character_set(write: Write) -> None:
    text = feed("<item><title>Łódź</title></item>", "<?xml version='1.0' encoding='iso-8859-2'?>")
    assert only(write("a.xml", text.encode("iso-8859-2")))["title"] == "Łódź"


def test_feed_that_breaks_off(write: Write) -> None:
    whole = feed("<item><title>one</title></item>\n<item><title>two</title></item>")
    records, errors = taken(write("a.xml", whole[: whole.index("two")]))
    assert records[0]["title"] == "one"
    assert "breaks off" in errors[-1].reason


def test_feed_limits(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = refused(write("a.xml", feed("<item><title>" + "<b>" * 300 + "</title></item>"))).reason
    assert "nested 304 deep; the limit is 256" in deep
    assert "no entries" in refused(write("b.xml", feed(""))).reason
    monkeypatch.setattr("newsindex.sources.files.LARGEST", 50)
    assert "a feed of 104 bytes; the limit is 50 bytes" in refused(write("c.xml", feed("").ljust(104))).reason


def test_markup_to_text() -> None:
    assert plain_text("a<script>x<b></script><!-- c -->b &lt;i&gt; 1 < 2") == "ab <i> 1 < 2"


# HTML


def test_webpage_by_json_ld() -> None:
    values = only(FILES / "page.html")
    body = values.pop("body")
    assert body.startswith("The Harbour Bridge reopened")
    assert body.count("\n\n") == 3
    assert "Imprint" not in body
    assert values == {
        "url": "https://courier.example/bridge",
        "title": "Harbour bridge reopens after three-year repair",
        "published": "2024-03-12T08:30:00+01:00",
        "source": "The Harbour Courier",
        "section": "Local News",
        "authors": ["Ines Okafor"],
        "tags": ["bridge", "trams"],
        "language": "en",
    }


def test_webpage_by_meta_tags() -> None:
    values = only(FILES / "meta.html")
    assert values["title"] == "Fish & chips prices rise"
    assert values["authors"] == ["Ines Okafor", "Tomasz Lind"]
    assert values["tags"] == ["prices", "fish"]
    assert (values["section"], values["source"], values["language"]) == ("Money", "The Harbour Courier", "en")
    assert "published" not in values
    assert values["boilerplate"].startswith("Related Posts")


@pytest.mark.parametrize("encoding", ["utf-8", "koi8-r", "utf-16"])
def test_webpage_character_sets(write: Write, encoding: str) -> None:
    text = (
        f"<html><head><meta charset='{encoding}'><title>Мост открыт</title></head><body><p>Трамваи.</p></body></html>"
    )
    assert only(write("a.html", text.encode(encoding)))["title"] == "Мост открыт"


def test_webpage_that_is_xhtml(write: Write) -> None:
    text = (
        "<?xml version='1.0' encoding='utf-8'?>\n<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Strict//EN' 'x.dtd'>"
        "<html xmlns='http://www.w3.org/1999/xhtml'><head><title>Żuraw</title></head><body><p>Text.</p></body></html>"
    )
    assert only(write("noname", text))["title"] == "Żuraw"


def test_webpage_without_anything(write: Write) -> None:
    assert "neither a title nor text" in refused(write("a.html", "<html><body></body></html>")).reason


def test_webpage_limits(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "30,003 elements; the limit is 20,000" in refused(write("a.html", "<html><body>" + "<p>x" * 30_001)).reason
    deep = "<html><body>" + "<div>" * 200 + "<p>text" + "</div>" * 200
    assert "text" in only(write("d.html", deep))["body"]
    deeper = refused(write("e.html", deep.replace("<p>", "<div>" * 100))).reason
    assert deeper == "the page's elements are nested more than 250 deep, the limit"
    assert (
        "200,003 times '<'; the limit is 200,000" in refused(write("f.html", "<html><body>" + "<p>x" * 200_001)).reason
    )
    assert "9,000,001 characters without a '<'" in refused(write("g.html", "<html><p>" + "x" * 8_999_999)).reason
    monkeypatch.setattr("newsindex.sources.files.LARGEST", 20)
    assert "the limit is 20 bytes" in refused(write("b.html", "<html><body></body></html>")).reason


def test_webpage_without_the_extra(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    with pytest.raises(SourceError, match=r'pip install "newsindex\[html\]"') as caught:
        list(webpage.read_webpage(FILES.joinpath("page.html").read_bytes(), "page.html"))
    assert caught.value.file == "page.html"
