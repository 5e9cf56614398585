"""Writing in bulk: chunks, threads, segments after segments; what is in the end there is what was told to be there."""

from __future__ import annotations

import gc
import itertools
import mmap
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

import newsindex
from newsindex import Article, FormatError, IndexClosed, StorageError, indexer
from newsindex.analysis import Analyzer
from newsindex.analysis.batch import BatchTokenizer, JoinedTexts
from newsindex.codec import builder, inversion, merge, workers, writer
from newsindex.codec.builder import SegmentBuilder
from newsindex.codec.columns import ArticleColumns, KeywordValues
from newsindex.codec.format import DIGEST_BYTES
from newsindex.codec.sections import SectionReader, SectionWriter
from newsindex.codec.stored import narrow, pack_articles
from newsindex.codec.workers import Shared, Workers
from newsindex.codec.writer import encode_articles
from newsindex.index import NewsIndex
from newsindex.indexer import Writer
from newsindex.schema import PreparedArticles, Schema, fold_keyword
from newsindex.sources.record import Record
from newsindex.store import envelope, merge_policy
from newsindex.taking import taken
from tests.strategies import ARCHIVES, Counted

MakeIndex = Callable[..., NewsIndex]
SCHEMA = Schema(Counted)
ANALYZER = Analyzer("english")
VALUES = st.sampled_from(["CNN", "cnn ", "São Paulo", "sao  paulo", "Xinhua", "яма", "z"])


def article(number: int, version: int = 0) -> dict[str, Any]:
    words = " ".join(f"word{(number * 7 + n * n) % 50}" for n in range(20 + number % 5))
    return {"id": f"a{number}", "title": f"Report {number}", "body": f"{words}. Version {version}.", "source": "Wire"}


