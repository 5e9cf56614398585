"""The model is the schema."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from newsindex import Article, Date, Flag, Keyword, Number, SchemaError, SourceError, Stored, Text
from newsindex.schema import Schema, canonical_url, fold_keyword


class Report(BaseModel):
    headline: Annotated[str, Text(weight=2)]
    desk: Annotated[list[str], Keyword()] = []
    words: Annotated[int | None, Number()] = None
    grade: Annotated[float | None, Number()] = None
    live: Annotated[bool | None, Flag()] = None
    filed: Annotated[datetime | None, Date()] = None
    note: str = ""


def test_kinds_come_from_annotations() -> None:
    schema = Schema(Report)
    assert {name: type(field.kind).__name__ for name, field in schema.fields.items()} == {
        "headline": "Text", "desk": "Keyword", "words": "Number", "grade": "Number", "live": "Flag", "filed": "Date",
        "note": "Stored",
    }  # fmt: skip
    assert (schema.text_fields, schema.date_field, schema.fields["desk"].many) == (("headline",), "filed", True)


@pytest.mark.parametrize("model", [Article, Report])
def test_json_round_trip(model: type[BaseModel]) -> None:
    data = json.loads(json.dumps(Schema(model, "german").to_json()))
    again = Schema.from_json(data, "file")
    assert json.loads(json.dumps(again.to_json())) == data
    assert Schema.from_json(data, "file", model).model is model


def test_a_subclass_adds_fields() -> None:
    class Own(Article):
        desk: Annotated[str | None, Keyword()] = None

    assert "desk" in Schema(Own).of_kind(Keyword)
    with pytest.raises(SchemaError, match="'desk'") as caught:
        Schema.from_json(Schema(Article).to_json(), "file", Own)
    assert caught.value.field == "desk"


def test_a_model_that_cannot_be_a_schema() -> None:
    class NoText(BaseModel):
        name: Annotated[str, Keyword()]

    class WrongType(BaseModel):
        name: Annotated[int, Text()]

    class TwoKinds(BaseModel):
        name: Annotated[str, Text(), Keyword()]

    class Weightless(BaseModel):
        name: Annotated[str, Text(weight=0)]

    class Reserved(BaseModel):
        score: Annotated[str, Text()]

    for model, message in [
        (NoText, "no text field"), (WrongType, "Text holds str"), (TwoKinds, "2 field kinds"), (Weightless, "above 0"),
        (Reserved, "reserved"),
    ]:  # fmt: skip
        with pytest.raises(SchemaError, match=message):
            Schema(model)


def test_preparing_an_article() -> None:
    prepared = Schema(Article).prepare(
        {"title": "T", "published": "2024-04-09T12:00:00+02:00", "authors": "Ann Lee", "tags": None, "dateline": "X"}
    )
    assert prepared.values["published"] == 1712656800000000
    assert prepared.values["authors"] == ["Ann Lee"]
    assert prepared.unknown_keys == ("dateline",)
    assert prepared.naive_dates == ()
    assert Schema(Article).prepare({"title": "T", "published": "2024-04-09"}).naive_dates == ("published",)
    loaded: Any = Schema(Article).load(prepared.stored)
    assert loaded.published == datetime(2024, 4, 9, 10, tzinfo=UTC)
    assert loaded.dateline == "X"
    assert Schema(Article).prepare(loaded).digest == prepared.digest


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({}, "no text"),
        ({"title": "  "}, "no text"),
        ({"title": 5}, "title: "),
        ({"title": "T", "published": "blarg"}, "published: not a date"),
        ({"title": "T", "published": "9999-12-31T23:59:59-12:00"}, "outside the years"),
        ({"title": "T", "tags": [1]}, "tags.0: "),
        ({"title": "\ud800"}, "JSON in UTF-8"),
        (["title"], "not an article: list"),
        (None, "not an article: NoneType"),
    ],
)
def test_a_record_that_does_not_fit_names_the_field(record: Any, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        Schema(Article).prepare(record)


def test_numbers_must_be_finite() -> None:
    for value in (float("nan"), float("inf")):
        with pytest.raises(SourceError, match="grade"):
            Schema(Report).prepare({"headline": "h", "grade": value})
    with pytest.raises(SourceError, match="words"):
        Schema(Report).prepare({"headline": "h", "words": 2**63})


def test_identity() -> None:
    def identity(**values: Any) -> str:
        return Schema(Article).prepare(values).article_id

    assert identity(id=" a1 ", title="T") == "a1"
    assert identity(url="http://Example.org/a/?utm_source=x#top", title="T") == identity(
        url="https://example.org/a", title="changed"
    )
    assert identity(url="https://example.org/a?id=1", title="T") != identity(
        url="https://example.org/a?id=2", title="T"
    )
    assert identity(title="T", body="B") == identity(title="T", body="B", section="other")
    assert identity(title="T", body="B") != identity(title="T", body="C")
    assert identity(url="http://[broken", title="T").startswith("text-")


def test_canonical_url() -> None:
    assert canonical_url("HTTP://user@Example.ORG:80/A/b/?B=2&a=1&fbclid=3#x") == "https://example.org/A/b?B=2&a=1"


def test_keywords_are_compared_without_case_and_accents() -> None:
    assert fold_keyword(" São  Paulo ") == fold_keyword("SAO PAULO")
    assert fold_keyword("Straße") == fold_keyword("STRASSE")


def test_a_field_without_a_kind_is_stored() -> None:
    assert isinstance(Schema(Report).fields["note"].kind, Stored)
