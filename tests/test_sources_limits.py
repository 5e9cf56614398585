"""What one record or one file may cost at most; each error names the limit and the value."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from reading import refused, taken

from newsindex.errors import SourceError
from newsindex.sources import files, jsons, page, streams, table
from newsindex.sources.feed import read_feed


def test_values_of_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsons, "MOST_VALUES", 20)
    path = tmp_path / "a.jsonl"
    path.write_text('{"title": "a, b, c and so on"}\n{"title": ["a"' + ', "a"' * 20 + ']}\n{"title": "b"}\n')
    records, errors = taken(path)
    assert [values["title"] for values in records] == ["a, b, c and so on", "b"]
    assert [(error.line, error.reason) for error in errors] == [
        (2, "a line with 22 commas and brackets; the limit is 20")
    ]
    path = tmp_path / "a.json"
    path.write_text("[\n" + '{"title": "x"},\n' * 20 + "]")
    assert refused(path).reason == "a JSON file with 41 commas and brackets; the limit is 20"


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a": ', "}")])
def test_depth_of_json(tmp_path: Path, opening: str, closing: str) -> None:
    path = tmp_path / "a.jsonl"
    value = (f'{{"title": "x", "a": {opening * depth}1{closing * depth}}}\n' for depth in (63, 64, 400))
    path.write_text("".join(value))
    records, errors = taken(path)
    assert len(records) == 1
    assert [error.line for error in errors] == [2, 3]
    assert all("nested too deep; the limit is 64" in error.reason for error in errors)


def test_rows_of_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MOST_LINES", 5)
    path = tmp_path / "a.csv"
    path.write_text('title,body\na,"open\n' + "\n" * 10 + 'b,1\n\n\nc,"2\n\n3"\n')
    records, errors = taken(path)
    assert records == [{"title": "b", "body": "1"}, {"title": "c", "body": "2\n\n3"}]
    assert [error.line for error in errors] == [2]
    assert "6 lines and perhaps more; the limits are 16,777,216, 1,000,000 and 5" in errors[0].reason
    monkeypatch.setattr(table, "MOST_VALUES", 5)
    path.write_text("title,body\na," + "," * 10 + "\nb,1\n")
    records, errors = taken(path)
    assert records == [{"title": "b", "body": "1"}]
    assert "11 cells" in errors[0].reason


def test_ratio_of_gzip(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    line = '{"title": "a"}\n'
    path.write_bytes(gzip.compress((line * 5).encode() + b" " * 20_000_000 + line.encode()))
    records, errors = taken(path)
    assert records == [{"title": "a"}] * 5
    assert errors[0].line == 6
    assert "; the limit is 100 to 1; what follows is not read" in errors[0].reason
    path.write_bytes(gzip.compress(line.encode() * (streams._ANY_RATIO_BYTES // len(line) - 10)))
    records, errors = taken(path)
    assert errors == []


def test_lines_of_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MOST_LINES", 10)
    path = tmp_path / "a.txt"
    path.write_text("Headline\n" + "\r\u2028" * 10)
    assert refused(path).reason == "a text page of 21 lines; the limit is 10; split it"


def test_entries_and_tags_of_a_feed() -> None:
    def reason(items: str) -> str:
        with pytest.raises(SourceError) as caught:
            list(read_feed(f"<rss><channel>{items}</channel></rss>".encode(), "f"))
        return caught.value.reason

    assert reason("<item/>" * 20_001) == "the feed has 20,001 entries; the limit is 20,000"
    assert reason("<a/>" * 500_000) == "the feed has 500,004 times '<'; the limit is 500,000"


def test_records_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_ERRORS", 5)
    path = tmp_path / "a.jsonl"
    good = '{"title": "a"}\n'
    path.write_text(good * 3 + "x\n" * 8 + good)
    records, errors = taken(path)
    assert len(records) == 3
    assert [error.line for error in errors] == [4, 5, 6, 7, 8, 9]
    assert "more than 5 records that cannot be read, the limit" in errors[-1].reason
    path.write_text(good + ("x\n" + good) * 8)  # as many that can be read: all are kept
    records, errors = taken(path)
    assert (len(records), len(errors)) == (9, 8)


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_blank_lines(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_BLANK_LINES", 5)
    record = '{"title": "a"}\n' if name == "a.jsonl" else "a,b\n"
    path = tmp_path / name
    path.write_text("title,body\n" * (name == "a.csv") + record + " \n" * 5 + record + "\n" * 6 + record)
    records, errors = taken(path)
    assert len(records) == 2
    assert [error.line for error in errors] == [13 + (name == "a.csv")]
    assert "more than 5 blank lines together, the limit" in errors[0].reason
