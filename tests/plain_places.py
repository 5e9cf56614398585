"""Where words stand in an article, by brute force: of each place or stretch its field, first and last position."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import Any

from newsindex.analysis import Analyzer, Token
from newsindex.query.tree import Boost, Cased, Exact, Fuzzy, Near, Or, Phrase, Prefix, Wildcard

LONE_IDEOGRAPHS = ("中", "文")
Span = tuple[str, int, int]
Texts = dict[str, list[Token]]
LEAD_WORDS = 100


def tokens_of(analyzer: Analyzer, values: dict[str, Any], names: list[str]) -> Texts:
    return {name: list(analyzer.tokens(values[name])) for name in names if name in values}


class Places:
    """The places in one article; `written` has the text of each field."""

    def __init__(self, analyzer: Analyzer, texts: Texts, written: dict[str, str]) -> None:
        self.analyzer = analyzer
        self.texts = texts
        self.written = written

    def spans(self, node: Any) -> set[Span]:
        match node:
            case Boost(child):
                return self.spans(child)
            case Or(children):
                return set().union(*(self.spans(child) for child in children))
            case Near():
                return self.near(node)
        if node.field == "lead":
            found = self.leaf(node, {"body": self.texts.get("body", [])})
            return {span for span in found if span[2] < self.lead_end()}
        return self.leaf(node, self.texts if node.field is None else {node.field: self.texts.get(node.field, [])})

    def lead_end(self) -> int:
        body = self.texts.get("body", [])
        return next((t.position for t in body[1:LEAD_WORDS] if t.boundary == 2), LEAD_WORDS)

    def leaf(self, node: Any, texts: Texts) -> set[Span]:
        if isinstance(node, Phrase) and node.slop:
            return self.loose(node, texts)
        if isinstance(node, Prefix | Wildcard | Fuzzy) or node.text in LONE_IDEOGRAPHS:
            return {
                (name, token.position, token.position)
                for name, tokens in texts.items()
                for token in tokens
                if is_like(node, token.surface, self.analyzer) or is_like(node, token.term, self.analyzer)
            }
        wanted = list(self.analyzer.tokens(node.text))
        return {
            (name, at, at + len(wanted) - 1)
            for name, tokens in texts.items()
            for at in range(len(tokens) - len(wanted) + 1)
            if wanted and all(self.is_same(node, a, b, name) for a, b in zip(wanted, tokens[at:], strict=False))
        }

    def is_same(self, node: Any, wanted: Token, token: Token, name: str) -> bool:
        if isinstance(node, Exact):
            return wanted.surface == token.surface
        if isinstance(node, Cased):
            own = node.text[wanted.start : wanted.end], self.written[name][token.start : token.end]
            return wanted.term == token.term and bare(own[0]) == bare(own[1])
        return wanted.term == token.term

    def loose(self, node: Phrase, texts: Texts) -> set[Span]:
        wanted = Counter(self.analyzer.terms(node.text))
        width = wanted.total() + node.slop
        found = set()
        for name, tokens in texts.items():
            terms = [token.term for token in tokens]
            for first in range(len(terms)):
                ends = (last for last in range(first, len(terms)) if Counter(terms[first : last + 1]) >= wanted)
                last = next(ends, None)
                if terms[first] in wanted and last is not None and last - first < width:
                    found.add((name, first, last))
        return found

    def near(self, node: Near) -> set[Span]:
        pairs = [
            (left, right)
            for left in self.spans(node.left)
            for right in self.spans(node.right)
            if left[0] == right[0] and self.is_near(node, left, right)
        ]
        if node.negated:
            return self.spans(node.left) - {left for left, _ in pairs}
        return {(left[0], min(left[1], right[1]), max(left[2], right[2])) for left, right in pairs}

    def is_near(self, node: Near, left: Span, right: Span) -> bool:
        between = right[1] - left[2] if right[1] > left[2] else 0 if node.ordered else left[1] - right[2]
        if between <= 0:
            return False
        if node.unit == "word":
            return between <= node.distance
        least = 1 if node.unit == "sentence" else 2
        first, last = min(left[1], right[1]), max(left[2], right[2])
        return all(token.boundary < least for token in self.texts[left[0]][first + 1 : last + 1])


def bare(written: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", written) if c.isalnum())


def is_like(node: Any, word: str, analyzer: Analyzer) -> bool:
    """Tell whether a word, or a stem, is one that an expanded leaf stands for."""
    if isinstance(node, Prefix):
        return word.startswith(analyzer.surfaces(node.text)[0])
    if isinstance(node, Wildcard):
        pattern = re.escape(node.text.lower()).replace(r"\*", ".*").replace(r"\?", ".")
        return re.fullmatch(pattern, word, re.DOTALL) is not None
    if isinstance(node, Fuzzy):
        (wanted,) = analyzer.surfaces(node.text)
        return word[:1] == wanted[:1] and edits(wanted, word) <= node.edits
    return node.text in word


def edits(one: str, other: str) -> int:
    """Return how many changes lead from one word to another, as is written in every textbook."""
    rows = [[max(i, j) if not i or not j else 0 for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            least = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (one[i - 1] != other[j - 1]))
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                least = min(least, rows[i - 2][j - 2] + 1)
            rows[i][j] = least
    return rows[-1][-1]
