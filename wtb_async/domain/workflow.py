"""Workflow and its variants: what can be run."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from wtb_async.domain.errors import InvalidInput, NotFound, Violation
from wtb_async.domain.json import JsonObject

BASE_VARIANT = "base"
"""The name under which the original node is addressed; no variant may take it."""


@dataclass(eq=False, kw_only=True)
class NodeVariant:
    """Another implementation of one node, by reference."""

    id: UUID
    workflow_id: UUID
    node: str
    name: str
    implementation: str
    created_by: str
    created_at: datetime
    description: str = ""
    environment: JsonObject | None = None
    resources: JsonObject | None = None


@dataclass(eq=False, kw_only=True)
class WorkflowVariant:
    """Another whole graph under the same workflow."""

    id: UUID
    workflow_id: UUID
    name: str
    graph: str
    topology: JsonObject
    created_by: str
    created_at: datetime
    description: str = ""


@dataclass(eq=False, kw_only=True)
class Workflow:
    """A registered LangGraph graph with the variants of its nodes.

    `version` grows with every change, variants included, so that a compiled graph may be cached
    under `(id, version)`.
    """

    id: UUID
    name: str
    project: str
    graph: str
    topology: JsonObject
    """`{"nodes": [], "edges": [], "mermaid": str, "input_schema": {}, "output_schema": {}}`"""
    created_by: str
    created_at: datetime
    updated_at: datetime
    description: str = ""
    version: int = 1
    node_variants: list[NodeVariant] = field(default_factory=list)
    workflow_variants: list[WorkflowVariant] = field(default_factory=list)

    @property
    def nodes(self) -> list[str]:
        """The names of the graph's nodes, without `__start__` and `__end__`."""
        names = self.topology.get("nodes")
        return [str(name) for name in names] if isinstance(names, list) else []

    def touch(self, at: datetime) -> None:
        """Note a change of the workflow or of one of its variants."""
        self.version += 1
        self.updated_at = at

    def check_node(self, node: str) -> None:
        """Raise `NotFound` unless the graph has this node."""
        if node not in self.nodes:
            raise NotFound(f"node (of workflow {self.name!r}: {', '.join(self.nodes)})", node)

    def check_nodes(self, nodes: Iterable[str], *, field: str) -> None:
        """Raise `InvalidInput` unless the graph has all of these nodes."""
        known = ", ".join(self.nodes)
        violations = [
            Violation(f"{field}.{at}", f"workflow {self.name!r} has no such node; it has {known}")
            for at, node in enumerate(nodes)
            if node not in self.nodes
        ]
        if violations:
            raise InvalidInput(violations)

    def find_node_variant(self, node: str, name: str) -> NodeVariant | None:
        """The variant of `node` with this name."""
        return next((v for v in self.node_variants if (v.node, v.name) == (node, name)), None)

    def find_workflow_variant(self, name: str) -> WorkflowVariant | None:
        """The whole-graph variant with this name."""
        return next((v for v in self.workflow_variants if v.name == name), None)

    def check_choice(self, variants: dict[str, str], *, field: str = "variants") -> None:
        """Raise `InvalidInput` unless every chosen variant exists; `base` is always there."""
        violations = [
            Violation(f"{field}.{node}", problem)
            for node, name in variants.items()
            if (problem := self._problem(node, name))
        ]
        if violations:
            raise InvalidInput(violations)

    def _problem(self, node: str, name: str) -> str | None:
        if node not in self.nodes:
            return f"workflow {self.name!r} has no such node; it has {', '.join(self.nodes)}"
        if name == BASE_VARIANT or self.find_node_variant(node, name):
            return None
        known = [BASE_VARIANT, *(v.name for v in self.node_variants if v.node == node)]
        return f"no variant {name!r}; there are {', '.join(known)}"

    def check_workflow_variant(self, name: str | None) -> None:
        """Raise `InvalidInput` unless the whole-graph variant exists; None means the original."""
        if name is not None and self.find_workflow_variant(name) is None:
            known = ", ".join(v.name for v in self.workflow_variants) or "none yet"
            raise InvalidInput.of("workflow_variant", f"no variant {name!r}; there are: {known}")


def decided(variants: dict[str, str]) -> dict[str, str]:
    """The choice without the nodes that stay as they are: one graph, one key."""
    return {node: name for node, name in variants.items() if name != BASE_VARIANT}
