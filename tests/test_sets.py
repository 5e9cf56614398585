"""The set engine against plain Python: words, phrases, columns, counts, orders, scores; and against damage."""

from __future__ import annotations

import hashlib
import math
import os
import random
from collections import Counter
from typing import Annotated, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from newsindex import FormatError, Text
from newsindex.codec.format import MISSING
from newsindex.errors import QueryTooComplex
from newsindex.query.tree import Range
from newsindex.schema import Schema, fold_keyword
from newsindex.search import column_sets, facets, ordering, sets
from newsindex.search import segment as segment_module
from newsindex.search.deadline import Deadline
from newsindex.search.scoring import Ranking, contribution
from newsindex.search.segment import NO_BITS, SearchSegment, Statistics, open_segments
from newsindex.store.live import LiveSegment
from tests.no_compiler import digest_without_compiler
from tests.plain_sets import ALL, ANALYZER, ENTRY, SCHEMA, WORDS, Plain, archive, bitmap, docs, large
from tests.segments import make_segment
from tests.strategies import ARCHIVES

WORD = st.sampled_from([*WORDS, "nowhere"]) | st.sampled_from(WORDS[:8])
MASKS = st.sampled_from([ALL, ALL, 1, 2, 4, 5, 6])
WITHIN = st.sampled_from([None, 0.01, 0.3, 0.9]) | st.integers(0, 99)
LIMITS = st.none() | st.integers(0, 30) | st.sampled_from([200, 5000])
CHECKED = settings(max_examples=60)


