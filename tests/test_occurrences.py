"""Where words stand, against plain lists: places, words near each other, sentences; and against damage."""

from __future__ import annotations

import hashlib
import json
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import newsindex
from newsindex import FormatError
from newsindex.analysis import Analyzer
from newsindex.codec.dictionary import Dictionary
from newsindex.errors import QueryError, QueryTooComplex
from newsindex.search import forms, occurrences, spans
from newsindex.search.deadline import Deadline
from newsindex.search.expansion import changes
from newsindex.search.occurrences import Window, matching_articles
from newsindex.search.patterns import fitting
from newsindex.search.segment import NO_BITS, SearchSegment, open_segments
from newsindex.search.sets import everything
from newsindex.search.spans import Spans
from newsindex.store.live import LiveSegment
from tests.no_compiler import digest_without_compiler
from tests.plain_places import edits
from tests.plain_sets import ALL, ENTRY, FIELDS, SCHEMA, WORDS, Plain, archive, bitmap, docs, large
from tests.segments import make_segment

CHECKED = settings(max_examples=40)
SHARES = st.sampled_from([0.02, 0.4, 1.0])


def chosen(plain: Plain, share: float) -> set[int]:
    rng = random.Random(share)
    return {doc for doc in range(len(plain.live)) if rng.random() < share}


def window(segment: SearchSegment, bits: Any) -> Window:
    return Window(segment, bits, 0, bits.size, None)


def unpacked(place: int) -> tuple[int, int, int]:
    return place >> 36, place >> 33 & 7, place & (1 << 33) - 1


def places_of(plain: Plain, word: str, mask: int, articles: set[int]) -> list[tuple[int, int, int]]:
    return [
        (doc, f, at)
        for doc in sorted(articles)
        for f, terms in enumerate(plain.terms[doc])
        if mask >> f & 1
        for at, term in enumerate(terms)
        if term == word
    ]


@CHECKED
@given(st.sampled_from([*WORDS, "nowhere"]), st.sampled_from([ALL, 1, 4, 6]), SHARES)
def test_places_of_a_word(word: str, mask: int, share: float) -> None:
    for segment, plain in zip(*large(), strict=True):
        articles = chosen(plain, share)
        found = window(segment, bitmap(segment, articles)).places(segment.find([word.encode()])[0], mask)
        assert [unpacked(place) for place in found.tolist()] == places_of(plain, word, mask, articles)


# Spans of two fields in two articles, close enough to meet.
PLACES = st.integers(0, 12) | st.integers(0, 12).map(lambda at: (1 << 36) + (1 << 33) + at)
SPANS = st.lists(st.tuples(PLACES, st.integers(0, 2)), max_size=12).map(
    lambda some: sorted({(a, a + n) for a, n in some})
)


def as_spans(given: list[tuple[int, int]]) -> Spans:
    return Spans(np.array([a for a, _ in given], np.int64), np.array([b for _, b in given], np.int64))


def as_pairs(found: Spans) -> list[tuple[int, int]]:
    return list(zip(found.first.tolist(), found.last.tolist(), strict=True))


@given(SPANS, SPANS, st.integers(0, 4), st.booleans())
def test_near(left: list[tuple[int, int]], right: list[tuple[int, int]], distance: int, ordered: bool) -> None:
    def is_near(one: tuple[int, int], other: tuple[int, int]) -> bool:
        return 0 < other[0] - one[1] <= distance or (not ordered and 0 < one[0] - other[1] <= distance)

    reach = spans.within_reach(as_spans(left), distance, ordered)
    has = spans.near_any(as_spans(left), reach, as_spans(right))
    assert has.tolist() == [any(is_near(one, other) for other in right) for one in left]
    found = spans.near(as_spans(left), reach, as_spans(right), 1000)
    pairs = {(min(a, c), max(b, d)) for a, b in left for c, d in right if is_near((a, b), (c, d))}
    assert as_pairs(found) == sorted(pairs)
    if pairs:
        with pytest.raises(spans.Crowded):
            spans.near(as_spans(left), reach, as_spans(right), 0)
    assert as_pairs(spans.union([as_spans(left), as_spans(right)])) == sorted({*left, *right})


@given(SPANS, SPANS, st.sets(PLACES, max_size=5))
def test_in_the_same_sentence(left: list[tuple[int, int]], right: list[tuple[int, int]], begins: set[int]) -> None:
    known = sorted(begins | {0, 1 << 36, (1 << 36) + (1 << 33)})

    def sentence(place: int) -> int:
        return sum(begin <= place for begin in known)

    inside, kept, reach = spans.within_units(as_spans(left), np.array(known, np.int64))
    assert inside.tolist() == [sentence(a) == sentence(b) for a, b in left]
    _, others, _ = spans.within_units(as_spans(right), np.array(known, np.int64))
    expected = [
        any(sentence(min(a, c)) == sentence(max(b, d)) and (c > b or a > d) for c, d in right)
        for a, b in left
        if sentence(a) == sentence(b)
    ]
    assert spans.near_any(kept, reach, others).tolist() == expected


