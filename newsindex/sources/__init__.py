"""Files to articles: one module a format, and the one that recognises them.

files ─ recognise ─┬─ page      plain text pages
                   ├─ jsons     JSON lines, JSON
                   ├─ table     CSV
                   └─ parser_process ─ feed      RSS, Atom
                                     └ webpage   HTML (the extra "html")
"""

from newsindex.sources.files import read
from newsindex.sources.record import Record

__all__ = ["Record", "read"]
