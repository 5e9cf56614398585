"""Query text to query tree: lexer, parser, filters, diagnostics."""
