"""The model that newsindex ships."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict

from newsindex.schema.kinds import Date, Keyword, Stored, Text

__all__ = ["Article"]


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