def some(plain: Plain, share: float | int | None) -> set[int] | None:
    """Return articles of a segment: a share of them, or the one in so many percent, or None for all."""
    if share is None:
        return None
    if isinstance(share, int):
        return {share * len(plain.live) // 100}
    rng = random.Random(share)
    return {doc for doc in range(len(plain.live)) if rng.random() < share}


def within(segment: SearchSegment, chosen: set[int] | None) -> Any:
    return NO_BITS if chosen is None else bitmap(segment, chosen)


@CHECKED
@given(st.lists(WORD, min_size=1, max_size=4), MASKS)
def test_words(words: list[str], mask: int) -> None:
    for segment, plain in zip(*large(), strict=True):
        rows = segment.find([word.encode() for word in words])
        expected = [plain.having(word, mask) for word in words]
        assert docs(sets.term_bitmap(segment, rows[0], mask)) == expected[0]
        assert docs(sets.terms_union(segment, rows, mask)) == set.union(*expected)
        assert sets.count_word(segment, rows[0], mask) == len(expected[0] & plain.living)


@CHECKED
@given(st.lists(st.tuples(WORD, MASKS), min_size=1, max_size=4), WITHIN)
def test_all_of_words(words: list[tuple[str, int]], share: float | int | None) -> None:
    for segment, plain in zip(*large(), strict=True):
        rows = segment.find([word.encode() for word, _ in words])
        chosen = some(plain, share)
        found = sets.terms_and(segment, rows, np.array([mask for _, mask in words]), within(segment, chosen))
        expected = set.intersection(*(plain.having(word, mask) for word, mask in words))
        assert docs(found) == (expected if chosen is None else expected & chosen)


@CHECKED
@given(st.lists(WORD, min_size=1, max_size=4), st.lists(st.integers(1, 3), min_size=3, max_size=3), MASKS, WITHIN)
def test_phrases(words: list[str], steps: list[int], mask: int, share: float | int | None) -> None:
    offsets = [sum(steps[:place]) for place in range(len(words))]
    for segment, plain in zip(*large(), strict=True):
        rows = segment.find([word.encode() for word in words])
        chosen = some(plain, share)
        found = sets.phrase_bitmap(segment, rows, np.array(offsets), mask, within(segment, chosen))
        expected = plain.having_phrase(words, offsets, mask)
        assert docs(found) == (expected if chosen is None else expected & chosen)


@CHECKED
@given(st.lists(WORD, min_size=1, max_size=6), MASKS, st.integers(1, 40), WITHIN, st.integers(0, 950))
def test_first_of_words(words: list[str], mask: int, limit: int, share: float | int | None, begin: int) -> None:
    for segment, plain in zip(*large(), strict=True):
        rows = segment.find([word.encode() for word in words])
        chosen = some(plain, share)
        expected = set.union(*(plain.having(word, mask) for word in words))
        expected = {doc for doc in expected if doc >= begin and (chosen is None or doc in chosen)}
        found = sets.first_of_union(segment, rows, mask, limit, within(segment, chosen), begin)
        assert (found - segment.base).tolist() == sorted(expected)[:limit]


@given(st.lists(st.sets(st.integers(0, 129)), min_size=1, max_size=4), st.integers(0, 129), st.integers(0, 9))
def test_sets_of_sets(given_sets: list[set[int]], begin: int, limit: int) -> None:
    segment, plain = large()[0][1], large()[1][1]
    bitmaps = [bitmap(segment, chosen) for chosen in given_sets]
    assert docs(sets.intersection([*bitmaps, NO_BITS])) == set.intersection(*given_sets)
    assert docs(sets.union(bitmaps)) == set.union(*given_sets)
    assert docs(sets.difference(bitmaps[0], bitmaps[-1])) == given_sets[0] - given_sets[-1]
    assert docs(sets.complement(segment, bitmaps[0])) == plain.living - given_sets[0]
    assert docs(sets.living(segment, bitmaps[0].copy())) == given_sets[0] & plain.living
    assert docs(sets.everything(segment)) == plain.living
    assert docs(sets.everything(large()[0][0])) == set(range(900))
    assert sets.count(bitmaps[0]) == len(given_sets[0])
    numbers = [segment.base + doc for doc in sorted(given_sets[0])]
    assert sets.numbers(segment, bitmaps[0]).tolist() == numbers
    behind = [number for number in numbers if number >= segment.base + begin]
    assert sets.numbers(segment, bitmaps[0], limit, begin).tolist() == behind[:limit]


NUMBERS = st.none() | st.integers(-6, 6) | st.sampled_from([0.25, -2.5, 2**70, -(2**70), 1.0])


@CHECKED
@given(st.sampled_from(["words", "grade", "live", "published"]), NUMBERS, NUMBERS, st.booleans(), st.booleans(), WITHIN)
def test_ranges(name: str, low: Any, high: Any, low_open: bool, high_open: bool, share: float | int | None) -> None:
    if name == "published":
        day = 86_400_000_000
        low, high = (None if end is None else int(1_388_534_400_000_000 + end * 400 * day) for end in (low, high))
    bounds = column_sets.bounds_of(SCHEMA.fields[name], Range(name, low, high, low_open, high_open))
    for segment, plain in zip(*large(), strict=True):
        expected = set()
        for doc in range(segment.doc_count):
            value = plain.value(doc, name)
            above = low is None or (value is not None and (value > low or (value == low and not low_open)))
            below = high is None or (value is not None and (value < high or (value == high and not high_open)))
            if value is not None and above and below:
                expected.add(doc)
        chosen = some(plain, share)
        found = docs(column_sets.range_bitmap(segment, name, bounds, within(segment, chosen)))
        assert found == expected & (plain.living if chosen is None else chosen)


@CHECKED
@given(st.sampled_from(["source", "tags"]), st.lists(st.sampled_from(["cnn", "paper 3", "trade", "x2", "no", ""])))
def test_keyword_values(name: str, keys: list[str]) -> None:
    for segment, plain in zip(*large(), strict=True):
        values = [{fold_keyword(text) for text in plain.value(doc, name) or ()} for doc in range(segment.doc_count)]
        for _ in range(2):  # the second time it is the one that was kept
            found = column_sets.keyword_bitmap(segment, name, [key.encode() for key in keys])
            assert docs(found) == {doc for doc, own in enumerate(values) if own & set(keys)}
        for key in keys[:1]:
            found = column_sets.keyword_prefix_bitmap(segment, name, key[:2].encode())
            assert docs(found) == {doc for doc, own in enumerate(values) if any(v.startswith(key[:2]) for v in own)}


@CHECKED
@given(st.sampled_from(["source", "tags", "authors"]), st.sampled_from([0.01, 0.5, 1.0]))
def test_counts_of_values(name: str, share: float) -> None:
    for segment, plain in zip(*large(), strict=True):
        chosen = some(plain, share) or set()
        counts = column_sets.value_counts(segment, name, bitmap(segment, chosen))
        column = segment.keywords(name).column
        found = {column.keys[number]: count for number, count in enumerate(counts.tolist()) if count}
        assert found == Counter(fold_keyword(text) for doc in chosen for text in plain.value(doc, name) or ())


@CHECKED
@given(st.sampled_from(["source", "tags", "authors"]), WITHIN, st.sampled_from(["", "p", "paper 2", "x", "no"]), LIMITS)
def test_facets(name: str, share: Any, prefix: str, limit: int | None) -> None:
    segments, plains = large()
    for parts in ((0, 1, 2), (1, 2), (2,)):
        counts: Counter[str] = Counter()
        shown: dict[str, str] = {}
        bitmaps = []
        for at in parts:
            chosen = some(plains[at], share)
            chosen = plains[at].living if chosen is None else chosen
            bitmaps.append(bitmap(segments[at], chosen))
            written: dict[str, str] = {}
            for doc in range(len(plains[at].live)):
                for text in plains[at].value(doc, name) or ():
                    written.setdefault(fold_keyword(text), text)
            for doc in chosen:
                for text in plains[at].value(doc, name) or ():
                    counts[fold_keyword(text)] += 1
                    shown.setdefault(fold_keyword(text), written[fold_keyword(text)])
        expected = sorted((-count, key) for key, count in counts.items() if key.startswith(prefix))[:limit]
        facet = facets.Facet([segments[at] for at in parts], name)
        found = facet.counts(bitmaps, limit, prefix.encode(), deadline=Deadline())
        assert list(found.items()) == [(shown[key], -count) for count, key in expected]
    assert facets.Facet((), name).counts((), deadline=Deadline()) == {}


def test_an_article_by_its_id() -> None:
    for segment in large()[0]:
        for doc in (0, 77, segment.doc_count - 1):
            assert docs(column_sets.id_bitmap(segment, segment.reader.ids[doc])) == {doc}
        assert docs(column_sets.id_bitmap(segment, "nobody")) == set()


@CHECKED
@given(st.sampled_from([0.005, 0.1, 1.0]), LIMITS, st.booleans(), st.none() | st.integers(0, 1500))
@pytest.mark.parametrize("large_from", [0, 10_000])
def test_first_by_date(large_from: int, share: float, limit: int | None, newest: bool, behind: int | None) -> None:
    segments, plains = large()
    wanted = []
    for segment, plain in zip(segments, plains, strict=True):
        for doc in some(plain, share) or ():
            date = plain.value(doc, "published")
            key = math.inf if date is None else -date if newest else date
            wanted.append((key, segment.base + doc, MISSING if date is None else date))
    wanted.sort()
    after = None
    if behind is not None and wanted:
        at = behind % len(wanted)
        after = wanted[at][2], wanted[at][1]
        wanted = wanted[at + 1 :]
    bitmaps = [bitmap(segment, some(plain, share) or set()) for segment, plain in zip(segments, plains, strict=True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ordering, "_LARGE", large_from)
        dates, numbers = ordering.top_by_date(segments, bitmaps, limit, newest=newest, after=after)
    assert list(zip(numbers.tolist(), dates.tolist(), strict=True)) == [(n, date) for _, n, date in wanted][:limit]


@CHECKED
@given(st.lists(st.tuples(WORD, MASKS, st.sampled_from([1.0, 0.5, 3.0])), min_size=1, max_size=4), WITHIN, LIMITS)
@pytest.mark.parametrize("ranking", [Ranking(), Ranking(0.9, 0.3, (5.0, 0.7, 1.1))])
def test_scores(ranking: Ranking, words: list[tuple[str, int, float]], share: Any, limit: int | None) -> None:
    segments, plains = large()
    statistics = Statistics.of(segments, segments[0].weights)
    parameters = statistics.parameters(ranking)
    weights = parameters.field_weights.tolist()
    assert statistics.article_count == 1430
    rows = [segment.find([word.encode() for word, _, _ in words]) for segment in segments]
    factors = [factor * statistics.idf(rows, place) for place, (_, _, factor) in enumerate(words)]
    wanted, bitmaps, scores = [], [], []
    for number, (segment, plain) in enumerate(zip(segments, plains, strict=True)):
        chosen = some(plain, share)
        found = sets.no_scores(segment)
        bits = sets.nothing(segment)
        for place, (_, mask, _) in enumerate(words):
            own = within(segment, chosen)
            sets.accumulate(segment, rows[number][place], mask, factors[place], parameters, own, found)
            bits |= sets.term_bitmap(segment, rows[number][place], mask)
        if chosen is not None:
            bits &= bitmap(segment, chosen)
        for doc, fields in enumerate(plain.terms):
            if chosen is not None and doc not in chosen:
                assert found[doc] == 0
                continue
            length = float(np.float32(sum(weight * len(terms) for weight, terms in zip(weights, fields, strict=True))))
            score, matches = 0.0, False
            for (word, mask, _), factor in zip(words, factors, strict=True):
                times = [terms.count(word) if mask >> f & 1 else 0 for f, terms in enumerate(fields)]
                frequency = sum(weight * count for weight, count in zip(weights, times, strict=True))
                if frequency:
                    matches = True
                    score += contribution(factor, frequency, length, parameters)
            assert found[doc] == score
            if matches:
                wanted.append((-score, segment.base + doc))
        bitmaps.append(bits)
        scores.append(found)
    wanted.sort()
    best = ordering.top_by_score(segments, bitmaps, scores, limit)
    assert list(zip((-best[0]).tolist(), best[1].tolist(), strict=True)) == wanted[:limit]
    if wanted:
        at = len(wanted) // 2
        best = ordering.top_by_score(segments, bitmaps, scores, limit, after=(-wanted[at][0], wanted[at][1]))
        assert best[1].tolist() == [number for _, number in wanted[at + 1 :]][:limit]


def test_constant_scores() -> None:
    segment = large()[0][1]
    scores = sets.no_scores(segment)
    sets.accumulate_constant(bitmap(segment, {0, 63, 64, 129}), 2.5, scores)
    assert scores.nonzero()[0].tolist() == [0, 63, 64, 129]
    assert set(scores.tolist()) == {0.0, 2.5}


def everything_asked(segments: tuple[SearchSegment, ...]) -> list[Any]:
    """Return what the whole face says of some segments."""
    said: list[Any] = []
    parameters = Statistics.of(segments, segments[0].weights if segments else (1.0,)).parameters(Ranking())
    bitmaps, scores = [], []
    for segment in segments:
        rows = segment.find([b"w0", b"w1", b"w2", b"rate", b"oil", b"bank"])
        found = [sets.term_bitmap(segment, row, mask) for row in rows for mask in (ALL, 1, 4)]
        found += [sets.terms_union(segment, rows, ALL), sets.terms_union(segment, rows, 4)]
        for mask in (ALL, 4):
            found.append(sets.terms_and(segment, rows[:2], np.array([mask, ALL])))
            found.append(sets.terms_and(segment, rows[:3], np.array([ALL, mask, mask]), found[0]))
            found.append(sets.phrase_bitmap(segment, rows[:2], np.array([0, 1]), mask))
            found.append(sets.phrase_bitmap(segment, rows[[1, 0, 0]], np.array([0, 1, 3]), mask, found[0]))
            said.append(sets.first_of_union(segment, rows, mask, 5, segment.live, 3).tolist())
        found.append(column_sets.range_bitmap(segment, "published", (0, 1_500_000_000_000_000)))
        found.append(column_sets.range_bitmap(segment, "words", (-1, 3), found[0]))
        found.append(column_sets.range_bitmap(segment, "grade", (-1.0, 0.5)))
        found.append(column_sets.range_bitmap(segment, "live", (1, 1)))
        found.append(column_sets.keyword_bitmap(segment, "source", [b"cnn", b"xinhua"]))
        found.append(column_sets.keyword_prefix_bitmap(segment, "tags", b"x"))
        found.append(column_sets.id_bitmap(segment, "a5"))
        found += [sets.everything(segment), sets.complement(segment, found[0])]
        own = sets.no_scores(segment)
        for row in rows:
            sets.accumulate(segment, row, 5, 1.5, parameters, NO_BITS, own)
            sets.accumulate(segment, row, ALL, 0.5, parameters, found[0], own)
        sets.accumulate_constant(found[0], 0.25, own)
        said += [docs(bits) for bits in found] + [own.tolist(), sets.numbers(segment, found[0]).tolist()]
        said += [column_sets.value_counts(segment, name, found[0]).tolist() for name in ("source", "tags")]
        bitmaps.append(sets.living(segment, found[18]))
        scores.append(own)
    said += [[a.tolist() for a in ordering.top_by_score(segments, bitmaps, scores, 7)]]
    said += [[a.tolist() for a in ordering.top_by_date(segments, bitmaps, 7, newest=n)] for n in (True, False)]
    return said


@settings(max_examples=40)
@given(ARCHIVES, ARCHIVES)
def test_small_segments_say_what_one_says(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> None:
    """A word is found wherever its articles are, in one segment or two."""
    parts = [make_segment(SCHEMA, articles) for articles in (first, second)]
    whole = make_segment(SCHEMA, [*first, *second])
    open_parts = open_segments([LiveSegment(ENTRY, part, np.ones(part.doc_count, bool)) for part in parts])
    (joined,) = open_segments([LiveSegment(ENTRY, whole, np.ones(whole.doc_count, bool))])
    for words in ("oil", "bank fell", "rate talk", "中文"):
        terms = [term.encode() for term in ANALYZER.terms(words)]
        offsets = np.arange(len(terms))
        for mask in (ALL, 1, 4):
            found: list[list[int]] = [[], [], []]
            for segment, lists in (*((part, found) for part in open_parts), (joined, None)):
                rows = segment.find(terms)
                answers = [
                    sets.numbers(segment, bits).tolist()
                    for bits in (
                        sets.terms_union(segment, rows, mask),
                        sets.terms_and(segment, rows, np.full(len(terms), mask)),
                        sets.phrase_bitmap(segment, rows, offsets, mask),
                    )
                ]
                if lists is None:
                    assert answers == found
                else:
                    for own, answer in zip(lists, answers, strict=True):
                        own += answer


def test_no_segments_and_empty_ones() -> None:
    assert [part.tolist() for part in ordering.top_by_date((), (), 10, newest=True)] == [[], []]
    assert everything_asked(()) == [[[], []]] * 3
    segment = open_segments([LiveSegment(ENTRY, make_segment(SCHEMA, []), np.ones(0, bool))])
    assert all(not any(answer) for answer in everything_asked(segment)[:3])


class Undated(BaseModel):
    """An article without a date."""

    body: Annotated[str, Text()]


def test_articles_without_dates_are_in_the_order_of_numbers() -> None:
    reader = make_segment(Schema(Undated), [{"id": f"{number}", "body": "rates"} for number in range(70)])
    segments = open_segments([LiveSegment(ENTRY, reader, np.ones(70, bool))])
    bits = [bitmap(segments[0], {1, 5, 64})]
    for newest in (True, False):
        dates, numbers = ordering.top_by_date(segments, bits, 2, newest=newest)
        assert (dates.tolist(), numbers.tolist()) == ([MISSING, MISSING], [1, 5])


def test_work_is_done_in_pieces_under_a_deadline() -> None:
    segment, plain = large()[0][0], large()[1][0]
    rows = segment.find([b"w0", b"w1", b"w0"])
    parameters = Statistics.of(large()[0], segment.weights).parameters(Ranking())
    whole = everything_asked(large()[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sets, "_BLOCKS", 1)
        patch.setattr(sets, "_OCCURRENCES", 1)
        assert everything_asked(large()[0]) == whole
        assert docs(sets.phrase_bitmap(segment, rows, np.arange(3), ALL)) == plain.having_phrase(
            ["w0", "w1", "w0"], [0, 1, 2], ALL
        )
        over = Deadline(1e-9)
        for work in (
            lambda: sets.terms_union(segment, rows, ALL, over),
            lambda: sets.terms_and(segment, rows, np.full(3, ALL), NO_BITS, over),
            lambda: sets.phrase_bitmap(segment, rows, np.arange(3), ALL, NO_BITS, 0, over),
            lambda: sets.first_of_union(segment, rows, ALL, 5000, NO_BITS, 0, over),
            lambda: sets.accumulate(segment, rows[0], ALL, 1.0, parameters, NO_BITS, sets.no_scores(segment), over),
            lambda: ordering.top_by_date([segment], [segment.live], 10, newest=True, deadline=over),
            lambda: ordering.top_by_score([segment], [segment.live], [sets.no_scores(segment)], 10, deadline=over),
            lambda: facets.Facet([segment], "source").counts([segment.live], deadline=over),
        ):
            with pytest.raises(QueryTooComplex):
                work()


def test_damage_is_met_without_a_crash() -> None:
    """No checksum stands before the kernels here: they may misread, or FormatError is raised, and nothing else."""
    segment = large()[0][0].reader
    body = segment._sections._body
    places = [(segment._sections.place(name), size) for name, size in segment.section_sizes().items()]
    favoured = [segment.section(name) for name in ("postings", "positions", "terms.data")]
    seed = 20240402
    print(f"seed {seed}")
    rng = random.Random(seed)
    refused = read = 0
    for _ in range(int(os.environ.get("NEWSINDEX_TRIALS", "150"))):
        data = bytearray(body.tobytes())
        for _ in range(rng.randint(1, 4)):
            begin, size = (
                rng.choice(places) if rng.random() < 0.4 else [(b, s.size) for b, s in favoured][rng.randrange(3)]
            )
            at = begin + rng.randrange(size) if size else rng.randrange(len(data))
            # The first postings are those of the most frequent words.
            match rng.randrange(4):
                case 0:
                    data[at] ^= 1 << rng.randrange(8)
                case 1:
                    data[at] = rng.randrange(256)
                case 2:
                    data[at : at + 8] = bytes(min(8, len(data) - at))
                case _:
                    data[at : at + 4] = rng.randbytes(min(4, len(data) - at))
        try:
            reader = type(segment)(np.frombuffer(bytes(data), np.uint8), "damaged.nix", SCHEMA)
            opened = open_segments([LiveSegment(ENTRY, reader, np.ones(reader.doc_count, bool))])
            everything_asked(opened)
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
    assert digest_without_compiler("test_sets") == small_digest()


@CHECKED
@given(
    st.lists(st.none() | st.integers(0, 12), min_size=1, max_size=90),
    st.lists(st.none() | st.integers(0, 12), max_size=90),
    st.integers(1, 8), st.integers(0, 100), st.sampled_from([1, 10, 64, 1000]), st.data(),
)  # fmt: skip
def test_the_first_by_date_are_found_among_the_first_of_all(
    first: list[int | None], second: list[int | None], limit: int, share: int, known: int, data: Any
) -> None:
    days = [None if day is None else f"2024-01-{day + 1:02}T00:00:00Z" for day in (*first, *second)]
    made = [{"id": f"{number}", "title": "oil", "published": day} for number, day in enumerate(days)]
    parts = [make_segment(SCHEMA, part) for part in (made[: len(first)], made[len(first) :])]
    segments = open_segments([LiveSegment(ENTRY, part, np.ones(part.doc_count, bool)) for part in parts])
    dates = [date for segment in segments for date in segment.dates.tolist()]
    rng = random.Random(share)
    chosen = [number for number in range(len(dates)) if rng.random() * 100 <= share]
    bitmaps = [
        bitmap(segment, {n - segment.base for n in chosen if 0 <= n - segment.base < segment.doc_count})
        for segment in segments
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segment_module, "FIRSTS", known)
        patch.setattr(ordering, "_are_near", lambda segment, bits, room: True)
        for newest in (True, False):
            sign = 1 if newest else -1
            wanted = sorted((date == MISSING, -sign * date, n) for n, date in enumerate(dates) if n in chosen)
            after = None
            if wanted and data.draw(st.booleans()):
                at = data.draw(st.integers(0, len(wanted) - 1))
                after = dates[wanted[at][2]], wanted[at][2]
                wanted = wanted[at + 1 :]
            found = ordering.top_by_date(segments, bitmaps, limit, newest=newest, after=after)[1]
            assert found.tolist() == [number for _, _, number in wanted[:limit]]
