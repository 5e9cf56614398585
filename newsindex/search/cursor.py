"""The cursor of the next page: where the page before ended, and of which search."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass

from newsindex.errors import QueryError

__all__ = ["Cursor", "Place", "search_digest"]

_LONGEST = 10_000


@dataclass(frozen=True, slots=True)
class Place:
    """An article's place in an order: `number` is the article's in the snapshot, `key` its score, or its date.

    A date is in microseconds, MISSING of an article without one. Equal keys keep the order of the numbers.
    """

    key: float
    number: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last hit that was given, how many hits that makes, their commit's generation, and the search's digest.

    On a newer commit scores and numbers are others; then the search goes on behind the article itself.
    """

    place: Place
    article_id: str
    given: int
    generation: int
    digest: str

    def encode(self) -> str:
        """Return the cursor as text for a program to hand back."""
        place = self.place
        data = json.dumps([place.key, place.number, self.article_id, self.given, self.generation, self.digest])
        return base64.urlsafe_b64encode(data.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, digest: str) -> Cursor:
        """Read a cursor.

        Raises:
            QueryError: it is none, or belongs to another search.
        """
        if not isinstance(text, str):
            raise QueryError(f"after: results.next of the page before, a string, not {type(text).__name__}")
        try:
            if len(text) > _LONGEST:
                raise ValueError("too long")
            key, number, article_id, given, generation, of = json.loads(
                base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            )
            if not isinstance(key, int | float) or not abs(key) < 2**64:
                raise TypeError("no key")
            if not all(isinstance(n, int) and 0 <= n < 2**63 for n in (number, given, generation)):
                raise TypeError("wrong numbers")
            cursor = cls(Place(key, number), str(article_id), given, generation, str(of))
        except (ValueError, TypeError, binascii.Error, RecursionError) as error:
            raise QueryError(f"after: not a cursor: {text[:40]!r}; give results.next of the page before") from error
        if cursor.digest != digest:
            raise QueryError("after: the cursor belongs to another search; give the same query, filters and sort")
        return cursor


def search_digest(searched: str, sort: str) -> str:
    """Return what tells one search from another."""
    return hashlib.blake2b(f"{sort}\n{searched}".encode("utf-8", "replace"), digest_size=6).hexdigest()
