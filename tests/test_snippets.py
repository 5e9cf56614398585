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
from newsindex.search.beginnings import CHANGED, FOLDS, beginnings, tell_fold
from newsindex.search.borders_kernel import find_borders
from newsindex.search.deadline import Deadline
from newsindex.search.json_kernel import find_strings
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
    "中文 中 яма Яму oil/яма 中oil ｏｉｌ Straße strasse Mr. Inc.'s Co.’s a A. #oil @oil’s (oil) “oil oil” «oil» "
    "…oil oil— x-oil 3oil oil3 _oil I.O. oi\u0301l oi.l"
).split(" ")
SEPARATORS = [" ", " ", " ", "\n", "\n\n", ". ", ".\n    ", "! ", "。", ", ", " - ", "  ", "\t", "\u2029", "\u00a0", ""]
TEXTS = st.tuples(
    st.sampled_from(["", "", "", "\n", "\u00a0", " “"]),
    st.lists(
        st.sampled_from(WORDS).flatmap(lambda w: st.sampled_from(SEPARATORS).map(lambda s: w + s)), max_size=90
    ).map("".join),
).map("".join)
QUERIES = st.lists(
    st.tuples(
        st.sampled_from([FIELDS, ("body",), ("title",)]),
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join),
        st.sampled_from(["", "", "", "o", "ra", "oi", "20", "didn'", "中", "e"]),
        st.sampled_from(["stems", "stems", "words", "capitals", "variants", "pattern"]),
    ),
    max_size=4,
)


def leaves_of(query: list[tuple[tuple[str, ...], str, str, str]], analyzer: Analyzer, *texts: str) -> list[Sought]:
    """Return what a query looks for in an archive of these texts."""
    found = []
    for fields, text, prefix, form in query:
        words = tuple((term,) for term in analyzer.terms(text))
        tokens = list(analyzer.tokens(text))
        if prefix:
            likes = fitting(f"*{prefix}*") if form == "pattern" else partial(_begins, prefix)
            surfaces = {surface for text in (*WORDS, *texts) for surface in analyzer.surfaces(text)}
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
@given(TEXTS | st.text(max_size=80), QUERIES, st.sampled_from(sorted(ANALYZERS)))
def test_what_is_marked_is_what_the_tokens_match(text: str, query: Any, language: str) -> None:
    analyzer = ANALYZERS[language]
    leaves = leaves_of(query, analyzer, text)
    for field in ("title", "body"):
        expected = plain_snippets.marked_spans(text, field, leaves, analyzer)
        assert marked_spans(text, field, leaves, analyzer) == expected


@settings(max_examples=300)
@given(TEXTS, TEXTS, TEXTS, QUERIES, st.sampled_from(sorted(ANALYZERS)))
def test_snippets_are_those_of_all_tokens(title: str, summary: str, body: str, query: Any, language: str) -> None:
    analyzer = ANALYZERS[language]
    leaves = leaves_of(query, analyzer, title, summary, body)
    texts = {"title": title, "summary": summary, "body": body}
    snippets = Snippets(leaves, FIELDS, analyzer)
    expected = plain_snippets.snippet(texts, FIELDS, leaves, analyzer)
    assert snippets.of_texts(texts, Deadline()) == expected
    for ascii_only in (False, True):
        stored = json.dumps({"id": "1", "tags": ["x"]} | texts, ensure_ascii=ascii_only).encode()
        for _ in range(2):  # words are known the second time
            assert snippets.of_stored(stored, Deadline()) == expected


@settings(max_examples=300)
@given(TEXTS | st.text(max_size=60), st.sampled_from(sorted(ANALYZERS)))
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


def letters_of(text: str) -> Any:
    for character in set(text):
        if not character.isascii():
            tell_fold(ord(character))
    return np.array([ord(one) if ord(one) < 128 else FOLDS[ord(one)] for one in text], np.uint8)


