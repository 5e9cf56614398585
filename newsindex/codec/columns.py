"""What a segment keeps of its articles beside the text: filled as they come, by columns and not by articles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, repeat
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash

from newsindex.codec.format import MISSING
from newsindex.schema import Date, Flag, Keyword, Number, PreparedArticles, Schema, fold_keyword

__all__ = ["ArticleColumns", "KeywordValues"]

_Array = npt.NDArray[Any]


class _Numbers(dict[str, int]):
    """The number of each written value: that of its folded form, in the order of first appearance."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.keys_in_order: dict[str, int] = {}

    def __missing__(self, text: str) -> int:
        key = fold_keyword(text)
        number = self.keys_in_order.setdefault(key, len(self.shown))
        if number == len(self.shown):
            self.shown.append(text.strip())
        self[text] = number
        return number


class KeywordValues:
    """The values of a keyword field."""

    def __init__(self) -> None:
        self._numbers = _Numbers()
        self._ords: list[int] = []
        self._counts: list[int] = []
        self._several = False

    def extend(self, values: Sequence[Sequence[str] | None]) -> None:
        """Add the values of articles, none or some of each."""
        number_of = self._numbers.__getitem__
        owned = [
            () if own is None else (number_of(own[0]),) if len(own) == 1 else set(map(number_of, own)) for own in values
        ]
        counts = list(map(len, owned))
        self._several = self._several or max(counts, default=0) > 1
        self._counts += counts
        self._ords += chain.from_iterable(owned)

    def extend_by_none(self, count: int) -> None:
        """Add so many articles without a value."""
        self._counts += repeat(0, count)

    def finished(self) -> tuple[list[str], list[str], _Array, _Array]:
        """Return (keys sorted, each as first written, how many each article has, which: numbers of keys)."""
        first_seen = self._numbers.keys_in_order
        order = sorted(first_seen)  # the order of code points is that of their UTF-8
        place = np.zeros(len(order), np.uint32)
        place[[first_seen[key] for key in order]] = np.arange(len(order), dtype=np.uint32)
        counts = np.array(self._counts, np.uint32)
        ords = place[np.array(self._ords, np.int64)]
        if self._several:
            ords = ords[np.lexsort((ords, np.repeat(np.arange(counts.size), counts)))]
        return order, [self._numbers.shown[first_seen[key]] for key in order], counts, ords


class ArticleColumns:
    """The columns of articles; an article's number is its place."""

    def __init__(self, schema: Schema) -> None:
        self.count = 0
        self.ids: list[str] = []
        self.titles: list[bytes] = []
        self.digests: list[bytes] = []
        self.keywords = {name: KeywordValues() for name in schema.of_kind(Keyword)}
        self._columns: dict[str, list[tuple[_Array, _Array]]] = {
            name: [] for name in schema.of_kind(Date, Number, Flag)
        }
        self._types: dict[str, type[Any]] = {}
        for name in self._columns:
            is_float = schema.fields[name].type_name == "float"
            kind = type(schema.fields[name].kind)
            self._types[name] = np.uint8 if kind is Flag else np.float64 if is_float else np.int64
        self._absent = {name: MISSING if isinstance(schema.fields[name].kind, Date) else 0 for name in self._columns}
        self._text_fields = schema.text_fields

    def extend(self, articles: PreparedArticles) -> None:
        """Add articles at the end."""
        count = len(articles)
        self.count += count
        self.ids += articles.ids
        self.titles += self._titles(articles)
        self.digests += map(xxhash.xxh3_64_digest, articles.stored)
        for name, keywords in self.keywords.items():
            values = articles.columns.get(name)
            if values is None:
                keywords.extend_by_none(count)
            else:
                keywords.extend(values)
        for name, column in self._columns.items():
            absent, dtype = self._absent[name], self._types[name]
            values = articles.columns.get(name)
            if values is None:
                column.append((np.full(count, absent, dtype), np.zeros(count, bool)))
            elif None in values:
                numbers = np.array([absent if value is None else value for value in values], dtype)
                column.append((numbers, np.array([value is not None for value in values], bool)))
            else:
                column.append((np.array(values, dtype), np.ones(count, bool)))

    def column(self, name: str) -> tuple[_Array, _Array]:
        """Return the values of a date, number or flag, and of which articles there is one: bool[count]."""
        parts = self._columns[name]
        if not parts:
            return np.zeros(0, self._types[name]), np.zeros(0, bool)
        return np.concatenate([values for values, _ in parts]), np.concatenate([there for _, there in parts])

    def _titles(self, articles: PreparedArticles) -> list[bytes]:
        """Return what a list of hits calls each article: its title, else the first line of what text it has."""
        titles = articles.columns.get("title", [None] * len(articles))
        return [
            (title.strip() if type(title) is str else self._title(articles[place].values)).encode()
            for place, title in enumerate(titles)
        ]

    def _title(self, values: dict[str, Any]) -> str:
        texts: Iterable[Any] = (values[name] for name in ("title", *self._text_fields) if name in values)
        text = next((text for text in texts if isinstance(text, str)), "").strip()
        if "title" in values or self._text_fields[0] in values:
            return text
        return text.partition("\n")[0][:100]
