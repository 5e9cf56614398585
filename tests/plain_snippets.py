"""Snippets made of all the tokens of a text, for comparison."""

from __future__ import annotations

import bisect
import re
from collections.abc import Sequence
from typing import NamedTuple

from newsindex.analysis import Analyzer, Token
from newsindex.results import Snippet
from newsindex.search.matches import Sought
from tests.plain_places import bare

_WIDTH = 240
_LEAD_IN = 60
_APOSTROPHES = "'’‘‛ʼ＇"


class _Match(NamedTuple):
    start: int
    end: int
    leaf: int


def marked_spans(text: str, field: str, leaves: Sequence[Sought], analyzer: Analyzer) -> tuple[tuple[int, int], ...]:
    """Return what all leaves match, merged."""
    return _merged(_matches(text, list(analyzer.tokens(text)), field, leaves))


def snippet(texts: dict[str, str], fields: tuple[str, ...], leaves: Sequence[Sought], analyzer: Analyzer) -> Snippet:
    """Return the window with the most words of different parts of the query, then the most matches, then the first."""
    given = [(name, texts[name]) for name in fields if texts.get(name)]
    if not given:
        return Snippet()
    shown = [pair for pair in given if pair[0] != fields[0]] or given
    best: tuple[tuple[int, int], Snippet] | None = None
    for name, text in shown:
        tokens = list(analyzer.tokens(text))
        matches = _matches(text, tokens, name, leaves)
        if matches:
            first, rank = _best_window(matches, leaves)
            if best is None or rank > best[0]:
                best = (rank, _cut(text, name, tokens, matches, matches[first].start))
    if best is not None:
        return best[1]
    name, text = max(shown, key=lambda pair: len(pair[1]))
    return _cut(text, name, list(analyzer.tokens(text)), [], 0)


def _matches(text: str, tokens: list[Token], field: str, leaves: Sequence[Sought]) -> list[_Match]:
    """Return the matches of all leaves in order of their start: whole phrases, not their single words."""
    found: list[_Match] = []
    for number, leaf in enumerate(leaves):
        if field not in leaf.fields or not leaf.words:
            continue
        if leaf.likes is not None:
            chosen = [token for token in tokens if leaf.likes(token.surface) or leaf.likes(token.term)]
            found += [_Match(token.start, token.end, number) for token in chosen]
            continue
        for at in range(len(tokens) - len(leaf.words) + 1):
            there = tokens[at : at + len(leaf.words)]
            if all(token.term in terms for token, terms in zip(there, leaf.words, strict=True)) and all(
                form == (bare(text[token.start : token.end]) if leaf.cased else token.surface)
                for token, form in zip(there, leaf.written, strict=False)
            ):
                found.append(_Match(there[0].start, there[-1].end, number))
    found.sort(key=lambda match: (match.start, match.end))
    return found


def _merged(matches: list[_Match]) -> tuple[tuple[int, int], ...]:
    spans: list[tuple[int, int]] = []
    for match in matches:
        if spans and match.start < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], match.end))
        else:
            spans.append((match.start, match.end))
    return tuple(spans)


def _best_window(matches: list[_Match], leaves: Sequence[Sought]) -> tuple[int, tuple[int, int]]:
    """Return the match that begins the best window, and its (words of different leaves, matches)."""
    words = [len(leaf.words) for leaf in leaves]
    best, rank = 0, (0, 0)
    for first, match in enumerate(matches):
        inside = [other for other in matches[first:] if other.end <= match.start + _WIDTH - _LEAD_IN]
        found = (sum(words[number] for number in {other.leaf for other in inside}), len(inside))
        if found > rank:
            best, rank = first, found
    return best, rank


def _cut(text: str, field: str, tokens: list[Token], matches: list[_Match], focus: int) -> Snippet:
    """Return the window around a match, from the beginning of its sentence when that is near, between whole words."""
    starts = [token.start for token in tokens]
    earliest = max(0, focus - _LEAD_IN)
    sentences = [token.start for token in tokens if token.boundary and earliest <= token.start <= focus]
    at = bisect.bisect_left(starts, earliest)
    start = sentences[0] if sentences else (starts[at] if at < len(starts) else focus)
    first = starts[0] if starts else 0
    start = 0 if start <= first and start <= _WIDTH else _open_quote(text, start)
    limit = max([start + _WIDTH, *(match.end for match in matches if match.start == focus)])
    end = len(text)
    if limit < len(text):
        end = max((token.end for token in tokens if start < token.end <= limit), default=limit)
        mark = end + 1 if text[end : end + 1] == "." else end
        if text[mark : mark + 2].lower() in {f"{apostrophe}s" for apostrophe in _APOSTROPHES}:
            further = mark + 3 if text[mark + 2 : mark + 3] in tuple(_APOSTROPHES) else mark + 2
            if not re.match(r"\w", text[further : further + 1]):
                end = mark + 2
        while end < len(text) and text[end] in ".,;:!?”’\"'»)":
            end += 1
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    spans = tuple((a - start - left, b - start - left) for a, b in _merged(matches) if start + left <= a and b <= end)
    piece = piece.strip()
    return Snippet(
        piece, tuple(span for span in spans if span[1] <= len(piece)), field, start > 0, bool(text[end:].strip())
    )


def _open_quote(text: str, start: int) -> int:
    """Return the place before a quotation mark or bracket that opens right before the word."""
    while start > 0 and text[start - 1] in "“‘\"'«(":
        start -= 1
    return start
