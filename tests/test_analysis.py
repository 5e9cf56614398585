"""The analysis contract, row by row."""

from __future__ import annotations

import gzip
import itertools
import json
import pickle
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsindex.analysis import LONGEST_TERM_BYTES, Analyzer
from newsindex.analysis.boundaries import INSIDE, PARAGRAPH, SENTENCE
from newsindex.analysis.characters import lookup
from newsindex.analysis.whoosh_analyzer import WhooshAnalyzer
from newsindex.errors import SchemaError

PLAIN = Analyzer("none")
ENGLISH = Analyzer("english")

SAME = [
    "didn't didn’t didn＇t didnʼt",
    "China's china China’s CHINA",
    "Putin’s Putin putin's",
    "U.S. U.S US us U.S.’s",
    "20,000 20000",
    "São sao SAO São",
    "Łódź lodz ŁÓDŹ",
    "Straße strasse STRASSE straẞe",
    "Ærø aero",
    "ｆｕｌｌ full FULL",
    "ﬁnance finance",
    "co\u00adoperate cooperate co\u200boperate co\u200doperate",
    "كتـاب كتاب كِتَاب",
    "أحمد احمد إحمد آحمد ٱحمد",
    "ёлка елка Ёлка",
    "Йод йод и\u0306од",
    "がく か\u3099く",
    "m² m2",
    "CO₂ co2",
    "٣٤ 34 ３４",
    "Ⅷ viii",
]


@pytest.mark.parametrize("text", SAME)
def test_written_differently_but_the_same_word(text: str) -> None:
    assert len(set(PLAIN.terms(text))) == 1, PLAIN.terms(text)


SPLIT = {
    "didn't": ["didn't"],
    "China's": ["china"],
    "Putin’s": ["putin"],
    "U.S.": ["us"],
    "U.S.-led": ["us", "led"],
    "U.S.A. is": ["usa", "is"],
    "at 5 p.m.The": ["at", "5", "pm", "the"],
    "J.K. Rowling": ["jk", "rowling"],
    "J.Smith": ["j", "smith"],
    "J. K. Rowling": ["j", "k", "rowling"],
    "COVID-19": ["covid", "19"],
    "e-mail": ["e", "mail"],
    "20,000": ["20000"],
    "1,234,567": ["1234567"],
    "3.5": ["3.5"],
    "20,000.50": ["20000.50"],
    "1.2.3": ["1", "2", "3"],
    "1,2,345": ["1", "2", "345"],
    "12,345,67": ["12345", "67"],
    "1234,567": ["1234", "567"],
    "192.168.1.1": ["192", "168", "1", "1"],
    "in 2024.": ["in", "2024"],
    "1990's 1990s": ["1990", "1990s"],
    "$20m £3.5bn 4x4": ["20m", "3.5bn", "4x4"],
    ".5 -5": ["5", "5"],
    "São Paulo": ["sao", "paulo"],
    "Łódź": ["lodz"],
    "Straße": ["strasse"],
    "Ærø": ["aero"],
    "中文新闻": ["中文", "文新", "新闻"],
    "中": ["中"],
    "日本語": ["日本", "本語"],
    "ไทย": ["ไท", "ทย"],
    "iPhone手机版": ["iphone", "手机", "机版"],
    "dogs' 'quoted' ‘quoted’": ["dogs", "quoted", "quoted"],
    "rock'n'roll O'Brien l'homme": ["rock'n'roll", "o'brien", "l'homme"],
    "AT&T C++ #metoo @user a_b": ["at", "t", "c", "metoo", "user", "a", "b"],
    "’tis 's it's’": ["tis", "s", "it"],
    "½ ™ 😀 — …": [],
    "naïve café": ["naive", "cafe"],
    "हिन्दी": ["हिन्दी"],
    "": [],
}


@pytest.mark.parametrize("text", SPLIT, ids=lambda text: text[:20] or "empty")
def test_words_of(text: str) -> None:
    assert PLAIN.terms(text) == SPLIT[text]


def test_stems_in_the_language_of_the_index() -> None:
    assert ENGLISH.terms("RECOGNISED recognise cities") == ["recognis", "recognis", "citi"]
    assert Analyzer("fr").terms("nationales nationale") == ["national", "national"]
    assert PLAIN.terms("RECOGNISED") == ["recognised"]


