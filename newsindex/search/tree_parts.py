"""Query tree to parts: flattened, what is asked for twice counted twice."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from newsindex.analysis.characters import IDEOGRAPH, IGNORED, lookup
from newsindex.errors import QueryTooComplex
from newsindex.query.diagnostics import Diagnostic
from newsindex.query.parser import MAX_CLAUSES
from newsindex.query.tree import (
    And,
    AtLeast,
    Boost,
    Cased,
    Everything,
    Exact,
    Exists,
    Fuzzy,
    Near,
    Node,
    Not,
    Nothing,
    Or,
    Phrase,
    Prefix,
    Range,
    SomeOf,
    Value,
    Wildcard,
    Word,
)
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
    Vocabulary,
)

__all__ = ["MAX_FACTOR", "VariantsOf", "case_of", "to_parts"]

MAX_FACTOR = 1000.0
VariantsOf = Callable[[str], tuple[tuple[str, bytes], ...]]
_TEXT = (Word, Phrase, Prefix, Wildcard, Fuzzy, Exact, Cased)


def to_parts(
    tree: Node, vocabulary: Vocabulary, diagnostics: list[Diagnostic], variants: VariantsOf = lambda text: ()
) -> Part:
    """Return the parts of a query tree; what there is to say is added to `diagnostics`.

    `variants` gives those variants of a word that articles have, as they are shown, and their terms.

    Raises:
        QueryTooComplex: the query has more than 1,024 words, those of phrases counted.
    """
    kind = type(tree)
    if kind is Word:
        words = _plain_words((tree,), vocabulary, variants)
        if words is not None:
            return words[0]
    elif kind is And or kind is Or:
        words = _plain_words(tree.children, vocabulary, variants)  # type: ignore[union-attr]
        if words is not None and len(words) > 1:
            return AllPart(words) if kind is And else AnyPart(words)
    return _Builder(vocabulary, diagnostics, variants).visit(tree, 1.0, False)


def _plain_words(nodes: Iterable[Any], vocabulary: Vocabulary, variants: VariantsOf) -> list[Part] | None:
    """Return the parts of different words of one term each; None when there is anything else: most queries have not."""
    found: list[Part] = []
    seen = set()
    masks = vocabulary.masks
    for node in nodes:
        if type(node) is not Word or not (text := node.text).isascii():
            return None
        terms, mask = vocabulary.terms(text), masks.get(node.field)
        if len(terms) != 1 or mask is None or (terms, mask) in seen or variants(text):
            return None
        seen.add((terms, mask))
        found.append(TermPart(terms, mask, 1.0, node, False))
    return found


class _Builder:
    def __init__(self, vocabulary: Vocabulary, diagnostics: list[Diagnostic], variants: VariantsOf) -> None:
        self.variants = variants
        self.vocabulary = vocabulary
        self.diagnostics = diagnostics
        self.words_seen = 0

    def visit(self, node: Node, factor: float, excluded: bool) -> Part:
        kind = type(node)
        if kind is Word or (kind is Phrase and not node.slop):  # type: ignore[union-attr]
            return self.text(node, factor, excluded)
        if kind is And:
            return self.all_of(node.children, factor, excluded)  # type: ignore[union-attr]
        match node:
            case Or(children):
                return self.any_of(children, factor, excluded)
            case Not(child):
                return AllPart([], [self.visit(child, factor, True)])
            case Boost(child, boost):
                return self.visit(child, self.boosted(node, factor * boost), excluded)
            case Prefix() | Wildcard() if node.field in self.vocabulary.keywords:
                return SetPart(node, excluded)
            case Phrase() | Prefix() | Wildcard() | Fuzzy() | Exact() | Cased():
                return self.text(node, factor, excluded)
            case Near():
                return _placed(self.places(node, factor, excluded), 1)
            case AtLeast(child, count):
                return _placed(self.places(child, factor, excluded), count)
            case SomeOf(children, count):
                return self.some_of(children, count, factor, excluded)
            case Value() | Range() | Exists():
                return SetPart(node, excluded)
            case Everything():
                return AllPart()
            case Nothing():
                return AnyPart()
        raise AssertionError(node)

    def boosted(self, node: Boost, factor: float) -> float:
        if factor <= MAX_FACTOR:
            return factor
        message = f"boosts together are at most {MAX_FACTOR:,.0f}; {node} was taken for that"
        self.diagnostics.append(Diagnostic("bad-boost", message, text=str(node)))
        return MAX_FACTOR

    def all_of(self, children: Iterable[Node], factor: float, excluded: bool) -> Part:
        parts: list[Part] = []
        without: list[Part] = []
        for child in children:
            part = self.visit(child, factor, excluded)
            if type(part) is AllPart:
                parts += part.parts
                without += part.without
            else:
                parts.append(part)
        parts = _merged(parts)
        return parts[0] if len(parts) == 1 and not without else AllPart(parts, without)

    def any_of(self, children: Iterable[Node], factor: float, excluded: bool) -> Part:
        parts: list[Part] = []
        for child in children:
            part = self.visit(child, factor, excluded)
            if type(part) is AnyPart:
                parts += part.parts
            else:
                parts.append(part)
        parts = _merged(parts)
        return parts[0] if len(parts) == 1 else AnyPart(parts)

    def some_of(self, children: tuple[Node, ...], count: int, factor: float, excluded: bool) -> Part:
        if count <= 1:
            return self.any_of(children, factor, excluded)
        if count == len(children):
            return self.all_of(children, factor, excluded)
        return CountPart([self.visit(child, factor, excluded) for child in children], count)

    # Text

    def text(self, node: Any, factor: float, excluded: bool) -> Part:
        """Return the part of a text leaf."""
        places = self.leaf(node, factor, excluded)
        if places is None:
            return AnyPart()
        if isinstance(places, RowPlaces) or places.slop or places.lead:
            return _placed(places, 1)
        if isinstance(places.leaf, TermPart) and places.leaf.written:
            return _placed(places, 1)
        return places.leaf

    def leaf(self, node: Any, factor: float, excluded: bool) -> LeafPlaces | RowPlaces | None:
        """Return where the words of a text leaf stand; None when it has no word."""
        mask = self.vocabulary.masks.get(node.field)
        lead = mask is None
        if mask is None:
            mask = self.vocabulary.lead_mask
        match node:
            case Prefix(text):
                start = "".join(self.vocabulary.analyzer.surfaces(text)[:1]) or text
                return LeafPlaces(ExpansionPart(start, "prefix", mask, factor, node, excluded), 0, lead)
            case Wildcard(text):
                return LeafPlaces(ExpansionPart(_folded(text), "pattern", mask, factor, node, excluded), 0, lead)
            case Fuzzy(text, _, edits):
                surfaces = self.vocabulary.analyzer.surfaces(text)
                if len(surfaces) == 1:
                    part = ExpansionPart(surfaces[0], "fuzzy", mask, factor, node, excluded, edits)
                    return LeafPlaces(part, 0, lead)
        terms = self.vocabulary.terms(node.text)
        self.words_seen += len(terms)
        if self.words_seen > MAX_CLAUSES:
            raise QueryTooComplex("the number of words", self.words_seen, MAX_CLAUSES)
        if not terms:
            return None
        match node:
            case Exact(text):
                written = tuple(self.vocabulary.analyzer.surfaces(text))
                return LeafPlaces(TermPart(terms, mask, factor, node, excluded, (), written), 0, lead)
            case Cased(text):
                tokens = self.vocabulary.analyzer.tokens(text)
                written = tuple(case_of(text[token.start : token.end]) for token in tokens)
                return LeafPlaces(TermPart(terms, mask, factor, node, excluded, (), written, True), 0, lead)
        if len(terms) == 1 and not node.text.isascii() and _is_lone_ideograph(node.text):
            return LeafPlaces(ExpansionPart(terms[0].decode(), "pair", mask, factor, node, excluded), 0, lead)
        slop = node.slop if isinstance(node, Phrase) and len(terms) > 1 else 0
        variants = [
            self.variants(word) for word in (self.vocabulary.surfaces(node.text) if terms[1:] else (node.text,))
        ]
        if not any(variants):
            return LeafPlaces(TermPart(terms, mask, factor, node, excluded), slop, lead)
        own: dict[tuple[bytes, ...], TermPart | VariantPart] = {}
        words = [
            _word(own, term, others, mask, factor, node, excluded) for term, others in zip(terms, variants, strict=True)
        ]
        return RowPlaces(words, slop, lead) if len(words) > 1 else LeafPlaces(words[0], 0, lead)

    # Places

    def places(self, node: Node, factor: float, excluded: bool) -> Places:
        """Return where something stands."""
        match node:
            case Near():
                left = self.places(node.left, factor, excluded)
                return NearPlaces(left, self.places(node.right, factor, excluded or node.negated), node)
            case Or(children):
                return AnyPlaces([self.places(child, factor, excluded) for child in children])
            case Boost(child, boost):
                return self.places(child, self.boosted(node, factor * boost), excluded)
        if isinstance(node, _TEXT):
            return self.leaf(node, factor, excluded) or AnyPlaces([])
        message = f"{node} has no place in a text: nothing can be near it"
        self.diagnostics.append(Diagnostic("not-supported", message, text=str(node)))
        return AnyPlaces([])


def _word(
    known: dict[tuple[bytes, ...], TermPart | VariantPart],
    term: bytes,
    variants: tuple[tuple[str, bytes], ...],
    mask: int,
    factor: float,
    node: Any,
    excluded: bool,
) -> TermPart | VariantPart:
    """Return the part of a word in a row, the one that is known where it stands there twice: it counts twice."""
    terms = (term, *(other for _, other in variants))
    part = known.get(terms)
    if part is not None:
        part.factor += factor
        return part
    names = tuple(name for name, _ in variants)
    part = (
        VariantPart(terms, names, mask, factor, node, excluded)
        if names
        else TermPart(terms, mask, factor, node, excluded)
    )
    known[terms] = part
    return part


def case_of(written: str) -> str:
    """Return the letters and digits of a word without accents, capitals and small letters as they are."""
    if written.isalnum() and written.isascii():
        return written
    return "".join(letter for letter in unicodedata.normalize("NFKD", written) if letter.isalnum())


def _folded(pattern: str) -> str:
    """Return a pattern with its letters folded as those of words are."""
    found = []
    for letter in unicodedata.normalize("NFC", pattern):
        kind, folded = lookup(letter)
        found.append(folded or ("" if kind == IGNORED else letter))
    return "".join(found)


def _placed(places: Places, count: int) -> PlacePart:
    return PlacePart(places, count, list(_leaves(places)), list(_scored(places, ())))


def _leaves(places: Places) -> Iterator[LeafPart]:
    if isinstance(places, LeafPlaces):
        yield places.leaf
    elif isinstance(places, RowPlaces):
        yield from places.different()
    elif isinstance(places, NearPlaces):
        yield from _leaves(places.left)
        yield from _leaves(places.right)
    else:
        for part in places.parts:
            yield from _leaves(part)


def _scored(places: Places, gates: tuple[Part, ...]) -> Iterator[tuple[LeafPart, tuple[Part, ...]]]:
    """Yield what makes the score: all words, but of alternatives those of the ones that match."""
    if isinstance(places, LeafPlaces):
        yield places.leaf, gates
    elif isinstance(places, RowPlaces):
        for word in places.different():
            yield word, gates
    elif isinstance(places, NearPlaces):
        yield from _scored(places.left, gates)
        if not places.node.negated:
            yield from _scored(places.right, gates)
    else:
        for part in places.parts:
            if isinstance(part, LeafPlaces) and _is_lone_word(part):
                yield part.leaf, gates
            else:
                yield from _scored(part, (*gates, _placed(part, 1)))


def _is_lone_word(part: LeafPlaces) -> bool:
    """Tell whether the word's own score says whether an article has it."""
    leaf = part.leaf
    return not part.lead and (not isinstance(leaf, TermPart) or (len(leaf.terms) == 1 and not leaf.written))


def _merged(parts: list[Part]) -> list[Part]:
    """Return the different parts among these; what is asked for twice counts twice."""
    if len(parts) < 2:
        return parts
    kept: list[Part] = []
    seen: dict[object, LeafPart] = {}
    for part in parts:
        key: object
        if type(part) is TermPart:
            key = part.terms, part.mask
        elif type(part) is VariantPart:
            key = part.terms, part.mask, "variants"
        elif type(part) is ExpansionPart:
            key = part.text, part.kind, part.edits, part.mask
        else:
            kept.append(part)
            continue
        before = seen.get(key)
        if before is None:
            seen[key] = part
            kept.append(part)
        else:
            before.factor += part.factor
    return kept


def _is_lone_ideograph(text: str) -> bool:
    """Tell whether a word is one character of a script without spaces, which the index has mostly in pairs."""
    word = text.strip()
    return len(word) == 1 and lookup(word)[0] == IDEOGRAPH
