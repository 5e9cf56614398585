"""The model is the schema."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import pytest
from dateutil.tz import tzoffset
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, computed_field, create_model, field_validator
from pydantic import Field as Pydantic

import newsindex
from newsindex import Article, Date, Flag, Keyword, Number, SchemaError, SourceError, Stored, Text
from newsindex.errors import FormatError
from newsindex.schema import PreparedArticles, Schema, fold_keyword, identity
from newsindex.schema.identity import canonical_url, identifying_url
from newsindex.wrong_value import shown


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

    class Endless(BaseModel):
        name: Annotated[str, Text(weight=float("inf"))]

    class Reserved(BaseModel):
        score: Annotated[str, Text()]

    class Alias(BaseModel):
        title: Annotated[str, Text()] = Pydantic(alias="headline")

    class LeftOut(BaseModel):
        title: Annotated[str, Text()]
        note: str = Pydantic("", exclude=True)

    class Internal(BaseModel):
        title: Annotated[str, Text()]
        newsindex_words: str = ""

    for model, message in [
        (Alias, "Alias.title: a field with an alias"), (LeftOut, "LeftOut.note: a field with an alias or exclude=True"),
        (Internal, "newsindex_words: the name is reserved"), (dict, "pydantic model"), (Report(headline="h"), "model:"),
        (NoText, "no text field"), (WrongType, "Text holds str"), (TwoKinds, "2 field kinds"), (Weightless, "above 0"),
        (Reserved, "reserved"), (Endless, "above 0 and finite, not inf"),
    ]:  # fmt: skip
        with pytest.raises(SchemaError, match=message):
            Schema(model)  # type: ignore[arg-type]


def test_preparing_an_article() -> None:
    prepared = Schema(Article).prepare(
        {"title": "T", "published": "2024-04-09T12:00:00+02:00", "authors": "Ann Lee", "tags": None, "dateline": "X"}
    )
    assert prepared.values["published"] == 1712656800000000
    assert prepared.values["authors"] == ("Ann Lee",)
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
        ({"title": "T", "tags": [1.5]}, "tags.0: "),
        ({"title": "T", "tags": [True]}, "tags.0: "),
        ({"title": "T", "id": True}, "id: "),
        ({"title": "T", "source": False}, "source: "),
        ({"title": "T", "published": "2024-04-09T10:30:00+25:00"}, "published: not a date"),
        ({"title": "T", "published": "12345678901234567890999992024m Mon"}, "published: not a date"),
        ({"title": "T", "published": datetime(2024, 4, 9, tzinfo=tzoffset(None, 90_000))}, "published: not a date"),
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


def test_numbers_near_the_ends_of_64_bits_are_refused() -> None:
    schema = Schema(Report)
    for value in (2**62, -(2**62)):
        assert schema.prepare({"headline": "h", "words": value}).values["words"] == value
    for value in (2**62 + 1, -(2**62) - 1, 2**63, 10**400):
        with pytest.raises(SourceError, match=r"words: .* is no number from -2\^62 to 2\^62"):
            schema.prepare({"headline": "h", "words": value})


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


def test_only_an_address_of_one_page_identifies_an_article() -> None:
    for url in (
        "https://example.org http://example.org/ https://e.org/?utm_source=x https://e.org/#top https://e.org/#/"
        " N/A example.org/a //example.org/a mailto:a@example.org http:///a http://[broken/a".split()
    ):
        assert identifying_url(url) is None, url
        first, second = (Schema(Article).prepare({"url": url, "title": title}).article_id for title in "TU")
        assert first != second
    for url, canonical in {
        "https://e.org/#/a/1": "https://e.org#/a/1",
        "https://e.org/#!a/2#top": "https://e.org#!a/2#top",
        "https://e.org/app#/a/1": "https://e.org/app#/a/1",
        "http://e.org/?p=7&utm_source=x#top": "https://e.org?p=7",
        " HTTPS://E.org/a/ ": "https://e.org/a",
    }.items():
        assert identifying_url(url) == canonical
        assert identifying_url(canonical) == canonical


CLOCKS = st.from_regex(
    r"(0001-01-01|2024-02-(28|29|30)|9999-12-31)[T ][02][0-5](:[0-6]0(:([05]5|60)(\.5)?)?)?(Z|[+-](00|12|24):(00|30))?",
    fullmatch=True,
)


@given(st.lists(CLOCKS, min_size=1, max_size=6))
def test_dates_of_a_day_met_before_are_read_as_the_first(texts: list[str]) -> None:
    schema = Schema(Article)
    for text in [one[:14] + minutes + one[19:] for one in texts for minutes in ("00:00", "30:59", one[14:19])]:
        record = {"title": "T", "published": text}
        found = []
        for one in (schema, Schema(Article)):
            try:
                found.append(one.prepare(record))
            except SourceError as error:
                found.append(error.reason)
        assert found[0] == found[1]


@given(st.from_regex(r"https?://[a-z0-9.:@A-Z-]{0,9}(/[a-zA-Z0-9/.;=?#%&\[ \t é~_-]{0,12})?/*", fullmatch=True))
def test_plain_addresses_are_read_as_all_others(url: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identity, "_PLAIN_ADDRESS", re.compile("(?!)"))
        expected = identifying_url(url)
    assert identifying_url(url) == expected


def test_canonical_url() -> None:
    assert canonical_url("HTTP://user@Example.ORG:80/A/b/?B=2&a=1&fbclid=3#x") == "https://example.org/A/b?B=2&a=1"


def test_keywords_are_compared_without_case_and_accents() -> None:
    assert fold_keyword(" São  Paulo ") == fold_keyword("SAO PAULO")
    assert fold_keyword("Straße") == fold_keyword("STRASSE")


def test_a_field_without_a_kind_is_stored() -> None:
    assert isinstance(Schema(Report).fields["note"].kind, Stored)


def test_whole_numbers_are_ids_and_keywords() -> None:
    prepared = Schema(Article).prepare({"id": 7, "title": "T", "tags": [2024, "b"], "authors": 5, "source": 9})
    assert prepared.article_id == "7"
    assert (prepared.values["tags"], prepared.values["authors"], prepared.values["source"]) == (
        ("2024", "b"),
        ("5",),
        ("9",),
    )
    loaded: Any = Schema(Article).load(prepared.stored)
    assert (loaded.id, loaded.tags) == ("7", ["2024", "b"])


def test_an_article_changed_since_it_was_made_is_checked_again() -> None:
    for name, value in {"title": 5, "published": "never", "source": ["a"], "authors": {"a": 1}, "tags": [None]}.items():
        article = Article(title="T")
        setattr(article, name, value)
        with pytest.raises(SourceError, match=name):
            Schema(Article).prepare(article)
    unchecked = Article.model_construct(title="T", published="2024-01-01", tags="a")
    prepared = Schema(Article).prepare(unchecked)
    assert prepared == Schema(Article).prepare({"title": "T", "published": "2024-01-01", "tags": "a"})
    with pytest.raises(SourceError, match="title"):
        Schema(Article).prepare(Article.model_construct(title=5))


def test_the_order_of_unknown_keys_is_no_change() -> None:
    one = Schema(Article).prepare({"title": "T", "b": 1, "a": [{"y": 1, "x": [2]}]})
    other = Schema(Article).prepare({"a": [{"x": [2], "y": 1}], "title": "T", "b": 1})
    assert (one.stored, one.digest) == (other.stored, other.digest)
    assert one.digest != Schema(Article).prepare({"title": "T", "b": 2, "a": [{"y": 1, "x": [2]}]}).digest


def test_none_comes_back_where_it_is_not_the_default() -> None:
    class Optional(BaseModel):
        title: Annotated[str, Text()]
        note: str | None
        desk: Annotated[str | None, Keyword()] = "home"

    schema = Schema(Optional)
    prepared = schema.prepare({"title": "T", "note": None, "desk": None})
    assert schema.load(prepared.stored) == Optional(title="T", note=None, desk=None)


def test_what_a_model_computes_is_not_stored() -> None:
    class Computed(BaseModel):
        model_config = ConfigDict(extra="forbid")
        id: str | None = None
        title: Annotated[str, Text()]

        @computed_field  # type: ignore[prop-decorator]
        @property
        def loud(self) -> str:
            return self.title.upper()

    schema = Schema(Computed)
    loaded: Any = schema.load(schema.prepare({"title": "t"}).stored)
    assert loaded.loud == "T"


def test_a_model_without_an_id_keeps_the_ids_given() -> None:
    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")
        title: Annotated[str, Text()]

    for schema, article_id in ((Schema(Open), "x"), (Schema(Report), None)):
        text = schema.text_fields[0]
        prepared = schema.prepare({"id": "x", text: "T"})
        assert prepared.unknown_keys == ()
        assert article_id in (None, prepared.article_id)
        again = schema.prepare(schema.load(prepared.stored))
        assert (again.article_id, again.digest) == (prepared.article_id, prepared.digest)


def test_ids_that_are_numbers_must_be_given() -> None:
    class Numbered(BaseModel):
        id: int | None = None
        title: Annotated[str, Text()]

    schema = Schema(Numbered)
    assert schema.prepare({"id": 7, "title": "T"}).article_id == "7"
    assert schema.load(schema.prepare({"id": 7, "title": "T"}).stored) == Numbered(id=7, title="T")
    with pytest.raises(SourceError, match="id: Numbered takes no text for an id"):
        schema.prepare({"title": "T"})


@pytest.mark.parametrize("stored", ["{", "[]", "{}", '{"id":"a","title":[]}', '"id"', "[" * 100_000])
def test_a_stored_article_that_does_not_load_is_a_format_error(stored: str) -> None:
    with pytest.raises(FormatError, match="does not fit Article"):
        Schema(Article).load(stored)


def test_an_error_of_a_models_own_rules_rejects_the_record() -> None:
    class Fussy(BaseModel):
        title: Annotated[str, Text()]

        @field_validator("title")
        @classmethod
        def fails(cls, value: str) -> str:
            raise TypeError(f"no {value}")

    with pytest.raises(SourceError, match="not an article: TypeError: no T"):
        Schema(Fussy).prepare({"title": "T"})


class Closed(Report):
    model_config = ConfigDict(extra="forbid")


class Loose(Report):
    model_config = ConfigDict(extra="allow")
    id: str | None = None
    anything: Any = None
    published: Annotated[datetime | None, Date()] = None
    tags: Annotated[list[str], Keyword()] = []


TEXTS = st.text(max_size=12) | st.sampled_from(["\ud800", "a\nb\x00\x1f\x7f\u2028", " ", "\u0301", "Zürich", "7"])
DATES = st.sampled_from(
    "2024-04-09|2024-04-09T10:30:00.5Z|0001-01-01T00:00:00+14:00|Tue, 09 Apr 2024 10:30:00 +0200|never| ".split("|")
) | st.datetimes() | st.datetimes(timezones=st.timezones()) | st.dates()  # fmt: skip
PLAIN = TEXTS | st.none() | st.booleans() | st.integers() | st.sampled_from([2**64, -(2**62), 2**62 + 1, 10**30])
ANYTHING = PLAIN | DATES | st.floats() | st.lists(TEXTS | PLAIN, max_size=3) | st.dictionaries(TEXTS, PLAIN, max_size=2)
NAMES = (
    "id url title summary body published source authors tags headline desk words grade live filed note anything"
    " dateline b a class model_dump __class__".split()
)
RECORDS = st.fixed_dictionaries(
    {"title": TEXTS, "headline": TEXTS},
    optional={
        "published": DATES,
        "filed": DATES,
        "tags": st.lists(TEXTS, max_size=3) | TEXTS,
        "desk": st.lists(TEXTS, max_size=2),
        "id": TEXTS,
        "words": st.integers(),
        "grade": st.floats(),
        "live": st.booleans(),
        "extra": PLAIN | st.lists(TEXTS, max_size=2),
    },
)


@pytest.mark.parametrize("model", [Article, Report, Closed, Loose])
@given(record=RECORDS | st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=6))
def test_a_plain_record_is_prepared_as_pydantic_would(model: type[BaseModel], record: dict[str, Any]) -> None:
    if model is Closed:
        record = {name: value for name, value in record.items() if name in Closed.model_fields}
    quick, careful = Schema(model), Schema(model)
    careful._plain = None

    def outcome(schema: Schema) -> object:
        try:
            return schema.prepare(dict(record))
        except SourceError as error:
            return error.reason if "stored as JSON" not in error.reason else "not JSON"

    assert outcome(quick) == outcome(careful)


DAYS = "0001-01-01 0001-01-02 2023-12-31 2024-02-28 2024-02-29 2024-03-01 2023-02-29 9999-12-30 9999-12-31".split()
ZONES = ["", "Z", "+00:00", *(f"{sign}{hours:02}:00" for sign in "+-" for hours in (1, 14, 23, 24)), "+05:30"]
MOMENTS = st.builds(
    "{}{}{:02}:{:02}:59{}".format,
    st.sampled_from(DAYS), st.sampled_from("T "), st.integers(0, 24), st.integers(0, 60), st.sampled_from(ZONES),
)  # fmt: skip


@given(st.lists(MOMENTS, min_size=2, max_size=8))
def test_a_date_of_a_day_met_before_is_read_as_the_first(written: list[str]) -> None:
    quick = Schema(Article)
    for date in written * 2:
        record = {"id": "1", "title": "T", "published": date}
        careful = Schema(Article)
        careful._plain = None
        outcomes = []
        for schema in (quick, careful):
            try:
                outcomes.append(schema.prepare(record))
            except SourceError as error:
                outcomes.append(error.reason)
        assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("model", [Article, Report, Loose])
@given(records=st.lists(RECORDS, max_size=5), cut=st.integers(0, 5), gone=st.sets(st.integers(0, 4)))
def test_records_prepared_together_are_those_prepared_one_by_one(
    model: type[BaseModel], records: list[dict[str, Any]], cut: int, gone: set[int]
) -> None:
    schema = Schema(model)
    plain = [record for record in records if schema.prepare_plain([record]) is not None]
    together = schema.prepare_plain(plain)
    assert together is not None
    assert [together[place] for place in range(len(together))] == [schema.prepare(record) for record in plain]
    assert schema.prepare_plain(records) is None or len(plain) == len(records)
    parts = PreparedArticles()
    parts.extend(together.among(0, cut))
    parts.extend(PreparedArticles.of([schema.prepare(record) for record in plain[cut:]]))
    assert [parts[place] for place in range(len(parts))] == [together[place] for place in range(len(plain))]
    kept = parts.without(gone)
    assert [kept[place] for place in range(len(kept))] == [parts[n] for n in range(len(parts)) if n not in gone]


def test_plain_records_are_recognised_and_models_with_rules_are_not() -> None:
    class Ruled(Article):
        @field_validator("title")
        @classmethod
        def loud(cls, value: str | None) -> str | None:
            return value and value.upper()

    class Stripped(Article):
        model_config = ConfigDict(str_strip_whitespace=True)

    class Measured(Article):
        desk: Annotated[str | None, Keyword(), Pydantic(max_length=3)] = None

    for model in (Article, Report, Closed, Loose):
        assert Schema(model)._plain is not None
    for ruled in (Ruled, Stripped, Measured):
        assert Schema(ruled)._plain is None
    plain = Schema(Article)._plain
    assert plain is not None
    assert plain.read([{"title": "T", "published": "2024-04-09", "tags": ["a"], "dateline": "X", "pages": [1]}]) is None
    assert plain.read([{"title": "T", "published": "2024-04-09", "tags": ["a"], "dateline": "X"}]) is not None


def test_a_segment_has_room_for_eight_text_fields() -> None:
    fields: dict[str, Any] = {f"text{number}": (Annotated[str, Text()], "") for number in range(9)}
    with pytest.raises(SchemaError, match="has 9 text fields; 8 at most"):
        Schema(create_model("Nine", **fields))
    del fields["text0"]
    assert len(Schema(create_model("Eight", **fields)).text_fields) == 8


def test_a_number_of_thousands_of_digits_is_refused_and_its_neighbours_are_kept(tmp_path: Path) -> None:
    class Counted(Article):
        words: Annotated[int | None, Number()] = None

    with newsindex.open(tmp_path / "index", model=Counted, create=True) as index:
        report = index.add([{"id": f"{n}", "body": "oil", "words": 10**5000 if n == 1 else n} for n in range(3)])
        assert report.added == 2
        assert [str(error) for error in report.rejected] == ["words: such int is no number from -2^62 to 2^62"]


def test_a_wrong_value_is_written_whatever_its_class_is_called() -> None:
    class List:
        pass

    List.__name__ = "list"
    assert shown(List()) == "such list"
    assert shown("x" * 100) == f"'{'x' * 27}...{'x' * 28}'"
