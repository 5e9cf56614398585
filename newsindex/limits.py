"""How much one article may be: its text, its words, and what is kept with it."""

from __future__ import annotations

import json

from newsindex.analysis import Analyzer
from newsindex.analysis.batch import BatchTokenizer
from newsindex.errors import SourceError
from newsindex.schema import PreparedArticle, Schema

__all__ = ["LONGEST_TEXT", "MOST_METADATA_BYTES", "MOST_WORDS", "check_size"]

LONGEST_TEXT = 10 * 1024 * 1024
MOST_WORDS = 1_000_000
MOST_METADATA_BYTES = 64 * 1024
# Text by its nature, though not searched: what a reader cut from the end of the body.
_TEXT_TOO = "boilerplate"


def check_size(article: PreparedArticle, schema: Schema, analyzer: Analyzer) -> None:
    """Raise SourceError when an article is over a limit; the reason names it and the value.

    The text is that of all text fields together, and of it the words are counted; the metadata is everything else as it
    is stored, JSON in UTF-8, but for `boilerplate`.
    """
    size = len(article.stored)
    if size <= MOST_METADATA_BYTES:
        return  # nearly all: text is never longer than it is stored, and a word has a character at least
    texts = [article.values[name] for name in schema.text_fields if name in article.values]
    length = sum(map(len, texts))
    if length > LONGEST_TEXT:
        raise SourceError(f"the text has {length:,} characters, the limit is {LONGEST_TEXT:,}; split the article")
    if size - length > MOST_METADATA_BYTES:
        metadata = _metadata_bytes(article.stored, schema)
        if metadata > MOST_METADATA_BYTES:
            raise SourceError(
                f"{metadata:,} bytes are kept with the text, the limit is {MOST_METADATA_BYTES:,}; leave out keys that "
                "are not searched, or shorten lists"
            )
    if length > MOST_WORDS:
        words = int(BatchTokenizer(analyzer).tokenize(texts).starts[-1])
        if words > MOST_WORDS:
            raise SourceError(f"the text has {words:,} words, the limit is {MOST_WORDS:,}; split the article")


def _metadata_bytes(stored: bytes, schema: Schema) -> int:
    data = json.loads(stored)
    for name in (*schema.text_fields, _TEXT_TOO):
        if isinstance(data.get(name), str):
            del data[name]
    return len(json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode())