@CHECKED
@given(st.lists(st.sampled_from(WORDS[:12]), min_size=2, max_size=4), st.integers(0, 6), st.sampled_from([ALL, 4]))
def test_words_in_a_row_and_close_together(words: list[str], slop: int, mask: int) -> None:
    for segment, plain in zip(*large(), strict=True):
        own = window(segment, everything(segment))
        rows = segment.find([word.encode() for word in words])
        places = [own.places(row, mask) for row in rows]
        row = {(doc, f, at) for doc, f, at in map(unpacked, spans.in_a_row(places).first.tolist())}
        assert {doc for doc, _, _ in row} == plain.having_phrase(words, list(range(len(words))), mask) & plain.living
        different = dict(zip(words, places, strict=True))
        found = spans.close_together([(place, words.count(w)) for w, place in different.items()], len(words) + slop)
        expected = []
        for doc in sorted(plain.living):
            for f, terms in enumerate(plain.terms[doc]):
                for first in range(len(terms) if mask >> f & 1 else 0):
                    for last in range(first, min(len(terms), first + len(words) + slop)):
                        if all(terms[first : last + 1].count(word) >= words.count(word) for word in words):
                            expected += [((doc, f, first), (doc, f, last))] if terms[first] in words else []
                            break
        assert [(unpacked(a), unpacked(b)) for a, b in as_pairs(found)] == expected


def test_where_sentences_and_paragraphs_begin() -> None:
    texts: list[dict[str, Any]] = [
        {"id": "a", "title": "One. Two", "body": "Oil fell. Banks rose.\n\nThen it ended. So"},
        {"id": "b", "title": "…", "body": ""},
        {"id": "c", "summary": "Not much. More", "body": "Café. Мир.\n\n中文。日本"},
    ]
    analyzer = Analyzer("english")
    segment = open_segments([LiveSegment(ENTRY, make_segment(SCHEMA, texts), np.ones(3, bool))])[0]
    own = window(segment, everything(segment))
    for least, paragraphs in ((1, False), (2, True)):
        expected = [
            (doc, f, token.position)
            for doc, text in enumerate(texts)
            for f, name in enumerate(FIELDS)
            for token in analyzer.tokens(text.get(name, ""))
            if token.boundary >= least
        ]
        assert [unpacked(place) for place in own.begins(paragraphs=paragraphs).tolist()] == expected


def everything_asked(segments: tuple[SearchSegment, ...]) -> list[Any]:
    said: list[Any] = []
    for segment in segments:
        rows = segment.find([b"w0", b"w3", b"w20"])
        for mask in (ALL, 4):
            own = window(segment, everything(segment))
            places = [own.places(row, mask) for row in rows]
            said += [place.tolist() for place in places]
            said += [part.tolist() for part in spans.in_a_row(places[:2])]
            said += [own.begins(paragraphs=paragraphs).tolist() for paragraphs in (False, True)]
            found = Spans(places[1], places[1])
            said.append(as_pairs(own.in_lead(found, 2)))
        for words in (segment.reader.dictionary_of_terms, segment.reader.dictionary_of_words):
            said.append(words.fitting("w*1?", 0, words.count).tolist())
            said.append(words.fuzzy("w12", 1, 0, words.count).tolist())
    return said


def test_work_is_done_in_windows_under_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    segment = large()[0][0]
    row = segment.find([b"w0"])[0]

    def twice() -> set[int]:
        found = matching_articles(segment, everything(segment), 2, lambda own: Spans(*2 * [own.places(row, ALL)]))
        return docs(found)

    expected = {doc for doc, fields in enumerate(large()[1][0].terms) if sum(f.count("w0") for f in fields) > 1}
    assert twice() == expected
    monkeypatch.setattr(occurrences, "_ARTICLES", 64)
    monkeypatch.setattr(occurrences, "_PLACES", 10)
    assert twice() == expected
    over = Deadline(1e-9)
    with pytest.raises(QueryTooComplex):
        matching_articles(segment, everything(segment), 1, lambda own: Spans(*2 * [own.places(row, ALL)]), over)


def crowded(own: Window) -> Spans:
    raise spans.Crowded


def test_what_is_near_too_much_is_too_complex() -> None:
    segment = large()[0][0]
    with pytest.raises(QueryTooComplex):
        matching_articles(segment, everything(segment), 1, crowded)
    assert docs(matching_articles(segment, bitmap(segment, set()), 1, crowded)) == set()
    assert NO_BITS.size == 0


