"""The postings of one term of one field, and Whoosh's matcher over them."""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.whoosh_door import matching

__all__ = ["Postings", "PostingsMatcher"]

_BLOCK = 128
_Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Postings:
    """Articles that have a term in a field, ascending; arrays of equal size.

    `weights` are the frequencies, None where each is 1; `lengths` those of the field as Whoosh keeps them, None where
    it keeps none. `positions` gives those of the posting at a place in the arrays.
    """

    ids: _Array
    weights: _Array | None = None
    lengths: _Array | None = None
    positions: Callable[[int], list[int]] | None = None

    def without(self, deleted: _Array) -> Postings:
        """Return the postings of articles that are not deleted; `deleted` is bool[articles]."""
        gone = deleted[self.ids]
        if not gone.any():
            return self
        kept = np.flatnonzero(~gone)
        every = self.positions
        return Postings(
            self.ids[kept],
            None if self.weights is None else self.weights[kept],
            None if self.lengths is None else self.lengths[kept],
            None if every is None else lambda place: every(int(kept[place])),
        )

    @cached_property
    def numbers(self) -> tuple[float, int, int, float]:
        """The sum of the weights, least and greatest length, greatest weight."""
        total, heaviest = (
            (float(self.ids.size), 1.0)
            if self.weights is None
            else (float(self.weights.sum()), float(self.weights.max()))
        )
        if self.lengths is None:
            return total, 0, 0, heaviest
        return total, int(self.lengths.min()), int(self.lengths.max()), heaviest

    @cached_property
    def blocks(self) -> tuple[list[float], list[int], list[int]]:
        """The greatest weight, least and greatest length of each block of 128 postings."""
        begins = np.arange(0, self.ids.size, _BLOCK)
        weights, lengths = self.weights, self.lengths
        return (
            [1.0] * begins.size if weights is None else np.maximum.reduceat(weights, begins).astype(float).tolist(),
            [0] * begins.size if lengths is None else np.minimum.reduceat(lengths, begins).tolist(),
            [0] * begins.size if lengths is None else np.maximum.reduceat(lengths, begins).tolist(),
        )


class PostingsMatcher(matching.LeafMatcher):  # type: ignore[misc]
    """Goes through postings as Whoosh's queries do; a block is 128 of them."""

    def __init__(self, postings: Postings, format_: Any, term: tuple[str, bytes], scorer: Any) -> None:
        self._postings = postings
        self.format = format_
        self._term = term
        self.scorer = scorer
        # Lists, since Whoosh asks for one number at a time.
        self._ids: list[int] = postings.ids.tolist()
        self._at = 0

    def is_active(self) -> bool:
        """Tell whether there is a current posting."""
        return self._at < len(self._ids)

    def reset(self) -> None:
        """Go back to the first posting."""
        self._at = 0

    def copy(self) -> PostingsMatcher:
        """Return a matcher that stands where this one does and moves by itself."""
        other = PostingsMatcher.__new__(PostingsMatcher)
        other.__dict__.update(self.__dict__)
        return other

    def id(self) -> int:
        """Return the number of the current article."""
        return self._ids[self._at]

    def all_ids(self) -> Iterator[int]:
        """Return the numbers of all articles."""
        return iter(self._ids)

    def next(self) -> bool:
        """Go on by one; return whether that enters another block, or the end."""
        if self._at >= len(self._ids):
            raise matching.ReadTooFar
        self._at += 1
        return self._at % _BLOCK == 0 or self._at == len(self._ids)

    def skip_to(self, id: int) -> bool:
        """Go on to the first article not before this one; return whether that enters another block, or the end."""
        if self._at >= len(self._ids):
            raise matching.ReadTooFar
        before = self._at // _BLOCK
        self._at = bisect_left(self._ids, id, lo=self._at)
        return self._at // _BLOCK != before or self._at == len(self._ids)

    def skip_to_quality(self, minquality: float) -> int:
        """Go on to the first block that may hold a better score; return how many were skipped."""
        skipped = 0
        while self.is_active() and self.block_quality() <= minquality:
            self._at = min((self._at // _BLOCK + 1) * _BLOCK, len(self._ids))
            skipped += 1
        return skipped

    @cached_property
    def _weights(self) -> list[float] | None:
        weights = self._postings.weights
        return None if weights is None else weights.astype(float).tolist()

    def weight(self) -> float:
        """Return how often the current article has the term in the field."""
        return 1.0 if self._weights is None else self._weights[self._at]

    def value(self) -> bytes:
        """Return the frequency as Whoosh encodes it; what it would add, pickled positions, `value_as` gives instead."""
        return struct.pack("!I", int(self.weight())) if self.format.supports("frequency") else b""

    def value_as(self, astype: str) -> Any:
        """Return "positions", "position_boosts", "frequency" or "weight" of the current posting."""
        if astype == "weight":
            return self.weight()
        if astype == "frequency":
            return int(self.weight())
        positions = self._postings.positions
        if positions is None or astype not in ("positions", "position_boosts"):
            raise ValueError(f"{self._term[0]}: its postings have no {astype}")
        found = positions(self._at)
        return found if astype == "positions" else [(position, 1) for position in found]

    def items_as(self, astype: str) -> Iterator[tuple[int, Any]]:
        """Yield (article, value) from the current posting on."""
        while self.is_active():
            yield self.id(), self.value_as(astype)
            self.next()

    def block_min_length(self) -> int:
        """Return the least length of the field in the articles of the block."""
        return self._postings.blocks[1][self._at // _BLOCK]

    def block_max_length(self) -> int:
        """Return the greatest length of the field in the articles of the block."""
        return self._postings.blocks[2][self._at // _BLOCK]

    def block_max_weight(self) -> float:
        """Return the greatest weight in the block."""
        return self._postings.blocks[0][self._at // _BLOCK]
