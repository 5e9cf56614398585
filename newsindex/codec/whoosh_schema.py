"""The model's fields as Whoosh's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from newsindex.analysis.whoosh_analyzer import WhooshAnalyzer
from newsindex.dates import from_microseconds
from newsindex.schema import Date, Field, Flag, Keyword, Number, Schema, Text
from newsindex.whoosh_door import fields

__all__ = ["ID", "STORED", "WORDS", "naive", "whoosh_schema"]

ID = "id"
WORDS = "newsindex_words"
STORED = "newsindex_stored"


def whoosh_schema(schema: Schema) -> Any:
    """Return the Whoosh schema that the model asks for.

    Besides the model's fields it has `id`, the stored article, and the words before stemming, by which
    prefixes are expanded.
    """
    whoosh = fields.Schema(
        **{
            ID: fields.ID(stored=True, unique=True),
            WORDS: fields.KEYWORD(scorable=False),
            STORED: fields.STORED(),
        }
    )
    for field in schema.fields.values():
        kind = _field_type(field, schema.language)
        if kind is not None and field.name != ID:
            whoosh.add(field.name, kind)
    return whoosh


def naive(microseconds: int) -> datetime:
    """Return the moment as Whoosh takes it: UTC without saying so."""
    return from_microseconds(microseconds).replace(tzinfo=None)


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
