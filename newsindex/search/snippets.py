"""The piece of an article that shows best what matched."""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from operator import gt
from typing import Any

import numpy as np
from pydantic_core import from_json

from newsindex.analysis import Analyzer
from newsindex.analysis.boundaries import boundary
from newsindex.analysis.characters import APOSTROPHES
from newsindex.results import Snippet
from newsindex.search.borders_kernel import LEAD_IN, WIDTH
from newsindex.search.deadline import Deadline
from newsindex.search.json_kernel import find_strings
from newsindex.search.matches import Finder, Match, Sought, chunk_before, chunk_from
from newsindex.search.plain_matches import BRIEF, found_matches, local
from newsindex.search.snippet_kernel import (
    AFTER,
    COUNT,
    FIRST,
    GOES_ON,
    IS_ASCII,
    IS_CUT,
    MOST,
    NEVER,
    PAIRS,
    SIZE,
    SPANS,
    START,
    UNSEEN,
    WORDS,
)

__all__ = ["Snippets", "marked_spans"]

# Words are looked for in so many characters first, between two spaces.
_SHORT = 40
_SPACES = frozenset(" \n\t")
_CLOSING = frozenset(".,;:!?”’\"'»)")
_OPENING = frozenset("“‘\"'«(")
# Without one of these between two words no sentence and no paragraph begins: see `boundary`.
_ENDING = re.compile(r"[.!?…؟।][\"'”’»)\]]*\s|[。！？｡\u2029]|\n[^\S\n]*\n|\n[ \t]{2}")
# What a word is without, see `tokenizer`, and a reader misses; of `Inc.'s` with the full stop.
_POSSESSIVE = re.compile(rf"\.?[{APOSTROPHES}][sS](?![{APOSTROPHES}]?\w)")


def marked_spans(text: str, field: str, leaves: Sequence[Sought], analyzer: Analyzer) -> tuple[tuple[int, int], ...]:
    """Return the (start, end) offsets of everything in a text that the query's leaves match, merged and ascending.

    Raises:
        QueryTooComplex: it takes more than two seconds.
    """
    return _merged(Finder(leaves, field, analyzer).matches(text, Deadline()))


