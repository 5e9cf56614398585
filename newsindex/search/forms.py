"""How words are written where they stand: looked up in the stored articles, of a bounded number of them.

For capitals, and words that are too long for the dictionary; of all others the segment tells (`wordings.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic_core import from_json

from newsindex.query.diagnostics import Diagnostic
from newsindex.search.deadline import Deadline
from newsindex.search.matches import Finder, Sought
from newsindex.search.occurrences import Window
from newsindex.search.occurrences_kernel import ARTICLE_SHIFT, FIELD_SHIFT
from newsindex.search.plan import Plan

__all__ = ["MOST_ARTICLES", "Form", "Forms"]

MOST_ARTICLES = 20_000
"""Whose text is looked through in one query, once for each word."""
_Array = npt.NDArray[Any]


class Form(NamedTuple):
    """A word as it stands in a text: folded, and as written."""

    surface: str
    written: str


class Forms:
    """Looks up how the words of one segment are written."""

    def __init__(self, plan: Plan, at: int, deadline: Deadline) -> None:
        self._plan = plan
        self._deadline = deadline
        self._reader = plan.snapshot.segments[at].reader
        self._analyzer = plan.vocabulary.analyzer
        self._names = plan.vocabulary.schema.text_fields
        self._looked_at = plan.looked_at.setdefault(at, set())
        self._finders: dict[tuple[str, str], Finder] = {}

    def check(
        self,
        window: Window,
        node: Any,
        term: str,
        places: _Array,
        accepts: Callable[[Form], bool],
        letters: str = "",
    ) -> _Array:
        """Tell at which places of a term the word is written so that it is accepted: bool[n].

        Args:
            window: in which the places are.
            node: of the query, for whom articles are looked through; what it is told when those are too many.
            term: the term.
            places: all its places in some articles, in any fields.
            accepts: tells of a form whether it is looked for.
            letters: no form is accepted that has not these letters and digits in this order, with nothing between them
                but signs and accents.

        Raises:
            FormatError: a stored article is damaged.
            QueryTooComplex: the deadline is over.
        """
        has = np.zeros(places.size, bool)
        if not places.size:
            return has
        texts, begins = np.unique(places >> FIELD_SHIFT, return_index=True)
        ends = np.append(begins[1:], places.size)
        docs = (texts >> (ARTICLE_SHIFT - FIELD_SHIFT)) + window.first_article
        chosen = self._allowed(node, term, np.unique(docs))
        live = np.zeros(self._reader.doc_count, bool)
        live[chosen] = True
        stored = dict(zip(chosen.tolist(), self._deadline.over(self._reader.stored_articles(live)), strict=True))
        article: dict[str, Any] = {}
        loaded = -1
        may_have = _filter(letters)
        fields = texts & ((1 << (ARTICLE_SHIFT - FIELD_SHIFT)) - 1)
        for doc, field, begin, end in zip(docs.tolist(), fields.tolist(), begins.tolist(), ends.tolist(), strict=True):
            if doc not in stored or not may_have(stored[doc]):
                continue
            if doc != loaded:
                article, loaded = self._article(doc, stored[doc]), doc
            name = self._names[field]
            text = article.get(name)
            if isinstance(text, str):
                positions = (places[begin:end] & ((1 << FIELD_SHIFT) - 1)).tolist()
                forms = self._at(text, name, term, positions)
                has[begin:end] = [form is not None and accepts(form) for form in forms]
        return has

    def _allowed(self, node: Any, term: str, docs: _Array) -> _Array:
        """Return the articles among these that may be looked at."""
        known = self._looked_at
        room = MOST_ARTICLES - sum(map(len, self._plan.looked_at.values()))
        chosen = []
        for doc in docs.tolist():
            if (doc, term) not in known:
                if room <= 0:
                    self._say(node)
                    continue
                room -= 1
                known.add((doc, term))
            chosen.append(doc)
        return np.array(chosen, np.int64)

    def _say(self, node: Any) -> None:
        if not any(said.kind == "cut-check" for said in self._plan.diagnostics):
            message = (
                f"to tell which articles have {node}, only {MOST_ARTICLES:,} could be looked through; "
                "others that may have it were left out"
            )
            self._plan.diagnostics.append(Diagnostic("cut-check", message, node.start, node.end, node.text))

    def _article(self, doc: int, stored: bytes) -> dict[str, Any]:
        try:
            article = from_json(stored)
        except ValueError as error:
            raise self._reader.damage(f"the stored article {doc}: {error}") from None
        return article if isinstance(article, dict) else {}

    def _at(self, text: str, name: str, term: str, positions: Sequence[int]) -> list[Form | None]:
        """Return the forms at these positions of a text, those of all words of the term in it."""
        found = self._likely(text, name, term)
        if len(found) == len(positions):
            return found
        forms = {
            token.position: Form(token.surface, text[token.start : token.end])
            for token in self._analyzer.tokens(text)
            if token.term == term
        }
        return [forms.get(position) for position in positions]

    def _likely(self, text: str, name: str, term: str) -> list[Form | None]:
        """Return the forms of a term in order; where any was missed, there are fewer."""
        finder = self._finders.get((name, term))
        if finder is None:
            finder = self._finders[name, term] = Finder((Sought((name,), ((term,),)),), name, self._analyzer)
        forms: list[Form | None] = []
        for start, end, _ in finder.matches(text, self._deadline):
            written = text[start:end]
            pieces = self._analyzer.pieces(written)
            if len(pieces) == 1 and self._analyzer.term(pieces[0][0]) == term:
                forms.append(Form(pieces[0][0], written))
        return forms


def _filter(letters: str) -> Callable[[bytes], bool]:
    """Return what tells whether a stored article may have letters that follow each other but for signs and accents.

    To parse it and to look for words in it takes many times as long.
    """
    if not letters.isascii():
        return lambda stored: True
    find = re.compile(b"[^0-9A-Za-z]*".join(bytes([letter]) for letter in letters.encode())).search
    # A letter may be written with its accent as one, or by its number.
    return lambda stored: find(stored) is not None or not stored.isascii() or b"\\u" in stored
