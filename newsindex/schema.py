"""The pydantic model is the schema: field kinds are annotations, and everything else is derived from them.

    class Report(BaseModel):
        headline: Annotated[str, Text(weight=3)]
        desk: Annotated[str | None, Keyword()] = None

A field without a kind is stored and not searched. The schema of an index is kept in it as JSON.
"""

from __future__ import annotations

import hashlib
import json
import re
import types
import typing
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Union
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError, create_model
from pydantic_core import CoreSchema, core_schema

from newsindex.dates import parse_date, to_microseconds, to_utc
from newsindex.errors import FormatError, SchemaError, SourceError

__all__ = [
    "Article",
    "Date",
    "Field",
    "Flag",
    "Keyword",
    "Number",
    "PreparedArticle",
    "Schema",
    "Stored",
    "Text",
    "fold_keyword",
]

# Words that the query language gives a meaning of their own, and the names that every hit has.
_RESERVED = frozenset({"and", "or", "not", "to", "score", "rank", "snippet"})


def _as_list(value: Any) -> Any:
    if value is None:
        return []
    return [value] if isinstance(value, str) else value


def _as_date(value: Any) -> Any:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    return parse_date(value)


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    if typing.get_origin(annotation) in (Union, types.UnionType):
        return tuple(part for part in typing.get_args(annotation) if part is not type(None))
    return (annotation,)


def _is_many(annotation: Any) -> bool:
    return any(typing.get_origin(part) in (list, tuple, set, frozenset) for part in _alternatives(annotation))


@dataclass(frozen=True)
class Text:
    """Running text: analysed, ranked, with positions. `weight` > 0 multiplies its part in the score."""

    weight: float = 1.0


@dataclass(frozen=True)
class Keyword:
    """An exact value, or a list of them: filtered, counted; compared without case, accents and extra spaces."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Accept one string for a list, and None for an empty list."""
        if not _is_many(source):
            return handler(source)
        return core_schema.no_info_before_validator_function(_as_list, handler(source))


@dataclass(frozen=True)
class Date:
    """A moment, kept in UTC to the microsecond; ranges and sorting. Written dates of many forms are read."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read written dates before pydantic sees them."""
        return core_schema.no_info_before_validator_function(_as_date, handler(source))


@dataclass(frozen=True)
class Number:
    """An integer or a float; ranges."""


@dataclass(frozen=True)
class Flag:
    """True or false; filtered."""


@dataclass(frozen=True)
class Stored:
    """Kept with the article, not searched."""


Kind = Text | Keyword | Date | Number | Flag | Stored
_KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in (Text, Keyword, Date, Number, Flag, Stored)}
_TRACKING = re.compile(r"(?:utm_.*|fbclid|gclid|dclid|mc_cid|mc_eid)\Z", re.IGNORECASE)
# What a value of each kind may be; Stored takes anything that JSON can hold.
_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "Text": (str,), "Keyword": (str,), "Date": (datetime,), "Number": (int, float), "Flag": (bool,),
}  # fmt: skip


class Article(BaseModel):
    """A news article. Subclass it for fields of your own, or index any other model.

    Keys that it does not know are kept with the article and not searched. `boilerplate` is what a reader cut from the
    end of the body: "Related Posts" and the like.
    """

    model_config = ConfigDict(extra="allow")

    id: Annotated[str | None, Stored()] = None
    url: Annotated[str | None, Stored()] = None
    title: Annotated[str | None, Text(weight=3.0)] = None
    summary: Annotated[str | None, Text(weight=1.5)] = None
    body: Annotated[str | None, Text()] = None
    published: Annotated[datetime | None, Date()] = None
    source: Annotated[str | None, Keyword()] = None
    authors: Annotated[list[str], Keyword()] = []
    section: Annotated[str | None, Keyword()] = None
    tags: Annotated[list[str], Keyword()] = []
    language: Annotated[str | None, Keyword()] = None
    boilerplate: Annotated[str | None, Stored()] = None


@dataclass(frozen=True)
class Field:
    """One field of a schema; `many` when its value is a list.

    `type_name` is "str", "datetime", "int", "float", "bool" or "any".
    """

    name: str
    kind: Kind
    many: bool
    type_name: str


@dataclass(frozen=True)
class PreparedArticle:
    """A valid article as the indexer takes it.

    `values` has the non-empty indexed fields: str for text, list[str] for keywords, int for dates (microseconds since
    1970 UTC), int or float for numbers, bool for flags. `stored` is the whole article as JSON, `digest` tells whether
    it changed, and `naive_dates` names the date fields that came without a zone.
    """

    article_id: str
    values: dict[str, Any]
    stored: str
    digest: str
    naive_dates: tuple[str, ...]
    unknown_keys: tuple[str, ...]