class Snippets:
    """Makes the snippets of one search. Any number of threads may use it."""

    def __init__(self, leaves: Sequence[Sought], fields: Sequence[str], analyzer: Analyzer) -> None:
        """Take what is sought, and the text fields, the title's first."""
        self._analyzer = analyzer
        self._fields = tuple(fields)
        names = [field.encode() for field in fields]
        # Of a name that is too long for the kernel, none is told.
        told = names if max(map(len, names), default=0) < 256 else []
        self._names = np.frombuffer(b"".join([bytes((len(name),)) + name for name in told]), np.uint8)
        self._words = [len(leaf.words) for leaf in leaves]
        self._finders: dict[str, Finder] = {}
        made: dict[tuple[bool, ...], Finder] = {}
        for field in fields:
            key = tuple(field in leaf.fields for leaf in leaves)
            if key not in made:
                made[key] = Finder(leaves, field, analyzer)
            self._finders[field] = made[key]

    def of_stored(self, stored: bytes, deadline: Deadline) -> Snippet:
        """Return the snippet of a stored article.

        Raises:
            QueryTooComplex: the deadline is over.
            ValueError: it is no JSON object.
        """
        seen = self._seen(stored, deadline)
        if seen is not None:
            return seen
        article = from_json(stored)
        if not isinstance(article, dict):
            raise ValueError("not an object")
        return self.of_texts(article, deadline)

    def _seen(self, stored: bytes, deadline: Deadline) -> Snippet | None:
        """Return the snippet of a stored article where a kernel tells all of it; None where one has to look again."""
        source = np.frombuffer(stored, np.uint8)
        mine = local
        scratch = mine.scratch
        if not self._names.size or not find_strings(source, self._names, scratch):
            return None
        ends = scratch[: 2 * len(self._fields)].tolist()
        given = [
            (name, ends[at], ends[at + 1])
            for at, name in zip(range(0, len(ends), 2), self._fields, strict=True)
            if ends[at + 1]
        ]
        shown = given[1:] if given and given[0][0] == self._fields[0] and len(given) > 1 else given
        best: Snippet | None = None
        rank = -1, 0, False, 0
        for name, begin, end in shown:
            plain = self._finders[name].plain
            if end - begin > BRIEF or plain is None:
                return None
            told = plain.find(source, begin, end, True, True, deadline)
            if told == NEVER:
                return None
            seen = scratch[: SPANS + 2 * mine.numbers[PAIRS]].tolist()
            count, most = seen[COUNT], (seen[WORDS], seen[MOST])
            found = *most, count > 0, 0 if count else seen[SIZE]
            if found <= rank:
                continue
            rank = found
            if told == UNSEEN:
                best = self._cut(name, from_json(stored[begin - 1 : end + 1]), found_matches(), seen[FIRST])
                continue
            start, after = seen[START], seen[AFTER]
            if seen[IS_ASCII]:
                piece = str(mine.text[start:after], "ascii")
            else:
                piece = from_json(stored[begin - 1 : end + 1])[start:after]
            spans = tuple([(seen[at], seen[at + 1]) for at in range(SPANS, len(seen), 2)])
            best = Snippet(piece, spans, name, seen[IS_CUT] > 0, seen[GOES_ON] > 0)
        return best

    def of_texts(self, texts: Mapping[str, Any], deadline: Deadline) -> Snippet:
        """Return the window with the most words of different parts of the query, then the most matches, then the first.

        The first text field, the title, is shown with every hit anyway: its matches count only when it is all there is.
        """
        given = [(name, text) for name in self._fields if (text := texts.get(name)) and isinstance(text, str)]
        if not given:
            return Snippet()
        shown = [pair for pair in given if pair[0] != self._fields[0]] or given
        best: tuple[str, str, list[Match], int] | None = None
        rank = (0, 0)
        for name, text in shown:
            matches = self._finders[name].matches(text, deadline)
            if matches:
                first, found = self._best_window(matches)
                if best is None or found > rank:
                    best, rank = (name, text, matches, first), found
        if best is None:
            name, text = max(shown, key=lambda pair: len(pair[1]))
            best = name, text, [], 0
        return self._cut(*best)

    def _best_window(self, matches: list[Match]) -> tuple[int, tuple[int, int]]:
        """Return the match that begins the best window, and its (words of different leaves, matches)."""
        words, count, width = self._words, len(matches), WIDTH - LEAD_IN
        if count == 1 and matches[0][1] - matches[0][0] <= width:
            return 0, (words[matches[0][2]], 1)
        ends = [end for _, end, _ in matches]
        best = at = inside = different = most = 0
        if len(words) == 1:
            for first, (start, _, _) in enumerate(matches):
                limit = start + width
                while at < count and ends[at] <= limit:
                    at += 1
                if at - first > most:
                    best, most = first, at - first
            return best, (words[0] if most else 0, most)
        leaves = [leaf for _, _, leaf in matches]
        order = list(range(count))
        if any(map(gt, ends, ends[1:])):
            order.sort(key=ends.__getitem__)
        own = [0] * len(words)
        best_words = 0
        for first, (start, end, leaf) in enumerate(matches):
            limit = start + width
            while at < count and ends[order[at]] <= limit:
                number = order[at]
                if number >= first:
                    added = leaves[number]
                    inside += 1
                    if not own[added]:
                        different += words[added]
                    own[added] += 1
                at += 1
            if different > best_words or (inside > most and different == best_words):
                best, best_words, most = first, different, inside
            if end <= limit:
                inside -= 1
                own[leaf] -= 1
                if not own[leaf]:
                    different -= words[leaf]
        return best, (best_words, most)

    def _cut(self, field: str, text: str, matches: list[Match], first: int) -> Snippet:
        """Return the window around a match, from the beginning of its sentence when near, between whole words."""
        focus = after = matches[first][0] if matches else 0
        for begin, last, _ in itertools.islice(matches, first, None):
            if begin > focus:
                break
            after = max(after, last)
        start, end = self._borders(text, focus, after)
        piece = text[start:end]
        begin = start + len(piece) - len(piece.lstrip())
        piece = piece.strip()
        spans = []
        for number in range(bisect_left(matches, (begin, 0, 0)), len(matches)):
            match = matches[number]
            if match[0] >= end:
                break
            if match[1] <= end:
                spans.append(match)
        shown = tuple([(a - begin, b - begin) for a, b in _merged(spans) if b - begin <= len(piece)])
        goes_on = end < len(text) and not (text[end : end + _SHORT].isspace() and chunk_from(text, end)[0] == len(text))
        return Snippet(piece, shown, field, start > 0, goes_on)

    def _borders(self, text: str, focus: int, after: int) -> tuple[int, int]:
        """Return where the piece around a match begins and ends; `after` is where what matches there ends."""
        start = 0
        if focus > LEAD_IN:
            start = self._start(text, focus)
            while start > 0 and text[start - 1] in _OPENING:
                start -= 1
        limit = max(start + WIDTH, after)
        end = len(text)
        if limit < len(text):
            end = max(start, self._word_before(text, limit)[1]) or limit
            if possessive := _POSSESSIVE.match(text, end):
                end = possessive.end()
            while end < len(text) and text[end] in _CLOSING:
                end += 1
        return start, end

    def _start(self, text: str, focus: int) -> int:
        """Return where the sentence of a match begins when that is near, else the first word that is near."""
        earliest = focus - LEAD_IN
        near = _plain_from(text, earliest)
        end = near - 1  # of the word before
        if near < 0:
            near = self._word_from(text, chunk_before(text, earliest), earliest)
            before, end = self._word_before(text, near)
            if before is None:
                return 0 if near <= WIDTH else near
        while ending := _ENDING.search(text, end, focus):
            after = ending.end()
            start = self._word_from(text, after, after)
            if start > focus:
                break
            before, end = self._word_before(text, after)
            if start >= earliest and boundary(text, end, start, before):
                return start
            end = start
        return near

    def _word_from(self, text: str, at: int, least: int) -> int:
        """Return where the first word begins, from a chunk on, that begins at a place or after it."""
        if at == least and text[at - 1 : at] in _SPACES and _is_plain(text[at : text.find(" ", at, at + _SHORT)]):
            return at
        while at < len(text):
            begin, at = chunk_from(text, at)
            for _, start, _ in self._analyzer.pieces(text[begin:at]):
                if begin + start >= least:
                    return begin + start
        return len(text)

    def _word_before(self, text: str, at: int) -> tuple[str | None, int]:
        """Return the folded form and the end of the last word that ends here or before, (None, 0) for none."""
        space = text.rfind(" ", max(0, at - _SHORT), at)
        if space >= 0 and at < len(text) and _is_plain(text[space + 1 : at + 1]):  # the word there ends later
            before = text.rfind(" ", max(0, space - _SHORT), space)
            if before >= 0 and (pieces := self._analyzer.pieces(text[before + 1 : space])):
                surface, _, last = pieces[-1]
                return surface, before + 1 + last
        limit = at
        while at > 0:
            begin = chunk_before(text, at)
            if begin < at:
                for surface, _, last in reversed(self._analyzer.pieces(text[begin : chunk_from(text, begin)[1]])):
                    if begin + last <= limit:
                        return surface, begin + last
            at = begin
            while at > 0 and text[at - 1].isspace():
                at -= 1
        return None, 0


def _is_plain(chunk: str) -> bool:
    """Tell whether a piece of text is one word, or of one, in every language."""
    return chunk.isalnum() and chunk.isascii()


def _plain_from(text: str, least: int) -> int:
    """Return where the first word begins that begins at a place or after it, where it is easily seen, else -1."""
    space = text.find(" ", least, least + _SHORT)
    if space > 0 and _is_plain(text[least - 1 : space]):
        end = text.find(" ", space + 1, space + _SHORT)
        if end > 0 and _is_plain(text[space + 1 : end]):
            return space + 1
    return -1


def _merged(matches: Sequence[Match]) -> tuple[tuple[int, int], ...]:
    spans: list[tuple[int, int]] = []
    for start, end, _ in matches:
        if spans and start < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    return tuple(spans)
