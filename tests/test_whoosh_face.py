"""Whoosh over newsindex's segments against stock Whoosh over its own files: the same articles, order and scores."""

from __future__ import annotations

import copy
import pickle
import random
from datetime import datetime
from itertools import takewhile
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whoosh import columns, formats, sorting
from whoosh.codec import whoosh3
from whoosh.filedb.filestore import RamStorage

from newsindex.analysis import Analyzer
from newsindex.codec import whoosh_terms
from newsindex.codec.whoosh_index import Commit, WhooshFace
from newsindex.codec.whoosh_schema import ID, STORED, WORDS, naive, whoosh_schema
from newsindex.errors import NewsIndexError
from newsindex.schema import Date, Keyword, PreparedArticle, Schema, Text, fold_keyword
from newsindex.whoosh_door import collectors, fields, query, reading, scoring
from tests.segments import make_segment
from tests.strategies import ARCHIVES, Counted
from tests.strategies import WORDS as VOCABULARY
from tests.whoosh_search import Weighting

SCHEMA = Schema(Counted)
ANALYZER = Analyzer()
TERMS = sorted({term for word in VOCABULARY for term in ANALYZER.terms(word)})
WEIGHTINGS = [Weighting(), scoring.BM25F(), scoring.TF_IDF(), scoring.Frequency()]


def stock_fields(schema: Schema, article: PreparedArticle, analyzer: Analyzer) -> dict[str, Any]:
    """The article as stock Whoosh's writer takes it."""
    given: dict[str, Any] = {ID: article.article_id, STORED: article.stored.decode()}
    for name, value in article.values.items():
        kind = schema.fields[name].kind
        if isinstance(kind, Text):
            given[name] = analyzer.terms(value)
        elif isinstance(kind, Keyword):
            given[name] = sorted({fold_keyword(text) for text in value})
        else:
            given[name] = naive(value) if isinstance(kind, Date) else value
    return given


class Pair:
    """The same articles twice: in stock Whoosh's index, and in segments of newsindex behind the face."""

    def __init__(self, schema: Schema, parts: list[list[dict[str, Any]]], deleted: set[int]) -> None:
        prepared = [[schema.prepare(record) for record in part] for part in parts]
        analyzer = Analyzer(schema.language)
        self.stock = RamStorage().create_index(whoosh_schema(schema))
        for part in prepared:
            writer = self.stock.writer()
            for article in part:
                writer.add_document(**stock_fields(schema, article, analyzer))
            writer.commit(merge=False)
        if deleted:
            writer = self.stock.writer()
            for number in deleted:
                writer.delete_document(number)
            writer.commit(merge=False)
        segments = []
        base = 0
        for part in prepared:
            gone = {number - base for number in deleted if base <= number < base + len(part)}
            segments.append((make_segment(schema, part), gone))
            base += len(part)
        self.face = face_of(segments, schema)


def face_of(segments: list[Any], schema: Schema = SCHEMA) -> WhooshFace:
    return WhooshFace(whoosh_schema(schema), lambda: Commit(1, tuple(segments)), lambda: 1)


def pair_of(archive: list[dict[str, Any]], cut: int, deleted: set[int]) -> Pair:
    """Two segments, or one, with some articles deleted."""
    archive = [{**record, "id": f"a{number}"} for number, record in enumerate(archive)]
    parts = [part for part in (archive[:cut], archive[cut:]) if part]
    return Pair(SCHEMA, parts, {number for number in deleted if number < len(archive)})


def scored(searcher: Any, wanted: Any) -> dict[int, float]:
    """All hits with their scores; matchers are not replaced on the way, since by that stock Whoosh loses hits."""
    top = collectors.TopCollector(limit=10_000)
    top.replace = 0
    searcher.search_with_collector(wanted, top)
    return {number: score for score, number in top.results().top_n}


FIELDS = st.sampled_from(SCHEMA.text_fields)
TEXT_TERMS = st.builds(query.Term, FIELDS, st.sampled_from([*TERMS, "nowhere"]), boost=st.sampled_from([1.0, 2.5]))
ENDS = st.none() | st.integers(-3, 3)
DAYS = st.integers(1, 6).map(lambda day: datetime(2024, 4, day))
FLOATS = st.floats(-2, 2)


