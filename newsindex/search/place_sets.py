"""The articles of a segment in which words stand where a query wants them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.search.deadline import Deadline
from newsindex.search.forms import Forms
from newsindex.search.occurrences import MOST_SPANS, Window, matching_articles
from newsindex.search.occurrences_kernel import ARTICLE_SHIFT
from newsindex.search.parts import (
    AnyPlaces,
    ExpansionPart,
    LeafPlaces,
    NearPlaces,
    PlacePart,
    Places,
    TermPart,
    VariantPart,
)
from newsindex.search.plan import Plan
from newsindex.search.sets import difference, intersection, nothing, term_bitmap, terms_and, terms_union, union
from newsindex.search.spans import (
    Spans,
    articles_of,
    choose,
    close_together,
    in_a_row,
    near,
    near_any,
    within_reach,
    within_units,
    words_of,
)
from newsindex.search.spans import union as union_of_spans
from newsindex.search.tree_parts import case_of

__all__ = ["expansion_bitmap", "place_bitmap"]

_Array = npt.NDArray[Any]


def place_bitmap(plan: Plan, at: int, part: PlacePart, within: _Array, deadline: Deadline) -> _Array:
    """Return the articles of segment number `at` that have so many places, of those in `within`; it is new."""
    finder = _Finder(plan, at, deadline)
    candidates = finder.candidates(part.places, intersection([within, finder.segment.live]))
    return matching_articles(finder.segment, candidates, part.count, lambda window: finder.some(window, part), deadline)


def expansion_bitmap(plan: Plan, at: int, part: ExpansionPart, within: _Array, deadline: Deadline) -> _Array:
    """Return the articles of segment number `at` that have a word that a part stands for; it is new.

    Where articles have to be looked through for it, those not in `within` are left out.
    """
    finder = _Finder(plan, at, deadline)
    segment, expansion = finder.segment, plan.expansions[part]
    found = terms_union(segment, expansion.rows[at], part.mask, deadline)
    rows = expansion.checked[at]
    # The most frequent first: an article that was found once is not looked through again.
    for row in rows[np.argsort(-rows[:, 2], kind="stable")]:
        has = term_bitmap(segment, row, part.mask, deadline)
        doubtful = intersection([difference(has, found), within, segment.live])
        if doubtful.any():
            looked = partial(finder.checked, leaf=part, rows=(row,))
            found |= matching_articles(segment, doubtful, 1, looked, deadline)
    return found


class _Finder:
    def __init__(self, plan: Plan, at: int, deadline: Deadline) -> None:
        self.plan = plan
        self.at = at
        self.segment = plan.snapshot.segments[at]
        self.rows = plan.rows[at] if plan.rows else np.empty((0, 8), np.int64)
        self.deadline = deadline
        self.forms = Forms(plan, at, deadline)

    # Which articles may have places

    def candidates(self, places: Places, within: _Array) -> _Array:
        """Return the articles that have all the words that are needed."""
        needed = list(_needed(places))
        words = list(dict.fromkeys(pair for part in needed for pair in _terms_of(part)))
        if words:
            rows, masks = self.rows[[place for place, _ in words]], np.array([mask for _, mask in words])
            within = terms_and(self.segment, rows, masks, within, self.deadline)
        for part in needed:
            if isinstance(part, AnyPlaces):
                found = [self.candidates(inner, within) for inner in part.parts]
                within = union(found) if found else nothing(self.segment)
            elif isinstance(part.leaf, VariantPart):
                rows = self.rows[list(part.leaf.places)]
                within = intersection([terms_union(self.segment, rows, part.leaf.mask, self.deadline), within])
            elif isinstance(part.leaf, ExpansionPart):
                expansion = self.plan.expansions[part.leaf]
                rows = np.concatenate([expansion.rows[self.at], expansion.checked[self.at]])
                within = intersection([terms_union(self.segment, rows, part.leaf.mask, self.deadline), within])
        return within

    # Where

    def some(self, window: Window, part: PlacePart) -> Spans:
        """Return enough of the spans to tell which articles match."""
        if part.count == 1 and isinstance(part.places, NearPlaces):
            return self._near_any(window, part.places)
        return self.spans(window, part.places)

    def spans(self, window: Window, places: Places) -> Spans:
        """Return all spans."""
        if isinstance(places, LeafPlaces):
            return self._leaf(window, places)
        if isinstance(places, AnyPlaces):
            return union_of_spans([self.spans(window, part) for part in places.parts])
        if places.node.negated:
            return self._near_any(window, places)
        left, right = self.spans(window, places.left), self.spans(window, places.right)
        node = places.node
        if node.unit == "word":
            return near(left, within_reach(left, node.distance, node.ordered), right, MOST_SPANS)
        begins = window.begins(paragraphs=node.unit == "paragraph")
        _, left, reach = within_units(left, begins, node.ordered)
        _, right, _ = within_units(right, begins)
        return near(left, reach, right, MOST_SPANS)

    def _near_any(self, window: Window, places: NearPlaces) -> Spans:
        """Return the spans on the left that have one on the right near them; if negated, that have none."""
        left, right = self.spans(window, places.left), self.spans(window, places.right)
        node = places.node
        if node.unit == "word":
            has = near_any(left, within_reach(left, node.distance, node.ordered), right)
            return choose(left, ~has if node.negated else has)
        # What goes over the end of a sentence is with nothing in one.
        begins = window.begins(paragraphs=node.unit == "paragraph")
        inside, kept, reach = within_units(left, begins, node.ordered)
        _, right, _ = within_units(right, begins)
        inside[inside] = near_any(kept, reach, right)
        return choose(left, ~inside if node.negated else inside)

    def _leaf(self, window: Window, places: LeafPlaces) -> Spans:
        leaf = places.leaf
        if isinstance(leaf, ExpansionPart):
            rows = self.plan.expansions[leaf].rows[self.at]
            found = [words_of(window.places(row, leaf.mask)) for row in rows if row[1] & leaf.mask]
            spans = union_of_spans([*found, self.checked(window, leaf, self.plan.expansions[leaf].checked[self.at])])
        elif isinstance(leaf, VariantPart):
            rows = self.rows[list(leaf.places)]
            spans = union_of_spans([words_of(window.places(row, leaf.mask)) for row in rows if row[1] & leaf.mask])
        else:
            spans = self._words(window, leaf, places.slop)
        if places.lead:
            spans = window.in_lead(spans, leaf.mask.bit_length() - 1)
        return spans

    def _words(self, window: Window, leaf: TermPart, slop: int) -> Spans:
        words = [window.places(self.rows[place], leaf.mask) for place in leaf.places]
        if leaf.written:
            wanted = zip(leaf.terms, leaf.places, leaf.written, words, strict=True)
            # Only articles where all stand next to each other may have what is looked for.
            articles = articles_of(in_a_row(words))
            words = [
                self._written(
                    window, leaf, term, self.rows[place], written, places[np.isin(places >> ARTICLE_SHIFT, articles)]
                )
                for term, place, written, places in wanted
            ]
        if len(words) == 1:
            return words_of(words[0])
        if not slop:
            return in_a_row(words)
        times = {place: leaf.places.count(place) for place in leaf.places}
        different = [(words[leaf.places.index(place)], count) for place, count in times.items()]
        return close_together(different, len(words) + slop)

    # As written

    def checked(self, window: Window, leaf: ExpansionPart, rows: Iterable[_Array]) -> Spans:
        """Return the places of words that a part stands for, of terms that have other words too."""
        expansion = self.plan.expansions[leaf]
        found = []
        for row in rows:
            if row[1] & leaf.mask:
                term = self.segment.reader.term_bytes(int(row[0])).decode()
                places = window.places(row, leaf.mask)
                has = self.forms.check(window, leaf.node, term, places, lambda form: expansion.accepts(form.surface))
                found.append(words_of(places[has]))
        return union_of_spans(found)

    def _written(
        self, window: Window, leaf: TermPart, term: bytes, row: _Array, written: str, places: _Array
    ) -> _Array:
        """Return the places of a word that is written so."""
        text = term.decode()
        if not places.size:
            return places
        if leaf.cased:
            has = self.forms.check(window, leaf.node, text, places, lambda form: case_of(form.written) == written)
        elif text == written and not self.segment.reader.words_of_terms[int(row[0])]:
            return places  # no other word leads to the term
        else:
            has = self.forms.check(window, leaf.node, text, places, lambda form: form.surface == written)
        return places[has]


def _needed(places: Places) -> Iterator[LeafPlaces | AnyPlaces]:
    """Yield what must all stand in an article."""
    if isinstance(places, NearPlaces):
        yield from _needed(places.left)
        if not places.node.negated:
            yield from _needed(places.right)
    else:
        yield places


def _terms_of(part: LeafPlaces | AnyPlaces) -> list[tuple[int, int]]:
    """Return the term, and the fields to look in, of each word that a part needs."""
    if isinstance(part, LeafPlaces) and isinstance(part.leaf, TermPart):
        return [(place, part.leaf.mask) for place in part.leaf.places]
    return []
