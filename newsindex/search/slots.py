"""What is sought, as `find_snippet` takes it: the places of words, numbered."""

from __future__ import annotations

from collections.abc import Callable, Sequence

__all__ = ["Slots"]


class Slots:
    """The places of all that is sought, numbered: those of a phrase follow each other."""

    def __init__(self) -> None:
        self.leaves: list[int] = []
        self.lengths: list[int] = []
        self.terms: dict[str, list[tuple[int, str]]] = {}
        """For each term the slots that its words fit, and how they are written; "" for in any way."""
        self.likes: list[tuple[int, Callable[[str], bool]]] = []

    def add(self, leaf: int, words: Sequence[Sequence[str]], written: Sequence[str]) -> None:
        """Take the terms that may stand at each place of a part of a query, and how they are written."""
        for place, terms in enumerate(words):
            for term in terms:
                self.terms.setdefault(term, []).append((len(self.leaves), written[place] if written else ""))
            self.leaves.append(leaf)
            self.lengths.append(0 if place else len(words))

    def add_like(self, leaf: int, likes: Callable[[str], bool]) -> None:
        """Take what tells whether a word, or its term, fits a part of a query."""
        self.likes.append((len(self.leaves), likes))
        self.leaves.append(leaf)
        self.lengths.append(1)