def _range(kind: Any, name: str, ends: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(kind, st.just(name), ends, ends, st.booleans(), st.booleans()).filter(
        # Stock Whoosh packs the ends of an empty range into bytes that cannot hold them.
        lambda q: q.start is None or q.end is None or q.start + q.startexcl <= q.end - q.endexcl
    )


LEAVES = (
    TEXT_TERMS
    | st.builds(query.Phrase, FIELDS, st.lists(st.sampled_from(TERMS), min_size=2, max_size=3), slop=st.integers(1, 3))
    | st.builds(query.Prefix, FIELDS | st.just("tags"), st.sampled_from(["r", "ra", "b", "e", "2", "中", "p", "zz"]))
    | st.builds(query.Wildcard, FIELDS, st.sampled_from(["*a*", "r?te", "b*k", "?l*", "*", "20?000"]))
    | st.builds(query.FuzzyTerm, FIELDS, st.sampled_from(["rat", "talc", "bunk", "oils"]), maxdist=st.integers(1, 2))
    | st.builds(query.Term, st.sampled_from(["source", "tags"]), st.sampled_from(["cnn", "energy", "trade", "none"]))
    | st.builds(query.TermRange, FIELDS | st.just("source"), st.sampled_from(["b", "fel", "oilx"]), st.just("talk"))
    | st.builds(query.Every, st.sampled_from([None, "title", "summary", "published", "tags", "live", "id"]))
    | st.builds(query.Term, st.just("live"), st.booleans())
    | st.builds(query.Term, st.just("id"), st.sampled_from(["a0", "a3", "a99"]))
    | _range(query.NumericRange, "words", ENDS)
    | _range(query.NumericRange, "grade", st.none() | FLOATS)
    | _range(query.DateRange, "published", DAYS).filter(lambda q: q.start is not None and q.end is not None)
)
QUERIES = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(query.And, st.lists(inner, min_size=2, max_size=3))
        | st.builds(query.Or, st.lists(inner, min_size=2, max_size=3))
        | st.builds(lambda a, b: query.And([a, query.Not(b)]), inner, inner)
        | st.builds(query.AndMaybe, inner, inner)
    ),
    max_leaves=5,
)


@settings(max_examples=60)
@given(
    ARCHIVES,
    st.integers(0, 12),
    st.sets(st.integers(0, 11), max_size=3),
    st.lists(QUERIES, min_size=5, max_size=8),
    st.sampled_from(WEIGHTINGS),
)
def test_every_query_finds_and_scores_as_in_stock_whoosh(
    archive: list[dict[str, Any]], cut: int, deleted: set[int], queries: list[Any], weighting: Any
) -> None:
    pair = pair_of(archive, cut, deleted)
    with pair.stock.searcher(weighting=weighting) as stock, pair.face.searcher(weighting=weighting) as face:
        for wanted in queries:
            assert scored(face, wanted) == pytest.approx(scored(stock, wanted), abs=1e-6), wanted
            assert set(face.docs_for_query(wanted)) == set(stock.docs_for_query(wanted)), wanted


# Sorting and grouping


@settings(max_examples=25)
@given(ARCHIVES, st.integers(0, 12), st.sets(st.integers(0, 11), max_size=3))
def test_sorting_and_grouping_are_those_of_stock_whoosh(
    archive: list[dict[str, Any]], cut: int, deleted: set[int]
) -> None:
    archive[0] = {**archive[0], "published": "2024-04-01T00:00:00Z"}  # stock Whoosh has no column without a value
    pair = pair_of(archive, cut, deleted)
    with pair.stock.searcher() as stock, pair.face.searcher() as face:
        for order in ["published", "words", "live", "source", sorting.FieldFacet("grade", reverse=True)]:
            for by in [order, [sorting.FieldFacet("tags"), order]]:
                first, second = (s.search(query.Every(), limit=None, sortedby=by) for s in (stock, face))
                assert [hit.docnum for hit in second] == [hit.docnum for hit in first], by
        for group in ["source", "words", "live", sorting.FieldFacet("tags", allow_overlap=True)]:
            first, second = (s.search(query.Every(), limit=None, groupedby=group) for s in (stock, face))
            assert second.groups() == first.groups(), group


