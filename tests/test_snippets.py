"""Snippets are those that all the tokens of a text would give, but for the time that it takes."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsindex.analysis import Analyzer
from newsindex.results import Snippet
from newsindex.search import matches
from newsindex.search.beginnings import CHANGED, beginnings, table_of
from newsindex.search.chunks_kernel import LONGEST_CHUNK, find_chunks
from newsindex.search.deadline import Deadline
from newsindex.search.matches import Finder, Sought
from newsindex.search.patterns import fitting
from newsindex.search.snippets import Snippets, marked_spans
from tests import plain_snippets
from tests.no_compiler import digest_without_compiler
from tests.plain_places import bare

ANALYZERS = {name: Analyzer(name) for name in ("english", "french", "german", "none")}
FIELDS = ("title", "summary", "body")

WORDS = (
    "oil oils the rate rates rating tie tying possible possibility U.S. US U.N. 20,000 20000 3.5 1.2.3 didn't didn’t "
    "China's China’s COVID-19 e-mail São élection elections l'homme d’or œuvre oeuvre coo\u00adperate İstanbul m² CO₂ "
    "中文 中 яма Яму oil/яма 中oil ｏｉｌ Straße strasse Mr. a A. #oil @oil’s (oil) “oil oil” «oil» …oil oil— x-oil "
    "3oil oil3 _oil I.O. oi\u0301l oi.l"
).split(" ")
SEPARATORS = [" ", " ", " ", "\n", "\n\n", ". ", ".\n    ", "! ", "。", ", ", " - ", "  ", "\t", "\u2029", "\u00a0", ""]
TEXTS = st.lists(
    st.sampled_from(WORDS).flatmap(lambda w: st.sampled_from(SEPARATORS).map(lambda s: w + s)), max_size=90
)
QUERIES = st.lists(
    st.tuples(
        st.sampled_from([FIELDS, ("body",), ("title",)]),
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join),
        st.sampled_from(["", "", "", "o", "ra", "oi", "20", "didn'", "中", "e"]),
        st.sampled_from(["stems", "stems", "words", "capitals", "variants", "pattern"]),
    ),
    max_size=4,
)


def leaves_of(query: list[tuple[tuple[str, ...], str, str, str]], analyzer: Analyzer) -> list[Sought]:
    found = []
    for fields, text, prefix, form in query:
        words = tuple((term,) for term in analyzer.terms(text))
        tokens = list(analyzer.tokens(text))
        if prefix:
            likes = fitting(f"*{prefix}*") if form == "pattern" else partial(_begins, prefix)
            surfaces = {surface for word in WORDS for surface in analyzer.surfaces(word)}
            terms = {analyzer.term(one) for one in surfaces if likes(one) or likes(analyzer.term(one))}
            beginning = "" if form == "pattern" else prefix
            found.append(Sought(fields, (tuple(sorted(terms)),), likes=likes, beginning=beginning))
        elif words and form == "words":
            found.append(Sought(fields, words, tuple(token.surface for token in tokens)))
        elif words and form == "capitals":
            written = tuple(bare(text[token.start : token.end]) for token in tokens)
            found.append(Sought(fields, words, written, cased=True))
        elif words and form == "variants":
            found.append(Sought(fields, tuple((*terms, "oil", "rate") for terms in words)))
        elif words:
            found.append(Sought(fields, words))
    return found


def _begins(prefix: str, word: str) -> bool:
    return word.startswith(prefix)


@settings(max_examples=300)
@given(TEXTS.map("".join) | st.text(max_size=80), QUERIES, st.sampled_from(sorted(ANALYZERS)))
def test_what_is_marked_is_what_the_tokens_match(text: str, query: Any, language: str) -> None:
    analyzer = ANALYZERS[language]
    leaves = leaves_of(query, analyzer)
    for field in ("title", "body"):
        expected = plain_snippets.marked_spans(text, field, leaves, analyzer)
        assert marked_spans(text, field, leaves, analyzer) == expected


@settings(max_examples=300)
@given(TEXTS.map("".join), TEXTS.map("".join), TEXTS.map("".join), QUERIES, st.sampled_from(sorted(ANALYZERS)))
def test_snippets_are_those_of_all_tokens(title: str, summary: str, body: str, query: Any, language: str) -> None:
    analyzer = ANALYZERS[language]
    leaves = leaves_of(query, analyzer)
    texts = {"title": title, "summary": summary, "body": body}
    snippets = Snippets(leaves, FIELDS, analyzer)
    expected = plain_snippets.snippet(texts, FIELDS, leaves, analyzer)
    assert snippets.of_texts(texts, Deadline()) == expected
    assert snippets.of_stored(json.dumps({"id": "1", "tags": ["x"]} | texts).encode(), Deadline()) == expected


@settings(max_examples=300)
@given(TEXTS.map("".join) | st.text(max_size=60), st.sampled_from(sorted(ANALYZERS)))
def test_the_words_of_a_text_are_those_of_its_chunks(text: str, language: str) -> None:
    analyzer = ANALYZERS[language]
    expected = [(token.surface, token.start, token.end) for token in analyzer.tokens(text)]
    assert expected == [
        (surface, chunk.start() + start, chunk.start() + end)
        for chunk in re.finditer(r"\S+", text)
        for surface, start, end in analyzer.pieces(chunk[0])
    ]
    terms = [token.term for token in analyzer.tokens(text)]
    assert (analyzer.terms(text), analyzer.surfaces(text)) == (terms, [surface for surface, _, _ in expected])


@given(st.text("abcxyzABC019 \t\n", max_size=12))
def test_plain_words_are_analysed_as_all_text_is(text: str) -> None:
    for analyzer in ANALYZERS.values():
        assert analyzer.terms(text) == [token.term for token in analyzer.tokens(text)]
        assert analyzer.surfaces(text) == [token.surface for token in analyzer.tokens(text)]


@pytest.mark.parametrize(
    ("file", "language"), [("reuters21578", "english"), ("gilets_jaunes_fr", "french"), ("fakenews_es", "spanish")]
)
def test_stems_begin_as_their_words_do(real_data: Path, file: str, language: str) -> None:
    analyzer = Analyzer(language)
    with gzip.open(real_data / f"{file}.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [json.loads(line).get("body") or "" for line, _ in zip(lines, range(2000), strict=False)]
    words = {surface for word in set(re.findall(r"\w+", " ".join(texts))) for surface in analyzer.surfaces(word)}
    assert len(words) > 10_000
    for word in words:
        term = analyzer.term(word)
        assert word.startswith(beginnings(term, CHANGED[language])[0]), (word, term)


def test_texts_without_white_space_or_end_are_looked_at_in_bounded_time() -> None:
    analyzer = ANALYZERS["english"]
    leaf = Sought(FIELDS, (("oil",),))
    for text in ("oil" * 100_000, "oil " * 100_000, "-" * 300_000 + " oil", "oil." * 50_000, "中" * 30_000 + "oil"):
        found = Snippets([leaf], FIELDS, analyzer).of_texts({"body": text}, Deadline())
        assert 0 < len(found.text) <= 1000
    assert len(Finder([leaf], "body", analyzer).matches("oil " * 100_000, Deadline())) < matches._ANALYSED


def test_what_is_no_article_has_no_snippet() -> None:
    snippets = Snippets([Sought(FIELDS, (("oil",),))], FIELDS, ANALYZERS["english"])
    assert snippets.of_stored(b'{"id": "1"}', Deadline()) == Snippet()
    assert snippets.of_stored(b'{"body": 5, "title": "Oil"}', Deadline()).spans == ((0, 3),)
    for damaged in (b"", b"{", b"[]", b'"oil"', b'{"body": "\xff"}'):
        with pytest.raises(ValueError, match=r"not an object|EOF|invalid"):
            snippets.of_stored(damaged, Deadline())


PROSE = st.lists(
    st.sampled_from(WORDS).flatmap(lambda w: st.sampled_from([" "] * 6 + SEPARATORS).map(lambda s: w + s)),
    min_size=20,
    max_size=120,
).map("".join)


@settings(max_examples=300)
@given(PROSE, st.integers(0, 300))
def test_borders_that_are_seen_are_those_that_are_looked_for(text: str, length: int) -> None:
    snippets = Snippets([], FIELDS, ANALYZERS["english"])
    tokens = list(ANALYZERS["english"].tokens(text))
    for token in tokens[:: max(1, len(tokens) // 20)] if tokens else ():
        for after in (token.end, min(len(text), token.start + length)):
            seen = snippets._seen_borders(text, token.start, after)
            assert seen is None or seen == snippets._borders(text, token.start, after)


def test_most_borders_are_seen() -> None:
    text = " ".join(f"Word {number} was said, and (then) more. Banks rose" for number in range(100))
    snippets = Snippets([], FIELDS, ANALYZERS["english"])
    seen = [snippets._seen_borders(text, at, at + 1) for at in range(0, len(text), 7)]
    assert seen.count(None) < len(seen) // 10


STARTS = st.lists(st.sampled_from(["o", "oil", "ra", "rate", "u.s", "20", "o.i", "x"]), max_size=5, unique=True)


@settings(max_examples=300)
@given(PROSE, STARTS)
def test_chunks_in_which_words_may_begin(text: str, starts: list[str]) -> None:
    letters = text.encode("ascii", "replace").decode()
    table = table_of(starts)
    assert table is not None
    found = np.zeros(2 * len(text), np.int64)
    count = find_chunks(np.frombuffer(letters.encode(), np.uint8), len(letters), table, found)
    expected: list[tuple[int, int]] = []
    for chunk in re.finditer(r"\S+", letters, re.ASCII):
        begins = [
            chunk.start() + at
            for at in range(len(chunk[0]))
            if not re.match("[0-9a-z]", chunk[0][at - 1 : at].lower()) and chunk[0][at:].lower().startswith((*starts,))
        ]
        if "?" in chunk[0] or len(chunk[0]) > LONGEST_CHUNK:
            expected += [(at, -1) for at in begins]
        elif begins:
            expected.append(chunk.span())
    assert found[: 2 * count].reshape(-1, 2).tolist() == [list(pair) for pair in expected]
    if count:
        assert find_chunks(np.frombuffer(letters.encode(), np.uint8), len(letters), table, found[: 2 * count - 1]) < 0


def small_digest() -> str:
    rng = random.Random(11)
    snippets = Snippets([Sought(FIELDS, (("oil",),)), Sought(FIELDS, (("rate",),))], FIELDS, ANALYZERS["english"])
    texts = ["".join(rng.choice(WORDS) + rng.choice(SEPARATORS) for _ in range(80)) for _ in range(60)]
    return hashlib.sha256(repr([snippets.of_texts({"body": text}, Deadline()) for text in texts]).encode()).hexdigest()


def test_kernels_without_the_compiler() -> None:
    assert digest_without_compiler("test_snippets") == small_digest()
