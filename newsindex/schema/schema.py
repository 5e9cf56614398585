"""From a record to what is indexed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from newsindex.errors import FormatError, SchemaError, SourceError
from newsindex.schema.article import Article
from newsindex.schema.identity import has_key, hashed_id, identifying_url
from newsindex.schema.kinds import (
    LARGEST_NUMBER,
    Date,
    Field,
    Keyword,
    Number,
    Stored,
    Text,
    alternatives,
    as_text,
    field_of,
)
from newsindex.schema.plain import PlainFields, moment_of
from newsindex.schema.prepared import PreparedArticle, PreparedArticles
from newsindex.schema.saved import check_fit, made_model
from newsindex.wrong_value import shown

__all__ = ["Schema"]

# What pydantic_core.to_json writes too, four times as fast; but the two write floats in different ways.
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

_MOST_TEXT_FIELDS = 8


class Schema:
    """The fields of a model, and the way from a record to what is indexed."""

    def __init__(self, model: type[BaseModel], language: str = "english") -> None:
        """Derive the schema.

        Raises:
            SchemaError: a field's type does not fit its kind, no field is text, or more than 8 are.
        """
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise SchemaError(f"model: a pydantic model, as newsindex.Article is, not {shown(model)}")
        self.model = model
        self.language = language
        self.fields: dict[str, Field] = {name: field_of(model, name) for name in model.model_fields}
        infos = model.model_fields.items()
        # None is not stored: where it is not the default it is put back when an article is loaded.
        self._none_when_absent = {name: None for name, info in infos if info.is_required() or info.default is not None}
        self._plain = PlainFields.of(model, self.fields)
        self._has_floats = self._plain is not None and self._plain.has_floats
        self._extra = model.model_config.get("extra")
        ids = (alternatives(model.model_fields["id"].annotation),) if "id" in self.fields else ()
        self._takes_made_ids = all(types_ in ((str,), (Any,)) for types_ in ids)
        searched = (field for field in self.fields.values() if not isinstance(field.kind, Stored))
        self._searched = [(field.name, type(field.kind), field.many) for field in searched]
        self.text_fields = tuple(field.name for field in self.fields.values() if isinstance(field.kind, Text))
        self._of_kind: dict[tuple[type[Any], ...], tuple[str, ...]] = {}
        dates = self.of_kind(Date)
        self.date_field: str | None = "published" if "published" in dates else (dates[0] if dates else None)
        """The date by which hits are sorted: `published`, else the first date field."""
        if not self.text_fields:
            raise SchemaError(f"{model.__name__} has no text field; annotate one: Annotated[str, Text()]")
        if len(self.text_fields) > _MOST_TEXT_FIELDS:  # a segment tells a word's fields by the bits of a byte
            raise SchemaError(
                f"{model.__name__} has {len(self.text_fields)} text fields; "
                f"{_MOST_TEXT_FIELDS} at most: join some, or make them Stored"
            )

    def of_kind(self, *kinds: type[Any]) -> tuple[str, ...]:
        """Return the names of the fields of these kinds, in the model's order."""
        found = self._of_kind.get(kinds)
        if found is None:
            names = tuple(field.name for field in self.fields.values() if isinstance(field.kind, kinds))
            found = self._of_kind[kinds] = names
        return found

    def to_json(self) -> dict[str, Any]:
        """Return the schema as JSON data, the inverse of `from_json`."""
        return {
            "model": self.model.__name__,
            "language": self.language,
            "fields": [
                {"name": f.name, "kind": type(f.kind).__name__, "type": f.type_name, "many": f.many}
                | ({"weight": f.kind.weight} if isinstance(f.kind, Text) else {})
                for f in self.fields.values()
            ],
        }

    @classmethod
    def from_json(cls, data: Any, file: str, model: type[BaseModel] | None = None) -> Schema:
        """Rebuild the schema of an index, on the given model, else on Article where it fits, else on a made one.

        Raises:
            SchemaError: the given model does not fit.
            FormatError: the data is not a schema.
        """
        try:
            language = data["language"]
            if model is not None:
                schema = cls(model, language)
                check_fit(schema.to_json(), data, model.__name__, file)
                return schema
            shipped = cls(Article, language)
            if shipped.to_json()["fields"] == data["fields"]:
                return shipped
            return cls(made_model(data), language)
        except (KeyError, TypeError, AttributeError) as error:
            raise FormatError(file, f"the schema is damaged ({error!r}); restore the folder from a copy") from error

    def article(self, record: BaseModel | Mapping[str, Any]) -> BaseModel:
        """Return the record as an instance of the model.

        Raises:
            SourceError: the record does not fit; the reason names the field.
        """
        given = self._mapping(record)
        try:
            values = dict(given)
            if "id" in values and "id" in self.fields and self.fields["id"].type_name == "str":
                values["id"] = as_text(values["id"])
            return self.model.model_validate(values)
        except ValidationError as error:
            reasons = "; ".join(
                f"{'.'.join(str(part) for part in fault['loc'])}: {_shown(fault['msg'])}" for fault in error.errors()
            )
            raise SourceError(reasons) from None
        except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
            raise SourceError(f"not an article: {type(error).__name__}: {_shown(str(error))}") from error

    def _mapping(self, record: Any) -> Mapping[str, Any]:
        if type(record) is dict:
            return record
        if type(record) is self.model:
            # Its values may have been set since it was made, or never checked.
            return record.__dict__ | (record.__pydantic_extra__ or {})
        if isinstance(record, BaseModel):
            return record.model_dump(warnings=False)
        if not isinstance(record, Mapping):
            raise SourceError(f"not an article: {type(record).__name__}; give {self.model.__name__} or a dict")
        return record

    def prepare(self, record: BaseModel | Mapping[str, Any]) -> PreparedArticle:
        """Validate a record, give it its id, and return what the indexer needs.

        Raises:
            SourceError: the record does not fit, or has no text.
        """
        given = self._mapping(record)
        plain = self.prepare_plain([given])
        if plain is not None:
            return plain[0]
        article = self.article(given)
        own = {name: getattr(article, name) for name in self.fields}
        extra = article.model_extra or {}
        values, moments, naive = self._indexed(own)
        if not any(name in values for name in self.text_fields):
            keys = ", ".join(sorted(extra)[:10])
            hint = f"; the keys {keys} are no fields of {self.model.__name__}" if keys else ""
            raise SourceError(f"no text: {', '.join(self.text_fields)} are all empty{hint}")
        named = own.get("id", extra.get("id"))
        article_id = str(named).strip() if named is not None else ""
        if not article_id:
            if not self._takes_made_ids:
                name = self.model.__name__
                raise SourceError(f"id: {name} takes no text for an id, so that none can be made; give one")
            article_id = _id_of_url(own.get("url", extra.get("url"))) or _id_of_content(values)
        stored = {"id": article_id} | self._dumped(article, extra) | moments
        stored["id"] = article_id
        try:
            encoded = _JSON(stored).encode()
        except (ValueError, TypeError, RecursionError) as error:
            raise _not_json(error) from None
        return PreparedArticle(article_id, values, encoded, naive, tuple(key for key in extra if key != "id"))

    def prepare_plain(self, records: Sequence[Mapping[str, Any]]) -> PreparedArticles | None:
        """Return what `prepare` returns of each of some records, all of which need no conversion.

        None when one of them does, or is to be refused: `prepare` tells which, and why.
        """
        plain = self._plain.read(records) if self._plain is not None else None
        if plain is None:
            return None
        ids = [named.strip() if named else "" for named in plain.ids]
        for place, stored in enumerate(plain.stored):
            if not ids[place]:
                if not self._takes_made_ids:
                    return None
                ids[place] = _id_of_url(stored.get("url")) or _id_of_content(plain.values(place))
            stored["id"] = ids[place]
        try:
            if self._has_floats:
                encoded = [_JSON(stored).encode() for stored in plain.stored]
            else:
                encoded = [to_json(stored) for stored in plain.stored]
        except (ValueError, TypeError, RecursionError):
            return None
        return PreparedArticles(ids, encoded, plain.columns, plain.naive_dates, plain.unknown_keys)

    def _dumped(self, article: BaseModel, extra: dict[str, Any]) -> dict[str, Any]:
        """Return the article as JSON data, its fields in order and then its other keys sorted."""
        computed = set(self.model.model_computed_fields)
        try:
            written = article.model_dump(mode="json", exclude_none=True, exclude=computed)
        except (ValueError, TypeError, RecursionError) as error:
            raise _not_json(error) from None
        dumped = {name: _ordered(written[name]) for name in self.fields if name in written}
        return dumped | {key: _ordered(written[key]) for key in sorted(extra) if key in written}

    def _indexed(self, given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str], tuple[str, ...]]:
        """Return the values to index, the dates as they are stored, and the dates without a zone."""
        values: dict[str, Any] = {}
        moments: dict[str, str] = {}
        naive: list[str] = []
        for name, kind, many in self._searched:
            value = given[name]
            if value is None:
                continue
            if kind is Text:
                if value and not value.isspace():
                    values[name] = value
            elif kind is Keyword:
                kept = tuple(text for text in (value if many else (value,)) if has_key(text)) if value else None
                if kept:
                    values[name] = kept
            elif kind is Date:
                try:
                    values[name], moments[name], is_naive = moment_of(value)
                except (ValueError, OverflowError):
                    raise SourceError(f"{name}: {value!s:.40} is outside the years 1 to 9999 in UTC") from None
                if is_naive:
                    naive.append(name)
            elif kind is Number:
                if not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
                    raise SourceError(f"{name}: {shown(value)} is no number from -2^62 to 2^62")
                values[name] = value
            else:
                values[name] = value
        return values, moments, tuple(naive)

    def load(self, stored: str | bytes) -> BaseModel:
        """Return the article from its stored JSON.

        Raises:
            FormatError: the JSON is damaged, or does not fit the model.
        """
        article_id = None
        try:
            data = json.loads(stored)
            article_id = data["id"]
            if "id" not in self.fields and self._extra != "allow":
                del data["id"]
            return self.model.model_validate(self._none_when_absent | data)
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            reason = f"does not fit {self.model.__name__}: {_shown(' '.join(str(error).split()))}"
            raise FormatError(f"the stored article {article_id!r}", reason) from error


def _id_of_url(url: Any) -> str | None:
    address = identifying_url(url) if isinstance(url, str) else None
    return None if address is None else hashed_id("url", address)


def _id_of_content(values: dict[str, Any]) -> str:
    content = {name: values[name] for name in ("source", "title", "published", "body") if name in values} or values
    return hashed_id("text", json.dumps(content, ensure_ascii=False, sort_keys=True))


def _not_json(error: Exception) -> SourceError:
    return SourceError(f"the article cannot be stored as JSON in UTF-8: {_shown(str(error))}")


def _shown(message: str) -> str:
    return message.removeprefix("Value error, ")[:200]


def _ordered(value: Any) -> Any:
    """Return JSON data with the keys in one order, so that equal articles have equal digests."""
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value)}
    return [_ordered(part) for part in value] if isinstance(value, list) else value
