"""Full-text search in archives of news articles.

WRITE   file ── sources ──> Article ── schema ──> fields ── analysis ──> terms ── indexer ──> store ──> commit
READ    text ── query ──> query tree ── search ──> ranked hits ── results ──> display ──> repl, cli
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from os import PathLike
from typing import TYPE_CHECKING, Any

from newsindex.quick_import import importing

with importing():
    from pydantic import BaseModel

from newsindex.errors import (
    CommitUnknown,
    FormatError,
    IndexClosed,
    IndexLocked,
    IndexNotFound,
    MissingExtra,
    NewsIndexError,
    QueryError,
    QueryTooComplex,
    SchemaError,
    SourceError,
    StorageError,
)
from newsindex.schema import Article, Date, Flag, Keyword, Number, Stored, Text

if TYPE_CHECKING:
    from newsindex.index import NewsIndex

__all__ = [
    "Article",
    "CommitUnknown",
    "Date",
    "Flag",
    "FormatError",
    "IndexClosed",
    "IndexLocked",
    "IndexNotFound",
    "Keyword",
    "MissingExtra",
    "NewsIndexError",
    "Number",
    "QueryError",
    "QueryTooComplex",
    "SchemaError",
    "SourceError",
    "StorageError",
    "Stored",
    "Text",
    "open",
]
__version__ = "0.1.0"


def open(
    location: str | PathLike[str],
    *,
    create: bool = False,
    model: type[BaseModel] | None = None,
    language: str | None = None,
    allow_network_fs: bool = False,
    mapped: bool = True,
    zone: tzinfo | str | None = None,
    variants: str | PathLike[str] | Mapping[str, Any] | bool | None = None,
) -> NewsIndex:
    """Open the index in a folder.

    Args:
        location: the folder.
        create: make the folder and an empty index when there is none.
        model: the pydantic model of its articles; for a new index Article when not given, for an existing one the
            model must fit the saved schema.
        language: the language of the stemmer for a new index: a Snowball name or a two-letter code, or "none";
            English when not given. It is saved in the index.
        allow_network_fs: open it also on NFS, SMB and the like, whose locks and syncs cannot be relied on.
        mapped: map the index's files, which is quick and takes no memory. False reads them into memory: then nothing
            that another program does to them, as to cut one, reaches an open index.
        zone: where the dates are that queries name without a zone, as "Europe/London"; None is where this computer is.
        variants: a TOML file, or a dict, of words that name the same (`groups = [["Kyiv", "Kiev"]]`), on top of those
            that come with newsindex; False for none. A word in a query finds its variants too, as one word.

    Raises:
        IndexNotFound: no index there, and `create` is false.
        SchemaError: the model or the language does not fit the index.
        QueryError: no such zone, or no table of variants.
        FormatError: the index is damaged or of another format.
        StorageError: the folder cannot be read or made.
    """
    with importing():
        from newsindex.index import open_index

    return open_index(
        location,
        create=create,
        model=model,
        language=language,
        allow_network_fs=allow_network_fs,
        mapped=mapped,
        zone=zone,
        variants=variants,
    )  # fmt: skip