class Schema:
    """The fields of a model, and the way from a record to what is indexed."""

    def __init__(self, model: type[BaseModel], language: str = "english") -> None:
        """Derive the schema.

        Raises:
            SchemaError: a field's type does not fit its kind, or no field is text.
        """
        self.model = model
        self.language = language
        self.fields: dict[str, Field] = {name: _field(model, name) for name in model.model_fields}
        self.text_fields = tuple(field.name for field in self.fields.values() if isinstance(field.kind, Text))
        if not self.text_fields:
            raise SchemaError(f"{model.__name__} has no text field; annotate one: Annotated[str, Text()]")

    def of_kind(self, *kinds: type[Any]) -> tuple[str, ...]:
        """Return the names of the fields of these kinds, in the model's order."""
        return tuple(field.name for field in self.fields.values() if isinstance(field.kind, kinds))

    @property
    def date_field(self) -> str | None:
        """The date by which hits are sorted: `published`, else the first date field."""
        dates = self.of_kind(Date)
        return "published" if "published" in dates else (dates[0] if dates else None)

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
                _check_fit(schema.to_json(), data, model.__name__, file)
                return schema
            shipped = cls(Article, language)
            if shipped.to_json()["fields"] == data["fields"]:
                return shipped
            return cls(_made_model(data), language)
        except (KeyError, TypeError, AttributeError) as error:
            raise FormatError(file, f"the schema is damaged ({error!r}); restore the folder from a copy") from error

    def article(self, record: BaseModel | Mapping[str, Any]) -> BaseModel:
        """Return the record as an instance of the model.

        Raises:
            SourceError: the record does not fit; the reason names the field.
        """
        if isinstance(record, self.model):
            return record
        if isinstance(record, BaseModel):
            record = record.model_dump()
        if not isinstance(record, Mapping):
            raise SourceError(f"not an article: {type(record).__name__}; give {self.model.__name__} or a dict")
        try:
            return self.model.model_validate(dict(record))
        except ValidationError as error:
            reasons = "; ".join(
                f"{'.'.join(str(part) for part in fault['loc'])}: {_shown(fault['msg'])}" for fault in error.errors()
            )
            raise SourceError(reasons) from None

    def prepare(self, record: BaseModel | Mapping[str, Any]) -> PreparedArticle:
        """Validate a record, give it its id, and return what the indexer needs.

        Raises:
            SourceError: the record does not fit, or has no text.
        """
        article = self.article(record)
        values: dict[str, Any] = {}
        naive = []
        for name, field in self.fields.items():
            value = getattr(article, name)
            if value is None or isinstance(field.kind, Stored):
                continue
            if isinstance(field.kind, Date):
                if value.tzinfo is None:
                    naive.append(name)
                try:
                    moment = to_utc(value)
                except OverflowError:
                    raise SourceError(f"{name}: {value.isoformat()} is outside the years 1 to 9999 in UTC") from None
                article = article.model_copy(update={name: moment})
                values[name] = to_microseconds(moment)
            elif isinstance(field.kind, Keyword):
                kept = [text for text in (value if field.many else [value]) if fold_keyword(text)]
                if kept:
                    values[name] = kept
            elif isinstance(field.kind, Number):
                if value != value or value in (float("inf"), float("-inf")) or abs(value) >= 2**63:
                    raise SourceError(f"{name}: {value!r} is no finite 64-bit number")
                values[name] = value
            elif isinstance(field.kind, Flag) or value.strip():
                values[name] = value
        if not any(name in values for name in self.text_fields):
            unknown = ", ".join(sorted(article.model_extra or ())[:10])
            hint = f"; the keys {unknown} are no fields of {self.model.__name__}" if unknown else ""
            raise SourceError(f"no text: {', '.join(self.text_fields)} are all empty{hint}")
        article_id = _article_id(article, values)
        if "id" in self.fields:
            article = article.model_copy(update={"id": article_id})
        try:
            data = article.model_dump(mode="json", exclude_none=True)
            stored = json.dumps({"id": article_id} | data, ensure_ascii=False, separators=(",", ":"))
            encoded = stored.encode("utf-8")
        except (ValueError, TypeError, RecursionError) as error:
            raise SourceError(f"the article cannot be stored as JSON in UTF-8: {_shown(str(error))}") from None
        return PreparedArticle(
            article_id=article_id,
            values=values,
            stored=stored,
            digest=hashlib.blake2b(encoded, digest_size=16).hexdigest(),
            naive_dates=tuple(naive),
            unknown_keys=tuple(article.model_extra or ()),
        )

    def load(self, stored: str) -> BaseModel:
        """Return the article from its stored JSON."""
        data = json.loads(stored)
        if "id" not in self.fields:
            data.pop("id", None)
        return self.model.model_validate(data)


def fold_keyword(text: str) -> str:
    """Return the form in which keyword values are compared: no case, no accents, single spaces.

    >>> fold_keyword("  São  PAULO ")
    'sao paulo'
    """
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(character for character in decomposed if not "\u0300" <= character <= "\u036f")
    return " ".join(bare.casefold().split())


