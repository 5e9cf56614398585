"""How is a wrong value written in the message of an error?"""

from __future__ import annotations

import reprlib

__all__ = ["shown"]


def shown(value: object) -> str:
    """Return the beginning of what a wrong value looks like, of lists in lists only the outer ones: they may be deep.

    >>> shown(3), shown("x" * 100), shown([[[[[[[[1]]]]]]]])
    ('3', "'xxxxxxxxxxxx...xxxxxxxxxxxxx'", '[[[[[[[...]]]]]]]')
    """
    try:
        return f"{reprlib.repr(value):.60}"
    except ValueError:  # a number of too many digits
        return f"such {type(value).__name__}"
