"""Which node a process runs, in a form that another process understands."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeAddress:
    """A node of a graph, or the variant of it that takes its place."""

    project: str
    """The path of the `langgraph.json`."""
    graph: str
    node: str
    variant: str | None = None
    implementation: str | None = None
    """The variant's reference."""
