"""The shapes of query that people mostly ask: any or all of some words and phrases, filtered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from newsindex.query.tree import Range
from newsindex.search.column_sets import bounds_of
from newsindex.search.joined_terms import can_be_gathered, can_be_joined
from newsindex.search.parts import AllPart, AnyPart, Part, SetPart, TermPart, VariantPart, is_scored
from newsindex.search.plan import Plan
from newsindex.search.top import Words

__all__ = ["Shape", "shape_of"]


@dataclass(slots=True, eq=False)
class Shape:
    """What to look for, by which all articles that match are found: words, sets that hold them, and parts that do not.

    `places` are those of each word's term in the plan, or of its and its variants' terms; `dates` are [low, high) of
    the date by which articles are sorted.
    """

    words: Words
    places: list[tuple[int, ...]]
    sets: list[Part]
    without: list[Part]
    dates: tuple[int, int] | None


def shape_of(plan: Plan) -> Shape | None:
    """Return the shape of a query, None when it has another."""
    root = plan.root
    sets, without = plan.filters, _NONE
    words: list[TermPart | VariantPart]
    if type(root) is TermPart or type(root) is VariantPart:
        words, required = [root], True
    elif type(root) is AnyPart:
        words, required = _alternatives(root), False
    elif type(root) is AllPart:
        without = root.without
        words, choices, sets = [], [], [*sets]
        for part in root.parts:
            if type(part) is TermPart or type(part) is VariantPart:
                words.append(part)
            elif not is_scored(part):
                sets.append(part)
            elif type(part) is AnyPart:
                choices.append(part)
            else:
                return None
        required = bool(words)
        if len(choices) > (not required):
            return None
        if choices:
            words = _alternatives(choices[0])
    else:
        return None
    if not words:
        return None
    dates = None
    if sets:
        dates, sets = _dates(plan, sets)
    return _shape(plan, words, required, sets, without, dates)


# A longer one is found sooner from its words' positions in all articles than article by article.
_LONGEST_PHRASE = 32
_NONE: list[Part] = []
_NO_PHRASES: list[TermPart] = []


def _alternatives(part: AnyPart) -> list[TermPart | VariantPart]:
    """Return the parts when all of them are words."""
    words: list[TermPart | VariantPart] = []
    for inner in part.parts:
        if type(inner) is VariantPart or (type(inner) is TermPart and len(inner.terms) == 1):
            words.append(inner)
    return words if len(words) == len(part.parts) else []


def _dates(plan: Plan, sets: list[Part]) -> tuple[tuple[int, int] | None, list[Part]]:
    """Return the first range of dates among sets, and the others."""
    name = plan.vocabulary.schema.date_field
    for place, part in enumerate(sets):
        if isinstance(part, SetPart) and isinstance(part.node, Range) and part.node.field == name:
            bounds = bounds_of(plan.vocabulary.schema.fields[name], part.node)
            if bounds is not None:
                return (int(bounds[0]), min(int(bounds[1]), 2**63 - 2) + 1), [*sets[:place], *sets[place + 1 :]]
    return None, sets


@lru_cache(maxsize=256)
def _array_of(masks: tuple[int, ...]) -> npt.NDArray[np.int64]:
    return np.array(masks, np.int64)


def _shape(
    plan: Plan,
    parts: list[TermPart | VariantPart],
    required: bool,
    sets: list[Part],
    without: list[Part],
    dates: tuple[int, int] | None,
) -> Shape | None:
    single = [part for part in parts if type(part) is TermPart]
    places, masks, factors = plan.term_factors(single)
    terms = [plan.terms[place] for place in places]
    all_places: list[tuple[int, ...]] = [(place,) for place in places]
    if len(single) < len(parts):
        for part in parts:
            if type(part) is VariantPart:
                own = list(part.places)
                # Asked for twice, each counts by itself, which is rounded in another way.
                if part.places in all_places or not all(can_be_joined(rows[own]) for rows in plan.rows):
                    return None
                all_places.append(part.places)
                terms.append(b"\xff".join(part.terms))
                masks.append(part.mask)
                factors.append(plan.variants_factor(part))
        every = [place for several in all_places for place in several]
        if not all(can_be_gathered(rows[every]) for rows in plan.rows):
            return None
    words = Words(tuple(terms), np.array(factors, np.float64), _array_of(tuple(masks)), required)
    phrases = [part for part in single if len(part.terms) > 1] if required else _NO_PHRASES
    if phrases:
        if len(single) < len(parts):
            return None
        if max(len(part.terms) for part in phrases) > _LONGEST_PHRASE:
            return None
        known = {key: number for number, key in enumerate(zip(places, masks, strict=True))}
        words.phrases = tuple(
            tuple((known[place, part.mask], offset) for offset, place in enumerate(part.places)) for part in phrases
        )
        words.phrase_masks = tuple(part.mask for part in phrases)
        words.slops = (0,) * len(phrases)
    return Shape(words, all_places, sets, without, dates)
