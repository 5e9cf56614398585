"""Hits, as people and programs want them."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, overload

from pydantic import BaseModel

from newsindex.errors import SourceError
from newsindex.query.diagnostics import Diagnostic

__all__ = ["CONTROL", "AddReport", "Explanation", "Hit", "Results", "Snippet", "printable"]

# What str.splitlines ends a line at; a terminal or rich would do something else with most of them.
_LINE_BREAK = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
# C0 without newline and tab, DEL, C1, and the marks that turn the direction of text around.
CONTROL = "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_UNSAFE = re.compile(f"[{CONTROL}]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Return the text without what could command a terminal: control characters and marks of direction.

    Newlines and tabs stay; other line breaks become newlines; half a surrogate pair becomes U+FFFD. What comes from
    articles, queries, file names and error messages passes through here on its way to a screen.

    >>> printable("\x1b[31mred\r\nnext\u202e line")
    '[31mred\nnext line'
    """
    return _SURROGATE.sub("\ufffd", _UNSAFE.sub("", _LINE_BREAK.sub("\n", text)))


@dataclass(frozen=True)
class Snippet:
    """A piece of an article around what matched.

    `text` is plain, unescaped text of the field named `field`; `spans` are the (start, end) offsets into it of what
    matched, ascending, not overlapping. `cut_start` and `cut_end` tell that the field goes on before and after.
    """

    text: str = ""
    spans: tuple[tuple[int, int], ...] = ()
    field: str = ""
    cut_start: bool = False
    cut_end: bool = False

    def pieces(self) -> Iterator[tuple[str, bool]]:
        """Yield (piece, matched) in order; the pieces joined are the text.

        >>> list(Snippet("rates fell", ((0, 5),)).pieces())
        [('rates', True), (' fell', False)]
        """
        at = 0
        for start, end in self.spans:
            if start > at:
                yield self.text[at:start], False
            yield self.text[start:end], True
            at = end
        if at < len(self.text):
            yield self.text[at:], False

    def html(self, tag: str = "mark") -> str:
        """Return escaped HTML with what matched inside `<tag>`, without control characters and marks of direction.

        >>> Snippet("a <b> rate", ((6, 10),)).html()
        'a &lt;b&gt; <mark>rate</mark>'
        """
        if not tag.isalnum():
            raise ValueError(f"not a tag name: {tag!r}")
        shown = ((html.escape(printable(piece)), matched) for piece, matched in self.pieces())
        body = "".join(f"<{tag}>{piece}</{tag}>" if matched else piece for piece, matched in shown)
        return f"{'… ' if self.cut_start else ''}{body}{' …' if self.cut_end else ''}"

    def __str__(self) -> str:
        """Return the text, with ellipses where the field goes on."""
        return f"{'… ' if self.cut_start else ''}{self.text}{' …' if self.cut_end else ''}"


@dataclass(frozen=True)
class Explanation:
    """Why a hit has its score: a value, what it is, and the parts it is made of."""

    value: float
    description: str
    parts: tuple[Explanation, ...] = ()

    def __str__(self) -> str:
        """Return the tree as indented lines."""
        return "\n".join(self._lines(0))

    def _lines(self, depth: int) -> Iterator[str]:
        yield f"{'  ' * depth}{self.value:.4f}  {self.description}"
        for part in self.parts:
            yield from part._lines(depth + 1)


@dataclass(frozen=True)
class Hit:
    """One result. `rank` counts from 1 over all pages; `score` is 0.0 when hits are sorted by date.

    `snippet` and `article` are made when first asked for.
    """

    rank: int
    score: float
    id: str
    title: str
    published: datetime | None
    source: str | None
    _load: Callable[[], BaseModel] = field(repr=False, compare=False)
    _snip: Callable[[BaseModel], Snippet] = field(repr=False, compare=False)

    @cached_property
    def article(self) -> BaseModel:
        """The whole article, an instance of the index's model."""
        return self._load()

    @cached_property
    def snippet(self) -> Snippet:
        """The piece of the article that shows best what matched; the beginning when nothing did."""
        return self._snip(self.article)


class Results(Sequence[Hit]):
    """One page of hits, best first.

    `facets` has, for each field asked for, the values with their counts, most frequent first. `next` is the cursor of
    the next page, None on the last. `searched` is the query as it was understood, filters included; `diagnostics` are
    the departures from what was typed.
    """

    def __init__(
        self,
        hits: list[Hit],
        *,
        count: Callable[[], int],
        facets: dict[str, dict[str, int]],
        next: str | None,
        searched: str,
        diagnostics: tuple[Diagnostic, ...],
    ) -> None:
        self._hits = hits
        self._count = count
        self.facets = facets
        self.next = next
        self.searched = searched
        self.diagnostics = diagnostics

    @cached_property
    def total(self) -> int:
        """The exact number of articles that match, on all pages."""
        return self._count()

    def __len__(self) -> int:
        """Return the number of hits on this page."""
        return len(self._hits)

    @overload
    def __getitem__(self, index: int) -> Hit: ...
    @overload
    def __getitem__(self, index: slice) -> list[Hit]: ...
    def __getitem__(self, index: int | slice) -> Hit | list[Hit]:
        """Return the hit at a place on this page, counted from 0."""
        return self._hits[index]

    def __repr__(self) -> str:
        """Name the query and the size of the page."""
        return f"<Results of {self.searched!r}: {len(self)} hits on this page>"


@dataclass
class AddReport:
    """What became of the records given to `add`.

    `rejected` has, for each record that was not kept, an error with place and reason.
    `naive_dates` counts articles whose date named no zone and was taken as UTC; `unknown_keys` counts keys that the
    model does not have (kept, not searched); `long_terms` counts words over 255 bytes, which are cut to
    that length and found by it.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[SourceError] = field(default_factory=list)
    naive_dates: int = 0
    long_terms: int = 0
    unknown_keys: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON data."""
        data = dict(vars(self))
        data["rejected"] = [{"file": e.file, "line": e.line, "reason": e.reason} for e in self.rejected]
        return data
