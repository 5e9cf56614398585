"""What the parts of a query look for in texts, so that snippets mark just what matched."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from newsindex.query.tree import Phrase
from newsindex.search.expansion import changes
from newsindex.search.matches import Sought
from newsindex.search.parts import (
    AllPart,
    AnyPart,
    AnyPlaces,
    CountPart,
    ExpansionPart,
    LeafPart,
    LeafPlaces,
    NearPlaces,
    Part,
    PlacePart,
    Places,
    RowPlaces,
    SetPart,
    TermPart,
    VariantPart,
)
from newsindex.search.patterns import fitting
from newsindex.search.plan import Plan
from newsindex.search.top import Words

__all__ = ["plainly_sought", "sought_by"]


def sought_by(plan: Plan) -> list[Sought]:
    """Return what a query looks for in text, in its order; what is excluded is not among it."""
    found: list[tuple[int, Sought]] = []
    for part in _shown(plan.root):
        leaf = part.words[0] if isinstance(part, RowPlaces) else part
        if not leaf.excluded:
            found += [(leaf.node.start, sought) for sought in _sought(plan, part, leaf)]
    return [sought for _, sought in sorted(found, key=lambda pair: pair[0])]


def plainly_sought(words: Words, fields: tuple[str, ...]) -> list[Sought]:
    """Return the same of words without variants that are looked for in all text fields, and of which no plan is made.

    They are in the query's order; where there is a phrase, it is of all of them.
    """
    rows = tuple([(term.decode(),) for term in words.terms])
    return [Sought(fields, rows)] if words.phrases else [Sought(fields, (row,)) for row in rows]


def _shown(part: Part) -> Iterator[LeafPart | RowPlaces]:
    if isinstance(part, AllPart | AnyPart | CountPart):
        for inner in part.parts:
            yield from _shown(inner)
    elif isinstance(part, PlacePart):
        yield from _placed(part.places)
    elif not isinstance(part, SetPart):
        yield part


def _placed(places: Places) -> Iterator[LeafPart | RowPlaces]:
    if isinstance(places, NearPlaces):
        yield from _placed(places.left)
        yield from _placed(places.right)
    elif isinstance(places, AnyPlaces):
        for inner in places.parts:
            yield from _placed(inner)
    else:
        yield places.leaf if isinstance(places, LeafPlaces) else places


def _sought(plan: Plan, part: LeafPart | RowPlaces, leaf: LeafPart) -> Iterator[Sought]:
    fields = plan.vocabulary.names(leaf.mask)
    if isinstance(part, ExpansionPart):
        beginning = part.text if part.kind in ("prefix", "pair") else ""
        yield Sought(fields, (plan.expansions[part].terms(plan.snapshot),), likes=_likes(part), beginning=beginning)
        return
    rows: tuple[tuple[bytes, ...], ...]
    written: tuple[str, ...] = ()
    cased = False
    if isinstance(part, TermPart):
        rows, written, cased = tuple((term,) for term in part.terms), part.written, part.cased
    elif isinstance(part, VariantPart):
        rows = (part.terms,)
    else:
        rows = tuple(word.terms for word in part.words)
    words = tuple(tuple(term.decode() for term in terms) for terms in rows)
    if isinstance(leaf.node, Phrase) and leaf.node.slop:  # not side by side: they are shown one by one
        for terms in words:
            yield Sought(fields, (terms,))
    else:
        yield Sought(fields, words, written, cased)


def _likes(part: ExpansionPart) -> Callable[[str], bool]:
    """Return what tells whether a part stands for a word, or a term."""
    text, edits = part.text, part.edits
    if part.kind == "prefix":
        return lambda word: word.startswith(text)
    if part.kind == "pair":
        return lambda word: word.startswith(text) or word.endswith(text)
    if part.kind == "pattern":
        return fitting(text)
    return lambda word: word[:1] == text[:1] and abs(len(word) - len(text)) <= edits and changes(text, word) <= edits
