"""One lexeme to the leaf of a tree: words with wild cards, values, dates, numbers; and remarks on them."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

from newsindex.query.clock import Clock
from newsindex.query.diagnostics import Diagnostic
from newsindex.query.lexer import Lexeme, Sort
from newsindex.query.news_dates import EmptyRange, nearest_date
from newsindex.query.ranges import comparison, relative, single, span
from newsindex.query.tree import (
    And,
    Cased,
    Everything,
    Exact,
    Exists,
    Node,
    Nothing,
    Phrase,
    Prefix,
    Value,
    Wildcard,
    Word,
)
from newsindex.schema import Date, Field, Keyword, Number, Schema, Text

__all__ = ["LeafReader", "fields_by_name"]

_WORD, _QUOTED = Sort.WORD, Sort.QUOTED
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~\u2010-\u2027]\Z")
_PAIR = re.compile(r"\\.")
_ESCAPE = re.compile(r"\A\\(.)|\\([\W_])")
_WILD = re.compile(r"[*?]")
# What may follow a word and is not part of it; a question mark there is no wild card.
_TRAILING = re.compile(r"[^\w*]+\Z")
_PIECES = re.compile(r"[\w*?'’]+")
_COMPARED = re.compile(r"([^\W\d]\w*)([<>]=?.+)\Z", re.DOTALL)
_LONGEST_DATE = 5  # words
_UNTIL = frozenset({"to", "until", "-", "–", "—"})
# How many suggestions there are in a query at most, and how many dates that are none.
_PATIENCE = 20
_LEAD, _LENGTH, _TIMES = "lead", "wc", ("when", "after", "before")


@functools.lru_cache(maxsize=16)
def fields_by_name(schema: Schema) -> dict[str, Field]:
    """Return the fields by their names in small letters, and what can be asked for like a field.

    `when`, `after` and `before` are the date of an article, `lead` its beginning, `wc` its length in words, unless the
    schema has a field of that name.
    """
    found: dict[str, Field] = {
        _LEAD: Field(_LEAD, Text(), False, "str"),
        _LENGTH: Field(_LENGTH, Number(), False, "int"),
    }
    if schema.date_field is not None:
        found |= {name: Field(name, Date(), False, "datetime") for name in _TIMES}
    return found | {name.lower(): field for name, field in schema.fields.items()}


class LeafReader:
    """The place in a query, what is known of its schema, and the remarks so far."""

    __slots__ = (
        "alone",
        "at",
        "bare_near",
        "clock",
        "diagnostics",
        "fields",
        "lexemes",
        "patience",
        "schema",
        "surfaces",
        "text",
    )

    def __init__(
        self,
        text: str,
        lexemes: list[Lexeme],
        schema: Schema,
        surfaces: Callable[[str], list[str]],
        clock: Clock,
    ) -> None:
        self.text = text
        self.lexemes = lexemes
        self.alone = len(lexemes) == 1
        self.schema = schema
        self.fields = fields_by_name(schema)
        self.surfaces = surfaces
        self.clock = clock
        self.at = 0
        self.bare_near = False
        self.patience = _PATIENCE
        self.diagnostics: list[Diagnostic] = []

    def note(self, kind: str, message: str, lexeme: Lexeme, suggestion: str | None = None) -> None:
        """Say something about a lexeme."""
        self.say(kind, message, lexeme.start, lexeme.end, suggestion)

    def say(self, kind: str, message: str, start: int, end: int, suggestion: str | None = None) -> None:
        """Say something about a place in the text."""
        self.diagnostics.append(Diagnostic(kind, message, start, end, self.text[start:end], suggestion))

    def leaf(self, lexeme: Lexeme, field: Field | None, alone: bool) -> Node | None:
        """Return what a lexeme means in a field; `alone` when it stands right after the field's name."""
        sort, text, start, end, _ = lexeme
        if field is None or isinstance(field.kind, Text):
            name = field.name if field else None
            if sort is _QUOTED:
                return self.text_leaf(Phrase(text, name, start, end))
            if text.isalnum() and text.isascii():
                return Word(text, name, start, end)
            return self.word(lexeme, name)
        if sort is _WORD and text.strip("*") == "":
            return Everything() if field.name not in self.schema.fields else Exists(field.name)
        if isinstance(field.kind, Keyword):
            return self.value(lexeme, field, alone)
        return self.ordered(lexeme, field, alone)

    def word(self, lexeme: Lexeme, name: str | None) -> Node | None:
        """Return what a word of a text field means: it may have wild cards, or be a comparison with a field."""
        _, text, start, end, _ = lexeme
        if text.strip("*") == "":
            return Everything() if name is None or name not in self.schema.fields else Exists(name)
        literal = _PAIR.sub("..", text) if "\\" in text else text
        if "*" in literal or ("?" in literal and "://" not in literal):
            core = text[: len(_without_trailing(literal))] if "?" in literal else text
            if _WILD.search(literal[: len(core)]):
                return self.wild(lexeme, core, name)
        if name is None and ("<" in literal or ">" in literal) and (found := _COMPARED.match(text)):
            field = self.fields.get(found[1].lower())
            if field is not None and isinstance(field.kind, Date | Number):
                return self.ordered(Lexeme(_WORD, found[2], start, end), field, True)
        return self.text_leaf(Word(unescaped(text), name, start, end))

    def wild(self, lexeme: Lexeme, core: str, name: str | None) -> Node | None:
        """Return what a word with wild cards means; of several words, each by itself."""
        body = core.rstrip("*")
        if body != core and not _WILD.search(_PAIR.sub("..", body) if "\\" in body else body):
            return self.prefix(lexeme, unescaped(body), name)
        pieces = _PIECES.findall(_PAIR.sub(" ", core))
        found: list[Node] = []
        plain: list[str] = []
        for piece in [*map(_without_trailing, pieces), "*"]:
            if not _WILD.search(piece):
                plain.append(piece)
                continue
            if plain and self.surfaces(" ".join(plain)):
                found.append(Phrase(" ".join(plain), name, lexeme.start, lexeme.end))
            plain = []
            if any(character.isalnum() for character in piece):
                start = piece.rstrip("*")
                if start != piece and not _WILD.search(start):
                    words = self.surfaces(start)
                    found += [Prefix(words[-1], name, lexeme.start, lexeme.end)] if words else []
                else:
                    found.append(Wildcard(re.sub(r"\*+", "*", piece), name, lexeme.start, lexeme.end))
        if not found:
            return self.refused(lexeme)
        if len(pieces) > 1:
            self.note("split-prefix", f"{lexeme.text} has several words; each was searched by itself", lexeme)
        return found[0] if len(found) == 1 else And(tuple(found))

    def refused(self, lexeme: Lexeme) -> Node | None:
        """Say that wild cards stand for themselves alone."""
        self.note("bad-wildcard", f"{lexeme.text} has no letter or digit and was left out", lexeme)
        return None

    def prefix(self, lexeme: Lexeme, text: str, name: str | None) -> Node | None:
        """Return words that begin so; of several words, the last may be continued."""
        words = self.surfaces(text)
        if not words:
            return self.refused(lexeme)
        last = Prefix(words[-1], name, lexeme.start, lexeme.end)
        if len(words) == 1:
            return last
        self.note("split-prefix", f"{lexeme.text} has several words; only the last may be continued", lexeme)
        return And((Phrase(" ".join(words[:-1]), name, lexeme.start, lexeme.end), last))

    def text_leaf(self, leaf: Word | Phrase | Exact | Cased) -> Node | None:
        """Return the leaf, if there is a word in it."""
        if self.surfaces(leaf.text):
            return leaf
        if self.alone or not _PUNCTUATION.match(leaf.text):  # a dash between two words needs no remark
            shown = self.text[leaf.start : leaf.end]
            self.say("no-word", f"{shown} has no word in it and was left out", leaf.start, leaf.end)
        return None

    def value(self, lexeme: Lexeme, field: Field, alone: bool) -> Node:
        """Return what is looked for in a keyword field: a whole value, perhaps with wild cards."""
        _, text, start, end, _ = lexeme
        if lexeme.sort is not _WORD:
            return Value(field.name, text, start, end)
        if not field.many and not alone:
            # section:(World News) can only mean the one value; a field of many values may have both.
            while (more := self.lexemes[self.at]).sort is _WORD:
                text, end = f"{text} {more.text}", more.end
                self.at += 1
        literal = _PAIR.sub("..", text)
        body = literal.rstrip("*")
        if _WILD.search(body if body != literal else body.rstrip("?")) and re.search(r"[^\W_]", literal):
            if re.search(r"\\[*?]", text):
                message = "a character with a backslash stands beside wild cards; it was taken for any one character"
                self.say("bad-wildcard", message, start, end)
                text = re.sub(r"\\[*?]", "?", text)
            return Wildcard(re.sub(r"\*+", "*", unescaped(text)), field.name, start, end)
        if body != literal:
            return Prefix(unescaped(text[: len(body)]), field.name, start, end)
        return Value(field.name, unescaped(text), start, end)

    def ordered(self, lexeme: Lexeme, field: Field, alone: bool) -> Node | None:
        """Return the range of dates, numbers or flags that stands here; a date may have several words."""
        time = "" if field.name in self.schema.fields or field.name == _LENGTH else field.name
        if time:
            field = self.schema.fields[self.schema.date_field or ""]
        if not self.clock.stops:
            self.clock = self.clock.stopping()
        last = first = self.at
        if isinstance(field.kind, Date) and lexeme.sort is _WORD and self.patience:
            while last - first < _LONGEST_DATE - 1 and self.lexemes[last].sort is _WORD:
                last += 1
        longest_first = range(last, first - 1, -1)
        ends = [first, *longest_first[:-1]] if alone else longest_first
        if last > first and time in ("", "when") and (between := self.dates_between(lexeme, field)) is not None:
            return between
        failure: ValueError | None = None
        for at in ends if self.patience else ():
            text = lexeme.text if at == first else self.text[lexeme.start : self.lexemes[at - 1].end]
            if lexeme.sort is _WORD:
                text = unescaped(text)
            try:
                found = relative(field, time, text, self.clock) if time else comparison(field, text, self.clock)
            except EmptyRange as error:
                failure = failure or error
                if at == first:
                    break
            except ValueError as error:
                failure = error if at == first or failure is None else failure
            else:
                self.at = at
                return found
        failure = failure or ValueError("too much before it was not understood")
        if isinstance(failure, EmptyRange):
            self.note("empty-range", str(failure), lexeme)
            return Nothing()
        if isinstance(field.kind, Date):
            whole = self.text[lexeme.start : self.lexemes[last - 1].end] if last > first else lexeme.text
            guess = self.suggested(lambda: nearest_date(whole) or nearest_date(lexeme.text))
            self.note("bad-date", f"{time or field.name}: {failure}; it was left out", lexeme, guess)
        else:
            self.note("bad-number", f"{field.name}: {failure}; it was left out", lexeme)
        return None

    def dates_between(self, lexeme: Lexeme, field: Field) -> Node | None:
        """Return the range from one date to another with a word between them: `March 2024 to 9 May 2024`."""
        begins = lexeme.text.lower() in ("from", "between")
        at, until = self.at, _UNTIL | {"and"} if begins else _UNTIL
        while self.lexemes[at].text.lower() not in until:
            at += 1
            if at - self.at == _LONGEST_DATE or self.lexemes[at].sort is not _WORD:
                return None
        last = at + 1
        while last - at < _LONGEST_DATE and self.lexemes[last].sort is _WORD:
            last += 1
        low = self.text[self.lexemes[self.at].start if begins else lexeme.start : self.lexemes[at - 1].end]
        try:
            single(field, low, self.clock)
        except ValueError:
            return None
        self.patience -= 1
        for after in range(last, at + 1, -1):
            high = self.text[self.lexemes[at + 1].start : self.lexemes[after - 1].end]
            try:
                found = span(field, low, high, self.clock)
            except EmptyRange as error:
                self.note("empty-range", str(error), lexeme)
            except ValueError:
                continue
            else:
                self.at = after
                return found
            self.at = after
            return Nothing()
        return None

    def suggested(self, guess: Callable[[], str | None]) -> str | None:
        """Return a suggestion, which takes long to find: only so often in a query."""
        if not self.patience:
            return None
        self.patience -= 1
        return guess()

    def compared(self, before: Node, lexeme: Lexeme) -> list[Node] | None:
        """Return the comparison of a field, whose name was read as a word, with what stands here; None: it is none."""
        field = self.fields.get(before.text.lower()) if type(before) is Word and before.field is None else None
        if field is None or not isinstance(field.kind, Date | Number) or self.lexemes[self.at - 1].sort is not _WORD:
            return None
        following = self.lexemes[self.at + 1]
        if lexeme.text.strip("<>=") == "":
            if following.sort is not _WORD:
                return None
            lexeme = Lexeme(_WORD, f"{lexeme.text}{following.text}", lexeme.start, following.end)
            self.at += 1
        self.at += 1
        found = self.ordered(lexeme, field, True)
        return [] if found is None else [found]


def _without_trailing(text: str) -> str:
    """Return a word without a question mark that ends it, and what stands around that."""
    last = _TRAILING.search(text)
    return text[: last.start()] if last and "?" in last[0] else text


def unescaped(text: str) -> str:
    r"""Return a word without the backslashes that take a meaning away; one before a letter inside a word stays.

    >>> unescaped(r"\AND"), unescaped(r"a\:b"), unescaped(r"C:\temp")
    ('AND', 'a:b', 'C:\\temp')
    """
    return _ESCAPE.sub(lambda pair: pair[1] or pair[2], text) if "\\" in text else text
