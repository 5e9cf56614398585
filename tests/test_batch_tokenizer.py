"""The compiled tokenizer finds what the plain one finds."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from newsindex.analysis import LONGEST_TERM_BYTES, Analyzer
from newsindex.analysis.batch import BatchTokenizer, JoinedTexts, TokenBatch, _composes
from newsindex.analysis.characters import IDEOGRAPH, IGNORED, compose, lookup
from newsindex.analysis.layout_kernel import Layout, lay_out
from tests.test_analysis import SAME, SPLIT

LANGUAGES = {language: Analyzer(language) for language in ("none", "english", "french", "italian", "russian")}
TOKENIZERS = {language: BatchTokenizer(analyzer) for language, analyzer in LANGUAGES.items()}


def found(tokenizer: BatchTokenizer, batch: TokenBatch) -> list[list[tuple[str, str, int]]]:
    """Return (surface, term, boundary) of each token of each text."""
    terms = tokenizer.term_of_surface[batch.surface_ids]
    tokens = [
        (tokenizer.surfaces[surface], tokenizer.terms[term], boundary)
        for surface, term, boundary in zip(batch.surface_ids, terms, batch.boundaries.tolist(), strict=True)
    ]
    return [tokens[start:end] for start, end in itertools.pairwise(batch.starts.tolist())]


def expected(analyzer: Analyzer, text: str) -> list[tuple[str, str, int]]:
    return [(token.surface, token.term, token.boundary) for token in analyzer.tokens(text)]


def check(texts: Iterable[str], language: str = "none", tokenizer: BatchTokenizer | None = None) -> None:
    texts = list(texts)
    tokenizer = tokenizer or TOKENIZERS[language]
    tokens = found(tokenizer, tokenizer.tokenize(texts))
    assert len(tokens) == len(texts)
    for text, of_text in zip(texts, tokens, strict=True):
        assert of_text == expected(LANGUAGES[language], text), repr(text)


# Every class of character, those that fold to several, compose, or matter in the gap between sentences.
AWKWARD = (
    "aZsS.'’,-1 2\u0301\u0306\u0308\u00ad\u200bé\nи\tйßﬁㄱ中か\u3099ไทุ。！.?\"”»)]…؟।\u2029\u2028\u00a0"
    "\u0085\u1025\u102e각\u1100\u1161\u11a8ｶﾞ⑩²Ⅷſʼ．\U000e0100\ufdfaؤأ\u0655\u0964İıΣς٣\ud800\U0001f600\x1c\x00mrst"
)
ANY_TEXT = st.text(max_size=60)
AWKWARD_TEXT = st.text(AWKWARD, max_size=40)
SENTENCES = st.lists(
    st.sampled_from(
        "Mr mr J U.S. u.s.a l'homme d’État qu'elle dell'arte s'il l's O'Brien's rock'n'roll 20,000 3.5 1.2.3 1,234.5.6"
        " 12,345,67 . ! ? .” ... , \n \n\n \n\u2003\n \n\t\t \n\tx\n \u2029 。 It it’s 's ’ 5's 5'x".split(" ")
    ),
    max_size=20,
).map(lambda parts: " ".join(parts))


@settings(max_examples=400)
@given(st.lists(ANY_TEXT | AWKWARD_TEXT | SENTENCES, max_size=4), st.sampled_from(sorted(LANGUAGES)))
def test_same_words_as_the_plain_tokenizer(texts: list[str], language: str) -> None:
    check(texts, language)


def test_same_words_for_the_analysis_contract() -> None:
    for language in LANGUAGES:
        check([*SAME, *SPLIT], language)


EDGES = [
    "U.S.'sx U.S.'s'x U.S.'s U.S.’s7 U.S'x U.S's U.S'sx U.S's'x U.S. a.b",
    "x's's it's'x it's's' 5's O's'",
    "a \n\u2003\t\tx a\n\t\tx a\n\u2003\n\u2003x a\n \tx a\nx a\n\n",
    "a\u00ad. A a.\u00ad A a\u0301.\u0301 A a\u0301\n\u0301\nA か\u3099。 か\u3099 A",
    "1,234 1,23 1,2345 1,234,567.8 1.2.3 1,234.5.6 12,345,67 1234,567 1,234'x 1,234's ⑩,234 ²²²,234",
    # Words that would be taken for each other if more letters, or others than ASCII, were packed into a key.
    " ".join(f"{first}{number:04}{number:05}" for number in range(300) for first in "abcdefghijklmnop"),
    " ".join(map("".join, itertools.product("аи", repeat=9))),
    "co\u00adop U.S. The U.S.\u00ad The",
    " ".join(f"{'x' * length} {'y' * length}'s {'z' * length}é {'é' * length}œ" for length in range(1, 20)),
    " ".join(f"{'x' * length}z {'z' * length}" for length in (15, 16, 17, 15, 16, 17, 7, 8, 9)),
    " ".join("a" + " " * gap + "A." + " " * gap + "A" + "," * gap + "\n" + " " * gap + "A." for gap in range(20)),
    "l'l l'l'x d'l'homme d'U.S. l'a. A l'État's l'O'Brien l's'x l's. L l'1 l'é qu'œuf. L'art . d'A puisqu'x'y xl'a",
    "абв'г абв. Г г. Г абв1 абв,1 абвg gабв абвœ " + "б" * 300 + " " + "б" * 299 + "в",
    "x" * 63 + " " + "x" * 64 + " " + "x" * 65 + " " + "x" * 64 + "'s " + "xß" * 64,
]


def test_edges() -> None:
    for language in ("none", "french"):
        check(EDGES, language, BatchTokenizer(LANGUAGES[language]))


def test_runs_of_ascii_between_other_letters() -> None:
    """Sixteen bytes of ASCII at a time are laid out together, wherever a run of them begins and ends."""
    before, after = "one two. It's 3 " * 3, "Cd, e'f 1.5 x\n" * 4
    lengths = (0, 1, 14, 15, 16, 17, 31, 32, 33, 47)
    for letters in ("é", "“", "и", "中", "\U0001f600", "ß”"):
        check(before[-head:] + letters + after[:tail] for head in range(1, 49) for tail in lengths)


def test_every_code_point() -> None:
    ideographs = itertools.chain(range(0x3500, 0x4D00), range(0x4F00, 0x9F00), range(0xAE00, 0xD700))
    left_out = set(ideographs)  # alike, and a third of all
    assigned = [
        chr(code)
        for code in range(0x20000)
        if code not in left_out and unicodedata.category(chr(code)) not in ("Cn", "Co", "Cs")
    ]
    check(f"a{character}. {character}s{character}\n{character}" for character in [*assigned, "\ud800", "\U000e0100"])
    check(["".join(assigned), " ".join(assigned), ". ".join(assigned)])


def test_every_letter_that_two_characters_make() -> None:
    """The kernel asks for a composition only where `_composes` says so, and keeps the class of the first character."""
    made = 0
    pairs = []
    for code in range(sys.maxunicode + 1):
        parts = unicodedata.decomposition(chr(code)).split()
        if 0xAC00 <= code <= 0xD7A3:
            pairs.append(tuple(unicodedata.normalize("NFD", chr(code))[:2]))
        elif len(parts) == 2 and parts[0][0] != "<":
            pairs.append((chr(int(parts[0], 16)), chr(int(parts[1], 16))))
    for first, second in sorted(set(pairs)):
        kind, folded = lookup(first)
        whole = compose(folded, second)
        if whole and lookup(second)[0] in (IGNORED, IDEOGRAPH):
            made += 1
            assert _composes(second)
            assert lookup(whole)[0] == kind
    assert made > 400
    check(f"{first}{second} x{first}{second}{first}" for first, second in sorted(set(pairs)))


def test_hangul_written_in_parts() -> None:
    text = "한국어 뉴스 각하, 값이 없다."
    check([unicodedata.normalize(form, text) for form in ("NFC", "NFD")])


def test_the_dictionary_grows_from_batch_to_batch() -> None:
    tokenizer = BatchTokenizer(LANGUAGES["english"])
    known = len(tokenizer.surfaces)
    texts = [
        " ".join(f"{'abcdefghij'[number % 10] * 3}{number * 7919 % 30011}ing" for number in range(start, start + 900))
        for start in range(0, 30000, 300)
    ]
    for batch in (texts[:3], texts[3:60], [], [""], texts[60:], texts[:3]):
        check(batch, "english", tokenizer)
    surfaces = list(dict.fromkeys(itertools.chain.from_iterable(map(LANGUAGES["english"].surfaces, texts))))
    assert tokenizer.surfaces[known:] == surfaces
    assert tokenizer.terms == list(dict.fromkeys(map(LANGUAGES["english"].term, tokenizer.surfaces)))
    assert tokenizer.term_of_surface.dtype == "uint32"


def test_long_words_are_counted_and_their_terms_cut() -> None:
    texts = ["x" * 1000, "ж" * 127 + " " + "ж" * 128, "a" * 255 + " " + "a" * 256, "\ufdfa" * 9000, "x" * 1000]
    tokenizer = BatchTokenizer(LANGUAGES["none"])
    batch = tokenizer.tokenize(texts)
    assert batch.long_words == 5
    assert max(len(term.encode()) for term in tokenizer.terms) == LONGEST_TERM_BYTES
    check(texts, "none", tokenizer)
    assert tokenizer.tokenize(["short"]).long_words == 0


def test_a_text_of_many_chunks_and_more_compositions_than_the_cache_holds() -> None:
    letters = [chr(code) for code in range(0x0410, 0x0450)] + [chr(code) for code in range(0x05D0, 0x05EB)]
    marks = [chr(code) for code in range(0x0300, 0x036F)]
    pairs = [f"{letter}{mark}" for letter in letters for mark in marks]
    assert len(pairs) > 8192
    check(["".join(pairs), "Й plain.", " ".join(pairs * 3)], "russian")


def test_the_shapes_of_ascii_are_those_of_its_table() -> None:
    tokenizer = BatchTokenizer(LANGUAGES["none"])
    layout = Layout(np.empty(140, np.uint32), np.empty(164, np.uint8), np.empty(0, np.int64), np.empty(2, np.int64))
    codes = np.arange(128, dtype=np.uint8)
    assert lay_out(codes, np.array([0, 128]), 0, tokenizer._characters.shapes, layout) == (1, 0, 0)
    assert layout.codes[3:131].tolist() == codes.tolist()
    assert layout.shapes[3:131].tolist() == tokenizer._characters.shapes[:128].tolist()


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_bytes_that_are_no_utf8_do_no_harm(texts: list[bytes]) -> None:
    batch = TOKENIZERS["none"].tokenize(JoinedTexts(b"".join(texts), list(map(len, texts))))
    assert batch.starts.size == len(texts) + 1
    assert batch.starts[-1] == batch.surface_ids.size <= sum(map(len, texts))


def test_two_threads_with_a_tokenizer_each() -> None:
    texts = [" ".join(SPLIT) + f" word{number} {number}. New" for number in range(300)]
    results: dict[int, list[list[tuple[str, str, int]]]] = {}

    def work(thread: int) -> None:
        tokenizer = BatchTokenizer(LANGUAGES["english"])
        results[thread] = found(tokenizer, tokenizer.tokenize(texts))

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results[0] == results[1] == [expected(LANGUAGES["english"], text) for text in texts]


INTERPRETED = """
import numba
from tests.test_batch_tokenizer import SAME, SPLIT, BatchTokenizer, JoinedTexts, LANGUAGES, check, numbers_of
assert numba.config.DISABLE_JIT
check([*SAME, *SPLIT, "x" * 100, "l'homme d'un. L'État"], "french")
check([" ".join(f"new{number}" for number in range(4200))])
BatchTokenizer(LANGUAGES["none"]).tokenize(JoinedTexts(bytes(range(256)) + b"\\xff", [100, 157]))
print(numbers_of("english"))
"""


def numbers_of(language: str) -> str:
    tokenizer = BatchTokenizer(LANGUAGES[language])
    batch = tokenizer.tokenize([*SAME, *SPLIT])
    return json.dumps([batch.surface_ids.tolist(), batch.boundaries.tolist(), batch.starts.tolist()])


def test_interpreted_kernels_give_the_same() -> None:
    """Without the compiler an index past the end raises, and arithmetic that overflows warns."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", INTERPRETED],
        cwd=Path(__file__).parents[1],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == numbers_of("english")


def test_real_articles(real_data: Path) -> None:
    for name, language in (
        ("gilets_jaunes_fr", "french"),
        ("reuters21578", "english"),
        ("digitalgov_news_en", "english"),
    ):
        with gzip.open(real_data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            articles = [json.loads(line) for line in itertools.islice(lines, 0, 300, 3)]
        check([article.get(key) or "" for article in articles for key in ("title", "body")], language)
