"""The one door to Whoosh 2.7.4.

Its source has invalid escapes, about which Python warns whoever compiles it first; that is not the user's concern.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", SyntaxWarning)
    warnings.simplefilter("ignore", DeprecationWarning)
    from whoosh import (
        analysis,
        collectors,
        columns,
        fields,
        index,
        matching,
        query,
        reading,
        scoring,
        searching,
        writing,
    )
    from whoosh.codec.base import Automata, FieldCursor
    from whoosh.util.numeric import byte_to_length, length_to_byte

__all__ = [
    "Automata",
    "FieldCursor",
    "analysis",
    "byte_to_length",
    "collectors",
    "columns",
    "fields",
    "index",
    "length_to_byte",
    "matching",
    "query",
    "reading",
    "scoring",
    "searching",
    "writing",
]
