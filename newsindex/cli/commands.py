"""What the command line does with an archive that exists: search, count, show, stats, delete, export."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pydantic import BaseModel

import newsindex
from newsindex.display import (
    Screen,
    counted,
    differs,
    json_text,
    one_line,
    print_article,
    print_diagnostics,
    print_facets,
    print_hits,
    print_plan,
    print_stats,
    print_total,
)
from newsindex.errors import QueryError
from newsindex.results import Hit, Results
from newsindex.where import parse_where

if TYPE_CHECKING:
    from newsindex.index import NewsIndex

__all__ = ["FOUND", "NOTHING", "count", "delete", "export", "search", "show", "stats"]

FOUND, NOTHING = 0, 1


def search(arguments: Namespace) -> int:
    """Print hits; diagnostics go to standard error, so that a pipe gets hits only."""
    query = " ".join(arguments.query)
    with _opened(arguments) as index:
        where = parse_where(arguments.where, index.schema)
        if arguments.explain_query:
            print_plan(Screen(sys.stdout), index.explain_query(query, where))
            return FOUND
        began = time.perf_counter()
        results = index.search(
            query,
            where=where,
            limit=arguments.limit,
            sort=arguments.sort,
            facets=arguments.facet,
            after=arguments.after,
        )
        total = results.total
        seconds = time.perf_counter() - began
        if arguments.json:
            print(json_text(_results_json(query, results)))
            return FOUND if total else NOTHING
        _explain_query(query, results)
        if arguments.jsonl:
            for hit in results:
                print(json_text(_hit_json(hit)))
            return FOUND if total else NOTHING
        screen = Screen(sys.stdout)
        print_total(screen, results, seconds)
        print_hits(screen, results, ids=True)
        print_facets(screen, results.facets)
        if results.next is not None:
            screen.say(f"more: --after {results.next}", "dim")
        return FOUND if total else NOTHING


def count(arguments: Namespace) -> int:
    """Print how many articles match."""
    query = " ".join(arguments.query)
    with _opened(arguments) as index:
        results = index.search(query, where=parse_where(arguments.where, index.schema), limit=1)
        _explain_query(query, results)
        print(results.total)
        return FOUND if results.total else NOTHING


def show(arguments: Namespace) -> int:
    """Print one article."""
    with newsindex.open(arguments.archive, allow_network_fs=arguments.allow_network_fs) as index:
        article = index.get(arguments.id)
        if article is None:
            Screen(sys.stderr).say(f"newsindex: {one_line(arguments.archive)}: no article {one_line(arguments.id)!r}")
            return NOTHING
        if arguments.json:
            print(json_text(article_json(article)))
        else:
            print_article(Screen(sys.stdout), article, index.schema)
        return FOUND


def stats(arguments: Namespace) -> int:
    """Print what the archive holds."""
    with newsindex.open(arguments.archive, allow_network_fs=arguments.allow_network_fs) as index:
        found = index.stats()
    if arguments.json:
        data = dict(vars(found))
        data["location"] = str(found.location)
        data |= {name: moment and moment.isoformat() for name, moment in data.items() if name in {"oldest", "newest"}}
        print(json_text(data))
    else:
        print_stats(Screen(sys.stdout), found)
    return FOUND


def delete(arguments: Namespace) -> int:
    """Delete articles by id, or those that a query finds."""
    if bool(arguments.ids) == (arguments.query is not None or bool(arguments.where)):
        raise QueryError("delete: give ids, or a --query (with or without --where), not both")
    if arguments.query is not None and not arguments.query.strip():
        raise QueryError("delete: an empty --query is every article; write --query '*' to delete them all")
    with newsindex.open(arguments.archive, allow_network_fs=arguments.allow_network_fs) as index:
        if arguments.ids:
            deleted = index.delete(arguments.ids)
        else:
            deleted = index.delete(query=arguments.query or "", where=parse_where(arguments.where, index.schema))
    Screen(sys.stdout).say(f"deleted {counted(deleted, 'article')}")
    return FOUND if deleted else NOTHING


def export(arguments: Namespace) -> int:
    """Write every article as a line of JSON, which `add` reads back as the same article."""
    with newsindex.open(arguments.archive, allow_network_fs=arguments.allow_network_fs) as index:
        if arguments.output is None:
            _write_articles(index.articles(), sys.stdout)
        else:
            with Path(arguments.output).open("w", encoding="utf-8", newline="\n") as file:
                _write_articles(index.articles(), file)
    return FOUND


def article_json(article: BaseModel) -> dict[str, Any]:
    """Return the article as JSON data, without what it does not have."""
    return article.model_dump(mode="json", exclude_none=True)


def _write_articles(articles: Any, file: IO[str]) -> None:
    for article in articles:
        file.write(json_text(article_json(article)) + "\n")


def _opened(arguments: Namespace) -> NewsIndex:
    return newsindex.open(
        arguments.archive,
        allow_network_fs=arguments.allow_network_fs,
        variants=arguments.variants,
        zone=arguments.zone,
    )


def _explain_query(query: str, results: Results) -> None:
    screen = Screen(sys.stderr)
    print_diagnostics(screen, query, results.diagnostics)
    if results.diagnostics and differs(query, results.searched):
        screen.say(f"searched: {one_line(results.searched)}", "dim")


def _hit_json(hit: Hit) -> dict[str, Any]:
    return {
        "rank": hit.rank,
        "score": hit.score,
        "id": hit.id,
        "title": hit.title,
        "published": hit.published.isoformat() if hit.published else None,
        "source": hit.source,
        "snippet": {
            "field": hit.snippet.field,
            "text": hit.snippet.text,
            "spans": [list(span) for span in hit.snippet.spans],
        },
    }


def _results_json(query: str, results: Results) -> dict[str, Any]:
    return {
        "query": query,
        "searched": results.searched,
        "total": results.total,
        "diagnostics": [dict(vars(found)) for found in results.diagnostics],
        "facets": results.facets,
        "next": results.next,
        "hits": [_hit_json(hit) for hit in results],
    }
