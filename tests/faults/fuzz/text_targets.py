"""What people and programs type: queries, dates, filters, cursors."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import newsindex
from newsindex.analysis import Analyzer
from newsindex.analysis.batch import BatchTokenizer
from newsindex.dates import parse_date, parse_period
from newsindex.errors import QueryError, QueryTooComplex, SchemaError
from newsindex.index import NewsIndex
from newsindex.query.clock import Clock
from newsindex.query.parser import parse
from newsindex.schema import Schema
from newsindex.variants import Variants
from tests.faults.fuzz.archive_targets import QUERIES, articles
from tests.faults.fuzz.targets import Target
from tests.strategies import Counted

SCHEMA = Schema(Counted)
ANALYZER = Analyzer("english")
CLOCK = Clock(datetime(2024, 4, 17, 12, tzinfo=UTC), UTC)
MORE_QUERIES = (
    "(quay OR reef) -dock", "quay^2.5 AND NOT (tide mast)", "“quay reef”~3", "published:>=2024-03-01", "when:7d",
    "published:[2024-01-01 TO 2024-02-01}", "source:(wire post)", "title:(quay OR reef)", "quay pre/2 reef",
    "quay not w/5 reef", "quay /p reef", "wc>3", "words:-3..5", "grade:<=1.5", "yesterday", "published:last week",
    'published:"3 May 2024"', "tags:*", "\\quay \\AND", "d'eau U.S. COVID-19 20,000 中文", "min:2(a b c)", "lead:(a b)",
)  # fmt: skip
WORDS = (
    "AND", "OR", "NOT", " w/3 ", " pre/2 ", " /s ", " /p ", " not w/2 ", "(", ")", '"', "“", "”", "-", "+", "*", "?",
    "~", "~2", "^2", "^1e999", ":", "title:", "source:", "published:", "words:", "grade:", "live:", "tags:", "id:",
    "lead:",
    "when:", "min:2(", "atleast3(", "caps(", "=", "..", ">=", "<", "[", "]", "{", "}", " TO ", "\\", "2024-02-30",
    "9999-12-31",
    "0001", "-1e400", "NaN", "é", "e\u0301", "中", "\0", "\ud800", "\u202e", "\u2028", "\n", "😀", "'s", "U.S.", ",",
    "/",
    "last month", "7d", "99999999999999999999", "ß", "İ", "ﬁ", "\u00ad", "\u200d",
)  # fmt: skip


def encoded(texts: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(text.encode("utf-8", "surrogatepass") for text in texts)


def decoded(data: bytes) -> str:
    """Return any bytes as text, half characters among it."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "surrogateescape")


def run_query(data: bytes) -> None:
    """A query is parsed, remarks are within it, and what is printed of the tree is read as the same."""
    text = decoded(data)
    try:
        parsed = parse(text, SCHEMA, ANALYZER.surfaces, CLOCK)
    except QueryTooComplex:
        return
    for remark in parsed.diagnostics:
        assert remark.message
        assert 0 <= remark.start <= remark.end <= len(text), remark
    printed = str(parsed.tree)
    with suppress(QueryTooComplex):  # what is printed has more parentheses
        again = parse(printed, SCHEMA, ANALYZER.surfaces, CLOCK)
        assert str(again.tree) == printed, (printed, str(again.tree))


@cache
def archive() -> NewsIndex:
    folder = tempfile.TemporaryDirectory()
    index = newsindex.open(Path(folder.name) / "index", create=True, model=Counted, zone="UTC")
    index.add(articles("b"))
    index.kept = folder  # type: ignore[attr-defined]
    return index


def run_ask(data: bytes) -> None:
    """A query is answered: hits are as many as are told, and each can be shown and explained."""
    text = decoded(data)
    index = archive()
    try:
        results = index.search(text, limit=None, facets=("source",), now=CLOCK.now())
        hits = [(hit.id, hit.title, hit.snippet.html(), hit.snippet.text) for hit in results]
        assert results.total == len(hits) == index.search(text, limit=1, sort="newest", now=CLOCK.now()).total
        if hits and "now" not in text:
            str(index.explain_query(text))
    except QueryTooComplex:
        return


