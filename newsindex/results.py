"""Hits, as people and programs want them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol, overload

from pydantic import BaseModel

from newsindex.errors import SourceError
from newsindex.query.diagnostics import Diagnostic

__all__ = ["CONTROL", "AddReport", "Explanation", "Hit", "Page", "Results", "Snippet", "printable"]

_MOST_REJECTED = 10_000
_MOST_KEYS = 1_000
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


class Page(Protocol):
    """What a page of hits is made of, for whoever searches to provide; `place` is a hit's on the page, from 0.

    The snapshot is the page's own, so that hits stay what they were after later commits. Nothing but `scores`, `given`
    and `facets` is made before a caller asks for it. What a page keeps of an article once made (a block of stored
    articles, say) it bounds itself: `article` and `snippet` are kept by the hit.
    """

    @property
    def scores(self) -> list[float]:
        """The score of each hit, best first; 0.0 for each when hits are sorted by date."""

    @property
    def ids(self) -> list[str]:
        """The ids of the first hits, as many as were read."""

    @property
    def titles(self) -> list[str]:
        """What a list calls the first hits, as many as were read."""

    @property
    def given(self) -> int:
        """How many hits the pages before had; the first hit's rank is one more."""

    @property
    def facets(self) -> dict[str, dict[str, int]]:
        """For each field asked for its values with their counts, most frequent first."""

    def read_ids(self, place: int) -> list[str]:
        """Read more ids, up to this one at least, and return those read."""

    def read_titles(self, place: int) -> list[str]:
        """Read more titles, up to this one at least, and return those read."""

    def published(self, place: int) -> datetime | None:
        """Return the date by which articles are sorted."""

    def source(self, place: int) -> str | None:
        """Return an article's source."""

    def article(self, place: int) -> BaseModel:
        """Return a whole article."""

    def snippet(self, place: int) -> Snippet:
        """Return the piece of an article that shows best what matched."""

    def count(self) -> int:
        """Return the exact number of articles that match."""

    def cursor(self) -> str | None:
        """Return the cursor of the next page, None on the last."""

    def searched(self) -> str:
        """Return the query as it was understood, filters included."""

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Return the departures from what was typed."""


class Hit:
    """One result. `rank` counts from 1 over all pages; `score` is 0.0 when hits are sorted by date.

    Everything is read when asked for; `article` and `snippet` are kept. Hits are equal when what a list shows of them
    is: rank, score, id, title, date and source.
    """

    __slots__ = ("_article", "_page", "_place", "_snippet")

    def __init__(self, page: Page, place: int) -> None:
        """Take the hit at a place of a page, counted from 0."""
        self._page = page
        self._place = place

    @property
    def rank(self) -> int:
        """The place among all hits, counted from 1."""
        return self._page.given + self._place + 1

    @property
    def score(self) -> float:
        """How well the article matches; 0.0 when hits are sorted by date."""
        return self._page.scores[self._place]

    @property
    def id(self) -> str:
        """The article's id."""
        try:
            return self._page.ids[self._place]
        except IndexError:
            return self._page.read_ids(self._place)[self._place]

    @property
    def title(self) -> str:
        """What a list calls the article: its title, else how its text begins."""
        try:
            return self._page.titles[self._place]
        except IndexError:
            return self._page.read_titles(self._place)[self._place]

    @property
    def published(self) -> datetime | None:
        """The date by which articles are sorted."""
        return self._page.published(self._place)

    @property
    def source(self) -> str | None:
        """The article's source, where the model has a field of that name."""
        return self._page.source(self._place)

    @property
    def article(self) -> BaseModel:
        """The whole article, an instance of the index's model."""
        try:
            return self._article
        except AttributeError:
            self._article: BaseModel = self._page.article(self._place)
            return self._article

    @property
    def snippet(self) -> Snippet:
        """The piece of the article that shows best what matched; the beginning when nothing did."""
        try:
            return self._snippet
        except AttributeError:
            self._snippet: Snippet = self._page.snippet(self._place)
            return self._snippet

    def _shown(self) -> tuple[object, ...]:
        return self.rank, self.score, self.id, self.title, self.published, self.source

    def __eq__(self, other: object) -> bool:
        """Compare what a list shows."""
        return self._shown() == other._shown() if isinstance(other, Hit) else NotImplemented

    def __hash__(self) -> int:
        """Return the hash of what a list shows."""
        return hash(self._shown())

    def __repr__(self) -> str:
        """Show what a list shows."""
        names = ("rank", "score", "id", "title", "published", "source")
        return f"Hit({', '.join(f'{name}={value!r}' for name, value in zip(names, self._shown(), strict=True))})"


