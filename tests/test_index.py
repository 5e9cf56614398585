"""What an index promises: upserts, deletes, one writer, snapshots, errors."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

import newsindex
from newsindex import (
    Article,
    FormatError,
    IndexClosed,
    IndexLocked,
    IndexNotFound,
    Keyword,
    QueryError,
    QueryTooComplex,
    SchemaError,
    SourceError,
    StorageError,
    Text,
)
from newsindex.errors import NewsIndexError
from newsindex.index import NewsIndex
from newsindex.results import Snippet
from newsindex.search.cursor import Cursor
from newsindex.sources.record import Record
from newsindex.whoosh_door import query as whoosh_query

ARTICLES: list[dict[str, Any]] = [
    {"id": "1", "title": "Rates fell", "body": "The bank cut its rate.", "source": "CNN", "published": "2024-04-01"},
    {"id": "2", "title": "Oil talks", "body": "Talks about oil rates.", "source": "Xinhua", "published": "2024-04-02"},
    {"id": "3", "title": "Undated", "body": "No date here, but oil.", "source": "cnn"},
]
MakeIndex = Callable[..., NewsIndex]


def ids(results: Any) -> list[str]:
    return [hit.id for hit in results]


def test_adding_again_replaces_and_the_same_changes_nothing(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)
    generation = index.stats().generation
    report = index.add(ARTICLES)
    assert (report.added, report.updated, report.unchanged) == (0, 0, 3)
    assert index.stats().generation == generation
    report = index.add([ARTICLES[0] | {"title": "Wheat"}, ARTICLES[1]])
    assert (report.added, report.updated, report.unchanged) == (0, 1, 1)
    assert (index.count(), ids(index.search("title:wheat")), index.count("title:fell")) == (3, ["1"], 0)


def test_the_same_id_twice_in_one_batch_leaves_the_last(make_index: MakeIndex) -> None:
    index = make_index()
    report = index.add([{"id": "1", "title": f"version {n}"} for n in range(5)] + [{"id": "1", "title": "version 4"}])
    assert (report.added, report.updated, report.unchanged) == (1, 4, 1)
    assert [hit.title for hit in index.search("version")] == ["version 4"]
    assert (index.count(), index.search("version").total) == (1, 1)


def test_deleting(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)
    assert index.delete(["1", "nobody", "1"]) == 1
    assert index.get("1") is None
    assert index.delete(query="oil", where={"source": "Xinhua"}) == 1
    assert index.delete("3") == 1
    assert (index.count(), index.delete(["3"])) == (0, 0)
    assert index.add(ARTICLES).added == 3


def test_deleting_by_an_unclear_query_deletes_nothing(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)
    for query in ("titel:oil", "published:blarg", "oil 😀", '"oil', "oil OR"):
        with pytest.raises(QueryError, match="nothing was deleted"):
            index.delete(query=query)
    assert index.count() == 3


def test_add_and_delete_in_one_session(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES[:1])
    with index.writer() as writer:
        writer.add(ARTICLES)
        assert writer.delete(["1", "2"]) == 2
        writer.add([{"id": "2", "title": "again"}])
        assert index.count() == 1
    assert sorted(hit.id for hit in index.search()) == ["2", "3"]


def test_an_exception_rolls_back(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)

    def fail() -> None:
        with index.writer() as writer:
            writer.delete(["1"])
            writer.add([{"id": "9", "title": "new"}])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (index.count(), index.get("9")) == (3, None)
    with index.writer() as writer:
        writer.add([{"id": "8", "title": "kept"}])
        writer.commit()
        writer.add([{"id": "9", "title": "dropped"}])
        writer.rollback()
    assert (index.count(), index.get("9")) == (4, None)
    with pytest.raises(IndexClosed, match="closed"):
        writer.add(ARTICLES)


def test_a_bad_record_is_reported_and_its_neighbours_are_kept(make_index: MakeIndex) -> None:
    index = make_index()
    records = [
        ARTICLES[0],
        {"id": "bad"},
        Record({"title": 5}, "file.jsonl", 7),
        SourceError("cannot be read", "other.txt"),
        "no article",
        {"title": "x" * 11_000_000},
        Record({"title": "T", "published": "blarg"}, "-", 2),
        ARTICLES[1],
    ]
    report = index.add(records)  # type: ignore[arg-type]
    assert report.added == index.count() == 2
    assert [str(error).split(" ")[0] for error in report.rejected] == [
        "no", "file.jsonl:7:", "other.txt:", "not", "the", "-:2:",
    ]  # fmt: skip
    assert json.loads(json.dumps(report.as_json()))["rejected"][1]["line"] == 7
    with pytest.raises(SourceError, match="no text"):
        index.add([ARTICLES[2], {"id": "bad"}], strict=True)
    assert index.get("3") is None


def test_a_source_that_breaks_loses_nothing_committed(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)

    def broken() -> Any:
        yield {"id": "9", "title": "new"}
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"):
        index.add(broken())
    assert index.count() == 3
    assert index.add([{"id": "9", "title": "new"}]).added == 1


def test_what_is_stored_comes_back(make_index: MakeIndex) -> None:
    index = make_index([ARTICLES[0] | {"dateline": "LONDON", "authors": "Ann Lee", "boilerplate": "Related Posts"}])
    article: Any = index.get("1")
    assert isinstance(article, Article)
    assert article.published == datetime(2024, 4, 1, tzinfo=UTC)
    assert (article.authors, article.model_extra) == (["Ann Lee"], {"dateline": "LONDON"})
    assert index.count("posts") == 0
    assert [a.model_dump() for a in index.articles()] == [article.model_dump()]
    assert index.add(index.articles()).unchanged == 1


def test_reports_count_naive_dates_and_unknown_keys(make_index: MakeIndex) -> None:
    report = make_index().add([ARTICLES[0] | {"places": ["usa"]}, ARTICLES[1] | {"published": "2024-04-02T00:00Z"}])
    assert (report.naive_dates, report.unknown_keys) == (1, {"places": 1})


def test_progress_is_called(make_index: MakeIndex) -> None:
    calls: list[int] = []
    make_index().add(({"id": str(n), "title": "t"} for n in range(250)), progress=calls.append)
    assert calls == [100, 200, 250]


def test_hits(make_index: MakeIndex) -> None:
    hits = make_index(ARTICLES).search("rates", limit=5)
    assert [(hit.rank, hit.id, hit.title, hit.source) for hit in hits] == [
        (1, "1", "Rates fell", "CNN"), (2, "2", "Oil talks", "Xinhua"),
    ]  # fmt: skip
    assert hits[0].score > hits[1].score > 0
    assert hits[0].published == datetime(2024, 4, 1, tzinfo=UTC)
    assert hits[0].article.body == "The bank cut its rate."  # type: ignore[attr-defined]
    assert hits[0].snippet.html() == "The bank cut its <mark>rate</mark>."
    assert hits.total == 2


def test_an_article_without_a_title_is_called_by_its_first_line(make_index: MakeIndex) -> None:
    index = make_index([{"id": "1", "body": "First line.\nSecond line."}])
    assert index.search("second")[0].title == "First line."


def test_sorting_and_filters(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)
    assert ids(index.search(sort="newest")) == ["2", "1", "3"]
    assert ids(index.search("oil OR bank", sort="oldest")) == ["1", "2", "3"]
    assert sorted(ids(index.search(where={"source": "CNN"}))) == ["1", "3"]
    assert ids(index.search("oil", where={"source": ["CNN", "BBC"]})) == ["3"]
    assert ids(index.search(where={"published": ("2024-04-02", None)})) == ["2"]
    assert ids(index.search(where={"published": date(2024, 4, 1), "source": "cnn"})) == ["1"]
    assert ids(index.search("oil", where={"source": "nobody"})) == []
    assert index.search("oil", where={"published": "2024-04"}).searched == ("oil published:[2024-04-01 TO 2024-05-01}")


def test_facets_and_values(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)
    assert index.search("oil", facets=["source"], limit=1).facets == {"source": {"Xinhua": 1, "cnn": 1}}
    assert index.values("source") == {"CNN": 2, "Xinhua": 1}
    assert index.values("source", "xi") == {"Xinhua": 1}
    with pytest.raises(QueryError, match="no keyword field"):
        index.search("oil", facets=["title"])


def test_misuse_of_arguments(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)
    for arguments in ({"limit": -1}, {"limit": 1.5}, {"sort": "best"}, {"after": "???"}, {"where": {"sauce": "x"}}):
        with pytest.raises(QueryError):
            index.search("oil", **arguments)  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="a string"):
        index.search(5)  # type: ignore[arg-type]
    cursor = index.search("oil", limit=1).next
    assert cursor is not None
    with pytest.raises(QueryError, match="another search"):
        index.search("rates", after=cursor)
    with pytest.raises(QueryError, match="no article has the id"):
        index.explain("oil", "nobody")
    with pytest.raises(QueryError, match="does not match"):
        index.explain("oil", "1")
    assert len(index.search("oil", limit=0)) == 0


@settings(max_examples=50)
@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda data: data.decode("latin-1")))
def test_any_cursor_is_one_or_an_error(text: str) -> None:
    with pytest.raises(QueryError):
        Cursor.decode(text, "digest")


def test_a_cursor_holds_over_a_commit(make_index: MakeIndex) -> None:
    index = make_index([{"id": str(n), "title": "oil " * (n + 1)} for n in range(6)])
    first = index.search("oil", limit=2)
    index.add([{"id": "new", "title": "wheat"}])
    rest = index.search("oil", limit=10, after=first.next)
    assert sorted(ids(first) + ids(rest)) == ["0", "1", "2", "3", "4", "5"]


def test_results_keep_their_snapshot(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)
    results = index.search("oil")
    index.delete(["2", "3"])
    assert results.total == 2
    assert results[0].article is not None
    assert index.count("oil") == 0


def test_other_objects_see_a_commit_after_refresh(make_index: MakeIndex, tmp_path: Path) -> None:
    writer = make_index(ARTICLES[:1])
    with newsindex.open(tmp_path / "index0") as reader:
        writer.add(ARTICLES)
        assert reader.count() == 1
        assert (reader.refresh(), reader.count(), reader.refresh()) == (True, 3, False)


def test_hostile_queries_are_answered_or_refused(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)
    for query in ("oil " * 25_000, "(" * 1000, "oil " * 1023 + "x y", '"' * 4000):
        with pytest.raises(QueryTooComplex):
            index.search(query)
    for query in (
        "NOT " * 1000,
        '"' * 2000,
        "-" * 4000,
        "*" * 100,
        "a* " * 100,
        ")" * 1000,
        "oil^" * 500,
        "\x00",
        "😀",
    ):
        assert index.search(query).diagnostics is not None


def test_snippets_mark_phrases_stems_and_curly_quotes(make_index: MakeIndex) -> None:
    body = (
        "Filler sentence about nothing at all. " * 12
        + "They called it a plan “recognised by both Russia and Ukraine,” and Putin’s aide didn’t object. "
        + "Russia recognises nothing else. " * 8
    )
    index = make_index([{"id": "1", "title": "Plan", "body": body}])
    snippet = index.search('"recognised by both" putin’s')[0].snippet
    marked = [snippet.text[start:end] for start, end in snippet.spans]
    assert marked == ["recognised by both", "Putin"]
    assert snippet.cut_start
    assert snippet.cut_end
    assert "“<mark>recognised by both</mark> Russia" in snippet.html()
    assert index.search("recognise")[0].snippet.spans
    assert "<mark>didn’t</mark>" in index.search("didn't")[0].snippet.html()
    assert [index.highlight("russia", "Russia's", "body").html()] == ["<mark>Russia</mark>&#x27;s"]


@settings(max_examples=200)
@given(st.text("<>&\"'ab oil\u202e\x1b\n", max_size=60))
def test_snippets_as_html_are_escaped(text: str) -> None:
    rendered = Snippet(text, ((0, min(2, len(text))),) if text else ()).html()
    assert "<" not in rendered.replace("<mark>", "").replace("</mark>", "")


class Report(BaseModel):
    headline: Annotated[str, Text(weight=2)]
    desk: Annotated[str | None, Keyword()] = None


def test_any_model_is_a_schema(make_index: MakeIndex, tmp_path: Path) -> None:
    index = make_index([Report(headline="Rates fell", desk="Money")], model=Report)
    (hit,) = index.search("headline:rate desk:money")
    assert (hit.title, hit.published, hit.article) == ("Rates fell", None, Report(headline="Rates fell", desk="Money"))
    with pytest.raises(QueryError, match="date field"):
        index.search(sort="newest")
    with newsindex.open(tmp_path / "index0") as again:
        assert again.get(hit.id).headline == "Rates fell"  # type: ignore[union-attr]
    with pytest.raises(SchemaError, match="headline"):
        newsindex.open(tmp_path / "index0", model=Article)


def test_the_language_is_the_indexs(make_index: MakeIndex, tmp_path: Path) -> None:
    index = make_index([{"id": "1", "title": "Les manifestations nationales"}], language="fr")
    assert ids(index.search("manifestation nationale")) == ["1"]
    assert newsindex.open(tmp_path / "index0").stats().language == "french"
    with pytest.raises(SchemaError, match="french"):
        newsindex.open(tmp_path / "index0", language="german")


def test_whoosh_code_reads_the_index(make_index: MakeIndex) -> None:
    with make_index(ARTICLES).whoosh.searcher() as searcher:
        assert {fields["id"] for fields in searcher.search(whoosh_query.Term("body", "oil"))} == {"2", "3"}


def test_opening_what_is_no_index(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "photo.jpg").write_text("x")
    for name, message in [
        ("nowhere", "no such folder"),
        ("file", "a file"),
        ("empty", "no index in it"),
        ("other", "no index"),
    ]:
        with pytest.raises(IndexNotFound, match=message):
            newsindex.open(tmp_path / name)
    for name in ("file", "other"):
        with pytest.raises(StorageError):
            newsindex.open(tmp_path / name, create=True)
    assert (tmp_path / "other" / "photo.jpg").read_text() == "x"
    with newsindex.open(tmp_path / "empty", create=True) as index:
        assert (index.count(), list(index.search("x"))) == (0, [])


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"\xff\xfe", b'{"format": "newsindex"}', b"[" * 100_000, b"nul"]
)
def test_a_damaged_description_is_named(make_index: MakeIndex, tmp_path: Path, content: bytes) -> None:
    make_index(ARTICLES)
    (tmp_path / "index0" / "newsindex.json").write_bytes(content)
    with pytest.raises(FormatError, match=r"newsindex\.json"):
        newsindex.open(tmp_path / "index0")


def test_another_format_version_is_refused(make_index: MakeIndex, tmp_path: Path) -> None:
    make_index(ARTICLES)
    meta = tmp_path / "index0" / "newsindex.json"
    meta.write_text(meta.read_text().replace('"format_version": 1', '"format_version": 99'))
    with pytest.raises(FormatError, match=r"99.*newer"):
        newsindex.open(tmp_path / "index0")


# Whoosh leaves the file open in which it stumbles.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_damaged_segments_are_an_error_not_an_answer(make_index: MakeIndex, tmp_path: Path) -> None:
    make_index(ARTICLES)
    for path in (tmp_path / "index0" / "segments").glob("*.toc"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(FormatError, match="damaged"):
        newsindex.open(tmp_path / "index0")
    for path in (tmp_path / "index0" / "segments").glob("*"):
        path.unlink()
    with pytest.raises(FormatError, match="missing"):
        newsindex.open(tmp_path / "index0")


def test_after_close_and_fork(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            index.search("oil")
        except IndexClosed as error:
            os.write(write, str(error).encode())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    assert b"before a fork" in os.read(read, 1000)
    os.close(read)
    index.close()
    index.close()
    for use in (index.search, index.count, index.stats, index.refresh, index.writer):
        with pytest.raises(IndexClosed, match="open it again"):
            use()


def test_one_writer_at_a_time(make_index: MakeIndex, tmp_path: Path) -> None:
    index = make_index(ARTICLES)
    with index.writer() as writer:
        writer.add([{"id": "9", "title": "pending"}])
        with newsindex.open(tmp_path / "index0") as other:
            with pytest.raises(IndexLocked, match=f"process {os.getpid()} on .* since 20") as caught:
                other.writer(timeout=0.1)
            assert caught.value.pid == os.getpid()
            assert other.count() == 3
    assert index.add([{"id": "10", "title": "free again"}]).added == 1


def test_a_second_writer_waits(make_index: MakeIndex) -> None:
    index = make_index()
    writer = index.writer()
    entered = threading.Event()

    def second() -> None:
        with index.writer(timeout=30) as other:
            other.add([{"id": "2", "title": "second"}])
        entered.set()

    thread = threading.Thread(target=second)
    thread.start()
    writer.add([{"id": "1", "title": "first"}])
    assert not entered.is_set()
    writer.commit()
    writer.close()
    thread.join(30)
    assert entered.is_set()
    assert index.count() == 2


def test_a_killed_writer_frees_the_lock_and_loses_nothing_committed(make_index: MakeIndex, tmp_path: Path) -> None:
    index = make_index(ARTICLES)
    program = textwrap.dedent(f"""
        import os, signal, newsindex
        index = newsindex.open({str(tmp_path / "index0")!r})
        writer = index.writer()
        writer.add([{{"id": str(n), "title": "pending"}} for n in range(50)])
        writer.delete(["1"])
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    assert index.add([{"id": "9", "title": "after"}]).added == 1
    assert (index.count(), index.count("pending")) == (4, 0)


