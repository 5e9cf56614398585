"""How is a wrong value written in the message of an error?"""

from __future__ import annotations

import reprlib

__all__ = ["shown"]

_LONGEST = 60
_short = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = _LONGEST


def shown(value: object) -> str:
    """Return the beginning of what a wrong value looks like, of lists in lists only the outer ones: they may be deep.

    >>> shown(3), shown("oil"), shown([[[[[[[[1]]]]]]]])
    ('3', "'oil'", '[[[[[[[...]]]]]]]')
    >>> shown(10**5000)
    'such int'
    """
    try:
        return f"{_short.repr(value):.{_LONGEST}}"
    except Exception:  # a number of too many digits, or whatever the value's own class raises
        return f"such {type(value).__name__}"
