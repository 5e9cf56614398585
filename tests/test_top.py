"""The best hits by the pruning kernel against brute force, bit for bit; and against damage."""

from __future__ import annotations

import hashlib
import random
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated, Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from newsindex import Date, FormatError, Text
from newsindex.codec.encode_kernel import NO_PIECES, encode_terms, make_room, worst_bytes
from newsindex.codec.pack_kernel import pack_block
from newsindex.codec.reader import SegmentReader
from newsindex.errors import QueryTooComplex
from newsindex.kernel import lean
from newsindex.schema import Schema
from newsindex.search import top, top_kernel
from newsindex.search.deadline import Deadline
from newsindex.search.joined_terms import TermData, data_of_terms
from newsindex.search.lanes_kernel import LARGE_GAP, add_up, count_less, unpack_rows
from newsindex.search.scoring import Parameters, Ranking, contribution
from newsindex.search.segment import SearchSegment, Statistics, bits_of
from newsindex.search.top import Words, best
from newsindex.search.top_bounds_kernel import CANDIDATES, MARKS
from newsindex.search.top_phrase_kernel import FOUND
from newsindex.store.live import LiveSegment
from newsindex.store.manifest import FileEntry, SegmentEntry
from tests.no_compiler import digest_without_compiler
from tests.ranking import rank
from tests.segments import make_segment


class Story(BaseModel):
    id: str
    head: Annotated[str, Text(weight=2.7)] = ""
    lead: Annotated[str, Text(weight=1.3)] = ""
    body: Annotated[str, Text()] = ""
    published: Annotated[datetime | None, Date()] = None


SCHEMA = Schema(Story)
# Each in exactly so many of the first articles' leads: a block, one less, one more, and some blocks with a tail.
COUNTED = {f"c{count}": count for count in (1, 127, 128, 129, 256, 300)}
WORDS = [f"w{number}x" for number in range(30)]
ANY = st.sampled_from([*WORDS, *WORDS[:6], *COUNTED, "nowhere"])
FIRST_HOUR = datetime(2020, 1, 1, tzinfo=UTC)
HOUR = 3600 * 10**6
START = int(FIRST_HOUR.timestamp()) * 10**6
ENTRY = SegmentEntry(FileEntry(f"seg-{1:020}-{0:032x}.nix", 1024, "0" * 16, 0))


def story(pick: random.Random, number: int, place: int) -> dict[str, Any]:
    def text(most: int) -> str:
        return " ".join(WORDS[min(len(WORDS) - 1, int(pick.expovariate(0.15)))] for _ in range(most))

    counted = " ".join(word for word, count in COUNTED.items() if place < count)
    made: dict[str, Any] = {
        "id": f"{number}",
        "head": text(pick.randrange(4)),
        "lead": f"{counted} {text(pick.choice([0, 0, 5]))}",
        "body": text(pick.choice([1, 3, 8, 40])),
    }
    if pick.random() < 0.9:
        made["published"] = FIRST_HOUR + timedelta(hours=place + pick.randrange(50))
    return made


def segments_of(sizes: tuple[int, ...], seed: int) -> list[SearchSegment]:
    pick = random.Random(seed)
    found: list[SearchSegment] = []
    base = 0
    for size in sizes:
        reader = make_segment(SCHEMA, [story(pick, base + place, place) for place in range(size)])
        found.append(searched(reader, base))
        base += size
    return found


def searched(reader: SegmentReader, base: int = 0) -> SearchSegment:
    return SearchSegment(LiveSegment(ENTRY, reader, np.ones(reader.doc_count, bool)), base)


@cache
def large() -> list[SearchSegment]:
    return segments_of((4500, 300, 3), 5)


@cache
def small() -> list[SearchSegment]:
    return segments_of((330, 40), 6)


def parameters(segments: list[SearchSegment], ranking: Ranking) -> Parameters:
    return Statistics.of(segments, segments[0].weights).parameters(ranking)


FACTORS = st.sampled_from([0.0, 0.01, 0.5, 1.0, 1.0, 2.3, 7.1])
MASKS = st.sampled_from([7, 7, 7, 1, 4, 5])
RANKINGS = st.sampled_from(
    [Ranking(), Ranking(), Ranking(), Ranking(0.0, 0.75), Ranking(2.0, 1.0), Ranking(1.2, 0.75, (0.3, 1.3, 9.7))]
)
LIMITS = st.sampled_from([1, 2, 10, 10, 10, 64, 65, 70, 100, 200, 20_000])


