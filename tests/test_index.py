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
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import pytest
import xxhash
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
    SchemaError,
    SourceError,
    StorageError,
    Text,
)
from newsindex.errors import NewsIndexError
from newsindex.index import NewsIndex
from newsindex.sources.record import Record
from newsindex.store.envelope import HEADER_BYTES
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


def test_deleting_everything_takes_an_asterisk(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)
    for arguments in (
        {"query": ""},
        {"query": "  "},
        {"where": {}},
        {"query": "", "where": {}},
        {"ids": "1", "query": ""},
    ):
        with pytest.raises(QueryError, match=r"query='\*'"):
            index.delete(**arguments)  # type: ignore[arg-type]
    assert index.count() == 3
    assert index.delete(query="", where={"source": "Xinhua"}) == 1
    assert index.delete(query="*") == 2


def test_deleting_all_but_what_no_article_has_deletes_nothing(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)
    for query in (
        "-source:typo", "-zeppelin", "oil -zeppelin", "-zepp*", "-id:9", "-tags:a*", '-"oil bank"', "-published:1999",
    ):  # fmt: skip
        with pytest.raises(QueryError, match="nothing was deleted"):
            index.delete(query=query)
    assert index.count() == 3
    assert index.delete(query="-source:Xinhua") == 2


def test_add_and_delete_in_one_commit(make_index: MakeIndex) -> None:
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


@pytest.mark.parametrize("kind", [iter, list, tuple])
def test_progress_is_called(kind: Any, make_index: MakeIndex) -> None:
    calls: list[int] = []
    make_index().add(kind([{"id": str(n), "title": "t"} for n in range(250)]), progress=calls.append)
    assert calls == [100, 200, 250]


def test_results_and_articles_go_on_after_close(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)
    results, articles = index.search("oil"), index.articles()
    next(articles)
    index.close()
    assert results.total == 2
    assert "oil" in results[0].snippet.text.lower()
    assert len(list(articles)) == 2
    with pytest.raises(IndexClosed):
        index.articles()


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


def test_a_model_is_a_pydantic_class(make_index: MakeIndex, tmp_path: Path) -> None:
    make_index(ARTICLES)
    for model in (dict, Article(title="x"), "Article"):
        for name in ("index0", "new"):
            with pytest.raises(SchemaError, match="pydantic model class"):
                newsindex.open(tmp_path / name, create=True, model=model)  # type: ignore[arg-type]
    with pytest.raises(SchemaError, match="two-letter code"):
        newsindex.open(tmp_path / "new", create=True, language=5)  # type: ignore[arg-type]
    assert not (tmp_path / "new").exists()


def test_the_language_is_the_indexs(make_index: MakeIndex, tmp_path: Path) -> None:
    index = make_index([{"id": "1", "title": "Les manifestations nationales"}], language="fr")
    assert ids(index.search("manifestation nationale")) == ["1"]
    assert newsindex.open(tmp_path / "index0").stats().language == "french"
    with pytest.raises(SchemaError, match="french"):
        newsindex.open(tmp_path / "index0", language="german")


def test_whoosh_code_reads_the_index(make_index: MakeIndex) -> None:
    with make_index(ARTICLES).whoosh.searcher() as searcher:
        assert {fields["id"] for fields in searcher.search(whoosh_query.Term("body", "oil"))} == {"2", "3"}


