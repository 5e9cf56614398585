"""Search beside other engines: the same articles and queries, each engine in a process of its own."""
