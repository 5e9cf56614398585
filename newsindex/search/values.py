"""The values that articles have: which articles have one, which values there are, and how often."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.query.tree import Exists, Prefix, Range, Value, Wildcard
from newsindex.schema import Keyword, fold_keyword
from newsindex.search.column_sets import (
    bounds_of,
    id_bitmap,
    keyword_bitmap,
    keyword_pattern_bitmap,
    keyword_prefix_bitmap,
    range_bitmap,
)
from newsindex.search.deadline import Deadline
from newsindex.search.segment import NO_BITS, SearchSegment, bits_of
from newsindex.search.sets import everything, living
from newsindex.search.snapshot import Snapshot

__all__ = ["count_values", "has_value", "nearest_value", "set_bitmap"]

_Array = npt.NDArray[Any]
_NEAREST_AMONG = 2000
_REMEMBERED = 1000
# To compare two texts takes as long as the product of their lengths.
_LONGEST_COMPARED = 60


def set_bitmap(
    segment: SearchSegment, node: Value | Prefix | Wildcard | Range | Exists, within: _Array = NO_BITS
) -> _Array:
    """Return the articles that have a value, or one in a range, deleted ones perhaps too; nobody may change it."""
    if isinstance(node, Exists):
        return _anything(segment, node.field)
    if isinstance(node, Range):
        if node.field not in segment.reader.schema.fields:
            return _word_counts(segment, node)
        field = segment.reader.schema.fields[node.field]
        return range_bitmap(segment, node.field, bounds_of(field, node), within)
    if isinstance(node, Prefix):
        assert node.field is not None
        return keyword_prefix_bitmap(segment, node.field, _key(node.text))
    if isinstance(node, Wildcard):
        assert node.field is not None
        return keyword_pattern_bitmap(segment, node.field, fold_keyword(node.text))
    if node.field == "id":
        return id_bitmap(segment, node.text.strip())
    return keyword_bitmap(segment, node.field, (_key(node.text),))


def _anything(segment: SearchSegment, name: str) -> _Array:
    """Return the articles that have a word, or a value, in a field."""
    found = segment.kept((name, "anything"))
    if found is None:
        schema = segment.reader.schema
        if name in schema.text_fields:
            has = segment.reader.lengths(name) > 0
        elif isinstance(schema.fields[name].kind, Keyword):
            has = np.diff(segment.keywords(name).starts) > 0
        else:
            has = segment.reader.column(name)[1]
        found = segment.keep((name, "anything"), bits_of(has))
    return found


def _word_counts(segment: SearchSegment, node: Range) -> _Array:
    """Return the articles that have so many words in all text fields together."""
    counts = np.zeros(segment.doc_count, np.int64)
    for name in segment.reader.schema.text_fields:
        counts += segment.reader.lengths(name)
    has = np.ones(segment.doc_count, bool)
    if node.low is not None:
        has &= counts > node.low if node.low_open else counts >= node.low
    if node.high is not None:
        has &= counts < node.high if node.high_open else counts <= node.high
    return bits_of(has)


def has_value(snapshot: Snapshot, node: Value | Prefix | Wildcard) -> bool:
    """Tell whether any article that lives has a value, or one that begins so."""
    known = snapshot.known_values
    key = type(node), node.field, node.text
    told = known.get(key)
    if told is None:
        told = any(bool(living(one, set_bitmap(one, node).copy()).any()) for one in snapshot.segments)
        if len(known) >= _REMEMBERED:
            known.clear()
        known[key] = told
    return told


def nearest_value(snapshot: Snapshot, field: str, text: str) -> str | None:
    """Return the value of a keyword field that is most like a text, as a query says it; None when none is like it."""
    wanted = fold_keyword(text)
    keys = (segment.keywords(field).column.keys for segment in snapshot.segments)
    every = (own[number] for own in keys for number in range(len(own)))
    known = list(dict.fromkeys(itertools.islice(every, _NEAREST_AMONG)))
    found: list[str] = []
    if len(wanted) <= _LONGEST_COMPARED:
        known = [value for value in known if len(value) <= _LONGEST_COMPARED]
        found = difflib.get_close_matches(wanted, known, n=1, cutoff=0.6)
    if not found:
        found = [value for value in known if wanted and wanted in value][:1]
    return f'{field}:"{found[0]}"' if found else None


def count_values(
    snapshot: Snapshot,
    field: str,
    found: Sequence[_Array] | None = None,
    limit: int | None = None,
    prefix: str = "",
    deadline: Deadline | None = None,
) -> dict[str, int]:
    """Return the values of a keyword field in the articles of bitmaps, most frequent first, then by name.

    A value is shown as it was first written in the first segment that has it in one of the articles.

    Args:
        snapshot: the commit.
        field: the keyword field.
        found: the articles of each segment; None for all that live.
        limit: the most values to return.
        prefix: only values that begin so.
        deadline: None for the usual time.

    Raises:
        QueryTooComplex: the deadline is over. The first to ask of a commit pays for numbering the values, once.
    """
    if found is None:
        found = [everything(segment) for segment in snapshot.segments]
    used = Deadline() if deadline is None else deadline
    return snapshot.facet(field).counts(found, limit, _key(prefix) if prefix else b"", deadline=used)


def _key(text: str) -> bytes:
    return fold_keyword(text).encode("utf-8", "surrogatepass")
