"""An index directory: its description, its lock, and the segments that Whoosh keeps in it."""
