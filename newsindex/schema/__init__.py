"""The pydantic model is the schema: field kinds are annotations, and everything else is derived from them.

    class Report(BaseModel):
        headline: Annotated[str, Text(weight=3)]
        desk: Annotated[str | None, Keyword()] = None

A field without a kind is stored and not searched. The schema of an index is kept in it as JSON.

kinds ─ article ─┬─ identity   which article is it?
                 ├─ plain      records that need no conversion
                 ├─ saved      the schema as JSON, and back
                 ├─ prepared   articles as the indexer takes them
                 └─ schema     from a record to what is indexed
"""

from newsindex.schema.article import Article
from newsindex.schema.identity import fold_keyword
from newsindex.schema.kinds import Date, Field, Flag, Keyword, Number, Stored, Text
from newsindex.schema.prepared import PreparedArticle, PreparedArticles
from newsindex.schema.schema import Schema

__all__ = [
    "Article",
    "Date",
    "Field",
    "Flag",
    "Keyword",
    "Number",
    "PreparedArticle",
    "PreparedArticles",
    "Schema",
    "Stored",
    "Text",
    "fold_keyword",
]
