"""Valid articles as the indexer takes them: one, or many by columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any, NamedTuple

import xxhash

__all__ = ["PreparedArticle", "PreparedArticles"]


class PreparedArticle(NamedTuple):
    """A valid article.

    `values` has the non-empty indexed fields: str for text, a tuple of str for keywords, int for dates (microseconds
    since 1970 UTC), int or float for numbers, bool for flags. `stored` is the whole article as JSON in UTF-8, and
    `naive_dates` names the date fields that came without a zone.
    """

    article_id: str
    values: dict[str, Any]
    stored: bytes
    naive_dates: tuple[str, ...]
    unknown_keys: tuple[str, ...]

    @property
    def digest(self) -> bytes:
        """What tells whether the article has changed: 8 bytes of XXH3."""
        return xxhash.xxh3_64_digest(self.stored)


@dataclass(slots=True)
class PreparedArticles:
    """Valid articles by columns: what is made for each of many is what costs, the garbage collector's share included.

    `columns` has a list of values, None where there is none, of each field that is in any of them; the rest is as in
    `PreparedArticle`.
    """

    ids: list[str] = field(default_factory=list)
    stored: list[bytes] = field(default_factory=list)
    columns: dict[str, list[Any]] = field(default_factory=dict)
    naive_dates: list[tuple[str, ...]] = field(default_factory=list)
    unknown_keys: list[tuple[str, ...]] = field(default_factory=list)

    @classmethod
    def of(cls, articles: Sequence[PreparedArticle]) -> PreparedArticles:
        """Return articles that were prepared one by one."""
        names = dict.fromkeys(name for article in articles for name in article.values)
        return cls(
            [article.article_id for article in articles],
            [article.stored for article in articles],
            {name: [article.values.get(name) for article in articles] for name in names},
            [article.naive_dates for article in articles],
            [article.unknown_keys for article in articles],
        )

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.ids)

    def __getitem__(self, place: int) -> PreparedArticle:
        """Return one."""
        values = {name: column[place] for name, column in self.columns.items() if column[place] is not None}
        return PreparedArticle(
            self.ids[place], values, self.stored[place], self.naive_dates[place], self.unknown_keys[place]
        )

    def among(self, first: int, after: int) -> PreparedArticles:
        """Return those from `first` on up to `after`."""
        part = slice(first, after)
        return PreparedArticles(
            self.ids[part],
            self.stored[part],
            {name: column[part] for name, column in self.columns.items()},
            self.naive_dates[part],
            self.unknown_keys[part],
        )

    def without(self, places: set[int]) -> PreparedArticles:
        """Return all but some."""
        kept = [place not in places for place in range(len(self))]
        return PreparedArticles(
            list(compress(self.ids, kept)),
            list(compress(self.stored, kept)),
            {name: list(compress(column, kept)) for name, column in self.columns.items()},
            list(compress(self.naive_dates, kept)),
            list(compress(self.unknown_keys, kept)),
        )

    def extend(self, others: PreparedArticles) -> None:
        """Add articles at the end."""
        for name in others.columns.keys() - self.columns.keys():
            self.columns[name] = [None] * len(self)
        for name, column in self.columns.items():
            column += others.columns.get(name) or [None] * len(others)
        self.ids += others.ids
        self.stored += others.stored
        self.naive_dates += others.naive_dates
        self.unknown_keys += others.unknown_keys