@settings(max_examples=300)
@given(PROSE, st.integers(0, 300), st.sampled_from(["english", "french"]))
def test_borders_that_are_seen_are_those_that_are_looked_for(text: str, length: int, language: str) -> None:
    analyzer = ANALYZERS[language]
    snippets = Snippets([], FIELDS, analyzer)
    letters = letters_of(text)
    tokens = list(analyzer.tokens(text)) if 1 not in letters else []
    for token in tokens[:: max(1, len(tokens) // 20)]:
        for after in (token.end, min(len(text), token.start + length)):
            begin, end = find_borders(letters, len(text), token.start, after, analyzer.elides)
            if begin >= 0:
                assert (begin, end) == snippets._borders(text, token.start, after)


def test_most_borders_are_seen() -> None:
    text = " ".join(f"Word {number} was said, and (then) more. Banks rose" for number in range(100))
    seen = [find_borders(letters_of(text), len(text), at, at + 1, False)[0] for at in range(0, len(text), 7)]
    assert seen.count(-1) < len(seen) // 10


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300)
@given(
    st.dictionaries(st.sampled_from(["title", "body", "summary", "bod", "bodys", "é", 't"', ""]), VALUES),
    st.booleans(),
    st.sampled_from([None, 1]),
    st.data(),
)
def test_strings_in_an_object_are_those_that_a_parser_finds(
    article: Any, ascii_only: bool, indent: Any, data: Any
) -> None:
    names = ["title", "body", "é"] if not ascii_only else ["title", "body"]
    table = np.frombuffer(b"".join(bytes((len(name.encode()),)) + name.encode() for name in names), np.uint8)
    stored = json.dumps(article, ensure_ascii=ascii_only, indent=indent).encode()
    found = np.zeros(2 * len(names), np.int64)
    assert find_strings(np.frombuffer(stored, np.uint8), table, found)
    for name, (begin, end) in zip(names, found.reshape(-1, 2).tolist(), strict=True):
        value = article.get(name)
        if isinstance(value, str) and value:
            assert json.loads(stored[begin - 1 : end + 1]) == value
        else:
            assert (begin, end) == (0, 0)
    # Of what is cut off it tells that it is no object, or it had all before; nowhere it reads what is not there.
    cut = stored[: data.draw(st.integers(0, len(stored) - 1))]
    if find_strings(np.frombuffer(cut, np.uint8), table, found):
        assert all(isinstance(article.get(name), str) and article[name] for name in names)


def test_most_snippets_are_seen() -> None:
    body = " ".join(f"“Word {number}” was said, and (then) more. Bank’s oil\nrose, too" for number in range(20))
    snippets = Snippets([Sought(FIELDS, (("oil",),))], FIELDS, ANALYZERS["english"])
    assert snippets._seen(json.dumps({"title": "Said", "body": body}, ensure_ascii=False).encode(), Deadline())


def small_digest() -> str:
    rng = random.Random(11)
    snippets = Snippets([Sought(FIELDS, (("oil",),)), Sought(FIELDS, (("rate",),))], FIELDS, ANALYZERS["english"])
    texts = ["".join(rng.choice(WORDS) + rng.choice(SEPARATORS) for _ in range(80)) for _ in range(60)]
    stored = [json.dumps({"body": text}, ensure_ascii=False).encode() for text in texts]
    return hashlib.sha256(repr([snippets.of_stored(text, Deadline()) for text in stored]).encode()).hexdigest()


def test_a_field_with_a_name_too_long_for_the_kernel_is_shown() -> None:
    analyzer, name = Analyzer("en"), "n" * 300
    leaf = Sought((name,), (tuple(analyzer.terms("oil")),))
    stored = json.dumps({"id": "1", name: "oil in the bank"}).encode()
    assert Snippets([leaf], (name,), analyzer).of_stored(stored, Deadline()) == Snippet(
        "oil in the bank", ((0, 3),), name
    )


def test_kernels_without_the_compiler() -> None:
    assert digest_without_compiler("test_snippets") == small_digest()
