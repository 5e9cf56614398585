"""The articles of a segment in which words stand where a query wants them."""

from __future__ import annotations

from collections.abc import Iterator
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
    RowPlaces,
    TermPart,
    VariantPart,
)
from newsindex.search.plan import Plan
from newsindex.search.sets import intersection, nothing, terms_and, terms_union, union
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
from newsindex.search.wordings import WordingPlaces, Wordings, wording_of, wordings_bitmap

__all__ = ["expansion_bitmap", "place_bitmap"]

_Array = npt.NDArray[Any]
# Longer words are not in the dictionary of words.
_LONGEST_WORD = 255


def place_bitmap(plan: Plan, at: int, part: PlacePart, within: _Array, deadline: Deadline) -> _Array:
    """Return the articles of segment number `at` that have so many places, of those in `within`; it is new."""
    finder = _Finder(plan, at, deadline)
    candidates = finder.candidates(part.places, intersection([within, finder.segment.live]))
    if part.count == 1 and finder.are_enough(part.places):
        return candidates
    return matching_articles(finder.segment, candidates, part.count, lambda window: finder.some(window, part), deadline)


def expansion_bitmap(plan: Plan, at: int, part: ExpansionPart, deadline: Deadline) -> _Array:
    """Return the articles of segment number `at` that have a word that a part stands for; it is new."""
    segment, expansion = plan.snapshot.segments[at], plan.expansions[part]
    found = terms_union(segment, expansion.rows[at], part.mask, deadline)
    if len(expansion.worded[at].rows):
        worded = expansion.bitmaps.get(at)
        if worded is None:
            worded = expansion.bitmaps[at] = wordings_bitmap(segment, expansion.worded[at], part.mask, deadline)
        found |= worded
    return found


