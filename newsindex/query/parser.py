"""Lexemes to a query tree. Every text has a tree; what was not understood is a diagnostic.

either  := all (OR all)*
all     := one (AND? one)*
one     := (NOT | -)* atom ~number? ^boost?
atom    := ( either ) | field: atom | "phrase" | word | prefix*
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import NamedTuple

from newsindex.errors import QueryTooComplex
from newsindex.query.diagnostics import Diagnostic
from newsindex.query.filters import nearest
from newsindex.query.lexer import Lexeme, Sort, lex
from newsindex.query.plain import plain_tree
from newsindex.query.ranges import EmptyRange, comparison
from newsindex.query.tree import And, Boost, Everything, Node, Not, Nothing, Or, Phrase, Prefix, Value, Word
from newsindex.schema import Date, Field, Flag, Keyword, Number, Schema, Stored

__all__ = ["MAX_CHARACTERS", "MAX_CLAUSES", "MAX_NESTING", "ParsedQuery", "parse"]

# A member of an Enum is looked up slowly.
_WORD, _QUOTED, _RANGE, _FIELD, _END = Sort.WORD, Sort.QUOTED, Sort.RANGE, Sort.FIELD, Sort.END
_OPEN, _CLOSE, _AND, _OR, _NOT, _MINUS = Sort.OPEN, Sort.CLOSE, Sort.AND, Sort.OR, Sort.NOT, Sort.MINUS
_BOOST, _FUZZY = Sort.BOOST, Sort.FUZZY
_AFTER = Lexeme(_END, "", 0, 0)

_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~\u2010-\u2027]\Z")
MAX_CHARACTERS = 4096
MAX_NESTING = 20
MAX_CLAUSES = 1024


class ParsedQuery(NamedTuple):
    """A query tree and the departures from what was typed."""

    tree: Node
    diagnostics: tuple[Diagnostic, ...]


def parse(text: str, schema: Schema, surfaces: Callable[[str], list[str]]) -> ParsedQuery:
    """Return the tree of a query; `surfaces` gives the words of a text (it tells what has no word in it).

    Raises:
        QueryTooComplex: over 4,096 characters, 20 levels of parentheses or 1,024 clauses. Nothing else.
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
            depth += (lexeme.sort is _OPEN) - (lexeme.sort is _CLOSE and depth > 0)
            deepest = max(deepest, depth)
        if deepest > MAX_NESTING:
            raise QueryTooComplex("the nesting of parentheses", deepest, MAX_NESTING)
    if len(lexemes) > MAX_CLAUSES:
        clauses = sum(lexeme.sort in (_WORD, _QUOTED, _RANGE) for lexeme in lexemes)
        if clauses > MAX_CLAUSES:
            raise QueryTooComplex("the number of clauses", clauses, MAX_CLAUSES)
    return _Parser(text, lexemes, schema, surfaces).parsed()


@functools.lru_cache(maxsize=16)
def _field_names(schema: Schema) -> dict[str, str]:
    return {name.lower(): name for name in schema.fields}