@pytest.fixture(params=[1, 2])
def small_chunks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads for so many processors, chunks and segments for a handful of articles."""
    for name, size in {"_CHUNK_BYTES": 500, "_SMALL_BYTES": 0, "_SEGMENT_BYTES": 3_000, "_MOST_WAITING": 2}.items():
        monkeypatch.setattr(builder, name, size)
    monkeypatch.setattr(workers, "_MOST_SURFACES", 30)
    monkeypatch.setattr(workers, "_processors", lambda: request.param)


@given(st.lists(st.lists(st.lists(VALUES, max_size=3), max_size=4), max_size=5))
def test_keyword_values_are_numbered_as_if_they_came_at_once(parts: list[list[list[str]]]) -> None:
    values = KeywordValues()
    for part in parts:
        values.extend(part)
    keys, shown, counts, ords = values.finished()
    every = [texts for part in parts for texts in part]
    folded = [sorted({fold_keyword(text) for text in texts}) for texts in every]
    assert keys == sorted({key for own in folded for key in own}, key=str.encode)
    assert counts.tolist() == [len(own) for own in folded]
    assert [keys[number] for number in ords.tolist()] == [key for own in folded for key in own]
    first = {}
    for text in [text for texts in every for text in texts]:
        first.setdefault(fold_keyword(text), text.strip())
    assert shown == [first[key] for key in keys]


@given(ARCHIVES, st.lists(st.integers(0, 12), max_size=3))
def test_columns_filled_in_parts_are_those_filled_at_once(archive: list[dict[str, Any]], cuts: list[int]) -> None:
    articles = [SCHEMA.prepare({"id": f"a{n}"} | values) for n, values in enumerate(archive)]
    whole, parts = ArticleColumns(SCHEMA), ArticleColumns(SCHEMA)
    whole.extend(PreparedArticles.of(articles))
    places = [0, *sorted(min(cut, len(articles)) for cut in cuts), len(articles)]
    for begin, end in itertools.pairwise(places):
        parts.extend(PreparedArticles.of(articles[begin:end]))
    assert (parts.count, parts.ids, parts.titles) == (whole.count, whole.ids, whole.titles)
    for name in ("published", "words", "grade", "live"):
        values, present = parts.column(name)
        assert [value if there else None for value, there in zip(values.tolist(), present, strict=True)] == [
            article.values.get(name) for article in articles
        ]
        assert values.dtype == whole.column(name)[0].dtype


@settings(max_examples=30)
@given(ARCHIVES, st.integers(1, 600), st.integers(1, 40), st.sampled_from([4, 6]), st.sampled_from([1, 2, 4]))
def test_a_segment_does_not_hang_on_threads_or_chunks(
    archive: list[dict[str, Any]], chunk_bytes: int, occurrences: int, bits: int, processors: int
) -> None:
    articles = [SCHEMA.prepare({"id": f"a{n}"} | values) for n, values in enumerate(archive)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builder, "_CHUNK_BYTES", chunk_bytes)
        patch.setattr(writer, "_OCCURRENCES", occurrences)
        expected = b"".join(encode_articles(SCHEMA, articles, BatchTokenizer(ANALYZER)))
        patch.setattr(inversion, "_PLACE_BITS", bits)
        patch.setattr(workers, "_processors", lambda: processors)
        threads = Workers(ANALYZER)
        threads.start()
        try:
            made = SegmentBuilder(SCHEMA, threads)
            every, taken = PreparedArticles.of(articles), 0
            while taken < len(articles):
                taken = made.add(every, taken, len(articles))
                if made.has_chunk:
                    made.flush()
            made.flush()
            found = b"".join(made.chunks())
        finally:
            threads.close()
    assert made.live().all()
    # Blocks of stored articles end where chunks do.
    assert without_stored(found) == without_stored(expected)
    reader = newsindex.codec.reader.SegmentReader(np.frombuffer(found, np.uint8), "made", SCHEMA)
    assert [reader.stored(doc) for doc in range(reader.doc_count)] == [one.stored for one in articles]


def without_stored(body: bytes) -> dict[str, bytes]:
    reader = newsindex.codec.reader.SegmentReader(np.frombuffer(body, np.uint8), "x", SCHEMA)
    names = [name for name in reader.section_sizes() if not name.startswith("stored.")]
    return {name: reader.section(name)[1].tobytes() for name in names}


def test_packed_articles_come_in_blocks_of_whole_articles() -> None:
    articles = [bytes([n % 251]) * (n * 370 % 9_000) for n in range(60)]
    packed = pack_articles(articles)
    assert packed.lengths == [len(one) for one in articles]
    assert sum(packed.sizes) == sum(packed.lengths)
    assert all(size >= 6 * 1024 for size in packed.sizes[:-1])
    assert len(packed.packed_sizes) == len(packed.sizes) > 3
    ends = list(itertools.accumulate(packed.packed_sizes, initial=0))
    blocks = [zstandard.decompress(packed.data[begin:end]) for begin, end in itertools.pairwise(ends)]
    assert list(map(len, blocks)) == packed.sizes
    assert b"".join(blocks) == b"".join(articles)
    assert pack_articles([]) == (b"", [], [], [])


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "add", "add", "delete", "commit", "rollback"]),
        st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2)), min_size=1, max_size=25),
    ),
    max_size=8,
)


@settings(max_examples=40)
@example([("add", [*((n, 0) for n in range(8)), (0, 1)]), ("add", [(0, 1), (0, 2)]), ("commit", [(0, 0)])], True)
@example([("add", [*((n, 0) for n in range(30)), (29, 1), (29, 2)]), ("delete", [(29, 0)]), ("add", [(29, 2)])], False)
@given(STEPS, st.booleans())
def test_a_writer_does_what_a_dict_would(steps: list[tuple[str, list[tuple[int, int]]]], merges: bool) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for name, size in {"_CHUNK_BYTES": 600, "_SMALL_BYTES": 300, "_SEGMENT_BYTES": 2_500}.items():
            patch.setattr(builder, name, size)
        for module in (writer, merge):
            patch.setattr(module, "_OCCURRENCES", 100)
        patch.setattr(merge_policy, "_MOST_IN_TIER", 3)
        if not merges:
            patch.setattr(indexer, "choose", lambda _: None)
        expected: dict[str, int] = {}
        with newsindex.open(folder, create=True) as index:
            with index.writer() as open_writer:
                committed: dict[str, int] = {}
                for step, entries in steps:
                    if step == "add":
                        tell_apart(open_writer, entries, expected)
                    elif step == "delete":
                        ids = [f"a{number}" for number, _ in entries]
                        gone = expected.keys() & set(ids)
                        assert open_writer.delete(ids) == len(gone)
                        for one in gone:
                            del expected[one]
                    elif step == "commit":
                        open_writer.commit()
                        committed = dict(expected)
                        assert index.count() == len(expected)
                    else:
                        open_writer.rollback()
                        expected = dict(committed)
            found = {one.id: int(one.body.split()[-1].rstrip(".")) for one in index.articles()}  # type: ignore[attr-defined]
            assert found == expected
            assert {hit.id for hit in index.search("version", limit=None)} == set(expected)
            assert {one: index.get(one).id for one in expected} == {one: one for one in expected}  # type: ignore[union-attr]
            if not merges:
                assert index.check() == []


def tell_apart(open_writer: Writer, entries: list[tuple[int, int]], expected: dict[str, int]) -> None:
    """Add articles and compare the report with what the dict says."""
    report = open_writer.add(article(number, version) for number, version in entries)
    counts = {"added": 0, "updated": 0, "unchanged": 0}
    for number, version in entries:
        known = expected.get(f"a{number}")
        counts["added" if known is None else "unchanged" if known == version else "updated"] += 1
        expected[f"a{number}"] = version
    assert {name: getattr(report, name) for name in counts} == counts


@pytest.mark.usefixtures("small_chunks")
def test_many_chunks_make_several_segments_and_one_commit(make_index: MakeIndex) -> None:
    index = make_index(article(n) for n in range(60))
    assert index.stats().generation == 2
    assert index.stats().segments > 3
    assert index.check() == []
    assert index.add(article(n) for n in range(60)).unchanged == 60
    assert {hit.id for hit in index.search("report", limit=None)} == {f"a{n}" for n in range(60)}


@pytest.mark.usefixtures("small_chunks")
def test_an_article_that_comes_twice_is_there_once_wherever_the_first_is(make_index: MakeIndex) -> None:
    """In the same call, with the first waiting, in a chunk, in a segment that is being ended, or written."""
    for between in (0, 1, 3, 12, 30, 80):
        index = make_index()
        others = [article(n) for n in range(100, 100 + between)]
        report = index.add([article(1), *others, article(1, 1), article(1, 1)])
        assert (report.added, report.updated, report.unchanged) == (1 + between, 1, 1)
        assert index.count() == 1 + between
        assert "Version 1." in index.get("a1").body  # type: ignore[union-attr]
        assert index.check() == []


@pytest.mark.usefixtures("small_chunks")
def test_long_words_are_told_to_who_added_them(make_index: MakeIndex) -> None:
    index = make_index()
    with index.writer() as open_writer:
        first = open_writer.add([article(n) | {"summary": "y" * 300} for n in range(30)])
        second = open_writer.add([article(n) for n in range(100, 130)])
    assert (first.long_terms, second.long_terms) == (30, 0)


@pytest.mark.usefixtures("small_chunks")
def test_an_error_in_a_thread_is_the_callers_and_nothing_is_kept(
    make_index: MakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = make_index([article(1)])
    tokenize = BatchTokenizer.tokenize

    def failing(self: BatchTokenizer, texts: JoinedTexts | list[str]) -> Any:
        if isinstance(texts, JoinedTexts) and b"bad" in texts.data:
            raise MemoryError("no room for the words")
        return tokenize(self, texts)

    monkeypatch.setattr(BatchTokenizer, "tokenize", failing)

    def add() -> None:
        open_writer.add([*(article(n) for n in range(20)), {"id": "bad", "title": "bad"}])
        open_writer.commit()

    with index.writer() as open_writer, pytest.raises(MemoryError, match="no room"):
        add()
    with pytest.raises(IndexClosed):
        open_writer.commit()
    assert index.count() == 1
    assert index.add([article(2)]).added == 1
    assert index.check() == []


@pytest.mark.parametrize("waiting", [0, 300, 10_000])
def test_positions_wait_in_memory_or_in_a_file(waiting: int, monkeypatch: pytest.MonkeyPatch) -> None:
    articles = [SCHEMA.prepare({"id": f"{number}", "title": f"one two {number}"}) for number in range(300)]
    monkeypatch.setattr(writer, "_OCCURRENCES", 100)
    bodies = []
    for most in (writer._WAITING_BYTES, waiting):
        monkeypatch.setattr(writer, "_WAITING_BYTES", most)
        bodies.append(b"".join(encode_articles(SCHEMA, articles, BatchTokenizer(ANALYZER))))
    assert bodies[0] == bodies[1]
    sections = SectionReader(np.frombuffer(bodies[0], np.uint8), "test.seg")
    assert 300 < sections.sizes()["positions"] < 10_000


def test_no_memory_for_places_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: Any, **__: Any) -> Any:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(inversion.mmap, "mmap", none)
    with pytest.raises(MemoryError, match="no room for the places of 2 words"):
        b"".join(encode_articles(SCHEMA, [SCHEMA.prepare({"id": "1", "title": "one two"})], BatchTokenizer(ANALYZER)))


@pytest.mark.usefixtures("small_chunks")
def test_a_disk_that_is_full_for_what_waits_is_told_as_such(
    make_index: MakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = make_index([article(1)])

    def full(*_: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer.tempfile, "SpooledTemporaryFile", full)
    with pytest.raises(StorageError, match="No space left"):
        index.add(article(n) for n in range(60))
    monkeypatch.undo()
    assert (index.count(), index.check()) == (1, [])


@pytest.mark.usefixtures("small_chunks")
def test_an_interrupt_leaves_no_half(make_index: MakeIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    index = make_index([article(1)])
    extend = ArticleColumns.extend
    calls = 0

    def interrupted(self: ArticleColumns, articles: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyboardInterrupt
        extend(self, articles)

    monkeypatch.setattr(ArticleColumns, "extend", interrupted)
    with index.writer() as open_writer:
        with pytest.raises(KeyboardInterrupt):
            open_writer.add(article(n) for n in range(60))
        with pytest.raises(IndexClosed):
            open_writer.add([article(99)])
    assert index.count() == 1
    assert index.add(article(n) for n in range(60)).added == 59


@pytest.mark.usefixtures("small_chunks")
def test_closing_or_rolling_back_drops_what_is_under_way(make_index: MakeIndex) -> None:
    index = make_index([article(1)])
    with index.writer() as open_writer:
        open_writer.add(article(n) for n in range(2, 40))
        open_writer.rollback()
        open_writer.add(article(n) for n in range(50, 90))
        open_writer.rollback()
        open_writer.add([article(2)])
    assert sorted(hit.id for hit in index.search()) == ["a1", "a2"]
    left = index.writer()
    left.add(article(n) for n in range(2, 40))
    left.close()
    left.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("newsindex-")]
    assert (index.count(), index.check()) == (2, [])
    names = [path.name for path in Path(index.stats().location).iterdir()]
    assert len([name for name in names if name.startswith("seg-")]) <= 4


def test_a_few_articles_take_no_thread(make_index: MakeIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    def started(*_: Any) -> Iterator[None]:
        raise AssertionError("a thread was started")

    monkeypatch.setattr(ThreadPoolExecutor, "submit", started)
    index = make_index(article(n) for n in range(50))
    assert index.count() == 50


def test_an_article_without_a_title_is_called_by_its_first_line() -> None:
    schema = Schema(Article)
    columns = ArticleColumns(schema)
    given = [
        {"title": " A title "},
        {"body": "First line\nsecond"},
        {"summary": "x" * 200, "body": "y"},
        {"title": " ", "body": "b"},
    ]
    columns.extend(PreparedArticles.of([schema.prepare(values) for values in given]))
    assert columns.titles == [b"A title", b"First line", b"x" * 100, b"b"]


@given(st.integers(1, 30), st.sampled_from([0, 1, 255, 256, 2**16, 2**32, 2**63]), st.integers(0, 29))
def test_numbers_that_are_alike_are_written_once(count: int, value: int, other: int) -> None:
    out = SectionWriter()
    alike = np.full(count, value, np.uint64)
    unlike = alike.copy()
    unlike[other % count] = 7
    chunks = [
        *out.section("alike", narrow(alike)),
        *out.section("unlike", narrow(unlike)),
        *out.section("digest", bytes(DIGEST_BYTES * (count - 1))),
        *out.directory({}),
    ]
    sections = SectionReader(np.frombuffer(b"".join(chunks), np.uint8), "x")
    assert sections.numbers("alike", count).tolist() == alike.tolist()
    assert sections.numbers("unlike", count).tolist() == unlike.tolist()
    assert sections.sizes()["alike"] == narrow(alike).itemsize * (1 if count > 8 else count)
    with pytest.raises(FormatError, match="the section alike"):
        sections.numbers("alike", 2**50)  # no memory is made for what no file can hold


@pytest.mark.parametrize("damaged", [None, 200, 9_000, 40_127])
def test_checked_in_passing_and_given_back(
    damaged: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(envelope, "_PART_BYTES", mmap.PAGESIZE)
    body = np.random.default_rng(1).bytes(40_000)
    whole = bytearray(envelope.header("segment", "0" * 32, "a.nix") + body)
    whole += envelope.footer(len(body), envelope.checksum_of(body))
    if damaged is not None:
        whole[damaged] ^= 1
    (tmp_path / "a.nix").write_bytes(whole)
    with (tmp_path / "a.nix").open("rb") as file:
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    content = envelope.open_content(mapped, "a.nix", "segment", "a.nix", "0" * 32)
    if damaged is None:
        envelope.verify_content(content, "a.nix", keep_pages=False)
        assert bytes(content.body) == body
    else:
        with pytest.raises(FormatError, match="checksum"):
            envelope.verify_content(content, "a.nix", keep_pages=False)


def test_threads_take_shorter_turns_while_writers_have_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_processors", lambda: 2)
    usual = sys.getswitchinterval()
    first, second = Workers(ANALYZER), Workers(ANALYZER)
    first.close()
    assert sys.getswitchinterval() == usual
    for one in (first, second):
        one.start()
        one.start()
        assert sys.getswitchinterval() == pytest.approx(0.0001)
    for one in (second, second):
        one.close()
        assert sys.getswitchinterval() == pytest.approx(0.0001)
    first.close()
    assert sys.getswitchinterval() == usual


@pytest.mark.parametrize("kind", [dict, Article])
def test_a_record_may_be_filled_anew_for_the_next(kind: Any, make_index: MakeIndex) -> None:
    index = make_index([])
    row = kind(id="", title="", tags=[])

    def filled() -> Iterator[Any]:
        for number in range(50):
            values = {"id": f"{number}", "title": f"number {number}"}
            if kind is dict:
                row.update(values)
                row["tags"][:] = [f"t{number}"]
            else:
                row.id, row.title = values["id"], values["title"]
                row.tags[:] = [f"t{number}"]
            yield row

    report = index.add(filled())
    assert (report.added, report.unchanged, index.count()) == (50, 0, 50)
    assert [index.search(f'"number {number}"').ids for number in (0, 49)] == [["0"], ["49"]]
    assert index.count("tags:t7") == 1


def test_what_is_replaced_while_it_waits_does_not_pile_up(make_index: MakeIndex) -> None:
    index = make_index([])
    with index.writer() as writer:
        most = 0
        for number in range(40):
            writer.add({"id": "live", "title": f"{number}-{at}", "body": "word " * 300} for at in range(100))
            most = max(most, len(writer._segment.builder._waiting.stored))
    assert most <= 2 * 1024 * 1024 / 1500 + 1000
    assert index.count() == 1
    assert index.search("live OR word").titles == ["39-99"]


@pytest.mark.parametrize("kind", [dict, OrderedDict])
def test_large_records_do_not_wait_for_others(kind: Any, make_index: MakeIndex) -> None:
    index = make_index([])
    taken: list[int] = []

    def large() -> Iterator[dict[str, Any]]:
        with_many = [[]] * 10_000
        for number in range(20):
            taken.append(number)
            yield kind({"id": f"{number}", "title": "x", "strange": with_many})

    with index.writer() as writer:
        take, waited = writer._take, []
        writer._take = lambda records, *rest: (waited.append(len(records)), take(records, *rest))  # type: ignore
        writer.add(large())
    assert max(waited) == 1


def test_large_records_of_a_list_do_not_wait_for_others(make_index: MakeIndex) -> None:
    large = [{"id": f"{number}", "title": "x", "strange": [[]] * 10_000} for number in range(20)]
    small = [{"id": f"small {number}", "title": "x"} for number in range(250)]
    index = make_index([])
    with index.writer() as writer:
        take, waited = writer._take, []
        writer._take = lambda records, *rest: (waited.append(len(records)), take(records, *rest))  # type: ignore
        assert writer.add(small + large).added == 270
    assert waited == [250, *[1] * 20, 0]


def test_two_hundreds_of_a_list_do_not_wait_together_when_they_are_too_much(make_index: MakeIndex) -> None:
    index = make_index([])
    with index.writer() as writer:
        take, waited = writer._take, []
        writer._take = lambda records, *rest: (waited.append(len(records)), take(records, *rest))  # type: ignore
        writer.add([{"id": f"{number}", "title": "word " * 8_000} for number in range(300)])
    assert waited == [100, 100, 100]


@given(
    sizes=st.lists(st.integers(0, 40), max_size=30),
    kind=st.sampled_from([dict, Article, Record]),
    together=st.integers(1, 7),
    most=st.integers(1, 90),
)
def test_records_of_a_list_are_taken_as_those_made_one_by_one(
    sizes: list[int], kind: Any, together: int, most: int
) -> None:
    rows = [{"id": f"{number}", "title": "x" * size, "tags": []} for number, size in enumerate(sizes)]
    records = [Record(row, "-") if kind is Record else kind(**row) for row in rows]
    one_by_one = list(taken(iter(records), together, most))
    assert [some for some, _ in one_by_one] == [[record] for record in records]
    for given_records in (records, tuple(records)):
        groups = list(taken(given_records, together, most))
        assert all(
            own is record for own, record in zip((own for some, _ in groups for own in some), records, strict=True)
        )
        parts = [[size for _, size in one_by_one[at : at + together]] for at in range(0, len(sizes), together)]
        assert len(groups) == sum(1 if sum(part) < most else len(part) for part in parts)
        assert sum(size for _, size in groups) == sum(size for _, size in one_by_one)
        assert all(len(some) == 1 or (len(some) <= together and size < most) for some, size in groups)


def test_a_writer_closed_while_it_adds_takes_no_more(make_index: MakeIndex) -> None:
    index = make_index([])
    writer = index.writer()

    def closing() -> Iterator[dict[str, Any]]:
        for number in range(3000):
            if number == 1500:
                writer.close()
            yield {"id": f"{number}", "title": "x"}

    with pytest.raises(IndexClosed):
        writer.add(closing())
    assert index.count() == 0


def test_what_failed_in_a_thread_fails_for_who_asks_and_is_not_done_again() -> None:
    calls = 0

    def fails() -> None:
        nonlocal calls
        calls += 1
        raise MemoryError(f"call {calls}")

    with ThreadPoolExecutor(1) as executor:
        shared = Shared(executor, fails)
        executor.submit(int).result()  # the thread is through with the one before
        for ask in (shared.result, shared.take, shared.result):
            with pytest.raises(MemoryError, match="call 1"):
                ask()
    assert calls == 1


def test_the_switch_interval_is_given_back_unless_somebody_changed_it() -> None:
    before = sys.getswitchinterval()
    try:
        first, second = Workers(Analyzer("english")), Workers(Analyzer("english"))
        first.start()
        second.start()
        if first.finishing is None:
            pytest.skip("one processor: there are no threads")
        assert sys.getswitchinterval() < before
        first.close()
        assert sys.getswitchinterval() < before
        del second  # which nobody closed
        gc.collect()
        assert sys.getswitchinterval() == before
        third = Workers(Analyzer("english"))
        third.start()
        sys.setswitchinterval(0.02)
        third.close()
        third.close()
        assert sys.getswitchinterval() == pytest.approx(0.02)
    finally:
        sys.setswitchinterval(before)
