"""The quick way for what most searches are: any or all of some words that were searched for lately.

What is known of a word in a commit is kept with it, so that no query tree and no plan is made before something other
than the best articles is asked for.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from newsindex.query.tree import And, Node, Or, Word
from newsindex.search.deadline import Deadline
from newsindex.search.parts import AllPart, AnyPart, TermPart
from newsindex.search.plan import Plan
from newsindex.search.snapshot import Snapshot
from newsindex.search.top import Words, best

__all__ = ["best_of_known", "count_of_known", "remember"]

_Array = npt.NDArray[Any]
_REMEMBERED = 4096
_MOST = 32


class _Known(NamedTuple):
    """A word without variants that some article has: what the kernel takes of it, alone, and its rows by segment."""

    words: Words
    rows: tuple[_Array, ...]


def best_of_known(snapshot: Snapshot, query: str, limit: int, deadline: Deadline) -> tuple[_Array, _Array] | None:
    """Return (scores, numbers) of the best articles; None when this is not the way for the query.

    Raises:
        FormatError: a segment is damaged.
        QueryTooComplex: the deadline is over.
    """
    known: dict[str, _Known] = snapshot.known_words
    one = known.get(query)
    if one is None:
        found = _joined(known, query)
        if found is None:
            return None
        one = found
    return best(
        snapshot.segments, one.words, snapshot.usual, limit, allowed=snapshot.living, date_range=None, after=None,
        deadline=deadline, rows=one.rows,
    )  # fmt: skip


def count_of_known(snapshot: Snapshot, query: str) -> int | None:
    """Return how many articles match; None when this is not the way for the query."""
    one: _Known | None = snapshot.known_words.get(query)
    if one is None or any(living is not None for living in snapshot.living):
        return None
    # It stands in any text field, and all articles of its list live.
    return sum(int(rows[0, 2]) for rows in one.rows)


def _joined(known: dict[str, _Known], query: str) -> _Known | None:
    texts = query.split(" ")
    required = "OR" not in texts  # no operator is a known word: any other makes the look-up below fail
    if not required:
        if texts[1::2] != ["OR"] * (len(texts) >> 1):
            return None
        texts = texts[::2]
    if not 1 < len(texts) <= _MOST:
        return None
    try:
        words = [known[text] for text in texts]
    except KeyError:
        return None
    terms = tuple([word.words.terms[0] for word in words])
    if len(set(terms)) < len(terms):  # asked for twice counts twice, which takes the plan
        return None
    factors = np.array([word.words.factors[0] for word in words])
    masks = np.array([word.words.masks[0] for word in words])
    rows = tuple([np.concatenate(own) for own in zip(*[word.rows for word in words], strict=True)])
    return _Known(Words(terms, factors, masks, required), rows)


def remember(plan: Plan, tree: Node) -> None:
    """Keep what a plan found out of the words of a plain query: each stands for itself wherever it is typed."""
    snapshot, root = plan.snapshot, plan.root
    parts = root.parts if isinstance(root, AllPart | AnyPart) else [root]
    nodes = {id(node) for node in (tree.children if isinstance(tree, And | Or) else (tree,)) if isinstance(node, Word)}
    for part in parts:
        if not isinstance(part, TermPart) or len(part.terms) != 1 or part.factor != 1.0 or id(part.node) not in nodes:
            continue
        place = part.places[0]
        if not plan.fields[place] & part.mask:
            continue
        factors, masks = np.array([plan.idf(place)]), np.array([part.mask], np.int64)
        rows = tuple(np.ascontiguousarray(own[place : place + 1]) for own in plan.rows)
        if len(snapshot.known_words) >= _REMEMBERED:
            snapshot.known_words.clear()
        snapshot.known_words[part.node.text] = _Known(Words(part.terms, factors, masks, True), rows)
