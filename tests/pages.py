"""A page of results that is made of given articles."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from newsindex import Article
from newsindex.query.diagnostics import Diagnostic
from newsindex.results import Snippet


class GivenPage:
    """See `newsindex.results.Page`; `asked` has what was asked for, in order."""

    def __init__(self, articles: list[Article], snippet: Snippet | None = None, given: int = 0) -> None:
        self._articles = articles
        self._snippet = snippet
        self.asked: list[str] = []
        self.given = given
        self.scores = [2.5 - place for place in range(len(articles))]
        self.ids: list[str] = []
        self.titles: list[str] = []
        self.facets = {"source": {"CNN": 1}}

    def _get(self, number: int, name: str) -> Any:
        self.asked.append(name)
        return getattr(self._articles[number], name)

    def read_ids(self, place: int) -> list[str]:
        self.ids += [str(self._get(number, "id") or "") for number in range(len(self.ids), place + 1)]
        return self.ids

    def read_titles(self, place: int) -> list[str]:
        self.titles += [str(self._get(number, "title") or "") for number in range(len(self.titles), place + 1)]
        return self.titles

    def published(self, number: int) -> datetime | None:
        published: datetime | None = self._get(number, "published")
        return published

    def source(self, number: int) -> str | None:
        source: str | None = self._get(number, "source")
        return source

    def article(self, number: int) -> Article:
        self.asked.append("article")
        return self._articles[number]

    def snippet(self, number: int) -> Snippet:
        self.asked.append("snippet")
        return self._snippet or Snippet(self._articles[number].body or "")

    def count(self) -> int:
        self.asked.append("count")
        return 17

    def cursor(self) -> str | None:
        self.asked.append("cursor")
        return None

    def searched(self) -> str:
        self.asked.append("searched")
        return "oil"

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        self.asked.append("diagnostics")
        return ()