@st.composite
def any_words(draw: st.DrawFn) -> Words:
    terms = draw(st.lists(ANY, min_size=1, max_size=5, unique=True))
    factors = draw(st.lists(FACTORS, min_size=len(terms), max_size=len(terms)))
    masks = draw(st.lists(MASKS, min_size=len(terms), max_size=len(terms)))
    required = draw(st.booleans())
    words = Words(tuple(term.encode() for term in terms), np.array(factors), np.array(masks), required)
    if required and draw(st.booleans()):
        parts = st.lists(st.integers(0, len(terms) - 1), min_size=1, max_size=3)
        phrases = draw(st.lists(parts, min_size=1, max_size=2))
        words.phrases = tuple(tuple((place, offset) for offset, place in enumerate(phrase)) for phrase in phrases)
        words.phrase_masks = tuple(draw(st.lists(MASKS, min_size=len(phrases), max_size=len(phrases))))
        words.slops = (0,) * len(phrases)
    return words


def ask(
    segments: list[SearchSegment],
    words: Words,
    ranking: Ranking,
    limit: int,
    allowed: Any = None,
    dates: Any = None,
    after: Any = None,
) -> list[tuple[float, int]]:
    scores, numbers = best(
        segments, words, parameters(segments, ranking), limit, allowed=allowed or [None] * len(segments),
        date_range=dates, after=after, deadline=Deadline(),
    )  # fmt: skip
    return list(zip(scores.tolist(), numbers.tolist(), strict=True))


def let_through(segments: list[SearchSegment], share: float | None) -> list[Any] | None:
    if share is None:
        return None
    chances = np.random.default_rng(int(1000 * share))
    return [bits_of(chances.random(segment.doc_count) < share) for segment in segments]


@settings(max_examples=250)
@given(
    any_words(),
    RANKINGS,
    LIMITS,
    st.sampled_from([None, None, None, 0.003, 0.2, 0.9]),
    st.sampled_from([None, None, None, 30, 600, 4000]),
    st.sampled_from([None, None, 0, 3, 50, 2000]),
)
def test_the_best_are_those_of_brute_force(
    words: Words, ranking: Ranking, limit: int, share: float | None, hours: int | None, page: int | None
) -> None:
    segments = large()
    allowed = let_through(segments, share)
    dates = None if hours is None else (START + 500 * HOUR, START + (500 + hours) * HOUR)
    expected = rank(segments, words, parameters(segments, ranking), 10**9, allowed, dates)
    after = None
    if page is not None and page < len(expected):
        after, expected = expected[page], expected[page + 1 :]
    assert ask(segments, words, ranking, limit, allowed, dates, after) == expected[:limit]


def test_the_formula_is_that_of_the_explanation() -> None:
    segments = small()
    ranking = Ranking()
    word = Words((b"w0x",), np.array([1.7]), np.array([7]), True)
    found = ask(segments, word, ranking, 1000)
    assert len(found) > 100
    info = segments[0].reader.find(b"w0x")
    assert info is not None
    docs, freqs = segments[0].reader.postings(info)
    scores = {number: score for score, number in found}
    for doc, times in zip(docs.tolist(), freqs.T.tolist(), strict=True):
        frequency = 2.7 * times[0] + 1.3 * times[1] + 1.0 * times[2]
        length = float(segments[0].lengths[doc])
        assert scores[doc] == contribution(1.7, frequency, length, parameters(segments, ranking))


def test_nothing_asked_and_nothing_found() -> None:
    nothing = Words((), np.empty(0), np.empty(0, np.int64), False)
    nowhere = Words((b"nowhere",), np.ones(1), np.array([7]), False)
    assert ask(large(), nothing, Ranking(), 10) == []
    assert ask(large(), nowhere, Ranking(), 10) == []
    assert ask(large(), Words((b"w0x",), np.ones(1), np.array([7]), False), Ranking(), 0) == []


def test_many_words_and_a_long_phrase() -> None:
    every = tuple(word.encode() for word in WORDS)
    words = Words(every, np.linspace(0.1, 3, len(every)), np.full(len(every), 7), False)
    expected = rank(large(), words, parameters(large(), Ranking()), 25)
    assert ask(large(), words, Ranking(), 25) == expected
    long = Words(
        (b"w0x", b"w1x"), np.ones(2), np.full(2, 7), True, (((0, 0), *[(1, n) for n in range(50)]),), (7,), (0,)
    )
    assert ask(large(), long, Ranking(), 25) == []


