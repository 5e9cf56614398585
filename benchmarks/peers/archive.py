"""What all engines are given: a file of articles, the same few fields of each, and a file of queries made from them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.corpus import Corpus, text_bytes
from benchmarks.queries import Query, make_queries, survey
from newsindex.dates import parse_date, to_utc

__all__ = ["CLASSES", "TEXTS", "WORD_CLASSES", "Archive", "days_as_moments"]

TEXTS = ("title", "body")
FIELDS = ("id", *TEXTS, "source", "published")
_LEFT_OUT = frozenset({"snippets"})
WORD_CLASSES = ("term_high", "term_mid", "term_low", "and2", "and3", "or_news", "or_stop")
"""The classes that are also asked with ids alone for an answer, as `term_high_ids` and so on."""
CLASSES = (
    *WORD_CLASSES,
    *("phrase", "phrase_high", "and_date", "or_source", "prefix", "count", "sort_date", "top1000_ids"),
    *("top1000_titles", "facet_source"),
)
"""The classes in the order of the tables."""


@dataclass(frozen=True)
class Archive:
    """A folder with `articles.jsonl`, `queries.json` and an index of each engine, each made once and kept."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def articles_file(self) -> Path:
        return self.folder / "articles.jsonl"

    @property
    def queries_file(self) -> Path:
        return self.folder / "queries.json"

    def facts(self) -> dict[str, Any]:
        """Return the name of the corpus, the number of articles and the bytes of their text."""
        facts: dict[str, Any] = json.loads((self.folder / "corpus.json").read_text(encoding="utf-8"))
        return facts

    def articles(self) -> Iterator[dict[str, Any]]:
        with self.articles_file.open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)

    def queries(self) -> dict[str, list[Query]]:
        made = json.loads(self.queries_file.read_text(encoding="utf-8"))
        return {name: [_query(values) for values in queries] for name, queries in made.items()}

    def make(self, corpus: Corpus, per_class: int) -> None:
        """Write what is not there yet; each file is renamed into place when it is whole."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / "corpus.json").exists():
            begun = self.articles_file.with_suffix(".begun")
            count, size = _write(corpus, begun)
            begun.replace(self.articles_file)
            facts = {"corpus": corpus.name, "identity": corpus.identity(), "articles": count, "text_bytes": size}
            _write_json(self.folder / "corpus.json", facts)
        if self.facts()["identity"] != corpus.identity():
            raise ValueError(f"{self.folder}: made from another corpus; give another --work folder, or remove it")
        if not self.queries_file.exists():
            made = make_queries(survey(self.articles()), per_class)
            made["top1000_ids"] = made["top1000_titles"] = made.pop("top1000")
            _write_json(
                self.queries_file,
                {name: [asdict(query) for query in made[name]] for name in made if name not in _LEFT_OUT},
            )


def days_as_moments(days: Iterable[str]) -> tuple[datetime, datetime]:
    """Return the first moment of the first day, and the first after the last day."""
    first, last = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in days)
    return first, last + timedelta(days=1)


def _query(values: dict[str, Any]) -> Query:
    query = Query(**values)
    where = query.where and {
        name: tuple(value) if isinstance(value, list) else value for name, value in query.where.items()
    }
    return replace(query, where=where, facets=tuple(query.facets))


def _write(corpus: Corpus, file: Path) -> tuple[int, int]:
    ids: set[str] = set()
    size = 0
    with file.open("w", encoding="utf-8") as lines:
        for number, article in enumerate(corpus.articles()):
            kept = {name: article[name] for name in FIELDS if article.get(name)}
            kept["id"] = article_id = str(article.get("id") or article.get("url") or f"article-{number}")
            if article_id in ids or not any(map(kept.get, TEXTS)):
                continue
            if "published" in kept:
                kept["published"] = to_utc(parse_date(kept["published"])).isoformat()
            ids.add(article_id)
            size += text_bytes(kept)
            lines.write(json.dumps(kept, ensure_ascii=False) + "\n")
    return len(ids), size


def _write_json(file: Path, value: Any) -> None:
    begun = file.with_name(f"{file.name}.begun")
    begun.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    begun.replace(file)