def test_every_language_of_the_stemmer_can_be_chosen() -> None:
    for language in ("english", "german", "ru", "es", "arabic", "none"):
        assert Analyzer(language).terms("Berlin 2024")[1] == "2024"
    with pytest.raises(SchemaError, match="klingon"):
        Analyzer("klingon")


def test_elided_articles_are_dropped_where_the_language_has_them() -> None:
    french = Analyzer("french")
    assert french.surfaces("l'homme d’État qu'elle aujourd'hui") == ["homme", "etat", "elle", "aujourd'hui"]
    token = next(french.tokens("l'homme"))
    assert (token.start, token.end) == (2, 7)


def test_offsets_show_what_was_written() -> None:
    text = "The U.S. didn’t see China’s 20,000 co\u00adoperatives in São"
    written = {token.term: text[token.start : token.end] for token in PLAIN.tokens(text)}
    assert written == {
        "the": "The", "us": "U.S.", "didn't": "didn’t", "see": "see", "china": "China", "20000": "20,000",
        "cooperatives": "co\u00adoperatives", "in": "in", "sao": "São",
    }  # fmt: skip


def test_sentences_and_paragraphs() -> None:
    text = "Mr. Smith left U.S. soil. He won.\n\n“Yes,” she said. ok then!\n    Indented 3.5. 中文。新闻 J. Doe? No"
    found = [(token.surface, token.boundary) for token in PLAIN.tokens(text) if token.boundary]
    assert found == [
        ("mr", PARAGRAPH), ("he", SENTENCE), ("yes", PARAGRAPH), ("indented", PARAGRAPH), ("中文", SENTENCE),
        ("新闻", SENTENCE), ("no", SENTENCE),
    ]  # fmt: skip
    assert next(token for token in PLAIN.tokens(text) if token.surface == "smith").boundary == INSIDE


def test_a_very_long_word_is_cut_to_255_bytes() -> None:
    for text in ("x" * 1000, "ж" * 1000):
        (term,) = PLAIN.terms(text)
        assert LONGEST_TERM_BYTES - 2 <= len(term.encode()) <= LONGEST_TERM_BYTES


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
AWKWARD = st.text("aZ.'’,-1 2\u0301\u0306\u00adéи中文ไท\n", max_size=30)


@given(ANY_TEXT | AWKWARD)
def test_offsets_ascend_and_lie_inside_the_text(text: str) -> None:
    tokens = list(PLAIN.tokens(text))
    for number, token in enumerate(tokens):
        assert token.position == number
        assert 0 <= token.start < token.end <= len(text)
        assert token.term
        assert token.term == token.term.casefold()
    assert all(a.start <= b.start for a, b in itertools.pairwise(tokens))


@given(ANY_TEXT | AWKWARD)
def test_composed_and_decomposed_text_give_the_same_words(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)
    hangul = any(0x1100 <= ord(c) <= 0x11FF for c in unicodedata.normalize("NFD", text))
    if not hangul:  # loose Jamo are kept as they are written
        decomposed = unicodedata.normalize("NFD", composed)
        assert PLAIN.terms(composed) == PLAIN.terms(decomposed)


def test_every_code_point_folds_to_letters_of_words_or_nothing() -> None:
    for code in itertools.chain(range(0xD800), range(0xE000, 0x2FA20)):
        kind, folded = lookup(chr(code))
        assert isinstance(kind, int)
        assert folded == folded.strip(), hex(code)


def test_whoosh_sees_the_same_terms() -> None:
    text = "The U.S. didn’t recognise China’s 20,000"
    tokens = [
        (t.text, t.pos, t.startchar, t.endchar) for t in WhooshAnalyzer("english")(text, positions=True, chars=True)
    ]
    assert tokens == [(t.term, t.position, t.start, t.end) for t in ENGLISH.tokens(text)]
    assert pickle.loads(pickle.dumps(WhooshAnalyzer("fr"))) == WhooshAnalyzer("fr")


def test_real_articles(real_data: Path) -> None:
    for name in ("gilets_jaunes_fr", "fakenews_es", "digitalgov_news_en"):
        with gzip.open(real_data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for line in itertools.islice(lines, 20):
                text = json.loads(line).get("body", "")
                tokens = list(PLAIN.tokens(text))
                assert tokens
                assert all(text[token.start : token.end] for token in tokens)
