"""Queries as users mistype them and as attackers write them, and the articles that they are asked of."""

from __future__ import annotations

import random
from collections.abc import Iterator

TERMS = 20_000
PIECES = (
    "AND", "OR", "NOT", "and", "NEAR", "TO", "(", ")", "(", ")", '"', '"', "“", "”", "-", "+", "*", "?", "~", "^", "^2",
    "^-1", "^1e999", ":", "::", "title:", "source:", "published:", "published:2024..", "published:[",
    "]", "{", "}", "..",
    ">=", "<", "2024-03", "2024-99", "99999", "0x1", "word1", "word2*", "w*", "*", "a", "é", "中文", "U.S.", "COVID-19",
    "'s",
    "\\", "/", "|", "&&", "||", "!", "#", "@", "\x00", "\ud800", "\u202e", "\t", "\n", " ", " ", "  ", ",", ";",
    "source:\"",
    "id:", "nofield:x", "title:(", "words:>", "tags:*", "title:w*", "-(", "NOT NOT", "\U0001f600", "x" * 300,
)  # fmt: skip


def article(number: int) -> dict[str, str]:
    chance = random.Random(f"article {number}")
    words = " ".join(f"word{chance.randrange(TERMS)}" for _ in range(120))
    return {"id": str(number), "title": f"word{number} a", "body": words, "source": f"Source {number % 300}",
            "published": f"20{number % 25:02d}-03-0{number % 9 + 1}"}  # fmt: skip


def soup(number: int) -> str:
    """Return a query of mixed pieces."""
    chance = random.Random(f"soup {number}")
    return "".join(chance.choice(PIECES) + chance.choice(("", " ")) for _ in range(chance.choice((3, 8, 30))))


def attacks() -> Iterator[str]:
    """Yield what brought other search libraries to their knees, and its like."""
    for many in (20, 100, 1000, 2000, 100_000):
        yield "(" * many
        yield "(" * many + "word1" + ")" * many
        yield ")" * many
        yield '"' * many
        yield "NOT " * many + "word1"
        yield "-" * many + "word1"
        yield "a OR " * many + "a"
        yield " OR ".join(f"word{number}" for number in range(many))
        yield " ".join(f"word{number}" for number in range(many))
        yield " ".join(f"-word{number}" for number in range(many))
        yield '"' + " ".join(f"word{number}" for number in range(many)) + '"'
        yield '"' + "a " * many + '"'
        yield " OR ".join(f"word{number % 10}*" for number in range(many))
        yield "title:" * many + "a"
        yield "word1" + "^2" * many
        yield "word1^" + "9" * many
        yield "published:" + "9" * many
        yield "published:[" * many
        yield "source:(" * many
        yield "*" * many
        yield "?" * many
        yield "(a+)+b" * many
        yield "\\" * many
        yield "\u0301" * many
        yield "中" * many
        yield "x" * many
    yield from (
        "*",
        "w*",
        "*a*",
        "?*",
        "word*",
        "title:w*",
        "published:0001..9999",
        "published:..",
        "[a TO z]",
        "source:*",
    )
