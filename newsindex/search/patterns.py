"""What fits a pattern in which `*` stands for any letters and `?` for one."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

__all__ = ["fitting"]


@functools.lru_cache(maxsize=256)
def fitting(pattern: str) -> Callable[[str], bool]:
    """Return what tells whether a text as a whole fits; its time is bounded by the product of both lengths.

    >>> fitting("gov*m?nt")("government"), fitting("gov*m?nt")("governments")
    (True, False)
    """
    pieces = [re.escape(piece).replace(r"\?", ".") for piece in re.split(r"\*+", pattern)]
    written = pieces[0]
    if len(pieces) > 1:
        # A piece is taken where it stands first: later it would leave less to the others. So nothing is tried twice.
        written += "".join(rf"(?>.*?{piece})" for piece in pieces[1:-1]) + f".*{pieces[-1]}"
    fits = re.compile(written, re.DOTALL).fullmatch
    return lambda text: fits(text) is not None