def test_a_read_only_folder_can_be_read() -> None:
    program = textwrap.dedent("""
        import os, sys, newsindex
        folder = sys.argv[1]
        with newsindex.open(f"{folder}/index", create=True) as index:
            index.add([{"title": "oil"}])
            index.search("oil").total
        for path in (f"{folder}/index/segments", f"{folder}/index", folder):
            os.chmod(path, 0o555)
        if os.geteuid() == 0:
            os.setuid(65534)  # nobody: root may write everywhere
        with newsindex.open(f"{folder}/index") as index:
            print(index.count("oil"))
            try:
                index.add([{"title": "x"}])
            except newsindex.StorageError as error:
                print(error)
        try:
            newsindex.open(f"{folder}/new", create=True)
        except newsindex.StorageError as error:
            print(error)
    """)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", program, folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        for path in (folder, f"{folder}/index", f"{folder}/index/segments"):
            Path(path).chmod(0o755)
        lines = done.stdout.splitlines()
        assert lines[:1] == ["1"], done.stderr
        assert "index: cannot be written" in lines[1]
        assert f"{folder}/new" in lines[2]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # as above
def test_a_full_disk_is_an_error_and_changes_nothing(make_index: MakeIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    index = make_index(ARTICLES)
    size = max(path.stat().st_size for path in Path(index.stats().location).rglob("*") if path.is_file())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 5000, hard))
    try:
        with pytest.raises(StorageError, match="nothing was changed"):
            index.add({"id": f"new{n}", "title": f"word{n} " * 50} for n in range(300))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert index.count() == 3
    assert index.add([{"id": "9", "title": "space again"}]).added == 1
    assert (index.count(), index.count("word1")) == (4, 0)


def test_many_threads_search_one_index(make_index: MakeIndex) -> None:
    index = make_index([{"id": str(n), "title": f"oil {n % 7}", "body": "rates " * (n % 5)} for n in range(200)])
    expected = {query: ids(index.search(query)) for query in ("oil", "rates", "oil 3", "oil -rates")}
    wrong: list[str] = []

    def work() -> None:
        for _ in range(20):
            wrong.extend(query for query, found in expected.items() if ids(index.search(query)) != found)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_every_error_is_one_line(make_index: MakeIndex, tmp_path: Path) -> None:
    index = make_index(ARTICLES)
    raised = []
    for act in (
        lambda: index.search(limit=-1),
        lambda: index.search(where={"sauce": 1}),
        lambda: newsindex.open(tmp_path / "nowhere"),
        lambda: newsindex.open(tmp_path / "index0", language="klingon"),
    ):
        with pytest.raises(NewsIndexError) as caught:
            act()
        raised.append(str(caught.value))
    assert all("\n" not in message and len(message) > 20 for message in raised)