def test_articles_without_a_date_sort_last_and_first_when_reversed() -> None:
    dates = [None, "2024-04-02", "1950-01-01", None, "2024-04-01"]
    archive = [{"title": "x", "published": date} for date in dates]
    pair = pair_of(archive, 3, set())
    for reverse, expected in [(False, [2, 4, 1, 0, 3]), (True, [0, 3, 1, 4, 2])]:
        facet = sorting.FieldFacet("published", reverse=reverse)
        with pair.face.searcher() as face, pair.stock.searcher() as stock:
            for searcher in (face, stock):
                found = searcher.search(query.Every(), limit=None, sortedby=facet)
                assert [hit.docnum for hit in found] == expected


def test_columns_of_dates_numbers_and_keywords() -> None:
    archive: list[dict[str, Any]] = [
        {"title": "x", "published": "2024-04-02", "words": -3, "grade": 0.5, "tags": ["Zoo", "art"]},
        {"title": "x"},
    ]
    schema = whoosh_schema(SCHEMA)
    for name, kind in [("words", fields.NUMERIC(int, 64, sortable=True)), ("tags", fields.KEYWORD(sortable=True))]:
        schema.remove(name)
        schema.add(name, kind)
    segment = make_segment(SCHEMA, archive)
    reader = WhooshFace(schema, lambda: Commit(1, ((segment, ()),)), lambda: 1).reader()
    published = reader.column_reader("published", translate=False)
    assert (published[0], published[1]) == (63_847_612_800_000_000, schema["published"].default)
    assert reader.column_reader("published")[0] == datetime(2024, 4, 2)
    assert reader.column_reader("words")[0] == -3
    assert reader.column_reader("words", translate=False)[1] == schema["words"].default
    assert reader.column_reader("words", translate=False, reverse=True).sort_key(0) < 0
    assert list(reader.column_reader("tags")) == ["art", ""]
    assert not reader.has_column("grade")
    with pytest.raises(ValueError, match="grade"):
        reader.column_reader("grade")
    with WhooshFace(schema, lambda: Commit(1, ((segment, ()),)), lambda: 1).searcher() as searcher:
        found = searcher.search(query.Every(), sortedby=sorting.FieldFacet("tags", reverse=True))
        assert [hit.docnum for hit in found] == [0, 1]


# A larger archive: lists of several blocks, and texts whose lengths Whoosh does not keep exactly


@pytest.fixture(scope="module")
def large() -> Pair:
    chance = random.Random(7)
    words = [f"w{number}" for number in range(40)]
    weights = [1 / (number + 1) for number in range(40)]
    archive = [
        {
            "id": f"n{number}",
            "title": " ".join(chance.choices(words, weights, k=chance.randrange(1, 8))),
            "body": " ".join(chance.choices(words, weights, k=chance.choice([3, 12, 40, 150]))),
            "words": chance.randrange(-(2**62), 2**62),
            "published": f"2024-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}",
        }
        for number in range(700)
    ]
    return Pair(SCHEMA, [archive[:450], archive[450:]], {0, 7, 127, 128, 300, 449, 450, 699})


LARGE_QUERIES = [
    query.Term("body", "w0"),
    query.Term("title", "w3"),
    query.And([query.Term("body", "w0"), query.Term("body", "w9")]),
    query.Or([query.Term("body", "w1"), query.Term("title", "w1"), query.Term("body", "w20")]),
    query.And([query.Or([query.Term("body", "w30"), query.Term("title", "w2")]), query.Term("body", "w1")]),
    query.Phrase("body", ["w0", "w1"]),
    query.Phrase("body", ["w0", "w1", "w0"], slop=2),
    query.Prefix("title", "w1"),
    query.And([query.Term("body", "w2"), query.Not(query.Term("title", "w0"))]),
    query.NumericRange("words", -(2**61), 2**60),
    query.DateRange("published", datetime(2024, 2, 3), datetime(2024, 11, 20)),
]


