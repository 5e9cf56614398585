"""Terms to bytes to terms: one immutable segment file."""
