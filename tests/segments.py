"""Segments in memory, from articles given as dicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from newsindex.analysis import Analyzer
from newsindex.analysis.batch import TokenBatch
from newsindex.codec.inversion import Vocabulary
from newsindex.codec.reader import SegmentReader
from newsindex.codec.writer import encode_segment
from newsindex.schema import PreparedArticle, Schema


def plain_tokens(schema: Schema, articles: Iterable[PreparedArticle]) -> tuple[TokenBatch, Vocabulary]:
    """Return the tokens as the plain tokenizer gives them, one Python call a word."""
    analyzer = Analyzer(schema.language)
    surfaces: dict[str, int] = {}
    terms: dict[str, int] = {}
    term_of_surface: list[int] = []
    ids: list[int] = []
    boundaries: list[int] = []
    starts = [0]
    for article in articles:
        for name in schema.text_fields:
            for token in analyzer.tokens(article.values.get(name, "")):
                if token.surface not in surfaces:
                    surfaces[token.surface] = len(surfaces)
                    term_of_surface.append(terms.setdefault(token.term, len(terms)))
                ids.append(surfaces[token.surface])
                boundaries.append(token.boundary)
            starts.append(len(ids))
    batch = TokenBatch(np.array(ids, np.uint32), np.array(boundaries, np.uint8), np.array(starts, np.int64), 0)
    words = list(terms)
    stemmed = bytes(surface != words[term] for surface, term in zip(surfaces, term_of_surface, strict=True))
    return batch, Vocabulary(np.array(term_of_surface, np.uint32), words, list(surfaces), stemmed)


def make_segment(schema: Schema, articles: Iterable[PreparedArticle | Mapping[str, Any]]) -> SegmentReader:
    """Return a reader of a segment that holds the articles in this order."""
    prepared = [given if isinstance(given, PreparedArticle) else schema.prepare(given) for given in articles]
    body = b"".join(encode_segment(schema, prepared, *plain_tokens(schema, prepared)))
    return SegmentReader(np.frombuffer(body, np.uint8), "test.seg", schema)
