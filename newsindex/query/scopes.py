"""What a field, or `=`, says of the clause behind it."""

from __future__ import annotations

from newsindex.query.elsewhere import field_here
from newsindex.query.filters import nearest
from newsindex.query.joins import all_of, excluding
from newsindex.query.leaves import LeafReader, unescaped
from newsindex.query.lexer import Lexeme, Sort
from newsindex.query.tree import Exact, Node, Value
from newsindex.schema import Field, Stored, Text

__all__ = ["OPERANDS", "ScopeReader"]

_WORD, _QUOTED, _FIELD, _NOT, _MINUS = Sort.WORD, Sort.QUOTED, Sort.FIELD, Sort.NOT, Sort.MINUS
OPERANDS = frozenset({_WORD, _QUOTED, Sort.RANGE, Sort.OPEN, Sort.CALL, Sort.EXACT})


class ScopeReader(LeafReader):
    """Reads fields with their clauses, and what stands after `=`."""

    __slots__ = ()

    def take(self) -> Lexeme:
        """Go one lexeme on."""
        self.at += 1
        return self.lexemes[self.at - 1]

    def clause(self, field: Field | None, *, alone: bool = False) -> Node | None:
        """Read a group, a field with its clause, or a leaf; `alone` when it stands right after its field."""
        raise NotImplementedError

    def exact(self, sign: Lexeme, field: Field | None, alone: bool) -> Node | None:
        """Read what stands after `=`: a word or quotation as it is written."""
        lexeme = self.lexemes[self.at]
        text = lexeme.text
        if lexeme.sort not in (_WORD, _QUOTED) or (field is not None and not isinstance(field.kind, Text)):
            if lexeme.sort not in (_WORD, _QUOTED):
                self.note("misplaced-sign", "= belongs before a word or a quotation; it was left out", sign)
            return self.clause(field, alone=alone) if lexeme.sort in OPERANDS or lexeme.sort is _FIELD else None
        name, _, rest = text.partition(":")
        if lexeme.sort is _WORD and rest and name.lower() in self.fields:
            self.note("misplaced-sign", f"= belongs after the field: searched as {name}:={rest}", sign)
            field = self.fields[name.lower()]
            if not isinstance(field.kind, Text):
                self.at += 1
                return self.leaf(lexeme._replace(text=rest), field, True)
            text = rest
        elif lexeme.sort is _WORD and ("*" in text or "?" in text):
            return self.clause(field, alone=alone)  # wild cards look at words as they are written anyway
        self.at += 1
        scope = field.name if field else None
        return self.text_leaf(Exact(unescaped(text) if lexeme.sort is _WORD else text, scope, sign.start, lexeme.end))

    def scoped(self, lexeme: Lexeme, outer: Field | None) -> Node | None:
        """Read a field with its clause; `outer` is that in whose parentheses it stands."""
        name = lexeme.text.lower()
        following = self.lexemes[self.at]
        if name == "id" and following.sort in (_WORD, _QUOTED):
            self.take()
            text = unescaped(following.text) if following.sort is _WORD else following.text
            return Value("id", text, following.start, following.end)
        field = self.fields.get(name)
        if field is None or isinstance(field.kind, Stored):
            return self.no_field(lexeme, field, outer)
        sort = following.sort
        excluded = (sort is _MINUS or sort is _NOT) and self.moved_signs(lexeme)
        if sort is not _WORD and not self.operand_follows():
            named = following.sort is _FIELD and following.text.lower() not in self.fields
            if named:  # title: Biden: the end
                return self.no_field(self.take(), None, field)
            self.note("dangling-operator", f"nothing stands after {lexeme.text}:", lexeme)
            return None
        if outer is not None and outer is not field:
            message = f"{lexeme.text}: stands inside {outer.name}:( ); the inner field was searched"
            self.note("nested-field", message, lexeme)
        node = self.clause(field, alone=True)
        return excluding(node) if excluded and node is not None else node

    def no_field(self, lexeme: Lexeme, field: Field | None, outer: Field | None) -> Node | None:
        """Read what looks like a field, and is none that can be searched, as a word."""
        if field is None:
            names = [name for name, known in self.fields.items() if not isinstance(known.kind, Stored)]
            message = f"there is no field {lexeme.text!r}; it was searched as a word"
            here = field_here(lexeme.text, self.fields, self.schema.date_field)
            guess = here or self.suggested(lambda: nearest(lexeme.text, names))
            self.note("unknown-field", message, lexeme, guess)
        else:
            message = f"the field {field.name!r} is stored, not searched; its name was searched as a word"
            self.note("not-searchable", message, lexeme)
        word = self.leaf(Lexeme(_WORD, lexeme.text, lexeme.start, lexeme.end - 1), outer, True)
        rest = self.clause(outer) if self.operand_follows() else None
        return all_of([part for part in (word, rest) if part is not None]) if word or rest else None

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
        return self.lexemes[self.at if at is None else at].sort in OPERANDS