class Results(Sequence[Hit]):
    """One page of hits, best first. Hits are made when first asked for, and so is what is said of the whole."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._made: list[Hit] | None = None
        self._total: int | None = None

    @property
    def _hits(self) -> list[Hit]:
        if self._made is None:
            page = self._page
            self._made = [Hit(page, place) for place in range(len(page.scores))]
        return self._made

    @property
    def ids(self) -> list[str]:
        """The ids of the hits on this page; of many hits in a fraction of the time that one after the other takes."""
        page = self._page
        known, count = page.ids, len(page.scores)
        return (known if len(known) >= count else page.read_ids(count - 1)).copy()

    @property
    def scores(self) -> list[float]:
        """The scores of the hits on this page; 0.0 for each when hits are sorted by date."""
        return self._page.scores.copy()

    @property
    def titles(self) -> list[str]:
        """What a list calls the hits on this page."""
        page = self._page
        known, count = page.titles, len(page.scores)
        return (known if len(known) >= count else page.read_titles(count - 1)).copy()

    @property
    def facets(self) -> dict[str, dict[str, int]]:
        """For each field asked for, the values with their counts, most frequent first."""
        return self._page.facets

    @property
    def total(self) -> int:
        """The exact number of articles that match, on all pages."""
        # No cached_property: up to Python 3.11 all instances share its lock, and threads would count in turn.
        if self._total is None:
            self._total = self._page.count()
        return self._total

    @cached_property
    def next(self) -> str | None:
        """The cursor of the next page, None on the last."""
        return self._page.cursor()

    @cached_property
    def searched(self) -> str:
        """The query as it was understood, filters included."""
        return self._page.searched()

    @cached_property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The departures from what was typed."""
        return self._page.diagnostics()

    def __len__(self) -> int:
        """Return the number of hits on this page."""
        return len(self._page.scores)

    def __iter__(self) -> Iterator[Hit]:
        """Yield the hits of this page, best first."""
        return iter(self._hits)

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

    `rejected` has, for each record that was not kept, an error with place and reason; of one file the first 10,000 of
    them, and `more_rejected` counts those after them.
    `naive_dates` counts articles whose date named no zone and was taken as UTC; `unknown_keys` counts keys that the
    model does not have (kept, not searched), the first 1,000 by name, and `more_unknown_keys` all others; `long_terms`
    counts words over 255 bytes, which are cut to that length and found by it.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[SourceError] = field(default_factory=list)
    more_rejected: int = 0
    naive_dates: int = 0
    long_terms: int = 0
    unknown_keys: dict[str, int] = field(default_factory=dict)
    more_unknown_keys: int = 0

    def reject(self, error: SourceError) -> None:
        """Take the error of a record that was not kept, without what it holds on to: the record, and where it was."""
        if len(self.rejected) >= _MOST_REJECTED and self.rejected[-_MOST_REJECTED].file == error.file:
            self.more_rejected += 1
            return
        error.__traceback__ = error.__context__ = error.__cause__ = None
        self.rejected.append(error)

    def count_key(self, key: str) -> None:
        """Count a key that the model does not have."""
        if key in self.unknown_keys or len(self.unknown_keys) < _MOST_KEYS:
            self.unknown_keys[key] = self.unknown_keys.get(key, 0) + 1
        else:
            self.more_unknown_keys += 1

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON data."""
        data = dict(vars(self))
        data["rejected"] = [{"file": e.file, "line": e.line, "reason": e.reason} for e in self.rejected]
        return data
