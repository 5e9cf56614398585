"""The lexer written character by character, for comparison."""

from __future__ import annotations

import re

from newsindex.query.lexer import Lexeme, Sort

_QUOTES = '"“”„‟«»＂'
_FIELD = re.compile(r"([^\W\d]\w*):(?!//)")
_NUMBER = r"(\d{1,4}(?:\.\d{1,4})?)"
_EDGE = rf"(?=[\s(){_QUOTES}]|\Z)"
_BOOST = re.compile(rf"\^{_NUMBER}{_EDGE}")
_FUZZY = re.compile(rf"~{_NUMBER}?(?=[\s()^]|\Z)")
_CALL = re.compile(r"(caps|atleast\d{1,9}|min:\d{1,9})\(", re.IGNORECASE)
_PROXIMITY = re.compile(rf"(not\s+)?((w|near|pre)/\d{{1,9}}|/[sp]){_EDGE}", re.IGNORECASE)
# What may stand at the end of a word and is no part of it.
_SUFFIX = re.compile(rf"(?:~{_NUMBER}?)?(?:\^{_NUMBER})?\Z")
_ESCAPED = re.compile(rf"\\([{_QUOTES}\\])")
_BRACKETS = re.compile(r"[\[{][^\[\]{}]*[\]}]")
_COMPARISON = re.compile(rf"[<>]=?\s+[^\s()<>{_QUOTES}]+")
_OPERATORS = {"AND": "AND", "&&": "AND", "OR": "OR", "||": "OR", "|": "OR", "NOT": "NOT"}
_CLAUSES = (Sort.WORD, Sort.QUOTED, Sort.CLOSE)


def lex(text: str) -> list[Lexeme]:
    found: list[Lexeme] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        lexeme = _one(text, at, found[-1] if found else None)
        found.append(lexeme)
        at = lexeme.end
    return found


def _one(text: str, at: int, before: Lexeme | None) -> Lexeme:
    character, previous = text[at], text[at - 1 : at]
    if character == "(":
        return Lexeme(Sort.OPEN, character, at, at + 1)
    if character == ")":
        return Lexeme(Sort.CLOSE, character, at, at + 1)
    if character in _QUOTES:
        return _quotation(text, at)
    if text[at : at + 2] in ("&&", "||"):
        return Lexeme(Sort[_OPERATORS[text[at : at + 2]]], text[at : at + 2], at, at + 2)
    spaced = not previous or previous.isspace()
    boost = _BOOST.match(text, at)
    if boost and not spaced:
        return Lexeme(Sort.BOOST, boost[1], at, boost.end())
    after_field = before is not None and before.sort is Sort.FIELD
    fuzzy = _FUZZY.match(text, at)
    if fuzzy and not spaced and before is not None and before.sort in _CLAUSES:
        return Lexeme(Sort.FUZZY, fuzzy[0], at, fuzzy.end())
    # A sign excludes only where a clause may begin: `e-mail` is a word, and so is a lone dash.
    begins = spaced or previous in "(-&|" or after_field
    sign = re.match(r"-[^\s-]", text[at : at + 2]) and (spaced or previous in "(&|" or after_field)
    if sign and not (after_field and text[at + 1].isdigit()):
        return Lexeme(Sort.MINUS, character, at, at + 1)
    if begins and re.match(r"=[^\s=)]", text[at : at + 2]):
        return Lexeme(Sort.EXACT, character, at, at + 1)
    call = _CALL.match(text, at)
    if begins and call:
        return Lexeme(Sort.CALL, call[1], at, call.end())
    name = _FIELD.match(text, at) if begins and not (after_field and not spaced) else None
    if name and name.end() < len(text):
        return Lexeme(Sort.FIELD, name[1], at, name.end())
    near = _PROXIMITY.match(text, at)
    known = near is not None and (near[1] is None or text[at : at + 3] in ("not", "Not", "NOT"))
    exact = before is not None and before.sort is Sort.EXACT
    if near and known and not after_field and not exact and (spaced or previous in _QUOTES + "()"):
        return Lexeme(Sort.NEAR, near[0], at, near.end())
    if after_field:
        brackets = _BRACKETS.match(text, at)
        if brackets and any(word.lower() == "to" for word in re.split(r"[\s\[\]{}]", brackets[0])):
            return Lexeme(Sort.RANGE, brackets[0], at, brackets.end())
        comparison = _COMPARISON.match(text, at)
        if comparison:
            return Lexeme(Sort.RANGE, comparison[0], at, comparison.end())
    return _word(text, at, plain=exact)


def _quotation(text: str, at: int) -> Lexeme:
    end = at + 1
    while end < len(text) and text[end] not in _QUOTES:
        end += 2 if _ESCAPED.match(text, end) else 1
    closed = end < len(text)
    quoted = _ESCAPED.sub(r"\1", text[at + 1 : end])
    return Lexeme(Sort.QUOTED, quoted, at, end + 1 if closed else end, closed)


def _word(text: str, at: int, plain: bool) -> Lexeme:
    end, literal = at, ""
    while end < len(text):
        character = text[end]
        if character == "\\" and end + 1 < len(text) and (text[end + 1] == " " or not text[end + 1].isspace()):
            end += 2
            literal += "xx"
        elif character.isspace() or character in "()" + _QUOTES or text[end : end + 2] in ("&&", "||"):
            break
        else:
            end += 1
            literal += character
    word = text[at:end]
    if word in _OPERATORS and not plain:
        return Lexeme(Sort[_OPERATORS[word]], word, at, end)
    suffix = _SUFFIX.search(literal)
    if suffix and suffix.start() > 0:
        literal = literal[: suffix.start()]
    return Lexeme(Sort.WORD, word[: len(literal)], at, at + len(literal))
