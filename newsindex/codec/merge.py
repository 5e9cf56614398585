"""Segments to one segment, array to array: nothing is analysed again, deleted articles are left out."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.codec.joined import Joined
from newsindex.codec.merge_kernel import expand_terms, gather_bytes, interleave
from newsindex.codec.merge_words import MergedWords
from newsindex.codec.reader import SegmentReader, Strings
from newsindex.codec.sections import SectionWriter
from newsindex.codec.writer import (
    Occurrences,
    dictionary_sections,
    field_weights,
    id_sections,
    keyword_sections,
    narrow,
    postings_sections,
    stored_sections,
    weighted_lengths,
    word_sections,
)
from newsindex.schema import Date, Flag, Keyword, Number, Schema

__all__ = ["Part", "merge_segments"]

# Occurrences expanded at a time, 8 bytes each and as many again while they are put in order.
_OCCURRENCES = 4 * 1024 * 1024
_Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Part:
    """A segment to merge, and which of its articles live: bool[doc_count]."""

    segment: SegmentReader
    live: _Array


def merge_segments(schema: Schema, parts: Sequence[Part]) -> Iterator[memoryview]:
    """Yield the chunks of the body of a segment with the living articles of all parts, in their order.

    Raises:
        FormatError: a part is damaged; its file is named.
    """
    out = SectionWriter()
    maps = []
    count = 0
    for part in parts:
        numbers = np.where(part.live, np.cumsum(part.live, dtype=np.int64) - 1 + count, -1)
        maps.append(numbers.astype(np.int64))
        count += int(part.live.sum())
    lengths = {
        name: np.concatenate([part.segment.lengths(name)[part.live].astype(np.uint32) for part in parts])
        for name in schema.text_fields
    }
    weights = field_weights(schema)
    weighted = weighted_lengths(np.stack([lengths[name] for name in schema.text_fields], 1), weights)
    yield from _text_sections(out, schema, parts, maps, weights, weighted)
    for name in schema.text_fields:
        yield from out.section(f"lengths.{name}", narrow(lengths[name]))
    yield from _gathered(out, "boundaries", [(part, part.segment.boundaries()) for part in parts])
    for name in schema.of_kind(Keyword):
        yield from _keyword_sections(out, name, parts)
    for name in schema.of_kind(Date, Number, Flag):
        columns = [part.segment.column(name) for part in parts]
        values = [column[0][part.live] for part, column in zip(parts, columns, strict=True)]
        prefix = {Date: "date", Number: "number", Flag: "flag"}[type(schema.fields[name].kind)]
        yield from out.section(f"{prefix}.{name}", np.concatenate(values))
        if prefix == "number":
            present = [column[1][part.live] for part, column in zip(parts, columns, strict=True)]
            yield from out.section(f"has.{name}", np.concatenate(present).astype(np.uint8))
    ids = [itertools.compress(part.segment.ids.texts(), part.live.tolist()) for part in parts]
    yield from id_sections(out, list(itertools.chain.from_iterable(ids)))
    yield from _gathered(out, "title", [(part, part.segment.titles) for part in parts])
    yield from out.section("digest", [part.segment.digests()[part.live] for part in parts])
    yield from stored_sections(
        out, itertools.chain.from_iterable(part.segment.stored_articles(part.live) for part in parts)
    )
    yield from out.directory(
        {
            "doc_count": count,
            "text_fields": {
                name: {"total": int(lengths[name].sum()), "doc_count": int((lengths[name] > 0).sum())}
                for name in schema.text_fields
            },
        }
    )


def _merged(dictionaries: Sequence[Sequence[bytes]]) -> tuple[list[bytes], list[_Array]]:
    """Return the sorted union of sorted lists, and for each list the places of its members in it."""
    union = sorted(set().union(*dictionaries))
    place = {term: number for number, term in enumerate(union)}
    return union, [np.array([place[term] for term in terms], np.int64) for terms in dictionaries]


def _text_sections(
    out: SectionWriter, schema: Schema, parts: Sequence[Part], maps: list[_Array], weights: _Array, weighted: _Array
) -> Iterator[memoryview]:
    fields = len(schema.text_fields)
    decoded = [part.segment.dictionary() for part in parts]
    union, ranks = _merged([terms for terms, _ in decoded])
    words = MergedWords([part.segment for part in parts], ranks)
    most = np.zeros(len(union), np.int64)
    for (_, told), rank in zip(decoded, ranks, strict=True):
        most[rank] += told[:, 4]
    ends = np.cumsum(most)
    cuts = [0]
    while cuts[-1] < len(union):
        done = int(ends[cuts[-1] - 1]) if cuts[-1] else 0
        cuts.append(max(cuts[-1] + 1, int(np.searchsorted(ends, done + _OCCURRENCES, side="right"))))

    def occurrences() -> Iterator[Occurrences]:
        for first, after in itertools.pairwise(cuts):
            expanded, worded = [], []
            counts = np.zeros(after - first, np.int64)
            for number, (part, doc_map, (_, told), rank) in enumerate(zip(parts, maps, decoded, ranks, strict=True)):
                begin, end = np.searchsorted(rank, [first, after]).tolist()
                rows = told[begin:end]
                kept_of_term = np.zeros(end - begin, np.int64)
                room = int(rows[:, 4].sum())
                texts, places = np.empty(room, np.uint32), np.empty(room, np.uint32)
                lives = np.zeros(room, np.uint8)
                kept = expand_terms(
                    rows, *part.segment.text_arrays(), fields, doc_map, kept_of_term, texts, places, lives
                )
                if kept < 0:
                    raise part.segment.damage(f"the postings of terms {begin} to {end}")
                local = rank[begin:end] - first
                np.add.at(counts, local, kept_of_term)
                expanded.append((local, kept_of_term, texts[:kept], places[:kept]))
                kinds = words.kinds(number, begin, end, rows[:, 4])
                worded.append((local, kept_of_term, kinds if kept == room else kinds[lives.view(bool)]))
            starts = np.zeros(after - first + 1, np.int64)
            np.cumsum(counts, out=starts[1:])
            words.add(first, after - first, worded)
            free = starts[:-1].copy()
            texts, places = np.empty(int(starts[-1]), np.uint32), np.empty(int(starts[-1]), np.uint32)
            for local, kept_of_term, its_texts, its_places in expanded:
                interleave(local, kept_of_term, its_texts, its_places, free, texts, places)
            living[first:after] = counts > 0
            yield Occurrences(np.append(0, starts[1:][counts > 0]), texts, places)

    living = np.zeros(len(union), bool)
    told = np.zeros((len(union), 5), np.int64)
    yield from postings_sections(out, _in_ranges(occurrences()), weights, weighted, told)
    terms = Joined.of(list(itertools.compress(union, living.tolist())))
    yield from dictionary_sections(out, "terms", terms, told[: len(terms)])
    yield from word_sections(out, words.words(living))


def _in_ranges(expanded: Iterable[Occurrences]) -> Iterator[Occurrences]:
    """Yield the ranges of terms that there would be if no term had had any occurrence more: the bytes hang on them."""
    waiting: Occurrences | None = None
    for given in expanded:
        if waiting is not None:
            fit = int(np.searchsorted(given.starts, _OCCURRENCES - waiting.starts[-1], side="right")) - 1
            if fit > 0:
                parts = waiting, given.among(0, fit)
                waiting = Occurrences(
                    np.append(waiting.starts, waiting.starts[-1] + parts[1].starts[1:]),
                    np.concatenate([part.texts for part in parts]),
                    np.concatenate([part.positions for part in parts]),
                )
                given = given.among(fit, given.terms)
        if given.terms == 0:
            continue
        if waiting is not None:
            yield waiting
        while (after := max(1, int(np.searchsorted(given.starts, _OCCURRENCES, side="right")) - 1)) < given.terms:
            yield given.among(0, after)
            given = given.among(after, given.terms)
        waiting = given
    if waiting is not None:
        yield waiting


def _gathered(out: SectionWriter, name: str, lists: Sequence[tuple[Part, Strings]]) -> Iterator[memoryview]:
    """Yield the sections of strings, those of the living articles only."""
    datas, starts, size = [], [np.zeros(1, np.uint64)], 0
    for part, strings in lists:
        kept = np.flatnonzero(part.live)
        data, narrow_places = strings.arrays()
        places = narrow_places.astype(np.int64)
        chosen = np.empty(int((places[1:] - places[:-1])[part.live].sum()), np.uint8)
        ends = np.zeros(kept.size + 1, np.uint64)
        used = gather_bytes(data, places, kept, chosen, ends)
        if used < 0:
            raise part.segment.damage(f"the strings {name}")
        datas.append(chosen[:used])
        starts.append(ends[1:] + np.uint64(size))
        size += used
    yield from out.section(f"{name}.data", datas)
    yield from out.section(f"{name}.starts", narrow(np.concatenate(starts)))


def _keyword_sections(out: SectionWriter, name: str, parts: Sequence[Part]) -> Iterator[memoryview]:
    columns = [part.segment.keywords(name) for part in parts]
    chosen = []
    for part, column in zip(parts, columns, strict=True):
        counts = np.diff(column.starts).astype(np.int64)
        chosen.append((counts[part.live], column.ords[np.repeat(part.live, counts)]))
    used = [np.unique(ords) for _, ords in chosen]
    keys = [
        [column.keys.encoded(int(number)) for number in numbers] for column, numbers in zip(columns, used, strict=True)
    ]
    union, places = _merged(keys)
    shown: dict[bytes, bytes] = {}
    for column, numbers, own in zip(columns, used, keys, strict=True):
        for key, number in zip(own, numbers.tolist(), strict=True):
            shown.setdefault(key, column.shown.encoded(number))
    renumbered = []
    for column, numbers, place, (_, ords) in zip(columns, used, places, chosen, strict=True):
        table = np.zeros(len(column.keys), np.uint32)
        table[numbers] = place
        renumbered.append(table[ords])
    yield from keyword_sections(
        out, name, union, [shown[key] for key in union], np.concatenate([counts for counts, _ in chosen]),
        np.concatenate(renumbered),
    )  # fmt: skip