def test_equal_scores_come_in_order_of_numbers() -> None:
    reader = make_segment(SCHEMA, [{"id": f"{n}", "body": "same words here"} for n in range(700)])
    word = Words((b"same",), np.ones(1), np.array([7]), True)
    found = ask([searched(reader), searched(reader, 700)], word, Ranking(), 9)
    assert [number for _, number in found] == list(range(9))
    assert len({score for score, _ in found}) == 1


def test_a_slop_is_not_taken_for_none() -> None:
    words = Words((b"w0x", b"w1x"), np.ones(2), np.full(2, 7), True, (((0, 0), (1, 1)),), (7,), (2,))
    with pytest.raises(ValueError, match="slops"):
        ask(small(), words, Ranking(), 10)


class Late(Deadline):
    def check(self) -> None:
        raise QueryTooComplex("the time in milliseconds", 2, 1)


def test_the_deadline_is_looked_at() -> None:
    texts = [{"id": f"{n}", "body": "w" if n % 2 else "w v"} for n in range(70_000)]
    segment = searched(make_segment(SCHEMA, texts))
    words = Words((b"w", b"v"), np.ones(2), np.full(2, 7), True)
    with pytest.raises(QueryTooComplex):
        best([segment], words, parameters([segment], Ranking()), 50_000, allowed=[None], date_range=None, after=None,
             deadline=Late())  # fmt: skip


# Damage


@cache
def sound() -> bytes:
    section, data = small()[0].reader.section("postings")
    assert section >= 0
    assert data.size > 4900
    return bytes(small()[0].reader._sections._body)


def test_damage_is_an_error_or_an_answer() -> None:
    reader = small()[0].reader
    pick = random.Random(3)
    refused = answered = 0
    for _ in range(400):
        body = bytearray(sound())
        for name in pick.choice([["postings"], ["positions"], ["postings", "positions"], ["terms.data"]]):
            begin, data = reader.section(name)
            for _ in range(pick.choice([1, 3, 20])):
                body[begin + pick.randrange(data.size)] = pick.choice([0, 1, 0x7F, 0x80, 0xFF, pick.randrange(256)])
        try:
            damaged = searched(SegmentReader(np.frombuffer(bytes(body), np.uint8), "damaged.nix", SCHEMA))
            for seed in range(4):
                terms = tuple(word.encode() for word in pick.sample(WORDS[:8], pick.choice([1, 2, 3])))
                phrase = (tuple((place, place) for place in range(len(terms))),) if seed == 3 else ()
                words = Words(
                    terms, np.ones(len(terms)), np.full(len(terms), 7), seed > 1, phrase, (7,) * len(phrase),
                    (0,) * len(phrase),
                )  # fmt: skip
                ask([damaged], words, Ranking(), pick.choice([10, 1000]))
            answered += 1
        except FormatError as error:
            refused += "damaged.nix" in str(error)
    assert refused > 50
    assert answered > 50


# Lanes


@lean
def unpack_in_kernel(words: Any, at: Any, width: Any, out: Any, start: Any) -> Any:
    unpack_rows(words, at, width, out, start)
    return width


@lean
def add_in_kernel(values: Any, start: Any, before: Any) -> Any:
    return add_up(values, start, before)


@lean
def count_in_kernel(values: Any, start: Any, number: Any) -> Any:
    return count_less(values, start, number)


@pytest.mark.parametrize("width", range(33))
def test_rows_are_unpacked(width: int) -> None:
    chances = np.random.default_rng(width)
    values = chances.integers(0, 2**width, 128, dtype=np.uint64).astype(np.uint32)
    words = np.zeros(4 * width + 12, np.uint32)
    pack_block(values, 0, width, words, 5)
    out = np.zeros(140, np.uint32)
    unpack_in_kernel(words, 5, width, out, 7)
    assert (out[7:135] == values).all()
    assert not out[:7].any()
    assert not out[135:].any()


def test_gaps_are_added_up() -> None:
    gaps = np.random.default_rng(1).integers(1, 2**20, 140).astype(np.uint32)
    expected = np.cumsum(gaps[5:133].astype(np.int64)) + 4
    found = gaps.copy()
    assert add_in_kernel(found, 5, 4) == expected[-1]
    assert (found[5:133] == expected).all()
    assert (found[133:] == gaps[133:]).all()
    found[9] = 1 << 24
    assert add_in_kernel(found, 5, -1) & LARGE_GAP


@pytest.mark.parametrize("most", [2, 200, 2**31, 2**32])
def test_lesser_numbers_are_counted(most: int) -> None:
    values = np.random.default_rng(3).integers(0, most, 140, dtype=np.uint64).astype(np.uint32)
    for number in [0, 1, *map(int, values[::9]), most - 1]:
        assert count_in_kernel(values, np.int64(7), np.int64(number)) == sum(values[7:135] < number)


