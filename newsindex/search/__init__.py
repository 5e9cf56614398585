"""Query tree and segments to top hits, counts and facets."""