def canonical_url(url: str) -> str:
    """Return the URL without what does not change the page: fragment, tracking parameters, host's case, default port.

    Written here, not taken from a library: article ids hang on it, so it may never change with an upgrade.

    >>> canonical_url("http://Example.org:80/a?utm_source=x&id=3#top")
    'https://example.org/a?id=3'
    """
    parts = urlsplit(url.strip())
    host = parts.netloc.lower().rsplit("@", 1)[-1]
    host = host.removesuffix(":80").removesuffix(":443")
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode([(key, value) for key, value in pairs if not _TRACKING.match(key)])
    scheme = "https" if parts.scheme.lower() in {"http", "https", ""} else parts.scheme.lower()
    return f"{scheme}://{host}{parts.path.rstrip('/')}{'?' + query if query else ''}"


def _article_id(article: BaseModel, values: dict[str, Any]) -> str:
    given = getattr(article, "id", None)
    if given is not None and str(given).strip():
        return str(given).strip()
    url = getattr(article, "url", None)
    if isinstance(url, str) and url.strip():
        try:
            return _hashed("url", canonical_url(url))
        except ValueError:
            pass  # not a URL (a broken IPv6 host, say): the content identifies the article
    content = {name: values[name] for name in ("source", "title", "published", "body") if name in values} or values
    return _hashed("text", json.dumps(content, ensure_ascii=False, sort_keys=True))


def _hashed(prefix: str, text: str) -> str:
    return f"{prefix}-{hashlib.blake2b(text.encode('utf-8', 'replace'), digest_size=12).hexdigest()}"


def _shown(message: str) -> str:
    return message.removeprefix("Value error, ")[:200]


def _field(model: type[BaseModel], name: str) -> Field:
    info = model.model_fields[name]
    kinds = [meta for meta in info.metadata if isinstance(meta, Kind)]
    if len(kinds) > 1:
        raise SchemaError(f"{model.__name__}.{name} has {len(kinds)} field kinds; give one", name)
    kind: Kind = kinds[0] if kinds else Stored()
    if not isinstance(kind, Stored) and (name.lower() in _RESERVED or name.startswith("_") or name == "id"):
        raise SchemaError(f"{model.__name__}.{name}: the name is reserved; choose another", name)
    if isinstance(kind, Text) and not kind.weight > 0:
        raise SchemaError(f"{model.__name__}.{name}: a weight must be above 0, not {kind.weight}", name)
    annotation = info.annotation
    many = isinstance(kind, Keyword) and _is_many(annotation)
    if isinstance(kind, Stored):
        return Field(name, kind, False, "str" if _alternatives(annotation) == (str,) else "any")
    types_ = _alternatives(annotation)
    if many:
        types_ = tuple(argument for part in types_ for argument in typing.get_args(part) if argument is not Ellipsis)
    kind_name = type(kind).__name__
    wanted = _PYTHON_TYPES[kind_name]
    if not types_ or any(part not in wanted for part in types_):
        names = " or ".join(part.__name__ for part in wanted)
        raise SchemaError(f"{model.__name__}.{name}: {kind_name} holds {names}, not {annotation}", name)
    return Field(name, kind, many, "float" if float in types_ else types_[0].__name__)


def _check_fit(mine: dict[str, Any], saved: dict[str, Any], model_name: str, file: str) -> None:
    have = {field["name"]: field for field in mine["fields"]}
    want = {field["name"]: field for field in saved["fields"]}
    for name in want | have:
        if have.get(name) == want.get(name):
            continue
        if name not in have:
            reason = f"the index has the field {name!r} ({want[name]['kind']}), {model_name} does not"
        elif name not in want:
            reason = f"{model_name} has the field {name!r} ({have[name]['kind']}), the index does not"
        else:
            reason = f"the field {name!r} is {_drawn(have[name])} in {model_name} and {_drawn(want[name])} in the index"
        raise SchemaError(f"{file}: {reason}; open it with the model it was made with, or index anew", name)


def _drawn(field: dict[str, Any]) -> str:
    weight = f"(weight={field['weight']:g})" if "weight" in field else ""
    return f"{field['kind']}{weight} of {'many ' if field['many'] else ''}{field['type']}"


def _made_model(data: dict[str, Any]) -> type[BaseModel]:
    """Make a model from a saved schema, for programs that have no model: the command line and the prompt."""
    python_types = {"str": str, "datetime": datetime, "int": int, "float": float, "bool": bool, "any": Any}
    definitions: dict[str, Any] = {}
    for field in data["fields"]:
        kind = _KINDS[field["kind"]](**({"weight": field["weight"]} if "weight" in field else {}))
        python_type: Any = python_types[field["type"]]
        if field["many"]:
            definitions[field["name"]] = (Annotated[list[python_type], kind], [])
        else:
            definitions[field["name"]] = (Annotated[python_type | None, kind], None)
    return create_model(str(data["model"]), __config__=ConfigDict(extra="allow"), **definitions)
