"""What newsroom operators are made of, and what is said where they cannot be."""

from __future__ import annotations

import re
from typing import Any

from newsindex.query.leaves import LeafReader
from newsindex.query.lexer import Lexeme
from newsindex.query.tree import (
    And,
    AtLeast,
    Boost,
    Cased,
    Exact,
    Fuzzy,
    Near,
    Node,
    Or,
    Phrase,
    Prefix,
    Wildcard,
    Word,
)

__all__ = ["MAX_DISTANCE", "at_least", "cased", "joined", "loosened"]

MAX_DISTANCE = 1000
_PROXIMITY = re.compile(r"(not\s+)?(?:(w|near|pre)/(\d+)|/([sp]))", re.IGNORECASE)
_TEXT = (Word, Phrase, Prefix, Wildcard, Fuzzy, Exact, Cased)


def joined(reader: LeafReader, operator: Lexeme, left: Node | None, right: Node | None) -> Node | None:
    """Return what an operator such as `w/5` says of what stands on its sides."""
    if left is None or right is None:
        return left or right
    left, right = _unboosted(reader, operator, left), _unboosted(reader, operator, right)
    found = _PROXIMITY.match(operator.text)
    assert found is not None
    negation, name, number, unit = found.groups()
    if not (_is_operand(left) and _is_operand(right)):
        if negation:
            message = f"{operator.text} stands between words and the like, not {_other(left, right)}; it was left out"
            reader.note("bad-operand", message, operator)
            return left
        message = f"{operator.text} stands between words and the like, not {_other(left, right)}; searched as AND"
        reader.note("bad-operand", message, operator)
        return _all(left, right)
    if not _fields(reader, left) & _fields(reader, right):
        reader.note("different-fields", "what stands in different fields is never near: this finds nothing", operator)
    if unit:
        return Near(left, right, 0, False, "sentence" if unit in "sS" else "paragraph", bool(negation))
    distance = _limited(reader, operator, int(number), MAX_DISTANCE)
    return Near(left, right, distance, name.lower() == "pre", "word", bool(negation))


def loosened(reader: LeafReader, node: Node | None, sign: Lexeme) -> Node | None:
    """Return a word with its variations, or words that are near each other: what `~` and a number make of it."""
    number = sign.text[1:]
    if isinstance(node, Phrase) and not node.slop:
        if not number.isdigit():
            message = f"after a quotation ~ takes a whole number of words, as ~5; {sign.text} was left out"
            reader.note("bad-count", message, sign)
            return node
        slop = _limited(reader, sign, int(number), MAX_DISTANCE) if int(number) else 0
        return Phrase(node.text, node.field, node.start, node.end, slop)
    if isinstance(node, Word):
        words = reader.surfaces(node.text)
        letters = len(words[0]) if len(words) == 1 else 0
        if letters < 3 or number == "0":
            message = f"{sign.text} was left out: it stands after one word of three letters or more"
            reader.note("bad-operand" if letters < 3 else "bad-count", message, sign)
            return node
        usual = 1 if letters < 6 else 2
        if number and number not in ("1", "2"):
            reader.note("bad-count", f"~1 or ~2 changes, not {sign.text}; it was taken for ~{usual}", sign)
            number = ""
        return Fuzzy(node.text, node.field, int(number or usual), node.start, node.end)
    if node is not None:
        reader.note("bad-operand", f"{sign.text} was left out: it stands after a word or a quotation", sign)
    return node


def cased(reader: LeafReader, node: Node, call: Lexeme, apart: bool) -> Node:
    """Return words that are to be found with their capitals; side by side they are a phrase, unless `apart`."""
    if isinstance(node, Word | Exact) or (isinstance(node, Phrase) and not node.slop):
        return Cased(node.text, node.field, node.start, node.end)
    if isinstance(node, Cased):
        return node
    if isinstance(node, Or):
        return Or(tuple(cased(reader, child, call, apart) for child in node.children))
    if isinstance(node, And):
        words = node.children
        plain = all(type(word) in (Word, Phrase) and not getattr(word, "slop", 0) for word in words)
        if plain and not apart and len({word.field for word in words}) == 1:
            return Cased(" ".join(word.text for word in words), words[0].field, words[0].start, words[-1].end)
        return And(tuple(cased(reader, child, call, apart) for child in words))
    reader.note("bad-operand", f"caps( ) takes words and quotations; {node} was searched as it is", call)
    return node


def at_least(reader: LeafReader, node: Node, count: int, call: Lexeme) -> Node:
    """Return what has to be found so often; of several, each."""
    count = _limited(reader, call, count, MAX_DISTANCE)
    node = _unboosted(reader, call, node)
    if isinstance(node, _TEXT) or (isinstance(node, Or) and all(isinstance(child, _TEXT) for child in node.children)):
        return AtLeast(node, count)
    if isinstance(node, And) and all(isinstance(child, _TEXT) for child in node.children):
        each = And(tuple(AtLeast(child, count) for child in node.children))
        reader.note("precedence", f"each word so often: {each}", call)
        return each
    reader.note("bad-operand", f"{call.text}( ) takes words and the like, or OR between them; it was left out", call)
    return node


def _limited(reader: LeafReader, lexeme: Lexeme, number: int, most: int) -> int:
    kept = min(max(number, 1), most)
    if kept != number:
        reader.note("bad-count", f"{lexeme.text}: from 1 to {most:,}; it was taken for {kept:,}", lexeme)
    return kept


def _unboosted(reader: LeafReader, operator: Lexeme, node: Node) -> Node:
    if isinstance(node, Boost):
        message = f"a boost inside {operator.text} was left out; it may stand after the parenthesis around the whole"
        reader.note("bad-boost", message, operator)
        inner: Node = node.child
        return _unboosted(reader, operator, inner)
    return node


def _is_operand(node: Node) -> bool:
    if isinstance(node, Or):
        return all(isinstance(child, _TEXT) for child in node.children)
    return isinstance(node, (*_TEXT, Near))


def _other(left: Node, right: Node) -> Node:
    """Return the one that is not a word or the like."""
    return left if not _is_operand(left) else right


def _fields(reader: LeafReader, node: Any) -> set[str]:
    """Return the fields in which something may be found."""
    if isinstance(node, Or):
        return set().union(*(_fields(reader, child) for child in node.children))
    if isinstance(node, Near):
        return _fields(reader, node.left) & _fields(reader, node.right)
    names = reader.schema.text_fields
    if node.field is None:
        return set(names)
    if node.field not in names:  # the beginning of an article is that of its body
        return {"body" if "body" in names else names[-1]}
    return {node.field}


def _all(left: Node, right: Node) -> Node:
    sides = (left, right)
    return And(tuple(leaf for part in sides for leaf in (part.children if isinstance(part, And) else (part,))))