def dictionary(words: list[str]) -> Dictionary:
    reader = make_segment(SCHEMA, [{"id": "a", "title": " ".join(words)}])
    return reader.dictionary_of_terms


LETTERS = st.text("abcdé中", min_size=1, max_size=6)


@CHECKED
@given(st.sets(st.text("abcd", min_size=1, max_size=6), min_size=1, max_size=40), st.text("abcd?*", max_size=7))
def test_words_that_fit_a_pattern(words: set[str], pattern: str) -> None:
    known = dictionary(sorted(words))
    terms = [term.decode() for term in known.decode(0, known.count)[0]]
    found = [terms[number] for number in known.fitting(pattern, 0, known.count)]
    assert found == [term for term in terms if fitting(pattern)(term)]
    assert (
        known.fitting(pattern, 3, known.count).tolist()
        == [n for n, t in enumerate(terms) if fitting(pattern)(t)][sum(fitting(pattern)(term) for term in terms[:3]) :]
    )


@CHECKED
@given(st.sets(LETTERS, min_size=1, max_size=40), LETTERS, st.integers(0, 2))
def test_words_that_are_like_another(words: set[str], wanted: str, most: int) -> None:
    known = dictionary(sorted(words))
    terms = [term.decode() for term in known.decode(0, known.count)[0]]
    found = [terms[number] for number in known.fuzzy(wanted, most, 0, known.count)]
    assert found == [term for term in terms if edits(wanted, term) <= most]
    assert all(changes(wanted, term) == edits(wanted, term) for term in terms)


def test_damage_is_met_without_a_crash() -> None:
    segment = large()[0][1].reader
    body = segment._sections._body
    names = (
        "postings",
        "positions",
        "terms.data",
        "words.data",
        "words.occurrences",
        "boundaries.data",
        "boundaries.starts",
    )
    favoured = [segment.section(name) for name in names]
    rng = random.Random(7)
    refused = read = 0
    for _ in range(int(os.environ.get("NEWSINDEX_TRIALS", "120"))):
        data = bytearray(body.tobytes())
        for _ in range(rng.randint(1, 4)):
            begin, content = favoured[rng.randrange(len(favoured))]
            if content.size:
                at = begin + rng.randrange(content.size)
                data[at] = rng.randrange(256) if rng.random() < 0.5 else data[at] ^ 1 << rng.randrange(8)
        try:
            reader = type(segment)(np.frombuffer(bytes(data), np.uint8), "damaged.nix", SCHEMA)
            everything_asked(open_segments([LiveSegment(ENTRY, reader, np.ones(reader.doc_count, bool))]))
        except FormatError as error:
            refused += "damaged.nix" in str(error)
        else:
            read += 1
    assert refused > 0
    assert read > 0


def small_digest() -> str:
    segments, _ = archive([140, 70], 11, [0.0, 0.3])
    return hashlib.sha256(repr(everything_asked(segments)).encode()).hexdigest()


def test_kernels_without_the_compiler() -> None:
    assert digest_without_compiler("test_occurrences") == small_digest()


def test_so_many_articles_are_looked_through_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "MOST_ARTICLES", 5)
    with newsindex.open(tmp_path / "x", create=True) as index:
        index.add({"title": "Rates" if number % 2 else "rates", "id": f"{number}"} for number in range(10))
        results = index.search("caps(Rates)")
        assert {hit.id for hit in results} <= {"1", "3", "5", "7", "9"}
        assert [said.kind for said in results.diagnostics] == ["cut-check"]
        assert 0 < results.total < 5
        assert index.search("caps(Rates) -rating").diagnostics[-1].kind == "cut-check"
        with pytest.raises(QueryError, match="looked through"):
            index.delete(query="caps(Rates)")


def test_articles_without_the_letters_are_not_parsed(tmp_path: Path) -> None:
    texts = ["the U.S. said", "ÚS", "U\u00adS", "us", "Us", "bus US's", "USA", "the usual", "US\nnews", "“US”", "u S"]
    with newsindex.open(tmp_path / "x", create=True) as index:
        index.add({"id": f"{number}", "title": "x", "body": text} for number, text in enumerate(texts))
        found = {texts[int(hit.id)] for hit in index.search("caps(US)", limit=None)}
    assert found == {"the U.S. said", "ÚS", "U\u00adS", "bus US's", "US\nnews", "“US”"}
    may_have = forms._filter("US")
    as_stored = {text: json.dumps({"body": text}, ensure_ascii=False).encode() for text in texts}
    assert found <= {text for text, stored in as_stored.items() if may_have(stored)}
    assert [text for text, stored in as_stored.items() if not may_have(stored)] == ["us", "Us", "the usual", "u S"]
    assert may_have(json.dumps("\u00daS").encode())
