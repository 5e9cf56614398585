"""What a query looks for: words, values, where words stand, and these joined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from newsindex.analysis import Analyzer
from newsindex.query.tree import Exists, Near, Prefix, Range, Value, Wildcard
from newsindex.schema import Keyword, Schema
from newsindex.variants import Variants

__all__ = [
    "AllPart", "AnyPart", "AnyPlaces", "CountPart", "ExpansionPart", "LeafPart", "LeafPlaces", "NearPlaces", "Part",
    "PlacePart", "Places", "RowPlaces", "SetPart", "TermPart", "VariantPart", "Vocabulary", "is_scored", "leaf_parts",
]  # fmt: skip

# Texts whose terms are remembered.
_REMEMBERED = 4096


@dataclass(slots=True, eq=False)
class TermPart:
    """A word, or words next to each other in one of the fields of `mask` (bit f for text field f).

    `places` are those of the terms in the plan's list of them. `written` are, where only these forms of words count,
    those: folded, or as they are when `cased`.
    """

    terms: tuple[bytes, ...]
    mask: int
    factor: float
    node: Any
    excluded: bool
    places: tuple[int, ...] = ()
    written: tuple[str, ...] = ()
    cased: bool = False


@dataclass(slots=True, eq=False)
class ExpansionPart:
    """Any word that is like `text`, all of which score the same.

    A "prefix" begins so. A "pair" has the lone ideograph in it. A "pattern" has `*` for any letters and `?` for one.
    What is "fuzzy" begins with the same letter and is at most `edits` changes away.
    """

    text: str
    kind: Literal["prefix", "pair", "pattern", "fuzzy"]
    mask: int
    factor: float
    node: Any
    excluded: bool
    edits: int = 0


@dataclass(slots=True, eq=False)
class VariantPart:
    """A word with its variants, scored as one word: any of the terms, the first of which was typed.

    `names` are the variants as they are shown; `places` are those of the terms in the plan's list of them.
    """

    terms: tuple[bytes, ...]
    names: tuple[str, ...]
    mask: int
    factor: float
    node: Any
    excluded: bool
    places: tuple[int, ...] = ()


LeafPart = TermPart | ExpansionPart | VariantPart


@dataclass(slots=True, eq=False)
class SetPart:
    """Articles that have a value, one that is like a text, one in a range, or any; they score nothing."""

    node: Value | Range | Prefix | Wildcard | Exists
    excluded: bool


@dataclass(slots=True, eq=False)
class AllPart:
    """What all parts have, and none of `without`; every article when there are none of either."""

    parts: list[Part] = field(default_factory=list)
    without: list[Part] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class AnyPart:
    """What at least one of the parts has."""

    parts: list[Part] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class CountPart:
    """What at least so many of the parts have."""

    parts: list[Part]
    count: int


@dataclass(slots=True, eq=False)
class LeafPlaces:
    """Where the words of a part stand: next to each other, or where `slop` is above 0 within so many places more.

    In the `lead` they stand in the first paragraph, or hundred words, of their field.
    """

    leaf: LeafPart
    slop: int = 0
    lead: bool = False


@dataclass(slots=True, eq=False)
class RowPlaces:
    """Where words stand that are each a word or one of its variants: as those of `LeafPlaces`.

    `words` has the part of each place of the row, for equal words the same.
    """

    words: list[TermPart | VariantPart]
    slop: int = 0
    lead: bool = False

    def different(self) -> list[TermPart | VariantPart]:
        """Return the different words, in order."""
        return list(dict.fromkeys(self.words))


@dataclass(slots=True, eq=False)
class AnyPlaces:
    """Where any of several stands."""

    parts: list[Places]


@dataclass(slots=True, eq=False)
class NearPlaces:
    """Where something stands near something else, or far from it: as the node says."""

    left: Places
    right: Places
    node: Near


Places = LeafPlaces | RowPlaces | AnyPlaces | NearPlaces


@dataclass(slots=True, eq=False)
class PlacePart:
    """What has so many places.

    `scored` are the words among them that make the score, each with the parts that an article must have for it.
    """

    places: Places
    count: int
    leaves: list[LeafPart]
    scored: list[tuple[LeafPart, tuple[Part, ...]]]


Part = LeafPart | SetPart | AllPart | AnyPart | CountPart | PlacePart


class Vocabulary:
    """What is known of an index before any commit is looked at: its fields, and the terms of texts seen lately.

    Any number of threads may use one.
    """

    def __init__(self, schema: Schema, analyzer: Analyzer, variants: Variants | None = None) -> None:
        self._variants = variants
        self.schema = schema
        self.analyzer = analyzer
        self.all_fields = (1 << len(schema.text_fields)) - 1
        self.masks: dict[str | None, int] = {name: 1 << place for place, name in enumerate(schema.text_fields)}
        self.masks[None] = self.all_fields
        """The mask of each text field, and of all of them where none is named: bit f for text field f."""
        name = "body" if "body" in schema.text_fields else schema.text_fields[-1]
        self.lead_mask = self.masks[name]
        """The mask of the field whose beginning `lead:` means, where the schema has no field of this name."""
        self.keywords = frozenset(schema.of_kind(Keyword))
        self._terms: dict[str, tuple[bytes, ...]] = {}
        self._surfaces: dict[str, tuple[str, ...]] = {}

    def terms(self, text: str) -> tuple[bytes, ...]:
        """Return the terms of a text in order, encoded."""
        found = self._terms.get(text)
        if found is None:
            found = tuple([term.encode() for term in self.analyzer.terms(text)])
            if len(self._terms) >= _REMEMBERED:
                self._terms.clear()
            self._terms[text] = found
        return found

    def surfaces(self, text: str) -> tuple[str, ...]:
        """Return the folded words of a text in order."""
        found = self._surfaces.get(text)
        if found is None:
            found = tuple(self.analyzer.surfaces(text))
            if len(self._surfaces) >= _REMEMBERED:
                self._surfaces.clear()
            self._surfaces[text] = found
        return found

    def variants(self, text: str) -> tuple[tuple[str, bytes], ...]:
        """Return the words that are variants of a word, and their terms."""
        if self._variants is None or len(self.terms(text)) != 1:
            return ()
        found = self._variants_of(text)
        words: dict[bytes, str] = {}  # one of each term: it is searched once
        for word in found:
            own = self.terms(word)
            if len(own) == 1 and own != self.terms(text):
                words.setdefault(own[0], word)
        return tuple((word, term) for term, word in words.items())

    @cached_property
    def _variants_of(self) -> Callable[[str], tuple[str, ...]]:
        assert self._variants is not None
        analyzer = self.analyzer

        def surface(word: str) -> str | None:
            surfaces = analyzer.surfaces(word)
            return surfaces[0] if len(surfaces) == 1 else None

        def term(word: str) -> str | None:
            own = surface(word)
            return None if own is None else analyzer.term(own)

        table = self._variants.table(term, analyzer.language)
        return lambda word: table(surface(word) or word)

    def names(self, mask: int) -> tuple[str, ...]:
        """Return the text fields of a mask."""
        return tuple(name for place, name in enumerate(self.schema.text_fields) if mask >> place & 1)


def leaf_parts(part: Part) -> list[LeafPart | SetPart]:
    """Return the parts that have no parts, of each part what is excluded last."""
    found: list[LeafPart | SetPart] = []
    _gather(part, found)
    return found


def _gather(part: Part, found: list[LeafPart | SetPart]) -> None:
    if isinstance(part, AllPart | AnyPart | CountPart):
        for inner in part.parts:
            if type(inner) is TermPart:
                found.append(inner)
            else:
                _gather(inner, found)
        if type(part) is AllPart:
            for inner in part.without:
                _gather(inner, found)
    elif isinstance(part, PlacePart):
        found += part.leaves
    else:
        found.append(part)


def is_scored(part: Part) -> bool:
    """Tell whether an article can have a score for a part."""
    if isinstance(part, AllPart | AnyPart | CountPart):
        return any(is_scored(inner) for inner in part.parts)
    return not isinstance(part, SetPart)
