"""What a segment keeps of its articles beside the text: filled as they come, by columns and not by articles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.codec.format import MISSING
from newsindex.schema import Date, Flag, Keyword, Number, PreparedArticle, Schema, fold_keyword

__all__ = ["ArticleColumns", "KeywordValues"]

_Array = npt.NDArray[Any]
_NONE: tuple[str, ...] = ()


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

    def extend(self, values: Sequence[Sequence[str]]) -> None:
        """Add the values of articles, none or some of each."""
        numbers = self._numbers
        if max(map(len, values), default=0) <= 1:
            self._counts += map(len, values)
            self._ords += [numbers[own[0]] for own in values if own]
            return
        self._several = True
        for texts in values:
            own = {numbers[text] for text in texts}
            self._counts.append(len(own))
            self._ords += own

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

    def extend(self, articles: Sequence[PreparedArticle]) -> None:
        """Add articles at the end."""
        self.count += len(articles)
        self.ids += [article.article_id for article in articles]
        every = [article.values for article in articles]
        self.titles += [self._title(values).encode() for values in every]
        for name, keywords in self.keywords.items():
            keywords.extend([values.get(name, _NONE) for values in every])
        for name, column in self._columns.items():
            absent = self._absent[name]
            numbers = np.array([values.get(name, absent) for values in every], self._types[name])
            column.append((numbers, np.array([name in values for values in every], bool)))

    def column(self, name: str) -> tuple[_Array, _Array]:
        """Return the values of a date, number or flag, and of which articles there is one: bool[count]."""
        parts = self._columns[name]
        if not parts:
            return np.zeros(0, self._types[name]), np.zeros(0, bool)
        return np.concatenate([values for values, _ in parts]), np.concatenate([there for _, there in parts])

    def _title(self, values: dict[str, Any]) -> str:
        """Return what a list of hits calls the article: its title, else the first line of what text it has."""
        title = values.get("title")
        if type(title) is str:
            return title.strip()
        texts: Iterable[Any] = (values[name] for name in ("title", *self._text_fields) if name in values)
        text = next((text for text in texts if isinstance(text, str)), "").strip()
        if "title" in values or self._text_fields[0] in values:
            return text
        return text.partition("\n")[0][:100]
