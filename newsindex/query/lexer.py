"""Query text to lexemes. Anything that is no operator is text."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import NamedTuple

__all__ = ["QUOTES", "Lexeme", "Sort", "lex"]


class Sort(Enum):
    """What a lexeme is."""

    WORD = auto()
    QUOTED = auto()
    RANGE = auto()
    FIELD = auto()
    OPEN = auto()
    CLOSE = auto()
    CALL = auto()
    AND = auto()
    OR = auto()
    NOT = auto()
    NEAR = auto()
    MINUS = auto()
    EXACT = auto()
    BOOST = auto()
    FUZZY = auto()
    END = auto()


class Lexeme(NamedTuple):
    r"""A piece of a query: what it is, its text without quotes or marks, and where it stands.

    A word keeps its backslashes: each takes the meaning of the character after it away. Inside quotes only a quote and
    a backslash can have one before them; there they are gone. `closed` is false for a quotation without an end.
    """

    sort: Sort
    text: str
    start: int
    end: int
    closed: bool = True


# Members of an Enum are looked up slowly, and NamedTuple's own constructor takes twice as long as this one.
_new = tuple.__new__
_WORD, _QUOTED, _FIELD, _CLOSE = Sort.WORD, Sort.QUOTED, Sort.FIELD, Sort.CLOSE
_MINUS, _BOOST, _FUZZY, _RANGE, _NOT, _NEAR = Sort.MINUS, Sort.BOOST, Sort.FUZZY, Sort.RANGE, Sort.NOT, Sort.NEAR

QUOTES = '"“”„‟«»＂'
_NUMBER = r"\d{1,4}(?:\.\d{1,4})?"
# A word ends before `&&` and `||` too; after a backslash anything belongs to it, but no other white space than a space.
_REST = rf"(?:[^\s(){QUOTES}\\&|]|\\[^\s]|\\\ |\\|&(?!&)|\|(?!\|))*+"
_EDGE = rf"(?=[\s(){QUOTES}]|\Z)"
# A word without a mark that could mean something; most are.
_SIMPLE = rf"[^\s(){QUOTES}:^~\-\[{{<>=\\&|/][^\s(){QUOTES}:^~\\&|/]*+(?![:^~\\&|/(])"
_GROUPING = rf"(\()|(\))|([{QUOTES}]((?:\\[{QUOTES}\\]|[^{QUOTES}])*+)[{QUOTES}]?)"
_HUNG_ON = rf"(?<=\S)\^({_NUMBER}){_EDGE}"
_BEGINS = r"(?<![^\s(\-&|])"
_SIGN = r"(?<![^\s(&|])(-)(?=[^\s-])"
_NAME = r"([^\W\d]\w*):(?!//)(?=[\s\S])"
_CALL = r"((?i:caps|atleast\d{1,9}|min:\d{1,9}))\("
_PROXIMITY = rf"((?i:(?:not\s++)?(?:(?:w|near|pre)/\d{{1,9}}|/[sp]))){_EDGE}"
# One lexeme, with the white space before it. A sign excludes, and a name is a field's, only where a clause may begin:
# `e-mail` is a word, and so is a lone dash.
_NEXT = re.compile(
    rf"""\s*+(?: ({_SIMPLE})
    | {_GROUPING} | {_HUNG_ON} | (?<=\S)(~(?:{_NUMBER})?)(?=[\s()^]|\Z)
    | {_SIGN} | {_BEGINS}(=)(?=[^\s=)]) | {_BEGINS}{_CALL} | {_BEGINS}{_NAME}
    | (?<![^\s)({QUOTES}]){_PROXIMITY} | (&&|\|\|) | ((?=\S){_REST}) )""",
    re.VERBOSE,
)
_next = _NEXT.match
_KINDS = (
    _WORD, _WORD, Sort.OPEN, _CLOSE, _QUOTED, _QUOTED, _BOOST, _FUZZY, _MINUS, Sort.EXACT, Sort.CALL, _FIELD, _NEAR,
    Sort.AND, _WORD,
)  # fmt: skip
# What comes right after a field is a value: no other field, but perhaps a range or a negative number.
_NEXT_VALUE = re.compile(
    rf"""\s*+(?: ({_SIMPLE})
    | {_GROUPING} | {_HUNG_ON} | (-)(?=[^\s-]) | (=)(?=[^\s=)]) | {_CALL} | (?<=\s){_NAME}
    | ([\[{{][^\[\]{{}}]*+[\]}}]) | ([<>]=?\s++[^\s()<>{QUOTES}]++) | (&&|\|\|) | ((?=\S){_REST}) )""",
    re.VERBOSE,
)
_value = _NEXT_VALUE.match
_VALUE_KINDS = (
    _WORD, _WORD, Sort.OPEN, _CLOSE, _QUOTED, _QUOTED, _BOOST, _MINUS, Sort.EXACT, Sort.CALL, _FIELD, _RANGE, _RANGE,
    Sort.AND, _WORD,
)  # fmt: skip
_proximity = re.compile(_PROXIMITY).match
_ANY_WORD = re.compile(rf"(?=\S){_REST}")
_TO = re.compile(r"(?<![^\s\[{])TO(?![^\s\]}])", re.IGNORECASE)
# What may stand at the end of a word and is no part of it.
_SUFFIX = re.compile(rf"(?:~(?:{_NUMBER})?)?(?:\^{_NUMBER})?\Z")
_ESCAPED = re.compile(rf"\\([{QUOTES}\\])")
_PAIR = re.compile(r"\\.")
_OPERATORS = {"AND": Sort.AND, "&&": Sort.AND, "OR": Sort.OR, "||": Sort.OR, "|": Sort.OR, "NOT": _NOT}
_PERHAPS = _OPERATORS | {"not": _NOT, "Not": _NOT}


def lex(text: str) -> list[Lexeme]:
    """Return the lexemes of a query; never fails.

    >>> [lexeme.sort.name for lexeme in lex('title:kiev -“two words”^2 (a OR b)')]
    ['FIELD', 'WORD', 'MINUS', 'QUOTED', 'BOOST', 'OPEN', 'WORD', 'OR', 'WORD', 'CLOSE']
    """
    found: list[Lexeme] = []
    at, length = 0, len(text)
    before: Sort | None = None
    while at < length:
        after_field = before is _FIELD
        match = _value(text, at) if after_field else _next(text, at)
        if match is None:
            break  # only white space is left
        group = match.lastindex
        if group == 1:
            word = match[1]
            at = match.end()
            sort = _WORD if before is Sort.EXACT else _PERHAPS.get(word, _WORD)
            if sort is _NOT:
                sort, word, at = _negation(text, at - len(word), word, after_field)
            before = sort
            found.append(_new(Lexeme, (before, word, at - len(word), at, True)))
            continue
        assert group is not None
        sort = (_VALUE_KINDS if after_field else _KINDS)[group]
        word = match[group]
        start, at = match.span(group)
        closed = True
        if sort is _QUOTED:
            word = match[group + 1]
            closed = match.end(group + 1) < at
            if "\\" in word:
                word = _ESCAPED.sub(r"\1", word)
        elif sort is _FIELD or sort is Sort.CALL:
            at += 1
        elif sort is _BOOST:
            start -= 1
        elif sort is Sort.AND:
            sort = _OPERATORS[word]
        elif (
            sort is _WORD
            or (sort is _FUZZY and before not in (_WORD, _QUOTED, _CLOSE))
            or (sort is _MINUS and after_field and text[at].isdigit())
            or (sort is _RANGE and word[0] in "[{" and not _TO.search(word))
        ):
            sort, at, word = _without_suffix(text, start)
        found.append(_new(Lexeme, (sort, word, start, at, closed)))
        before = sort
    return found


def _negation(text: str, start: int, word: str, after_field: bool) -> tuple[Sort, str, int]:
    """Return what `not` is here: part of `not w/5`, an operator if in capitals, or a word."""
    proximity = None if after_field else _proximity(text, start)
    if proximity is not None:
        return _NEAR, proximity[1], proximity.end()
    return (_NOT if word == "NOT" else _WORD), word, start + len(word)


def _without_suffix(text: str, start: int) -> tuple[Sort, int, str]:
    """Return the word that begins here without a boost or `~2` at its end: its sort, its end, itself."""
    word = _ANY_WORD.match(text, start)
    assert word is not None
    if word[0] in _OPERATORS and text[start - 1 : start] != "=":
        return _OPERATORS[word[0]], word.end(), word[0]
    suffix = _SUFFIX.search(_PAIR.sub("..", word[0]))
    assert suffix is not None
    length = suffix.start() or len(word[0])
    return _WORD, start + length, word[0][:length]