# Without the compiler


def small_digest() -> str:
    """Return what tells whether the answers of many searches are the same."""
    segments = small()
    pick = random.Random(8)
    told = []
    for number in range(60):
        terms = tuple(word.encode() for word in pick.sample([*WORDS[:8], *COUNTED], pick.choice([1, 2, 3])))
        required = number % 2 == 0
        phrases = (tuple((place, place) for place in range(len(terms))),) if number % 4 == 0 else ()
        words = Words(
            terms, np.linspace(0.5, 2, len(terms)), np.full(len(terms), pick.choice([7, 7, 4])), required, phrases,
            (7,) * len(phrases), (0,) * len(phrases),
        )  # fmt: skip
        dates = (START + 50 * HOUR, START + 300 * HOUR) if number % 5 == 0 else None
        told.append(ask(segments, words, Ranking(), pick.choice([3, 10, 500]), let_through(segments, 0.8), dates))
    return hashlib.sha256(repr(told).encode()).hexdigest()


def test_kernels_without_the_compiler() -> None:
    # A unit at a time, so that each search is gone on with again and again.
    one_by_one = "from newsindex.search import top_kernel; top_kernel._BUDGET = 1"
    assert top_kernel._BUDGET > 1
    assert digest_without_compiler("test_top", one_by_one) == small_digest()


def test_a_window_of_which_every_article_has_a_word_leaves_the_scratch_clean() -> None:
    """One more posting than there are articles in a window once went where the next search expects zeros."""
    many = 40 * CANDIDATES  # of few blocks: windows are as wide as they can be
    segment = cast(SearchSegment, _Bare(many))
    first = 3 * CANDIDATES
    full = _joined(segment, 0, np.arange(first, first + CANDIDATES))
    some = _joined(segment, 1, np.append(np.arange(first + 7, first + CANDIDATES, 500), first + CANDIDATES - 1))
    data = data_of_terms(segment, [full, some])
    words = Words((b"a", b"b"), np.array([3.0, 5.0]), np.ones(2, np.int64), False)
    own = Parameters(1.2, 0.75, 50.0, np.array([1.0]), 1.0, 1.0)
    scores, numbers = best(
        [segment], words, own, 10, allowed=[None], date_range=None, after=None, deadline=Deadline(None),
        rows=[data.rows], data=[data],
    )  # fmt: skip
    assert numbers.tolist() == [first + 7 + 500 * place for place in range(10)]
    assert len(set(scores.tolist())) == 1
    scratch = top._local.scratch
    assert not scratch.candidates[MARKS:FOUND].any()
    assert (scratch.bounds[:CANDIDATES] == -1.0).all()


def test_searches_of_segments_with_other_fields_in_turn_take_no_more_room() -> None:
    parameters = [Parameters(1.2, 0.75, 50.0, np.ones(fields)) for fields in (1, 3)]
    scratch = top._Scratch()
    for turn in range(40):
        scratch.rank_by(parameters[turn % 2])
        assert (scratch.terms, scratch.fields) == (8, 1 + 2 * (turn % 2))
        assert scratch.arrays[3] is scratch.small


class _Bare:
    """What the kernel takes of a segment with one field, whose articles have 50 words."""

    def __init__(self, doc_count: int) -> None:
        self.doc_count, self.base, self.field_count, self.weights = doc_count, 0, 1, (1.0,)
        self.kept_arrays = None
        self.lengths = np.full(doc_count, 50, np.float32)
        self.postings = self.positions = np.zeros(64, np.uint8)
        self.posting_words = self.position_words = np.zeros(16, np.uint32)


def _joined(segment: Any, number: int, docs: Any) -> TermData:
    room = (int(worst_bytes(docs.size, 1)) + 3) & ~3
    postings, placed, told = np.empty(room, np.uint8), np.empty(room, np.uint8), np.zeros((1, 5), np.int64)
    _, used, put = encode_terms(
        0, np.array([0, docs.size]), docs.astype(np.uint32), np.ones(docs.size, np.uint32), NO_PIECES, 1,
        np.ones(1), segment.lengths.astype(np.uint32), make_room(1), postings, placed, told,
    )  # fmt: skip
    rows = np.array([[number, told[0, 0], told[0, 1], 0, used, docs.size, 0, put]])
    words = np.empty(0, np.uint32)
    return TermData(rows, postings[:used].copy(), words, placed[:put].copy(), words)