def test_whoosh_is_loaded_when_it_is_asked_for(make_index: MakeIndex) -> None:
    index = make_index(ARTICLES)
    program = textwrap.dedent(f"""
        import sys, newsindex
        with newsindex.open({index.stats().location!r}) as index:
            print(index.search("oil").total, "whoosh" in sys.modules)
            index.add([{{"title": "wheat"}}])
            with index.whoosh.searcher() as searcher:
                print(searcher.doc_count(), "whoosh" in sys.modules)
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "False", "4", "True"]


def test_what_was_made_of_a_segment_outlives_a_commit(make_index: MakeIndex) -> None:
    index = make_index({"id": str(n), "title": f"oil {n}"} for n in range(50))
    (kept,) = index._snapshot.segments
    index.add([{"id": "new", "title": "oil"}])
    assert any(segment is kept for segment in index._snapshot.segments)
    index.delete("7")
    assert not any(segment is kept for segment in index._snapshot.segments)
    assert (index.count("oil"), index.count("7")) == (50, 0)


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
    with pytest.raises(IndexNotFound, match="NUL"):
        newsindex.open("a\0b", create=True)
    for name in ("file", "other"):
        with pytest.raises(StorageError):
            newsindex.open(tmp_path / name, create=True)
    assert (tmp_path / "other" / "photo.jpg").read_text() == "x"
    with newsindex.open(tmp_path / "empty", create=True) as index:
        assert (index.count(), list(index.search("x"))) == (0, [])


@pytest.mark.parametrize("kind", ["newsindex.meta", "toc-*", "seg-*", "del-*"])
@pytest.mark.parametrize("damage", ["gone", "empty", "shorter", "longer", "flipped", "other"])
def test_damage_is_an_error_that_names_the_file(make_index: MakeIndex, tmp_path: Path, kind: str, damage: str) -> None:
    make_index(ARTICLES).delete("1")
    (path,) = (tmp_path / "index0").glob(kind)
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "shorter":
        path.write_bytes(data[:-1])
    elif damage == "longer":
        path.write_bytes(data + b"x")
    elif damage == "flipped":
        path.write_bytes(data[:200] + bytes([data[200] ^ 1]) + data[201:] if len(data) > 200 else data[:-9] + b"x" * 9)
    else:
        path.write_bytes(b'{"format": "newsindex"}')
    forget = f"import newsindex; newsindex.open({str(tmp_path / 'index0')!r})"
    done = subprocess.run([sys.executable, "-c", forget], capture_output=True, text=True, check=False)
    assert "newsindex.errors.FormatError" in done.stderr, done.stderr
    assert path.name in done.stderr


def test_another_format_version_is_refused(make_index: MakeIndex, tmp_path: Path) -> None:
    make_index(ARTICLES)
    (meta,) = (tmp_path / "index0").glob("newsindex.meta")
    data = bytearray(meta.read_bytes())
    data[8:10] = (99).to_bytes(2, "little")
    data[HEADER_BYTES - 8 : HEADER_BYTES] = xxhash.xxh3_64_intdigest(data[: HEADER_BYTES - 8]).to_bytes(8, "little")
    meta.write_bytes(data)
    with pytest.raises(FormatError, match=r"newsindex\.meta.*99.*newer"):
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
        for path in (f"{folder}/index", folder):
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
        for path in (folder, f"{folder}/index"):
            Path(path).chmod(0o755)
        lines = done.stdout.splitlines()
        assert lines[:1] == ["1"], done.stderr
        assert "index: cannot be written" in lines[1]
        assert f"{folder}/new" in lines[2]


def test_a_full_disk_is_an_error_and_changes_nothing(make_index: MakeIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    index = make_index(ARTICLES)
    size = max(path.stat().st_size for path in Path(index.stats().location).rglob("*") if path.is_file())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 5000, hard))
    try:
        with pytest.raises(StorageError, match="nothing was committed"):
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


def test_the_ids_of_a_page_are_those_of_its_articles(make_index: MakeIndex) -> None:
    """Read together, over several segments, of any length and in any script."""
    names = ["a", "a" * 300, "café-7", "中文", *(f"https://example.org/news/{n}" for n in range(60))]
    index = make_index([{"id": name, "title": f"rates {place}"} for place, name in enumerate(names[:40])])
    index.add([{"id": name, "title": f"rates {place}"} for place, name in enumerate(names[40:], 40)])
    results = index.search("rates", limit=None)
    assert [hit.id for hit in results] == [names[int(hit.title.split()[1])] for hit in results]
    assert results[-1].id == list(results)[-1].id
    assert sorted(index.search("rates", limit=None).ids) == sorted(names)
    for limit in (3, 64):
        for page in (index.search("rates", limit=limit), index.search("rates", limit=limit, sort="newest")):
            shown = [hit.title for hit in page]
            assert (page.ids, page.titles) == ([names[int(title.split()[1])] for title in shown], shown)
            assert page[-1].title == shown[-1]


def test_a_title_with_a_nul_in_it_is_shown(make_index: MakeIndex) -> None:
    """Titles are read together, with NULs between them."""
    titles = ["one bank", "two\0 bank", "three bank"]
    index = make_index([{"id": str(place), "title": title} for place, title in enumerate(titles)])
    results = index.search("bank")
    assert dict(zip(results.ids, results.titles, strict=True)) == {str(place): t for place, t in enumerate(titles)}
