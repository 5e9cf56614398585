"""The lexer written character by character, for comparison."""

from __future__ import annotations

import re

from newsindex.query.lexer import Lexeme, Sort

_QUOTES = '"“”„‟«»＂'
_FIELD = re.compile(r"([^\W\d]\w*):(?!//)")
_NUMBER = r"(\d{1,4}(?:\.\d{1,4})?)"
_BOOST = re.compile(rf"\^{_NUMBER}(?=[\s()]|\Z)")
_FUZZY = re.compile(rf"~{_NUMBER}?(?=[\s()^]|\Z)")
# What may stand at the end of a word and is no part of it.
_SUFFIX = re.compile(rf"(?:~{_NUMBER}?)?(?:\^{_NUMBER})?\Z")
_ESCAPED = re.compile(rf"\\([{_QUOTES}\\])")
_BRACKETS = re.compile(r"[\[{]([^\[\]{}]*?)\s+TO\s+([^\[\]{}]*?)[\]}]", re.IGNORECASE)
_WORD_END = re.compile(rf"[\s(){_QUOTES}]|\Z")
_OPERATORS = {"AND": "AND", "&&": "AND", "OR": "OR", "||": "OR", "|": "OR", "NOT": "NOT"}


def lex(text: str) -> list[Lexeme]:
    found: list[Lexeme] = []
    at = 0
    while at < len(text):
        character = text[at]
        if character.isspace():
            at += 1
            continue
        spaced = at == 0 or text[at - 1].isspace()
        lexeme = _one(text, at, spaced, found[-1] if found else None)
        found.append(lexeme)
        at = lexeme.end
    return found


def _one(text: str, at: int, spaced: bool, before: Lexeme | None) -> Lexeme:
    character = text[at]
    if character == "(":
        return Lexeme(Sort.OPEN, character, at, at + 1)
    if character == ")":
        return Lexeme(Sort.CLOSE, character, at, at + 1)
    if character in _QUOTES:
        end = at + 1
        while end < len(text) and text[end] not in _QUOTES:
            end += 2 if _ESCAPED.match(text, end) else 1
        closed = end < len(text)
        quoted = _ESCAPED.sub(r"\1", text[at + 1 : end])
        return Lexeme(Sort.QUOTED, quoted, at, end + 1 if closed else end, closed)
    boost = _BOOST.match(text, at)
    if boost and not spaced:
        return Lexeme(Sort.BOOST, boost[1], at, boost.end())
    fuzzy = _FUZZY.match(text, at)
    if fuzzy and not spaced and before is not None and before.sort in (Sort.WORD, Sort.QUOTED, Sort.CLOSE):
        return Lexeme(Sort.FUZZY, fuzzy[0], at, fuzzy.end())
    # A sign excludes only where a clause may begin: `e-mail` is a word, and so is a lone dash.
    begins = spaced or before is None or before.sort in (Sort.OPEN, Sort.FIELD, Sort.MINUS)
    if (
        character == "-"
        and begins
        and re.match(r"[^\s-]", text[at + 1 : at + 2])
        and not _is_negative(text, at, before)
    ):
        return Lexeme(Sort.MINUS, character, at, at + 1)
    name = _FIELD.match(text, at) if begins and (before is None or before.sort != Sort.FIELD) else None
    if name and name.end() < len(text):
        return Lexeme(Sort.FIELD, name[1], at, name.end())
    if before is not None and before.sort == Sort.FIELD:
        brackets = _BRACKETS.match(text, at)
        if brackets:
            return Lexeme(Sort.RANGE, brackets[0], at, brackets.end())
    stop = _WORD_END.search(text, at + 1)
    end = stop.start() if stop else len(text)
    word = text[at:end]
    if word in _OPERATORS:
        return Lexeme(Sort[_OPERATORS[word]], word, at, end)
    suffix = _SUFFIX.search(word)
    if suffix and suffix.start() > 0:
        end = at + suffix.start()
        word = text[at:end]
    return Lexeme(Sort.WORD, word, at, end)


def _is_negative(text: str, at: int, before: Lexeme | None) -> bool:
    """Tell whether the sign belongs to a number that a field is compared with."""
    return before is not None and before.sort == Sort.FIELD and text[at + 1].isdigit()
