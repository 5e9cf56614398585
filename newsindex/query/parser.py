"""Lexemes to a query tree. Every text has a tree; what was not understood is a diagnostic.

either  := all (OR all)*
all     := one (AND? one)*
one     := (NOT | -)* near
near    := atom ((NOT)? (w/5 | pre/3 | /s | /p) atom)*
atom    := clause ~number? ^boost?
clause  := ( either ) | field: clause | caps( either ) | atleast3( either ) | min:2( either ) | =word | ="phrase" | leaf
leaf    := "phrase" | word | value | range

`docs/query-language.md` says it for people.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from newsindex.errors import QueryTooComplex
from newsindex.query.clock import Clock
from newsindex.query.diagnostics import Diagnostic
from newsindex.query.elsewhere import may_be_of_others, operator_here
from newsindex.query.joins import all_of, any_of, excluding
from newsindex.query.lexer import QUOTES, Lexeme, Sort, lex
from newsindex.query.newsroom import at_least, cased, joined, loosened
from newsindex.query.plain import MANY_CAPITALS, plain_tree
from newsindex.query.scopes import OPERANDS, ScopeReader
from newsindex.query.tree import And, Boost, Everything, Node, Not, Nothing, SomeOf, Word
from newsindex.schema import Field, Schema, Text

__all__ = ["MAX_CHARACTERS", "MAX_CLAUSES", "MAX_NESTING", "ParsedQuery", "parse"]

# A member of an Enum is looked up slowly.
_WORD, _QUOTED, _RANGE, _FIELD, _END = Sort.WORD, Sort.QUOTED, Sort.RANGE, Sort.FIELD, Sort.END
_OPEN, _CLOSE, _AND, _OR, _NOT, _MINUS = Sort.OPEN, Sort.CLOSE, Sort.AND, Sort.OR, Sort.NOT, Sort.MINUS
_BOOST, _FUZZY, _NEAR, _CALL, _EXACT = Sort.BOOST, Sort.FUZZY, Sort.NEAR, Sort.CALL, Sort.EXACT
_AFTER = Lexeme(_END, "", 0, 0)
_BEGINNINGS = OPERANDS | {_FIELD}
# In a headline that was pasted nothing else is.
_HEADLINE = frozenset({_WORD, _AND, _OR, _NOT, _END})

_WILD_INSIDE = re.compile(r"\w\?\w").search

MAX_CHARACTERS = 4096
MAX_NESTING = 20
MAX_CLAUSES = 1024
MAX_NEAR = 100


class ParsedQuery(NamedTuple):
    """A query tree and the departures from what was typed."""

    tree: Node
    diagnostics: tuple[Diagnostic, ...]


def parse(
    text: str,
    schema: Schema,
    surfaces: Callable[[str], list[str]],
    clock: Clock | None = None,
) -> ParsedQuery:
    """Return the tree of a query; `surfaces` gives the words of a text (it tells what has no word in it).

    `clock` says what moment is now, and in which zone dates are that name none; None is the clock of this computer.

    Raises:
        QueryTooComplex: over 4,096 characters, 20 levels of parentheses, 1,024 clauses, 100 times `w/5` and its like.
            Nothing else.
    """
    if len(text) > MAX_CHARACTERS:
        raise QueryTooComplex("the number of characters", len(text), MAX_CHARACTERS)
    node = plain_tree(text, MAX_CLAUSES)
    if node is not None:
        return ParsedQuery(node, ())
    lexemes = lex(text)
    if text.count("(") > MAX_NESTING:
        depth = deepest = 0
        for lexeme in lexemes:
            depth += (lexeme.sort is _OPEN or lexeme.sort is _CALL) - (lexeme.sort is _CLOSE and depth > 0)
            deepest = max(deepest, depth)
        if deepest > MAX_NESTING:
            raise QueryTooComplex("the nesting of parentheses", deepest, MAX_NESTING)
    near = sum(lexeme.sort is _NEAR for lexeme in lexemes) if len(lexemes) > MAX_NEAR else 0
    if near > MAX_NEAR:
        raise QueryTooComplex("the number of proximity operators", near, MAX_NEAR)
    if len(lexemes) > MAX_CLAUSES:
        clauses = sum(lexeme.sort in (_WORD, _QUOTED, _RANGE) for lexeme in lexemes)
        if clauses > MAX_CLAUSES:
            raise QueryTooComplex("the number of clauses", clauses, MAX_CLAUSES)
    return _Parser(text, lexemes, schema, surfaces, clock or Clock()).parsed()


class _Parser(ScopeReader):
    __slots__ = ()

    def parsed(self) -> ParsedQuery:
        self.lexemes.append(_AFTER)  # so that looking ahead needs no test
        if " or " in self.text or " not " in self.text:
            self.remark_small_letters()
        if may_be_of_others(self.text):
            self.remark_others()
        if self.text.isupper():
            self.remark_capitals()
        node = self.either(None)
        parts = [] if node is None else [node]
        while self.lexemes[self.at].sort is not _END:  # only a parenthesis that nothing opened stops `either` early
            self.note(
                "unbalanced-parenthesis", "a closing parenthesis without an opening one was left out", self.take()
            )
            rest = self.either(None)
            if rest is not None:
                parts.append(rest)
                node = rest
        if len(parts) > 1:
            node = all_of(parts)
        if node is None:
            node = Nothing() if self.text.strip() else Everything()
            if self.text.strip():
                self.say("nothing-to-search", "there is no word to search for in the query", 0, len(self.text))
        elif isinstance(node, Not) or (isinstance(node, And) and all(isinstance(part, Not) for part in node.children)):
            self.say("only-excluded", "the query only excludes: these are all articles without that", 0, len(self.text))
        return ParsedQuery(node, tuple(self.diagnostics))

    def remark_small_letters(self) -> None:
        """Say it where a word stands like an operator."""
        for before, lexeme, after in zip(self.lexemes, self.lexemes[1:], self.lexemes[2:], strict=False):
            if lexeme.sort is _WORD and lexeme.text in ("or", "not") and _ends(before) and after.sort in _BEGINNINGS:
                message = f"{lexeme.text} was searched as a word; in capitals, {lexeme.text.upper()}, it is an operator"
                self.note("lower-case-operator", message, lexeme)
                return

    def remark_others(self) -> None:
        """Say it where a word means something elsewhere."""
        date_field = self.schema.date_field
        for before, lexeme, after in zip([_AFTER, *self.lexemes], self.lexemes, self.lexemes[1:], strict=False):
            text, end = lexeme.text, lexeme.end
            if lexeme.sort is not _WORD or before.sort is _FIELD or not self.patience:
                continue
            if after.sort is _WORD and after.text == ":" and text.lower() in self.fields:
                here: str | None = f"{text.lower()}:…, with nothing before the colon"
            elif text[0] == "/" and not (_ends(before) and after.sort in _BEGINNINGS):
                continue
            else:
                here = operator_here(text, self.text[end : end + 1], self.fields, date_field)
            if here is not None:
                self.patience -= 1
                self.note("other-syntax", f"{text} was searched as a word; its other meaning is written {here}", lexeme)

    def remark_capitals(self) -> None:
        """Say it where OR, AND or NOT may be a word of a headline in capitals."""
        sorts = [lexeme.sort for lexeme in self.lexemes]
        if sorts.count(_WORD) < MANY_CAPITALS - 1 or not _HEADLINE.issuperset(sorts):
            return
        for lexeme in self.lexemes:
            if lexeme.sort in (_OR, _NOT) and lexeme.text.isalpha():
                message = f"{lexeme.text} was read as an operator; in small letters, or in a quotation, it is a word"
                self.note("upper-case-operator", message, lexeme)
                return

    def either(self, field: Field | None) -> Node | None:
        self.bare_near = False
        clauses = self.clauses(field)
        part = all_of(clauses) if clauses else None
        if self.lexemes[self.at].sort is not _OR:
            return part
        parts = self.alternatives(part, field)
        return any_of(parts) if parts else None

    def alternatives(self, first: Node | None, field: Field | None) -> list[Node]:
        """Return what stands between the ORs that follow, with what stood before them."""
        parts = [first]
        start = self.lexemes[self.at]
        while (lexeme := self.lexemes[self.at]).sort is _OR:
            self.at += 1
            clauses = self.clauses(field)
            part = all_of(clauses) if clauses else None
            if part is None or parts[-1] is None:
                self.note("dangling-operator", f"{lexeme.text} has nothing on one side and was left out", lexeme)
            parts.append(part)
        kept = [part for part in parts if part is not None]
        if self.bare_near and len(kept) > 1:
            self.note("precedence", f"what is near what was read before OR: {any_of(kept)}", start)
        return kept

    def clauses(self, field: Field | None) -> list[Node]:
        """Return what is joined by AND, or by standing side by side."""
        parts: list[Node] = []
        dangling: Lexeme | None = None
        lexemes = self.lexemes
        while True:
            lexeme = lexemes[self.at]
            sort, text, start, end, _ = lexeme
            if sort is _WORD:
                if (
                    field is None
                    and text.isalnum()
                    and text.isascii()
                    and (following := lexemes[self.at + 1].sort) is not _BOOST
                    and following is not _FUZZY
                    and following is not _NEAR
                ):  # Most clauses: what the long way through `one` comes to.
                    self.at += 1
                    parts.append(Word(text, None, start, end))
                    dangling = None
                    continue
                if text[0] in "<>" and parts and field is None:
                    found = self.compared(parts[-1], lexeme)
                    if found is not None:
                        parts[-1:] = found
                        dangling = None
                        continue
            elif sort is _FIELD and field is None:
                word = self.simple_word(text, self.at + 1)
                if word is not None:
                    self.at += 2
                    parts.append(word)
                    dangling = None
                    continue
            elif sort is _OR or sort is _CLOSE or sort is _END:
                break
            elif sort is _AND or sort is _NEAR:
                self.at += 1
                if dangling is not None or not parts or sort is _NEAR:
                    self.note("dangling-operator", f"{text} has nothing on one side and was left out", lexeme)
                dangling = lexeme if parts and sort is _AND else dangling
                continue
            part = self.one(field) if sort is _MINUS or sort is _NOT else self.near(field)
            if part is not None:
                parts.append(part)
                dangling = None
        if dangling is not None:
            self.note("dangling-operator", f"{dangling.text} has nothing on one side and was left out", dangling)
        return parts

    def simple_word(self, name: str, at: int) -> Word | None:
        """Return the word of a text field that stands here, None where it takes `scoped` to tell what stands here."""
        field = self.fields.get(name)
        sort, text, start, end, _ = self.lexemes[at]
        if (
            sort is not _WORD
            or field is None
            or type(field.kind) is not Text
            or not text.isalnum()
            or not text.isascii()
        ):
            return None
        following = self.lexemes[at + 1].sort
        if following is _BOOST or following is _FUZZY or following is _NEAR:
            return None
        return Word(text, field.name, start, end)

    def one(self, field: Field | None) -> Node | None:
        excluded = False
        sign: Lexeme | None = None
        while (sort := (lexeme := self.lexemes[self.at]).sort) is _MINUS or sort is _NOT:
            self.at += 1
            sign = lexeme
            excluded = not excluded
        if sort is _END or sort is _OR or sort is _AND or sort is _CLOSE or sort is _NEAR:
            if sign is not None:
                self.note("dangling-operator", f"{sign.text} has nothing after it and was left out", sign)
            return None
        node = self.near(field)
        return excluding(node) if excluded and node is not None else node

    def near(self, field: Field | None) -> Node | None:
        """Read one clause, or several with what says how near they are."""
        node = self.atom(field)
        while (operator := self.lexemes[self.at]).sort is _NEAR:
            self.at += 1
            if self.lexemes[self.at].sort in (_END, _OR, _AND, _CLOSE, _NEAR):
                self.note("dangling-operator", f"{operator.text} has nothing on one side and was left out", operator)
                continue
            right = self.one(field) if self.lexemes[self.at].sort in (_MINUS, _NOT) else self.atom(field)
            self.bare_near = True
            node = joined(self, operator, node, right)
        return node

    def atom(self, field: Field | None) -> Node | None:
        """Read one clause with what is hung on to it."""
        node = self.clause(field)
        while (sort := (following := self.lexemes[self.at]).sort) is _BOOST or sort is _FUZZY:
            self.at += 1
            if sort is _FUZZY:
                node = loosened(self, node, following)
            elif float(following.text) <= 0:
                self.note("bad-boost", "a boost must be above 0; it was left out", following)
            elif node is not None and not isinstance(node, Everything | Nothing):
                node = Boost(node, float(following.text))
        return node

    def clause(self, field: Field | None, *, alone: bool = False) -> Node | None:
        """Read a group, a field with its clause, or a leaf; `alone` when it stands right after its field."""
        lexeme = self.lexemes[self.at]
        sort = lexeme.sort
        self.at += 1
        if sort is _WORD:
            if lexeme.text[0] == "-" and self.text[lexeme.start - 1 : lexeme.start] in (*QUOTES, ")"):
                self.note("misplaced-sign", "a sign excludes only after a space; it was left out", lexeme)
                lexeme = lexeme._replace(text=lexeme.text.lstrip("-") or "-")
            return self.leaf(lexeme, field, alone)
        if sort is _OPEN:
            return self.group(lexeme, field)
        if sort is _CALL:
            return self.call(lexeme, field)
        if sort is _FIELD:
            return self.scoped(lexeme, field)
        if sort is _EXACT:
            return self.exact(lexeme, field, alone)
        if sort is _QUOTED:
            if not lexeme.closed:
                self.note("unclosed-quote", "the quotation has no end; it was taken to the end of the query", lexeme)
            if ("*" in lexeme.text or "?" in lexeme.text) and (field is None or isinstance(field.kind, Text)):
                self.remark_wild_cards(lexeme)
        if sort is _BOOST:
            self.note("bad-boost", "the boost has nothing before it and was left out", lexeme)
            return None
        return self.leaf(lexeme, field, alone)

    def remark_wild_cards(self, lexeme: Lexeme) -> None:
        """Say that they mean nothing in a quotation."""
        words: list[str] = []
        distance = 1
        for word in lexeme.text.split():
            if word.strip("*?") == "":
                distance += 1
            else:
                words.append(f"pre/{distance} {word}" if words else word)
                distance = 1
        if "*" in lexeme.text or _WILD_INSIDE(lexeme.text):
            said = f"in a quotation wild cards mean nothing; outside it is written {' '.join(words)}"
            self.note("bad-wildcard", said if len(words) > 1 else said.partition(";")[0], lexeme)

    def group(self, opening: Lexeme, field: Field | None) -> Node | None:
        bare = self.bare_near
        node = self.either(field)
        self.bare_near = bare
        self.close(opening, empty=node is None)
        return node

    def close(self, opening: Lexeme, *, empty: bool) -> None:
        closing = self.lexemes[self.at]
        if closing.sort is _END:
            self.note("unbalanced-parenthesis", "the parenthesis has no end; it was closed at the end", opening)
        else:
            self.take()
            if empty:
                self.say("empty-group", "there is nothing inside the parentheses", opening.start, closing.end)

    def call(self, lexeme: Lexeme, field: Field | None) -> Node | None:
        """Read `caps(…)`, `atleast3(…)`, `min:2(…)`."""
        name = lexeme.text.lower()
        if name[:3] == "min":
            return self.some_of(lexeme, field)
        first = self.at
        node = self.group(lexeme, field)
        if node is None:
            return None
        if name == "caps":
            apart = any(inner.sort is _AND for inner in self.lexemes[first : self.at])
            return cased(self, node, lexeme, apart)
        return at_least(self, node, int(name.removeprefix("atleast")), lexeme)

    def some_of(self, lexeme: Lexeme, field: Field | None) -> Node | None:
        count, bare = int(lexeme.text[4:]), self.bare_near
        self.bare_near = False
        parts = self.clauses(field)
        if self.lexemes[self.at].sort is _OR:
            parts = self.alternatives(all_of(parts) if parts else None, field)
        self.bare_near = bare
        self.close(lexeme, empty=not parts)
        if not parts:
            return None
        if not 1 <= count <= len(parts):
            kept = min(max(count, 1), len(parts))
            self.note("bad-count", f"{lexeme.text}: {len(parts)} stand there; it was taken for {kept}", lexeme)
            count = kept
        if count == 1:
            return any_of(parts)
        return all_of(parts) if count == len(parts) else SomeOf(tuple(parts), count)


def _ends(lexeme: Lexeme) -> bool:
    return lexeme.sort is _WORD or lexeme.sort is _QUOTED or lexeme.sort is _CLOSE