@pytest.mark.parametrize("weighting", WEIGHTINGS, ids=lambda weighting: type(weighting).__name__)
@pytest.mark.parametrize("wanted", LARGE_QUERIES, ids=str)
def test_long_lists_score_as_in_stock_whoosh(large: Pair, wanted: Any, weighting: Any) -> None:
    with large.stock.searcher(weighting=weighting) as stock, large.face.searcher(weighting=weighting) as face:
        everything = scored(face, wanted)
        assert everything == pytest.approx(scored(stock, wanted), abs=1e-6)
        # With a limit Whoosh skips blocks by their bounds: what it leaves out must not be better.
        top = collectors.TopCollector(limit=5)
        top.replace = 0
        face.search_with_collector(wanted, top)
        best = [score for score, _ in top.results().top_n]
        assert best == pytest.approx(sorted(everything.values(), reverse=True)[:5])


@pytest.mark.parametrize("weighting", WEIGHTINGS, ids=lambda weighting: type(weighting).__name__)
def test_bounds_of_blocks_are_never_too_low(large: Pair, weighting: Any) -> None:
    with large.face.searcher(weighting=weighting) as searcher:
        for leaf, _ in searcher.leaf_searchers():
            for name in ("title", "body"):
                for term in list(leaf.reader().lexicon(name)):
                    matcher = leaf.postings(name, term)
                    while matcher.is_active():
                        assert matcher.score() <= matcher.block_quality() + 1e-12 <= matcher.max_quality() + 2e-12
                        matcher.next()


