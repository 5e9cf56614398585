"""The analysis contract as Whoosh takes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from newsindex.analysis import Analyzer
from newsindex.whoosh_door import analysis

__all__ = ["WhooshAnalyzer"]


class WhooshAnalyzer(analysis.Analyzer):  # type: ignore[misc]
    """A Whoosh analyzer that gives newsindex's terms, positions and offsets."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._analyzer = Analyzer(language)

    def __call__(
        self,
        value: str,
        positions: bool = False,
        chars: bool = False,
        start_pos: int = 0,
        start_char: int = 0,
        **_: Any,
    ) -> Iterator[Any]:
        """Yield one reused Whoosh token for each word; the other arguments of Whoosh's interface mean nothing here."""
        token = analysis.Token(positions, chars)
        for found in self._analyzer.tokens(value):
            token.text = found.term
            token.boost = 1.0
            token.stopped = False
            if positions:
                token.pos = start_pos + found.position
            if chars:
                token.startchar = start_char + found.start
                token.endchar = start_char + found.end
            yield token

    def __getstate__(self) -> dict[str, Any]:
        """Whoosh keeps the schema with its analyzers; a stemmer cannot be kept, its language can."""
        return {"language": self.language}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the stemmer anew."""
        WhooshAnalyzer.__init__(self, state["language"])

    def __eq__(self, other: object) -> bool:
        """Tell whether the other gives the same terms."""
        return isinstance(other, WhooshAnalyzer) and other.language == self.language

    def __hash__(self) -> int:
        """Return a hash that agrees with equality."""
        return hash(self.language)
