"""Lexemes to a query tree. Every text has a tree; what was not understood is a diagnostic.

either  := all (OR all)*
all     := one (AND? one)*
one     := (NOT | -)* atom ~number? ^boost?
atom    := ( either ) | field: atom | "phrase" | word | prefix*
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from newsindex.errors import QueryTooComplex
from newsindex.query.diagnostics import Diagnostic
from newsindex.query.filters import nearest
from newsindex.query.lexer import Lexeme, Sort, lex
from newsindex.query.ranges import EmptyRange, comparison
from newsindex.query.tree import And, Boost, Everything, Node, Not, Nothing, Or, Phrase, Prefix, Value, Word
from newsindex.schema import Date, Field, Flag, Keyword, Number, Schema, Stored

__all__ = ["MAX_CHARACTERS", "MAX_CLAUSES", "MAX_NESTING", "ParsedQuery", "parse"]

_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~\u2010-\u2027]\Z")
MAX_CHARACTERS = 4096
MAX_NESTING = 20
MAX_CLAUSES = 1024


@dataclass(frozen=True)
class ParsedQuery:
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
    lexemes = lex(text)
    depth = deepest = 0
    for lexeme in lexemes:
        depth += (lexeme.sort == Sort.OPEN) - (lexeme.sort == Sort.CLOSE and depth > 0)
        deepest = max(deepest, depth)
    if deepest > MAX_NESTING:
        raise QueryTooComplex("the nesting of parentheses", deepest, MAX_NESTING)
    clauses = sum(lexeme.sort in (Sort.WORD, Sort.QUOTED, Sort.RANGE) for lexeme in lexemes)
    if clauses > MAX_CLAUSES:
        raise QueryTooComplex("the number of clauses", clauses, MAX_CLAUSES)
    return _Parser(text, lexemes, schema, surfaces).parsed()


class _Parser:
    def __init__(self, text: str, lexemes: list[Lexeme], schema: Schema, surfaces: Callable[[str], list[str]]) -> None:
        self.text = text
        self.lexemes = lexemes
        self.schema = schema
        self.surfaces = surfaces
        self.at = 0
        self.diagnostics: list[Diagnostic] = []
        self.names = {name.lower(): name for name in schema.fields}

    def parsed(self) -> ParsedQuery:
        node = self.either(None)
        while self.at < len(self.lexemes):  # only a parenthesis that nothing opened stops `either` early
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
        elif _only_excludes(node):
            self.say("only-excluded", "the query only excludes: these are all articles without that", 0, len(self.text))
        return ParsedQuery(node, tuple(self.diagnostics))

    def peek(self) -> Lexeme | None:
        return self.lexemes[self.at] if self.at < len(self.lexemes) else None

    def take(self) -> Lexeme:
        self.at += 1
        return self.lexemes[self.at - 1]

    def note(self, kind: str, message: str, lexeme: Lexeme, suggestion: str | None = None) -> None:
        self.say(kind, message, lexeme.start, lexeme.end, suggestion)

    def say(self, kind: str, message: str, start: int, end: int, suggestion: str | None = None) -> None:
        self.diagnostics.append(Diagnostic(kind, message, start, end, self.text[start:end], suggestion))

    def either(self, field: Field | None) -> Node | None:
        parts = [self.all(field)]
        while (lexeme := self.peek()) is not None and lexeme.sort == Sort.OR:
            self.take()
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
        while (lexeme := self.peek()) is not None and lexeme.sort not in (Sort.OR, Sort.CLOSE):
            if lexeme.sort == Sort.AND:
                self.take()
                if dangling is not None or not parts:
                    self.note("dangling-operator", f"{lexeme.text} has nothing on one side and was left out", lexeme)
                dangling = lexeme if parts else None
                continue
            part = self.one(field)
            if part is not None:
                parts.append(part)
                dangling = None
        if dangling is not None:
            self.note("dangling-operator", f"{dangling.text} has nothing on one side and was left out", dangling)
        return _all(parts) if parts else None

    def one(self, field: Field | None) -> Node | None:
        excluded = False
        sign: Lexeme | None = None
        while (lexeme := self.peek()) is not None and lexeme.sort in (Sort.NOT, Sort.MINUS):
            sign = self.take()
            excluded = not excluded
        lexeme = self.peek()
        if lexeme is None or lexeme.sort in (Sort.OR, Sort.AND, Sort.CLOSE):
            if sign is not None:
                self.note("dangling-operator", f"{sign.text} has nothing after it and was left out", sign)
            return None
        return _excluded(self.atom(field), excluded)

    def atom(self, field: Field | None) -> Node | None:
        """Read one clause with what is hung on to it."""
        node = self.clause(field)
        while (following := self.peek()) is not None and following.sort in (Sort.BOOST, Sort.FUZZY):
            self.take()
            if following.sort == Sort.FUZZY:
                message = f"{following.text} was left out: neither fuzzy words nor words near each other are searched"
                self.note("not-supported", message, following)
            elif float(following.text) <= 0:
                self.note("bad-boost", "a boost must be above 0; it was left out", following)
            elif node is not None and not isinstance(node, Everything | Nothing):
                node = Boost(node, float(following.text))
        return node

    def clause(self, field: Field | None, *, alone: bool = False) -> Node | None:
        """Read a group, a field with its clause, or a leaf; `alone` when it stands right after its field."""
        lexeme = self.take()
        if lexeme.sort == Sort.OPEN:
            return self.group(lexeme, field)
        if lexeme.sort == Sort.FIELD:
            return self.scoped(lexeme, field)
        if lexeme.sort == Sort.QUOTED and not lexeme.closed:
            self.note("unclosed-quote", "the quotation has no end; it was taken to the end of the query", lexeme)
        if lexeme.sort == Sort.BOOST:
            self.note("bad-boost", "the boost has nothing before it and was left out", lexeme)
            return None
        return self.leaf(lexeme, field, alone)

    def group(self, opening: Lexeme, field: Field | None) -> Node | None:
        node = self.either(field)
        closing = self.peek()
        if closing is None:
            self.note("unbalanced-parenthesis", "the parenthesis has no end; it was closed at the end", opening)
        else:
            self.take()
            if node is None:
                self.say("empty-group", "there is nothing inside the parentheses", opening.start, closing.end)
        return node

    def scoped(self, lexeme: Lexeme, outer: Field | None) -> Node | None:
        name = lexeme.text.lower()
        following = self.peek()
        if name == "id" and following is not None and following.sort in (Sort.WORD, Sort.QUOTED):
            self.take()
            return Value("id", following.text, following.start, following.end)
        known = self.names.get(name)
        field = self.schema.fields[known] if known else None
        if field is None or isinstance(field.kind, Stored):
            names = [n for n, f in self.schema.fields.items() if not isinstance(f.kind, Stored)]
            if field is None:
                message = f"there is no field {lexeme.text!r}; it was searched as a word"
                self.note("unknown-field", message, lexeme, nearest(lexeme.text, names))
            else:
                message = f"the field {known!r} is stored, not searched; its name was searched as a word"
                self.note("not-searchable", message, lexeme)
            word = self.leaf(Lexeme(Sort.WORD, lexeme.text, lexeme.start, lexeme.end - 1), outer, True)
            rest = self.clause(outer) if self.operand_follows() else None
            return _all([part for part in (word, rest) if part is not None]) if word or rest else None
        excluded = self.moved_signs(lexeme)
        if not self.operand_follows():
            self.note("dangling-operator", f"nothing stands after {lexeme.text}:", lexeme)
            return None
        if outer is not None and outer != field:
            message = f"{lexeme.text}: stands inside {outer.name}:( ); the inner field was searched"
            self.note("nested-field", message, lexeme)
        return _excluded(self.clause(field, alone=True), excluded)

    def moved_signs(self, name: Lexeme) -> bool:
        """Take the signs between a field and its clause; return whether they exclude."""
        at = self.at
        while at < len(self.lexemes) and self.lexemes[at].sort in (Sort.NOT, Sort.MINUS):
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
        following = self.lexemes[self.at if at is None else at :][:1]
        return bool(following) and following[0].sort in (Sort.OPEN, Sort.WORD, Sort.QUOTED, Sort.RANGE)

    def leaf(self, lexeme: Lexeme, field: Field | None, alone: bool) -> Node | None:
        if field is not None and lexeme.sort == Sort.WORD and not lexeme.text.strip("*"):
            if isinstance(field.kind, Date | Number):
                return comparison(field, "*")
            message = f"{field.name}:{lexeme.text} was left out: whether an article has a {field.name} is not searched"
            self.note("not-supported", message, lexeme)
            return None
        if field is None or field.name in self.schema.text_fields:
            name = field.name if field else None
            if lexeme.sort == Sort.QUOTED:
                return self.text_leaf(Phrase(lexeme.text, name, lexeme.start, lexeme.end))
            if lexeme.text == "*":
                return Everything()
            if lexeme.text.endswith("*"):
                return self.prefix(lexeme, name)
            return self.text_leaf(Word(lexeme.text, name, lexeme.start, lexeme.end))
        if isinstance(field.kind, Keyword):
            return self.keyword(lexeme, field, alone)
        assert isinstance(field.kind, Date | Number | Flag)
        try:
            return comparison(field, lexeme.text)
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
        if lexeme.sort == Sort.WORD and not field.many and not alone:
            # section:(World News) can only mean the one value; a field of many values may have both.
            while (more := self.peek()) is not None and more.sort == Sort.WORD:
                text, end = f"{text} {more.text}", self.take().end
        if text.endswith("*") and lexeme.sort == Sort.WORD:
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
        if len(self.lexemes) == 1 or not _PUNCTUATION.match(leaf.text):  # a dash between two words needs no remark
            shown = self.text[leaf.start : leaf.end]
            self.say("no-word", f"{shown} has no word in it and was left out", leaf.start, leaf.end)
        return None


def _all(parts: list[Node]) -> Node:
    if len(parts) == 1:
        return parts[0]
    return And(tuple(leaf for part in parts for leaf in (part.children if isinstance(part, And) else (part,))))


def _excluded(node: Node | None, excluded: bool) -> Node | None:
    if node is None or not excluded:
        return node
    if isinstance(node, Not):
        inner: Node = node.child
        return inner
    return Nothing() if isinstance(node, Everything) else Everything() if isinstance(node, Nothing) else Not(node)


def _only_excludes(node: Node) -> bool:
    if isinstance(node, And):
        return all(isinstance(child, Not) for child in node.children)
    return isinstance(node, Not)
