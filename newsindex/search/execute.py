"""A plan to articles: which match, which are the best, the newest, and how many have each value."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.query.tree import Range
from newsindex.search.deadline import Deadline
from newsindex.search.joined_terms import TermData, data_of_terms, joined_term
from newsindex.search.ordering import top_by_date, top_by_score
from newsindex.search.parts import (
    AllPart,
    AnyPart,
    CountPart,
    ExpansionPart,
    Part,
    PlacePart,
    SetPart,
    TermPart,
    VariantPart,
)
from newsindex.search.place_sets import expansion_bitmap, place_bitmap
from newsindex.search.plan import Plan
from newsindex.search.segment import NO_BITS
from newsindex.search.sets import (
    accumulate,
    accumulate_constant,
    accumulate_together,
    at_least,
    count,
    count_word,
    difference,
    everything,
    first_of_union,
    intersection,
    living,
    no_scores,
    nothing,
    numbers,
    phrase_bitmap,
    term_bitmap,
    terms_and,
    terms_union,
    union,
)
from newsindex.search.shapes import Shape, shape_of
from newsindex.search.top import best
from newsindex.search.values import count_values, set_bitmap

__all__ = ["MOST_BY_SHAPE", "Execution"]

_Array = npt.NDArray[Any]
MOST_BY_SHAPE = 10_001
"""Of more hits the whole is scored, which takes no longer then."""


class Execution:
    """A plan as it is carried out, by one thread in a given time.

    What it finds out is kept with the plan, for what else is asked. Segments are named by their place.
    """

    def __init__(self, plan: Plan, deadline: Deadline) -> None:
        self.plan = plan
        self.deadline = deadline
        self.segments = plan.snapshot.segments

    # Sets

    def matching(self, at: int) -> _Array:
        """Return the bitmap of the articles of a segment that match; nobody may change it."""
        key = at, None
        found = self.plan.bitmaps.get(key)
        if found is None:
            self.deadline.check()
            segment = self.segments[at]
            allowed = self._all(at, self.plan.filters, NO_BITS) if self.plan.filters else NO_BITS
            bits = self._find(at, self.plan.root, allowed)
            found = self.plan.bitmaps[key] = intersection([bits, allowed, segment.live])
        return found

    def part(self, at: int, part: Part) -> _Array:
        """Return the bitmap of the articles of a segment that match, and match a part; nobody may change it."""
        key = at, part
        found = self.plan.bitmaps.get(key)
        if found is None:
            matching = self.matching(at)
            found = self.plan.bitmaps[key] = intersection([self._find(at, part, matching), matching])
        return found

    def _find(self, at: int, part: Part, within: _Array) -> _Array:
        """Return the articles that match a part, deleted ones too; those not in `within` may be left out."""
        segment = self.segments[at]
        self.deadline.check()
        if isinstance(part, TermPart):
            rows = self.plan.rows[at][list(part.places)]
            if len(part.terms) == 1:
                return term_bitmap(segment, rows[0], part.mask, self.deadline)
            return phrase_bitmap(segment, rows, np.arange(len(rows)), part.mask, within, deadline=self.deadline)
        if isinstance(part, ExpansionPart):
            return expansion_bitmap(self.plan, at, part, self.deadline)
        if isinstance(part, VariantPart):
            return terms_union(segment, self.plan.rows[at][list(part.places)], part.mask, self.deadline)
        if isinstance(part, SetPart):
            return set_bitmap(segment, part.node, within)
        if isinstance(part, AnyPart):
            return self._any(at, part.parts, within)
        if isinstance(part, PlacePart):
            return self._placed(at, part, within)
        if isinstance(part, CountPart):
            return at_least([self._find(at, inner, within) for inner in part.parts], part.count)
        assert isinstance(part, AllPart)
        found = self._all(at, part.parts, within)
        if part.without:
            # What is left without them need not be looked for among other articles.
            found = difference(found, self._any(at, part.without, found))
        return found

    def _placed(self, at: int, part: PlacePart, within: _Array) -> _Array:
        """Return what is found by the places of words, once: scores ask again, for fewer articles."""
        known = self.plan.placed.get((at, part))
        if known is None or (known[0].size and not (within.size and not (within & ~known[0]).any())):
            known = self.plan.placed[at, part] = within, place_bitmap(self.plan, at, part, within, self.deadline)
        return intersection([known[1], within])

    def _all(self, at: int, parts: list[Part], within: _Array) -> _Array:
        """Return the articles that match all parts: what is quick to find first, so that less is left to look at."""
        if not parts:
            return within if within.size else everything(self.segments[at])
        for part in parts:
            if type(part) is SetPart and type(part.node) is not Range:
                within = intersection([within, set_bitmap(self.segments[at], part.node, within)])
        words = [part for part in parts if type(part) is TermPart and len(part.terms) == 1]
        if words:
            rows = self.plan.rows[at][[part.places[0] for part in words]]
            masks = np.array([part.mask for part in words])
            within = terms_and(self.segments[at], rows, masks, within, self.deadline)
        for part in parts:
            if type(part) is SetPart and type(part.node) is Range:
                within = intersection([within, set_bitmap(self.segments[at], part.node, within)])
        for part in parts:
            if type(part) is TermPart and len(part.terms) > 1:
                within = self._find(at, part, within)
        for part in parts:
            if type(part) not in (SetPart, TermPart, PlacePart):
                within = intersection([within, self._find(at, part, within)])
        for part in parts:
            if type(part) is PlacePart:
                within = self._find(at, part, within)
        return within

    def _any(self, at: int, parts: list[Part], within: _Array) -> _Array:
        """Return the articles that match one of the parts; words of the same fields are found together."""
        segment = self.segments[at]
        found: list[_Array] = []
        words: dict[int, list[int]] = {}
        for part in parts:
            if isinstance(part, TermPart) and len(part.terms) == 1:
                words.setdefault(part.mask, []).append(part.places[0])
            else:
                found.append(self._find(at, part, within))
        for mask, places in words.items():
            found.append(terms_union(segment, self.plan.rows[at][places], mask, self.deadline))
        return union(found) if found else nothing(segment)

    # One article

    def place(self, number: int) -> tuple[int, int]:
        """Return the place of an article's segment, and its number counted from the segment's first."""
        segment, doc = self.plan.snapshot.place(number)
        return self.segments.index(segment), doc

    def has(self, at: int, part: Part, doc: int) -> bool:
        """Tell whether an article of a segment, which matches, matches a part."""
        return _has(self.part(at, part), doc)

    def is_matched(self, number: int) -> bool:
        """Tell whether an article matches."""
        at, doc = self.place(number)
        return _has(self.matching(at), doc)

    # All articles

    def count(self) -> int:
        """Return the number of articles that match."""
        plan = self.plan
        root = plan.root
        if isinstance(root, TermPart) and len(root.terms) == 1 and not plan.filters and not plan.bitmaps:
            place, mask = root.places[0], root.mask
            return sum(
                count_word(segment, rows[place], mask, self.deadline)
                for segment, rows in zip(self.segments, plan.rows, strict=True)
            )
        return sum(count(self.matching(at)) for at in range(len(self.segments)))

    def count_filtered(self) -> int:
        """Return the number of articles that the filters leave."""
        total = 0
        for at, segment in enumerate(self.segments):
            total += count(living(segment, self._all(at, self.plan.filters, everything(segment))))
        return total

    def numbers(self) -> _Array:
        """Return the numbers of all articles that match, ascending."""
        found = [numbers(segment, self.matching(at)) for at, segment in enumerate(self.segments)]
        return np.concatenate(found) if found else np.empty(0, np.int64)

    def facets(self, field: str) -> dict[str, int]:
        """Return the values of a keyword field in the articles that match; see `count_values`."""
        found = [self.matching(at) for at in range(len(self.segments))]
        return count_values(self.plan.snapshot, field, found, deadline=self.deadline)

    # Orders

    def best(self, limit: int, after: tuple[float, int] | None) -> tuple[_Array, _Array]:
        """Return (scores, numbers) of the best articles, behind an article of this score and number."""
        if limit <= MOST_BY_SHAPE:
            shape = shape_of(self.plan)
            if shape is not None:
                return self._best_of_shape(shape, limit, after)
        if isinstance(self.plan.root, ExpansionPart) or not self.plan.scorers:
            return self._first(limit, after)
        matching = [self.matching(at) for at in range(len(self.segments))]
        scores = [self._scores(at) for at in range(len(self.segments))]
        return top_by_score(self.segments, matching, scores, limit, after=after, deadline=self.deadline)

    def _best_of_shape(self, shape: Shape, limit: int, after: tuple[float, int] | None) -> tuple[_Array, _Array]:
        plan = self.plan
        data: list[TermData] | None = None
        if any(len(places) > 1 for places in shape.places):
            data = self._joined(shape)
            rows = [own.rows for own in data]
        else:
            single = [places[0] for places in shape.places]
            rows = plan.rows if single == list(range(len(plan.terms))) else [own[single] for own in plan.rows]
        return best(
            self.segments,
            shape.words,
            plan.parameters,
            limit,
            allowed=[self._allowed(at, shape) for at in range(len(self.segments))],
            date_range=shape.dates,
            after=after,
            deadline=self.deadline,
            rows=rows,
            data=data,
        )

    def _joined(self, shape: Shape) -> list[TermData]:
        """Return the postings of words of which some have variants."""
        found = []
        for segment, rows in zip(self.segments, self.plan.rows, strict=True):
            self.deadline.check()
            terms: list[_Array | TermData] = [
                rows[places[0]] if len(places) == 1 else joined_term(segment, rows[list(places)], self.deadline)
                for places in shape.places
            ]
            found.append(data_of_terms(segment, terms))
        return found

    def _allowed(self, at: int, shape: Shape) -> _Array | None:
        """Return the articles that may be hits, None for all."""
        live = self.segments[at].live
        if not shape.sets and not shape.without:
            return live if live.size else None
        allowed = self._all(at, shape.sets, live)
        if shape.without:
            allowed = difference(allowed, self._any(at, shape.without, allowed))
        return allowed

    def _first(self, limit: int, after: tuple[float, int] | None) -> tuple[_Array, _Array]:
        """Return the best articles where all score the same: those with the least numbers."""
        plan = self.plan
        score = sum(scorer.factor for scorer in plan.scorers)
        begin = 0
        if after is not None:
            begin = plan.snapshot.doc_count if after[0] < score else 0 if after[0] > score else after[1] + 1
        found: list[_Array] = []
        for at, segment in enumerate(self.segments):
            if limit <= 0 or begin >= segment.base + segment.doc_count:
                continue
            self.deadline.check()
            found.append(self._first_in(at, limit, max(0, begin - segment.base)))
            limit -= found[-1].size
        joined = np.concatenate(found) if found else np.empty(0, np.int64)
        return np.full(joined.size, score), joined

    def _first_in(self, at: int, limit: int, begin: int) -> _Array:
        plan, segment = self.plan, self.segments[at]
        root = plan.root
        if (
            not isinstance(root, ExpansionPart)
            or (at, None) in plan.bitmaps
            or len(plan.expansions[root].worded[at].rows)
        ):
            return numbers(segment, self.matching(at), limit, begin)
        allowed = segment.live
        if plan.filters:
            allowed = intersection([self._all(at, plan.filters, NO_BITS), segment.live])
        rows = plan.expansions[root].rows[at]
        return first_of_union(segment, rows, root.mask, limit, allowed, begin, self.deadline)

    def _scores(self, at: int) -> _Array:
        plan, segment = self.plan, self.segments[at]
        scores = no_scores(segment)
        matching = self.matching(at)
        for scorer in plan.scorers:
            self.deadline.check()
            within = intersection([matching, *(self.part(at, gate) for gate in scorer.gates)])
            if scorer.place < 0:
                accumulate_constant(within, scorer.factor, scores)
            elif scorer.others:
                rows = plan.rows[at][[scorer.place, *scorer.others]]
                accumulate_together(segment, rows, scorer.mask, scorer.factor, plan.parameters, within, scores)
            else:
                row = plan.rows[at][scorer.place]
                accumulate(
                    segment, row, scorer.mask, scorer.factor, plan.parameters, within, scores, self.deadline
                )  # fmt: skip
        return scores

    def by_date(self, newest: bool, limit: int, after: tuple[int, int] | None) -> tuple[_Array, _Array]:
        """Return (dates, numbers) of the newest or oldest articles, behind an article of this date and number."""
        matching = [self.matching(at) for at in range(len(self.segments))]
        return top_by_date(self.segments, matching, limit, newest=newest, after=after, deadline=self.deadline)


def _has(bits: _Array, doc: int) -> bool:
    return bool(int(bits[doc >> 6]) >> (doc & 63) & 1)