class _Parser:
    __slots__ = ("alone", "at", "diagnostics", "lexemes", "schema", "surfaces", "text")

    def __init__(self, text: str, lexemes: list[Lexeme], schema: Schema, surfaces: Callable[[str], list[str]]) -> None:
        self.text = text
        self.lexemes = lexemes
        self.alone = len(lexemes) == 1
        lexemes.append(_AFTER)  # so that looking ahead needs no test
        self.schema = schema
        self.surfaces = surfaces
        self.at = 0
        self.diagnostics: list[Diagnostic] = []

    def parsed(self) -> ParsedQuery:
        node = self.either(None)
        while self.lexemes[self.at].sort is not _END:  # only a parenthesis that nothing opened stops `either` early
            self.note(
                "unbalanced-parenthesis", "a closing parenthesis without an opening one was left out", self.take()
            )
            rest = self.either(None)
            if rest is not None:
                node = rest if node is None else _all([node, rest])
        if node is None:
            node = Nothing() if self.text.strip() else Everything()
            if self.text.strip():
                self.say("nothing-to-search", "there is no word to search for in the query", 0, len(self.text))
        elif isinstance(node, Not) or (isinstance(node, And) and all(isinstance(part, Not) for part in node.children)):
            self.say("only-excluded", "the query only excludes: these are all articles without that", 0, len(self.text))
        return ParsedQuery(node, tuple(self.diagnostics))

    def take(self) -> Lexeme:
        self.at += 1
        return self.lexemes[self.at - 1]

    def note(self, kind: str, message: str, lexeme: Lexeme, suggestion: str | None = None) -> None:
        self.say(kind, message, lexeme.start, lexeme.end, suggestion)

    def say(self, kind: str, message: str, start: int, end: int, suggestion: str | None = None) -> None:
        self.diagnostics.append(Diagnostic(kind, message, start, end, self.text[start:end], suggestion))

    def either(self, field: Field | None) -> Node | None:
        part = self.all(field)
        if self.lexemes[self.at].sort is not _OR:
            return part
        parts = [part]
        while (lexeme := self.lexemes[self.at]).sort is _OR:
            self.at += 1
            part = self.all(field)
            if part is None or parts[-1] is None:
                self.note("dangling-operator", f"{lexeme.text} has nothing on one side and was left out", lexeme)
            parts.append(part)
        kept = [part for part in parts if part is not None]
        if len(kept) < 2:
            return kept[0] if kept else None
        return Or(tuple(leaf for part in kept for leaf in (part.children if isinstance(part, Or) else (part,))))

    def all(self, field: Field | None) -> Node | None:
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
                ):  # Most clauses: what the long way through `one` comes to.
                    self.at += 1
                    parts.append(Word(text, None, start, end))
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
            elif sort is _AND:
                self.at += 1
                if dangling is not None or not parts:
                    self.note("dangling-operator", f"{text} has nothing on one side and was left out", lexeme)
                dangling = lexeme if parts else None
                continue
            part = self.one(field) if sort is _MINUS or sort is _NOT else self.atom(field)
            if part is not None:
                parts.append(part)
                dangling = None
        if dangling is not None:
            self.note("dangling-operator", f"{dangling.text} has nothing on one side and was left out", dangling)
        return _all(parts) if parts else None

    def simple_word(self, field: str, at: int) -> Word | None:
        """Return the word of a text field that stands here, None where it takes `scoped` to tell what stands here."""
        name = _field_names(self.schema).get(field)
        sort, text, start, end, _ = self.lexemes[at]
        if sort is not _WORD or not text.isalnum() or not text.isascii() or name not in self.schema.text_fields:
            return None
        following = self.lexemes[at + 1].sort
        return None if following is _BOOST or following is _FUZZY else Word(text, name, start, end)

    def one(self, field: Field | None) -> Node | None:
        excluded = False
        sign: Lexeme | None = None
        while (sort := (lexeme := self.lexemes[self.at]).sort) is _MINUS or sort is _NOT:
            self.at += 1
            sign = lexeme
            excluded = not excluded
        if sort is _END or sort is _OR or sort is _AND or sort is _CLOSE:
            if sign is not None:
                self.note("dangling-operator", f"{sign.text} has nothing after it and was left out", sign)
            return None
        node = self.atom(field)
        return _excluded(node, excluded) if excluded else node

    def atom(self, field: Field | None) -> Node | None:
        """Read one clause with what is hung on to it."""
        node = self.clause(field)
        while (sort := (following := self.lexemes[self.at]).sort) is _BOOST or sort is _FUZZY:
            self.at += 1
            if sort is _FUZZY:
                message = f"{following.text} was left out: neither fuzzy words nor words near each other are searched"
                self.note("not-supported", message, following)
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
            return self.leaf(lexeme, field, alone)
        if sort is _OPEN:
            return self.group(lexeme, field)
        if sort is _FIELD:
            return self.scoped(lexeme, field)
        if sort is _QUOTED and not lexeme.closed:
            self.note("unclosed-quote", "the quotation has no end; it was taken to the end of the query", lexeme)
        if sort is _BOOST:
            self.note("bad-boost", "the boost has nothing before it and was left out", lexeme)
            return None
        return self.leaf(lexeme, field, alone)

    def group(self, opening: Lexeme, field: Field | None) -> Node | None:
        node = self.either(field)
        closing = self.lexemes[self.at]
        if closing.sort is _END:
            self.note("unbalanced-parenthesis", "the parenthesis has no end; it was closed at the end", opening)
        else:
            self.take()
            if node is None:
                self.say("empty-group", "there is nothing inside the parentheses", opening.start, closing.end)
        return node

    def scoped(self, lexeme: Lexeme, outer: Field | None) -> Node | None:
        name = lexeme.text.lower()
        following = self.lexemes[self.at]
        if name == "id" and following.sort in (_WORD, _QUOTED):
            self.take()
            return Value("id", following.text, following.start, following.end)
        known = _field_names(self.schema).get(name)
        field = self.schema.fields[known] if known else None
        if field is None or isinstance(field.kind, Stored):
            names = [n for n, f in self.schema.fields.items() if not isinstance(f.kind, Stored)]
            if field is None:
                message = f"there is no field {lexeme.text!r}; it was searched as a word"
                self.note("unknown-field", message, lexeme, nearest(lexeme.text, names))
            else:
                message = f"the field {known!r} is stored, not searched; its name was searched as a word"
                self.note("not-searchable", message, lexeme)
            word = self.leaf(Lexeme(_WORD, lexeme.text, lexeme.start, lexeme.end - 1), outer, True)
            rest = self.clause(outer) if self.operand_follows() else None
            return _all([part for part in (word, rest) if part is not None]) if word or rest else None
        sort = following.sort
        excluded = (sort is _MINUS or sort is _NOT) and self.moved_signs(lexeme)
        if sort is not _WORD and not self.operand_follows():
            self.note("dangling-operator", f"nothing stands after {lexeme.text}:", lexeme)
            return None
        if outer is not None and outer is not field:
            message = f"{lexeme.text}: stands inside {outer.name}:( ); the inner field was searched"
            self.note("nested-field", message, lexeme)
        node = self.clause(field, alone=True)
        return _excluded(node, excluded) if excluded else node

    def moved_signs(self, name: Lexeme) -> bool:
        """Take the signs between a field and its clause; return whether they exclude."""
        at = self.at
        while self.lexemes[at].sort in (_NOT, _MINUS):
            at += 1
        if at == self.at or not self.operand_follows(at):
            return False
        signs = self.lexemes[self.at : at]
        self.at = at
        message = f"{signs[0].text} belongs before the field: searched as -{name.text}:…"
        self.say("misplaced-sign", message, signs[0].start, signs[-1].end)
        return len(signs) % 2 == 1

    def operand_follows(self, at: int | None = None) -> bool:
        """Tell whether a field has something to search; only parentheses nest, so depth is bounded by theirs."""
        return self.lexemes[self.at if at is None else at].sort in (_WORD, _QUOTED, _RANGE, _OPEN)

    def leaf(self, lexeme: Lexeme, field: Field | None, alone: bool) -> Node | None:
        sort, text, start, end, _ = lexeme
        if field is not None and sort is _WORD and text[0] == "*" and not text.strip("*"):
            if isinstance(field.kind, Date | Number):
                return comparison(field, "*")
            message = f"{field.name}:{lexeme.text} was left out: whether an article has a {field.name} is not searched"
            self.note("not-supported", message, lexeme)
            return None
        if field is None or field.name in self.schema.text_fields:
            name = field.name if field else None
            if sort is _QUOTED:
                return self.text_leaf(Phrase(text, name, start, end))
            if text == "*":
                return Everything()
            if text[-1] == "*":
                return self.prefix(lexeme, name)
            if text.isalnum() and text.isascii():
                return Word(text, name, start, end)
            return self.text_leaf(Word(text, name, start, end))
        if isinstance(field.kind, Keyword):
            return self.keyword(lexeme, field, alone)
        assert isinstance(field.kind, Date | Number | Flag)
        try:
            return comparison(field, text)
        except EmptyRange as error:
            self.note("empty-range", str(error), lexeme)
            return Nothing()
        except ValueError as error:
            kind = "bad-date" if isinstance(field.kind, Date) else "bad-number"
            self.note(kind, f"{field.name}: {error}; it was left out", lexeme)
            return None

    def keyword(self, lexeme: Lexeme, field: Field, alone: bool) -> Node:
        end = lexeme.end
        text = lexeme.text
        if lexeme.sort is _WORD and not field.many and not alone:
            # section:(World News) can only mean the one value; a field of many values may have both.
            while (more := self.lexemes[self.at]).sort is _WORD:
                text, end = f"{text} {more.text}", self.take().end
        if text.endswith("*") and lexeme.sort is _WORD:
            return Prefix(text.rstrip("*"), field.name, lexeme.start, end)
        return Value(field.name, text, lexeme.start, end)

    def prefix(self, lexeme: Lexeme, name: str | None) -> Node | None:
        words = self.surfaces(lexeme.text)
        if not words:
            return self.text_leaf(Word(lexeme.text, name, lexeme.start, lexeme.end))
        last = Prefix(words[-1], name, lexeme.start, lexeme.end)
        if len(words) == 1:
            return last
        self.note("split-prefix", f"{lexeme.text} has several words; only the last may be continued", lexeme)
        return And((Phrase(" ".join(words[:-1]), name, lexeme.start, lexeme.end), last))

    def text_leaf(self, leaf: Word | Phrase) -> Node | None:
        if self.surfaces(leaf.text):
            return leaf
        if self.alone or not _PUNCTUATION.match(leaf.text):  # a dash between two words needs no remark
            shown = self.text[leaf.start : leaf.end]
            self.say("no-word", f"{shown} has no word in it and was left out", leaf.start, leaf.end)
        return None


def _all(parts: list[Node]) -> Node:
    if len(parts) == 1:
        return parts[0]
    if not any(type(part) is And for part in parts):
        return And(tuple(parts))
    return And(tuple(leaf for part in parts for leaf in (part.children if isinstance(part, And) else (part,))))


def _excluded(node: Node | None, excluded: bool) -> Node | None:
    if node is None or not excluded:
        return node
    if isinstance(node, Not):
        inner: Node = node.child
        return inner
    return Nothing() if isinstance(node, Everything) else Everything() if isinstance(node, Nothing) else Not(node)
