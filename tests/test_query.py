"""Query text to query tree."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsindex import Article, Flag, Number, QueryError, QueryTooComplex
from newsindex.analysis import Analyzer
from newsindex.query.filters import filter_nodes
from newsindex.query.parser import parse
from newsindex.query.tree import And, Boost, Everything, Not, Nothing, Or, Phrase, Prefix, Range, Value, Word
from newsindex.schema import Schema


class Counted(Article):
    words: Annotated[int | None, Number()] = None
    grade: Annotated[float | None, Number()] = None
    live: Annotated[bool | None, Flag()] = None


SCHEMA = Schema(Counted)
ANALYZER = Analyzer("english")
A, B, C = Word("a"), Word("b"), Word("c")


def parsed(text: str) -> Any:
    return parse(text, SCHEMA, ANALYZER.surfaces)


TREES = {
    "a": A,
    "a b": And((A, B)),
    "a AND b": And((A, B)),
    "a && b || c": Or((And((A, B)), C)),
    "a OR b c": Or((A, And((B, C)))),
    "(a OR b) c": And((Or((A, B)), C)),
    "a OR b OR c": Or((A, B, C)),
    "-a": Not(A),
    "a -b": And((A, Not(B))),
    "a NOT b": And((A, Not(B))),
    "a AND NOT b": And((A, Not(B))),
    "NOT NOT a": A,
    "-(a b)": Not(And((A, B))),
    "a or b": And((A, Word("or"), B)),
    '"a b"': Phrase("a b"),
    "“a b”": Phrase("a b"),
    "«a b»": Phrase("a b"),
    "„a b“": Phrase("a b"),
    "didn’t": Word("didn’t"),
    "U.S.": Word("U.S."),
    "COVID-19": Word("COVID-19"),
    "e-mail - x": And((Word("e-mail"), Word("x"))),
    "title:a": Word("a", "title"),
    "TITLE:a": Word("a", "title"),
    "title: a": Word("a", "title"),
    'title:"a b"': Phrase("a b", "title"),
    "title:(a OR -b)": Or((Word("a", "title"), Not(Word("b", "title")))),
    "-title:a": Not(Word("a", "title")),
    "a*": Prefix("a"),
    "title:a*": Prefix("a", "title"),
    "*": Everything(),
    "": Everything(),
    "  ": Everything(),
    "-*": Nothing(),
    "a^2": Boost(A, 2.0),
    '"a b"^1.5': Boost(Phrase("a b"), 1.5),
    "(a b)^2 c": And((Boost(And((A, B)), 2.0), C)),
    "-a^2": Not(Boost(A, 2.0)),
    "source:CNN": Value("source", "CNN"),
    'section:"World News"': Value("section", "World News"),
    "section:(World News)": Value("section", "World News"),
    "source:(CNN OR Xinhua)": Or((Value("source", "CNN"), Value("source", "Xinhua"))),
    "tags:(a b)": And((Value("tags", "a"), Value("tags", "b"))),
    "source:Reu*": Prefix("Reu", "source"),
    "id:a-1": Value("id", "a-1"),
    "words:5": Range("words", 5, 5),
    "words:>5": Range("words", 5, None, low_open=True),
    "words:<=5": Range("words", None, 5),
    "words:1..5": Range("words", 1, 5),
    "words:[1 TO 5}": Range("words", 1, 5, high_open=True),
    "words:-5": Range("words", -5, -5),
    "grade:2.5": Range("grade", 2.5, 2.5),
    "live:true": Range("live", True, True),
    "http://example.org/a": Word("http://example.org/a"),
    "10:30": Word("10:30"),
}


@pytest.mark.parametrize("text", TREES, ids=lambda text: text or "empty")
def test_tree_of(text: str) -> None:
    query = parsed(text)
    assert query.tree == TREES[text]
    assert [d for d in query.diagnostics if d.kind != "only-excluded"] == []


DAY = 86_400_000_000
APRIL = 1_711_929_600_000_000  # 2024-04-01 UTC

DATES = {
    "published:2024-04": (APRIL, APRIL + 30 * DAY),
    "published:2024-04-01": (APRIL, APRIL + DAY),
    "published:2024-04-01..2024-04-02": (APRIL, APRIL + 2 * DAY),
    "published:2024-04..": (APRIL, None),
    "published:..2024-03": (None, APRIL),
    "published:>=2024-04-01": (APRIL, None),
    "published:>2024-03-31": (APRIL, None),
    "published:<2024-04": (None, APRIL),
    "published:<=2024-03": (None, APRIL),
    "published:[2024-04-01 TO 2024-04-02]": (APRIL, APRIL + 2 * DAY),
    "published:[2024-04-01 to 2024-04-02}": (APRIL, APRIL + DAY),
    "published:{2024-03-31 TO *]": (APRIL, None),
    "published:2024-04-01T00:00:00Z": (APRIL, APRIL + 1),
    'published:"2024-04"': (APRIL, APRIL + 30 * DAY),
}


@pytest.mark.parametrize("text", DATES)
def test_dates_are_half_open_ranges(text: str) -> None:
    query = parsed(text)
    assert query.diagnostics == ()
    assert (query.tree.low, query.tree.high) == DATES[text]
    assert parsed(str(query.tree)).tree == query.tree


REMARKS = {
    "titel:kiev": ("unknown-field", And((Word("titel"), Word("kiev")))),
    "url:x": ("not-searchable", And((Word("url"), Word("x")))),
    "(kiev": ("unbalanced-parenthesis", Word("kiev")),
    "kiev)": ("unbalanced-parenthesis", Word("kiev")),
    "a) b": ("unbalanced-parenthesis", And((A, B))),
    '"kiev': ("unclosed-quote", Phrase("kiev")),
    "a OR": ("dangling-operator", A),
    "OR a": ("dangling-operator", A),
    "a AND": ("dangling-operator", A),
    "a NOT": ("dangling-operator", A),
    "title:": ("nothing", Word("title:")),
    "title: OR a": ("dangling-operator", A),
    "()": ("empty-group", Nothing()),
    "😀": ("no-word", Nothing()),
    "—": ("nothing-to-search", Nothing()),
    "a ^2": ("nothing", And((A, Word("^2")))),
    "(a)^0": ("bad-boost", A),
    "published:blarg a": ("bad-date", A),
    "words:many a": ("bad-number", A),
    "words:5..1": ("empty-range", Nothing()),
    "published:2024-05..2024-04": ("empty-range", Nothing()),
    "-a": ("only-excluded", Not(A)),
    "-a -b": ("only-excluded", And((Not(A), Not(B)))),
    "COVID-19*": ("split-prefix", And((Phrase("covid"), Prefix("19")))),
    "title:(source:CNN)": ("nested-field", Value("source", "CNN")),
}


@pytest.mark.parametrize("text", REMARKS)
def test_what_was_not_understood_is_said(text: str) -> None:
    kind, tree = REMARKS[text]
    query = parsed(text)
    assert query.tree == tree
    assert kind == "nothing" or kind in [d.kind for d in query.diagnostics]
    for diagnostic in query.diagnostics:
        assert diagnostic.text == text[diagnostic.start : diagnostic.end]


def test_the_nearest_field_is_suggested() -> None:
    (diagnostic,) = parsed("titel:kiev").diagnostics
    assert (diagnostic.suggestion, diagnostic.start, diagnostic.text) == ("title", 0, "titel:")


def test_limits() -> None:
    for text, limit in [("a" * 5000, "characters"), ("(" * 1000, "nesting"), ("a " * 1500, "clauses")]:
        with pytest.raises(QueryTooComplex, match=limit) as caught:
            parsed(text)
        assert caught.value.value > caught.value.maximum
    assert parsed("NOT " * 1001 + "a").tree == Not(A)
    assert parsed("title: " * 500 + "a").tree is not None
    assert parsed("x:" * 2000).tree is not None


PIECES = st.sampled_from(
    [
        *'a b kiev title: source: published: words: titel: ( ) " “ ” - OR AND NOT'.split(),
        *"* ^2 ^ : 2024-04 .. [ TO ] { } >= < 😀 ~ didn’t U.S.".split(),
        *"   ",
    ]
)


@given(st.lists(PIECES, max_size=25).map("".join) | st.text(max_size=40))
def test_any_text_parses_and_prints_as_what_it_means(text: str) -> None:
    query = parsed(text)
    printed = str(query.tree)
    again = parsed(printed)
    assert str(again.tree) == printed
    assert shape(again.tree) == shape(query.tree)


def shape(node: Any) -> Any:
    """A word that needs quotes is printed as the phrase that it is."""
    match node:
        case Word(text, field) | Phrase(text, field):
            return (tuple(ANALYZER.surfaces(text)), field)
        case And(children) | Or(children):
            return (type(node), tuple(map(shape, children)))
        case Not(child):
            return (Not, shape(child))
        case Boost(child, factor):
            return (Boost, shape(child), factor)
        case Value(field, text):
            return (field, text.replace('"', " ").strip())
    return node


def test_filters() -> None:
    (node,) = filter_nodes(SCHEMA, {"source": ["CNN", "Xinhua"]})
    assert node == Or((Value("source", "CNN"), Value("source", "Xinhua")))
    assert filter_nodes(SCHEMA, {"published": "2024-04"}) == (parsed("published:2024-04").tree,)
    assert filter_nodes(SCHEMA, {"published": ("2024-04-01", "2024-04-30")}) == (parsed("published:2024-04").tree,)
    assert filter_nodes(SCHEMA, {"published": (None, datetime(2024, 4, 1))})[0].low is None  # type: ignore[union-attr]
    assert filter_nodes(SCHEMA, {"words": (1, 5), "live": True}) == (Range("words", 1, 5), Range("live", True, True))
    assert filter_nodes(SCHEMA, {"id": ["x", "y"]}) == (Or((Value("id", "x"), Value("id", "y"))),)
    assert filter_nodes(SCHEMA, None) == ()


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"sourc": "CNN"}, "did you mean 'source'"),
        ({"title": "x"}, "running text"),
        ({"url": "x"}, "stored only"),
        ({"source": 5}, "takes a string"),
        ({"source": []}, "takes a string"),
        ({"source": None}, "takes a string"),
        ({"published": "blarg"}, "not a date"),
        ({"published": ("2024", "2023", "2022")}, "a range is"),
        ({"published": ("2024", "2023")}, "ends before it begins"),
        ({"published": None}, "no value"),
        ({"words": "many"}, "not a number"),
        ({"words": float("nan")}, "finite"),
        ({"live": "maybe"}, "true or false"),
    ],
)
def test_a_filter_that_does_not_fit_is_an_error(where: dict[str, Any], message: str) -> None:
    with pytest.raises(QueryError, match=message):
        filter_nodes(SCHEMA, where)
