"""Query text to lexemes. Anything that is no operator is text."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import NamedTuple

__all__ = ["Lexeme", "Sort", "lex"]


class Sort(Enum):
    """What a lexeme is."""

    WORD = auto()
    QUOTED = auto()
    RANGE = auto()
    FIELD = auto()
    OPEN = auto()
    CLOSE = auto()
    AND = auto()
    OR = auto()
    NOT = auto()
    MINUS = auto()
    BOOST = auto()
    FUZZY = auto()
    END = auto()


class Lexeme(NamedTuple):
    """A piece of a query: what it is, its text without quotes or marks, and where it stands.

    Inside quotes a backslash before a quote or a backslash takes its meaning away.

    `closed` is false for a quotation without an end.
    """

    sort: Sort
    text: str
    start: int
    end: int
    closed: bool = True


# Members of an Enum are looked up slowly, and NamedTuple's own constructor takes twice as long as this one.
_new = tuple.__new__
_WORD, _QUOTED, _FIELD, _CLOSE = Sort.WORD, Sort.QUOTED, Sort.FIELD, Sort.CLOSE
_MINUS, _BOOST, _FUZZY, _RANGE = Sort.MINUS, Sort.BOOST, Sort.FUZZY, Sort.RANGE

_QUOTES = '"“”„‟«»＂'
_NUMBER = r"\d{1,4}(?:\.\d{1,4})?"
_REST = rf"[^\s(){_QUOTES}]*+"
# A word without a mark that could mean something; most are.
_SIMPLE = rf"[^\s(){_QUOTES}:^~\-\[{{][^\s(){_QUOTES}:^~]*+(?![:^~])"
_GROUPING = rf"(\()|(\))|([{_QUOTES}]((?:\\[{_QUOTES}\\]|[^{_QUOTES}])*+)[{_QUOTES}]?)"
_HUNG_ON = rf"(?<=\S)\^({_NUMBER})(?=[\s()]|\Z)"
# One lexeme, with the white space before it. A sign excludes, and a name is a field's, only where a clause may begin:
# `e-mail` is a word, and so is a lone dash.
_NEXT = re.compile(
    rf"""\s*+(?: ({_SIMPLE})
    | {_GROUPING} | {_HUNG_ON} | (?<=\S)(~(?:{_NUMBER})?)(?=[\s()^]|\Z)
    | (?<![^\s(])(-)(?=[^\s-]) | (?<![^\s(\-])([^\W\d]\w*):(?!//)(?=[\s\S]) | (\S{_REST}) )""",
    re.VERBOSE,
)
_next = _NEXT.match
_KINDS = (_WORD, _WORD, Sort.OPEN, _CLOSE, _QUOTED, _QUOTED, _BOOST, _FUZZY, _MINUS, _FIELD, _WORD)
# What comes after a field is a value: no other field, but perhaps a range or a negative number.
_NEXT_VALUE = re.compile(
    rf"""\s*+(?: ({_SIMPLE})
    | {_GROUPING} | {_HUNG_ON} | (-)(?=[^\s-])
    | ([\[{{][^\[\]{{}}]*?(?<!\s)\s++[Tt][Oo]\s[^\[\]{{}}]*+[\]}}]) | (\S{_REST}) )""",
    re.VERBOSE,
)
_value = _NEXT_VALUE.match
_VALUE_KINDS = (_WORD, _WORD, Sort.OPEN, _CLOSE, _QUOTED, _QUOTED, _BOOST, _MINUS, _RANGE, _WORD)
_ANY_WORD = re.compile(rf"\S{_REST}")
# What may stand at the end of a word and is no part of it.
_SUFFIX = re.compile(rf"(?:~(?:{_NUMBER})?)?(?:\^{_NUMBER})?\Z")
_ESCAPED = re.compile(rf"\\([{_QUOTES}\\])")
_OPERATORS = {"AND": Sort.AND, "&&": Sort.AND, "OR": Sort.OR, "||": Sort.OR, "|": Sort.OR, "NOT": Sort.NOT}


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
            before = _OPERATORS.get(word, _WORD)
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
        elif sort is _FIELD:
            at += 1
        elif sort is _BOOST:
            start -= 1
        elif (
            sort is _WORD
            or (sort is _FUZZY and before not in (_WORD, _QUOTED, _CLOSE))
            or (sort is _MINUS and after_field and text[at].isdigit())
        ):
            sort, at, word = _without_suffix(text, start)
        found.append(_new(Lexeme, (sort, word, start, at, closed)))
        before = sort
    return found


def _without_suffix(text: str, start: int) -> tuple[Sort, int, str]:
    """Return the word that begins here without a boost or `~2` at its end: its sort, its end, itself."""
    word = _ANY_WORD.match(text, start)
    assert word is not None
    if word[0] in _OPERATORS:
        return _OPERATORS[word[0]], word.end(), word[0]
    suffix = _SUFFIX.search(word[0])
    assert suffix is not None
    length = suffix.start() or len(word[0])
    return _WORD, start + length, word[0][:length]