class _Finder:
    def __init__(self, plan: Plan, at: int, deadline: Deadline) -> None:
        self.plan = plan
        self.at = at
        self.segment = plan.snapshot.segments[at]
        self.rows = plan.rows[at] if plan.rows else np.empty((0, 8), np.int64)
        self.deadline = deadline
        self.forms = Forms(plan, at, deadline)
        self._wordings: dict[tuple[int, str], Wordings] = {}
        self._worded: dict[tuple[Any, int, str], WordingPlaces] = {}

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
            elif isinstance(part, RowPlaces):
                for word in part.different():
                    if isinstance(word, VariantPart):
                        within = self._with_variants(word, within)
            elif isinstance(part.leaf, TermPart):
                for wordings in self._wordings_of(part.leaf):
                    if not wordings.is_whole():
                        found = [wordings_bitmap(self.segment, wordings, part.leaf.mask, self.deadline), within]
                        within = intersection(found)
            elif isinstance(part.leaf, VariantPart):
                within = self._with_variants(part.leaf, within)
            elif isinstance(part.leaf, ExpansionPart):
                found = [expansion_bitmap(self.plan, self.at, part.leaf, self.deadline), within]
                within = intersection(found)
        return within

    def _with_variants(self, word: VariantPart, within: _Array) -> _Array:
        """Return the articles that have a word or one of its variants."""
        rows = self.rows[list(word.places)]
        return intersection([terms_union(self.segment, rows, word.mask, self.deadline), within])

    def are_enough(self, places: Places) -> bool:
        """Tell whether all candidates have a place."""
        if not isinstance(places, LeafPlaces) or places.lead:
            return False
        leaf = places.leaf
        return not isinstance(leaf, TermPart) or (len(leaf.terms) == 1 and not _is_looked_up(leaf, 0))

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
        if isinstance(places, RowPlaces):
            return self._row(window, places)
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
            for wordings in self.plan.expansions[leaf].worded[self.at].each():
                row = wordings.rows[0]
                if row[1] & leaf.mask:
                    places_of_term = window.places(row, leaf.mask)
                    found.append(words_of(self._as_worded(window, (leaf, int(row[0]), ""), wordings, places_of_term)))
            spans = union_of_spans(found)
        elif isinstance(leaf, VariantPart):
            spans = words_of(self._word(window, leaf))
        else:
            spans = self._words(window, leaf, places.slop)
        if places.lead:
            spans = window.in_lead(spans, leaf.mask.bit_length() - 1)
        return spans

    def _word(self, window: Window, word: TermPart | VariantPart) -> _Array:
        """Return where a word of one term, or one of its variants, stands."""
        rows = [row for row in self.rows[list(word.places)] if row[1] & word.mask]
        return union_of_spans([words_of(window.places(row, word.mask)) for row in rows]).first

    def _row(self, window: Window, places: RowPlaces) -> Spans:
        words = {word: self._word(window, word) for word in places.different()}
        if places.slop:
            needed = [(words[word], places.words.count(word)) for word in words]
            spans = close_together(needed, len(places.words) + places.slop)
        else:
            spans = in_a_row([words[word] for word in places.words])
        return window.in_lead(spans, places.words[0].mask.bit_length() - 1) if places.lead else spans

    def _words(self, window: Window, leaf: TermPart, slop: int) -> Spans:
        words = [window.places(self.rows[place], leaf.mask) for place in leaf.places]
        if leaf.written:
            # Only articles where all stand next to each other may have what is looked for.
            articles = articles_of(in_a_row(words))
            words = [
                self._written(window, leaf, number, places[np.isin(places >> ARTICLE_SHIFT, articles)])
                for number, places in enumerate(words)
            ]
        if len(words) == 1:
            return words_of(words[0])
        if not slop:
            return in_a_row(words)
        times = {place: leaf.places.count(place) for place in leaf.places}
        different = [(words[leaf.places.index(place)], count) for place, count in times.items()]
        return close_together(different, len(words) + slop)

    # As written

    def _wordings_of(self, leaf: TermPart) -> Iterator[Wordings]:
        """Yield the wordings of those words of a part that the segment has, and that only count as written."""
        for number, place in enumerate(leaf.places if leaf.written else ()):
            if self.rows[place, 2] and not _is_looked_up(leaf, number):
                yield self._wording(leaf, number)

    def _wording(self, leaf: TermPart, number: int) -> Wordings:
        key = leaf.places[number], leaf.written[number]
        found = self._wordings.get(key)
        if found is None:
            row, word = self.rows[key[0]], key[1].encode()
            found = self._wordings[key] = wording_of(self.segment.reader, row, leaf.terms[number], word)
        return found

    def _written(self, window: Window, leaf: TermPart, number: int, places: _Array) -> _Array:
        """Return the places of a word of a part that is written so."""
        if not places.size:
            return places
        term, written = leaf.terms[number], leaf.written[number]
        if not _is_looked_up(leaf, number):
            key = leaf, leaf.places[number], written
            return self._as_worded(window, key, self._wording(leaf, number), places)
        if leaf.cased:
            has = self.forms.check(
                window, leaf.node, term.decode(), places, lambda form: case_of(form.written) == written, written
            )
        else:
            has = self.forms.check(window, leaf.node, term.decode(), places, lambda form: form.surface == written)
        return places[has]

    def _as_worded(self, window: Window, key: tuple[Any, int, str], wordings: Wordings, places: _Array) -> _Array:
        """Return those of a term's places that have one of its wordings; `key` is for these."""
        if wordings.is_whole() or not places.size:
            return places
        found = self._worded.get(key)
        if found is None:
            found = self._worded[key] = WordingPlaces(self.segment, wordings)
        return places[found.among(window, places)]


def _is_looked_up(leaf: TermPart, number: int) -> bool:
    """Tell whether the segment cannot tell where a word of a part is written as wanted."""
    if not leaf.written:
        return False
    return leaf.cased or len(leaf.written[number].encode()) > _LONGEST_WORD


def _needed(places: Places) -> Iterator[LeafPlaces | RowPlaces | AnyPlaces]:
    """Yield what must all stand in an article."""
    if isinstance(places, NearPlaces):
        yield from _needed(places.left)
        if not places.node.negated:
            yield from _needed(places.right)
    else:
        yield places


def _terms_of(part: LeafPlaces | RowPlaces | AnyPlaces) -> list[tuple[int, int]]:
    """Return the term, and the fields to look in, of each word that a part needs."""
    if isinstance(part, RowPlaces):
        return [(word.places[0], word.mask) for word in part.words if isinstance(word, TermPart)]
    if isinstance(part, LeafPlaces) and isinstance(part.leaf, TermPart):
        return [(place, part.leaf.mask) for place in part.leaf.places]
    return []
