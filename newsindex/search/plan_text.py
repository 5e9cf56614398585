"""What a query was made of and how it is carried out, in words."""

from __future__ import annotations

from collections.abc import Iterator

from newsindex.search.parts import (
    AllPart,
    AnyPart,
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
    VariantPart,
)
from newsindex.search.plan import Plan
from newsindex.search.shapes import shape_of

__all__ = ["explain_plan"]


def explain_plan(plan: Plan) -> str:
    """Return what a query was made of and how it is carried out: parts, how many articles have each, and the road."""
    lines = list(_described(plan, plan.root, 0))
    if plan.filters:
        lines.append("filtered by:")
        for part in plan.filters:
            lines += _described(plan, part, 1)
    lines.append(f"road: {_road(plan)}")
    return "\n".join(lines)


def _road(plan: Plan) -> str:
    shape = shape_of(plan)
    if shape is None:
        return "sets of articles, then the scores of all that match"
    if not shape.words.required or len(shape.places) == 1:
        return "the best first: blocks of articles that cannot be among them are skipped"
    rarest = min(shape.places, key=plan.doc_freq)
    word = " or ".join(plan.terms[place].decode() for place in rarest)
    return f"the best first, driven by {word}, the rarest word"


def _described(plan: Plan, part: Part, depth: int) -> Iterator[str]:
    """Yield the lines of a part, those of its parts further in."""
    indent = "  " * depth
    if isinstance(part, AllPart):
        if not part.parts and not part.without:
            yield f"{indent}every article"
        if part.parts:
            yield f"{indent}all of:"
        for inner in part.parts:
            yield from _described(plan, inner, depth + 1)
        if part.without:
            yield f"{indent}none of:"
        for inner in part.without:
            yield from _described(plan, inner, depth + 1)
    elif isinstance(part, AnyPart | CountPart):
        least = part.count if isinstance(part, CountPart) else 1
        yield f"{indent}at least {least} of:" if part.parts else f"{indent}nothing"
        for inner in part.parts:
            yield from _described(plan, inner, depth + 1)
    elif isinstance(part, PlacePart):
        yield f"{indent}{part.count} or more places of:" if part.count > 1 else f"{indent}a place of:"
        yield from _places(plan, part.places, depth + 1)
    elif isinstance(part, SetPart):
        yield f"{indent}{part.node}: from columns"
    else:
        yield f"{indent}{_leaf(plan, part)}"


def _places(plan: Plan, places: Places, depth: int) -> Iterator[str]:
    indent = "  " * depth
    if isinstance(places, NearPlaces):
        yield f"{indent}{places.node.operator}:"
        yield from _places(plan, places.left, depth + 1)
        yield from _places(plan, places.right, depth + 1)
    elif isinstance(places, RowPlaces):
        near = f"near each other, over at most {places.slop} places more" if places.slop else "side by side"
        yield f"{indent}{near}{', in the lead' if places.lead else ''}:"
        for word in places.words:
            yield f"{indent}  {_leaf(plan, word)}"
    elif isinstance(places, LeafPlaces):
        loose = f", over at most {places.slop} places more" if places.slop else ""
        yield f"{indent}{_leaf(plan, places.leaf)}{loose}{', in the lead' if places.lead else ''}"
    else:
        yield f"{indent}any of:"
        for inner in places.parts:
            yield from _places(plan, inner, depth + 1)


def _leaf(plan: Plan, leaf: LeafPart) -> str:
    boost = f" ×{leaf.factor:g}" if leaf.factor != 1 else ""
    if isinstance(leaf, ExpansionPart):
        expansion = plan.expansions[leaf]
        sure, worded = sum(map(len, expansion.rows)), sum(len(own.rows) for own in expansion.worded)
        some = f", and some words of {worded:,}" if worded else ""
        return f"{leaf.node}{boost}: {sure:,} terms in {len(expansion.rows)} segments{some}"
    counts = zip(leaf.terms, leaf.places, strict=True)
    terms = [f"{term.decode()} ({plan.doc_freqs[place]:,} articles)" for term, place in counts]
    if isinstance(leaf, VariantPart):
        return f"{leaf.node}{boost}: {' or '.join(terms)}, as one word that {plan.variant_freqs[leaf]:,} articles have"
    written = " as written, looked up in articles" if leaf.cased else " as written" if leaf.written else ""
    return f"{leaf.node}{boost}: {' '.join(terms)}{written}"