def run_date(data: bytes) -> None:
    """A date or a period is read, or a ValueError; what is read is in the years 1 to 9999 and reads back."""
    text = decoded(data)
    with suppress(ValueError):
        moment = parse_date(text)
        assert parse_date(moment.isoformat()) == moment
    with suppress(ValueError):
        start, end = parse_period(text)
        assert end is None or start < end


def run_arguments(data: bytes) -> None:
    """What programs give beside the query: any JSON as filters, facets, sort, cursor, limit, or variants."""
    try:
        given = json.loads(data)
    except (ValueError, RecursionError):
        return
    index = archive()
    for arguments in (
        {"where": given}, {"facets": given}, {"sort": given}, {"after": given}, {"limit": given}, {"k1": given},
        {"b": given}, {"weights": given}, {"zone": given}, {"timeout": given},
    ):  # fmt: skip
        with suppress(QueryError, QueryTooComplex):
            results = index.search("quay", **arguments)  # type: ignore[arg-type]
            _ = results.total, list(results)
    with suppress(QueryError, SchemaError):
        Variants.of(given)


def run_text(data: bytes) -> None:
    """Any text has the same words by the compiled tokenizer and by the plain one."""
    text = decoded(data)
    batch = BatchTokenizer(ANALYZER)
    found = batch.tokenize([text])
    terms = [batch.terms[number] for number in batch.term_of_surface[found.surface_ids].tolist()]
    assert terms == [token.term for token in ANALYZER.tokens(text)]


def cursor_seeds() -> list[bytes]:
    after = [archive().search("quay OR reef", sort=sort, limit=3).next for sort in ("relevance", "newest", "oldest")]
    return [json.dumps(one).encode() for one in after]


FILTERS = (
    {"source": "Wire"}, {"source": ["Wire", "Post"]}, {"published": "2024-04"}, {"published": ["2024-04-01", None]},
    {"words": 3, "grade": 1.5, "live": True}, {"tags": None}, "relevance", 10, -1, 2.5, ["source", "tags"], None,
    {"title": 3, "body": 0.5}, "Europe/London", {"groups": [["Kyiv", "Kiev"]]}, 10**400,
)  # fmt: skip

TARGETS = (
    Target("query", run_query, encoded(QUERIES + MORE_QUERIES), encoded(WORDS)),
    Target("ask", run_ask, encoded(QUERIES + MORE_QUERIES), encoded(WORDS), cost=4),
    Target(
        "date", run_date,
        encoded(("2024-04-03", "3 May 2024 14:05 +0200", "Wed, 03 Apr 2024 10:00:00 GMT", "2024-W14-3", "1712131200",
                 "May 2024", "le 3 mai 2024 à 10h", "2024-04-03T10:00:00.123456Z", "20240403", "last week",
                 "12/25/99")),
        encoded(("9999", "0001", "00", "99", "-", "+14:00", "T", "Z", "24:00", "60", " ", "UTC", "EST", "May", "am",
         "W53",
                 "٣", ".", ":", "1e5", "\0", "AD", "BC", "noon")),
    ),
    Target(
        "arguments", run_arguments, [json.dumps(one).encode() for one in FILTERS] + cursor_seeds(),
        (b"null", b"true", b"[]", b"{}", b'""', b"1e999", b"-1", b"NaN", b'"source"', b'"published"', b'"\\ud800"',
         b"0.5",
         b'"2024"', b"[null,null]", b"[[1]]", b"18446744073709551616"),
        cost=6,
    ),
    Target("text", run_text, encoded((*QUERIES, "The U.S. d’eau. Cities grow?\n\nCOVID-19: 20,000 e\u0301lan 中文字")),
           encoded(WORDS), cost=4),
)  # fmt: skip
