"""Nodes joined: flat, and none of one child."""

from __future__ import annotations

from newsindex.query.tree import And, Everything, Node, Not, Nothing, Or

__all__ = ["all_of", "any_of", "excluding"]


def all_of(parts: list[Node]) -> Node:
    """Return what all of some say."""
    if len(parts) == 1:
        return parts[0]
    if not any(type(part) is And for part in parts):
        return And(tuple(parts))
    return And(tuple(leaf for part in parts for leaf in (part.children if isinstance(part, And) else (part,))))


def any_of(parts: list[Node]) -> Node:
    """Return what any of some says."""
    if len(parts) == 1:
        return parts[0]
    return Or(tuple(leaf for part in parts for leaf in (part.children if isinstance(part, Or) else (part,))))


def excluding(node: Node) -> Node:
    """Return the opposite of a node."""
    if isinstance(node, Not):
        inner: Node = node.child
        return inner
    return Nothing() if isinstance(node, Everything) else Everything() if isinstance(node, Nothing) else Not(node)
