"""Files to articles: one module a format, and the one that recognises them."""

from newsindex.sources.record import Record

__all__ = ["Record"]
