"""Spans as trees: which lies within which, and how much of its time is its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ._span import Span


class Node:
    """A span and the spans within it, by their start."""

    __slots__ = ("children", "span")

    def __init__(self, span: Span) -> None:
        self.span = span
        self.children: list[Node] = []

    @property
    def self_time(self) -> int:
        """µs in which none of the spans within it ran; they may overlap, and outlive it."""
        start, end = self.span.start, self.span.end
        within = 0
        for child in self.children:
            begin, finish = max(start, child.span.start), min(end, child.span.end)
            if finish > begin:
                within += finish - begin
                start = finish
        return self.span.duration - within

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Node]]:
        """This node and those below it, each with its depth, from above to below."""
        todo = [(depth, self)]
        while todo:
            level, node = todo.pop()
            yield level, node
            todo += [(level + 1, child) for child in reversed(node.children)]


def forest(spans: Iterable[Span]) -> list[Node]:
    """The topmost nodes by their start: spans without a parent, or whose parent is not there."""
    nodes = {(span.trace_id, span.span_id): Node(span) for span in spans}
    roots = []
    for node in sorted(nodes.values(), key=lambda node: node.span.start):
        parent = nodes.get((node.span.trace_id, node.span.parent_id or ""))
        if parent is None or _is_within(parent, node, nodes):
            roots.append(node)
        else:
            parent.children.append(node)
    return roots


def _is_within(node: Node, other: Node, nodes: dict[tuple[str, str], Node]) -> bool:
    """Whether a node lies within another: ids that a daemon mixed up may make a circle."""
    seen = {id(other)}
    while id(node) not in seen:
        seen.add(id(node))
        above = nodes.get((node.span.trace_id, node.span.parent_id or ""))
        if above is None:
            return False
        node = above
    return node is other
