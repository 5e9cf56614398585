"""The segments of an index, kept by stock Whoosh: its schema, its files, a snapshot of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from newsindex.analysis.whoosh_analyzer import WhooshAnalyzer
from newsindex.dates import from_microseconds
from newsindex.errors import FormatError
from newsindex.schema import Date, Field, Flag, Keyword, Number, PreparedArticle, Schema, Text, fold_keyword
from newsindex.store.folder import storage_errors, sync_folder
from newsindex.whoosh_door import fields, index, searching

__all__ = [
    "DIGEST",
    "ID",
    "SEGMENTS_FOLDER",
    "STORED",
    "WORDS",
    "Snapshot",
    "open_segments",
    "snapshot",
    "whoosh_fields",
    "whoosh_schema",
]

ID = "id"
WORDS = "newsindex_words"
STORED = "newsindex_stored"
DIGEST = "newsindex_digest"
SEGMENTS_FOLDER = "segments"


@dataclass(frozen=True)
class Snapshot:
    """The articles of one commit, opened together: a Whoosh searcher and the number of its generation."""

    searcher: Any
    generation: int


def whoosh_schema(schema: Schema) -> Any:
    """Return the Whoosh schema that the model asks for.

    Besides the model's fields it has `id`, the stored article, its digest, and the words before stemming, by which
    prefixes are expanded.
    """
    whoosh = fields.Schema(
        **{
            ID: fields.ID(stored=True, unique=True),
            WORDS: fields.KEYWORD(scorable=False),
            STORED: fields.STORED(),
            DIGEST: fields.STORED(),
        }
    )
    for field in schema.fields.values():
        kind = _field_type(field, schema.language)
        if kind is not None and field.name != ID:
            whoosh.add(field.name, kind)
    return whoosh


def whoosh_fields(
    schema: Schema, article: PreparedArticle, terms: dict[str, list[str]], surfaces: set[str]
) -> dict[str, Any]:
    """Return the arguments of Whoosh's `add_document`; `terms` are those of each text field, in order."""
    given: dict[str, Any] = {ID: article.article_id, STORED: article.stored, DIGEST: article.digest}
    if surfaces:
        given[WORDS] = sorted(surfaces)
    for name, value in article.values.items():
        kind = schema.fields[name].kind
        if isinstance(kind, Text):
            given[name] = terms[name]
        elif isinstance(kind, Keyword):
            given[name] = sorted({fold_keyword(text) for text in value})
        elif isinstance(kind, Date):
            given[name] = naive(value)
        else:
            given[name] = value
    return given


def naive(microseconds: int) -> datetime:
    """Return the moment as Whoosh takes it: UTC without saying so."""
    return from_microseconds(microseconds).replace(tzinfo=None)


def open_segments(folder: Path, schema: Schema, *, create: bool) -> Any:
    """Return the Whoosh index inside the folder.

    Raises:
        FormatError: there is none, or it cannot be read.
        StorageError: the file system refuses.
    """
    place = folder / SEGMENTS_FOLDER
    with storage_errors(place):
        if create:
            place.mkdir(exist_ok=True)
            made = index.create_in(place, whoosh_schema(schema))
            sync_folder(place)
            sync_folder(folder)
            return made
        try:
            return index.open_dir(place)
        except index.EmptyIndexError as error:
            raise FormatError(str(place), "the segments are missing; restore the folder from a copy") from error
        except OSError:
            raise
        except Exception as error:
            raise _damage(place, error) from error


def snapshot(folder: Path, segments: Any, weighting: Any) -> Snapshot:
    """Open the newest commit.

    Raises:
        FormatError: it cannot be read.
    """
    place = folder / SEGMENTS_FOLDER
    try:
        # The number is read first: were a commit to come between, refresh() would only open it once more.
        generation = segments.latest_generation()
        reader = segments.reader()
        return Snapshot(searching.Searcher(reader, weighting=weighting, fromindex=segments), generation)
    except Exception as error:
        raise _damage(place, error) from error


def _damage(place: Path, error: Exception) -> FormatError:
    # Whoosh answers damage with whatever its decoders stumble over: a dozen unrelated types.
    return FormatError(str(place), f"damaged ({type(error).__name__}: {error}); restore the folder from a copy")


def _field_type(field: Field, language: str) -> Any:
    kind = field.kind
    if isinstance(kind, Text):
        return fields.TEXT(analyzer=WhooshAnalyzer(language), phrase=True, stored=False)
    if isinstance(kind, Keyword):
        return fields.KEYWORD(scorable=False)
    if isinstance(kind, Date):
        return fields.DATETIME(sortable=True)
    if isinstance(kind, Number):
        return fields.NUMERIC(float if field.type_name == "float" else int, bits=64)
    if isinstance(kind, Flag):
        return fields.BOOLEAN()
    return None