def test_a_matcher_goes_on_skips_and_copies(large: Pair) -> None:
    leaf = large.face.reader().readers[0]
    every = list(leaf.postings("body", "w0").all_ids())
    assert len(every) > 256
    matcher = leaf.postings("body", "w0")
    at = 0
    for target in [0, every[3], every[130] - 1, every[130], every[-1]]:
        matcher.skip_to(target)
        at = next(number for number, doc in enumerate(every) if doc >= target and number >= at)
        assert matcher.id() == every[at]
    other = matcher.copy()
    matcher.next()
    assert not matcher.is_active()
    assert other.id() == every[-1]
    for move in (matcher.next, lambda: matcher.skip_to(0)):
        with pytest.raises(Exception, match=r"^$") as error:
            move()
        assert type(error.value).__name__ == "ReadTooFar"
    matcher.reset()
    entered = 0
    while matcher.is_active():
        entered += matcher.next()
    assert entered == -(-len(every) // 128)
    weighted = leaf.postings("body", "w0", scorer=scoring.Frequency().scorer(large.face.searcher(), "body", b"w0"))
    assert weighted.skip_to_quality(1e9) == -(-len(every) // 128)
    assert not weighted.is_active()


# The reader


def test_the_reader_answers_as_stock_whoosh(large: Pair) -> None:
    stock, face = large.stock.reader(), large.face.reader()
    assert (face.doc_count(), face.doc_count_all()) == (stock.doc_count(), stock.doc_count_all()) == (692, 700)
    assert face.has_deletions()
    assert list(face.all_doc_ids()) == list(stock.all_doc_ids())
    ranged = [name for name in stock.indexed_field_names() if name not in (ID, WORDS)]
    for name in ranged:
        assert list(face.lexicon(name)) == list(stock.lexicon(name)), name
        assert face.field_length(name) == stock.field_length(name)
        known = list(stock.lexicon(name))
        for term in known[:: len(known) // 30 + 1]:
            assert (name, term) in face
            assert list(face.postings(name, term).all_ids()) == list(stock.postings(name, term).all_ids())
            ours, theirs = face.term_info(name, term), stock.term_info(name, term)
            assert {k: getattr(ours, k) for k in TermFacts} == {k: getattr(theirs, k) for k in TermFacts}
            assert face.frequency(name, term) == stock.frequency(name, term)
            assert face.doc_frequency(name, term) == stock.doc_frequency(name, term)
            assert list(face.expand_prefix(name, term[:2])) == list(stock.expand_prefix(name, term[:2]))
            ours, theirs = (terms_from(reader, name, term) for reader in (face, stock))
            assert ours == theirs
    for name in ("title", "body"):
        assert face.max_field_length(name) == stock.max_field_length(name)
        for number in range(0, 700, 13):
            assert face.doc_field_length(number, name, 1) == stock.doc_field_length(number, name, 1)
        ours, theirs = (reader.postings(name, "w0") for reader in (face, stock))
        while theirs.is_active():
            assert (ours.id(), ours.weight()) == (theirs.id(), theirs.weight())
            for asked in ("positions", "frequency", "weight", "position_boosts"):
                assert ours.value_as(asked) == theirs.value_as(asked)
            ours.next()
            theirs.next()
        assert not ours.is_active()
    for number in (1, 400, 698):
        assert face.stored_fields(number) == stock.stored_fields(number)
    assert sorted(face.lexicon(ID)) == sorted(stock.lexicon(ID))
    assert large.face.searcher().document_number(id="n5") == 5
    assert large.face.searcher().document_number(id="n7") is None  # deleted


def terms_from(reader: Any, name: str, start: bytes) -> list[bytes]:
    return [term for _, term in takewhile(lambda pair: pair[0] == name, reader.terms_from(name, start))]


TermFacts = ("_weight", "_df", "_minlength", "_maxlength", "_maxweight", "_minid", "_maxid")


def test_words_before_stemming_expand_a_prefix() -> None:
    reader = face_of([(make_segment(SCHEMA, [{"title": "inflation rates talk", "body": "inflated"}]), ())]).reader()
    assert list(reader.expand_prefix(WORDS, "infl")) == [b"inflated", b"inflation"]
    assert list(reader.lexicon(WORDS)) == [b"inflated", b"inflation", b"rates"]
    assert (WORDS, b"talk") not in reader
    assert (WORDS, b"inflation") in reader
    assert list(reader.postings(WORDS, b"inflation").all_ids()) == [0]


def test_terms_from_any_place_on() -> None:
    words = "a ab aba abb abc ac b ba c ca 20 中文 é".split()
    reader = face_of([(make_segment(SCHEMA, [{"title": " ".join(words), "body": "abbey bc zz"}]), ())]).reader()
    known = list(reader.lexicon("title"))
    assert known == sorted({term.encode() for word in words for term in ANALYZER.terms(word)})
    for start in [b"", b"\x00", b"\xff", *known, *(term + b"0" for term in known), *(term[:-1] for term in known)]:
        assert terms_from(reader, "title", start) == [term for term in known if term >= start], start


def test_a_term_of_another_field_is_not_found() -> None:
    reader = face_of([(make_segment(SCHEMA, [{"title": "oil", "body": "gas"}]), ())]).reader()
    assert ("title", b"oil") in reader
    assert ("body", b"oil") not in reader
    assert reader.doc_frequency("body", b"oil") == 0
    assert list(reader.lexicon("body")) == [b"gas"]
    for ask in (reader.postings, reader.term_info):
        with pytest.raises(reading.TermNotFound):
            ask("body", b"oil")
    for name in ("nowhere", STORED):
        assert (name, b"oil") not in reader
        with pytest.raises(reading.TermNotFound):
            reader.lexicon(name)


def test_decoded_postings_are_kept_within_bounds(large: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whoosh_terms, "_CACHED_POSTINGS", 500)
    segment = make_segment(SCHEMA, [{"title": f"t{n % 50} u{n % 3} all"} for n in range(300)])
    terms = whoosh_terms.text_terms(segment, "title", bytes(300))
    for _ in range(2):
        for term in list(terms.starting(b"")):
            kept = terms.postings(term)
            assert kept is not None
            assert terms.postings(term) is kept
            assert sum(p.ids.size for p in terms._cache.values()) == terms._cached <= 500  # type: ignore[attr-defined]


def test_lengths_are_kept_as_in_stock_whoosh() -> None:
    lengths = np.array([*range(3000), 106_373, 106_374, 10**7])
    expected = [whoosh3.length_to_byte(length) for length in lengths.tolist()]
    assert list(whoosh_terms.length_bytes(lengths)) == expected


# The index


def test_an_index_without_articles() -> None:
    face = face_of([])
    assert face.is_empty()
    assert (face.doc_count(), face.doc_count_all(), face.latest_generation()) == (0, 0, 1)
    with face.searcher() as searcher:
        assert searcher.up_to_date()
        for wanted in (query.Every(), query.Term("body", "oil"), query.Prefix("body", "o"), query.Every("body")):
            assert scored(searcher, wanted) == {}


def test_readers_follow_the_commits() -> None:
    commits = [Commit(1, ((make_segment(SCHEMA, [{"title": "oil"}]), ()),))]
    face = WhooshFace(whoosh_schema(SCHEMA), lambda: commits[-1], lambda: commits[-1].generation)
    searcher = face.searcher()
    assert (face.doc_count(), searcher.up_to_date()) == (1, True)
    assert searcher.refresh() is searcher
    more = make_segment(SCHEMA, [{"title": "gas"}, {"title": "oil gas"}])
    commits.append(Commit(2, (*commits[0].segments, (more, [0]))))
    assert not searcher.up_to_date()
    assert scored(searcher, query.Term("title", "oil")).keys() == {0}
    fresh = searcher.refresh()
    assert fresh.up_to_date()
    assert scored(fresh, query.Term("title", "oil")).keys() == {0, 2}
    assert (face.doc_count(), face.doc_count_all(), face.is_empty()) == (2, 3, False)


def test_writing_is_refused() -> None:
    face = face_of([])
    for write in (
        face.writer,
        face.optimize,
        lambda: face.delete_by_term("title", "oil"),
        lambda: face.delete_by_query(query.Every()),
        lambda: face.add_field("more", fields.TEXT()),
        lambda: face.remove_field("title"),
    ):
        with pytest.raises(NewsIndexError, match=r"written with newsindex's writer: index\.writer\(\)"):
            write()


def test_nothing_is_pickled(monkeypatch: pytest.MonkeyPatch) -> None:
    archive: list[dict[str, Any]] = [
        {"title": "oil rates fell", "tags": ["x"], "published": "2024-04-01", "words": 3},
        {"title": "oil"},
    ]
    face = face_of([(make_segment(SCHEMA, archive), {1}), (make_segment(SCHEMA, archive), ())])

    def refuse(*_: Any) -> Any:
        raise AssertionError("pickled")

    for module in (formats, columns, whoosh3):
        monkeypatch.setattr(module, "dumps", refuse)
        monkeypatch.setattr(module, "loads", refuse)
    with face.searcher() as searcher:
        found = searcher.search(
            query.Phrase("title", ["oil", "rate"]), sortedby="published", groupedby="tags", terms=True
        )
        assert [hit[ID] for hit in found]
        assert [list(hit) for hit in found.copy()]
        matcher = searcher.reader().postings("title", b"oil")
        assert formats.Positions().decode_frequency(matcher.value()) == 1
        assert [doc for doc, _ in matcher.items_as("positions")] == [0, 2, 3]
        assert len(list(searcher.reader().iter_postings())) > 10
        leaf = searcher.reader().readers[0]
        assert copy.copy(leaf) is leaf
        assert copy.deepcopy(leaf) is leaf
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(leaf)


def test_what_is_not_kept_is_refused_by_name() -> None:
    pair = Pair(SCHEMA, [[{"id": "a", "title": "oil rates"}, {"id": "b", "title": "oil"}]], {1})
    reader = pair.face.reader()
    assert repr(pair.face).startswith("<WhooshFace of commit ")
    assert (reader.deleted_count(), reader.has_deletions()) == (1, True)
    assert not reader.has_vector(0, "title")
    with pytest.raises(KeyError, match="title: term vectors are not kept"):
        reader.vector(0, "title")
    assert reader.doc_field_length(0, "source", 7) == 7
    matcher = reader.postings("title", b"oil")
    assert matcher.value_as("weight") == matcher.weight() == 1.0
    assert matcher.value_as("frequency") == 1
    assert list(matcher.items_as("positions")) == [(0, [0])]
    with pytest.raises(ValueError, match="title: its postings have no characters"):
        reader.postings("title", b"oil").value_as("characters")
    with pytest.raises(ValueError, match="id: its postings have no positions"):
        reader.postings("id", b"a").value_as("positions")
    with pytest.raises(reading.TermNotFound):
        reader.postings("id", b"\xff")


def test_a_cursor_goes_over_the_terms_of_a_field() -> None:
    reader = Pair(SCHEMA, [[{"id": "a", "title": "oil rates fell"}]], set()).face.reader()
    cursor = reader.cursor("title")
    assert (cursor.first(), cursor.text(), cursor.term()) == ("fell", "fell", "fell")
    assert cursor.next() == "oil"
    assert cursor.term_info().doc_frequency() == 1
    assert cursor.find("p") == "rate"
    assert cursor.find(b"f") == "fell"
    assert cursor.find("z") is None
    assert not cursor.is_valid()
    assert cursor.term_info() is None
