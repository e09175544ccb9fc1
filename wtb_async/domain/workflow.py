"""Workflow and its variants: what can be run."""

from collections.abc import Collection, Mapping
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
        return _names(self.topology, "nodes")

    def touch(self, at: datetime) -> None:
        """Note a change of the workflow or of one of its variants."""
        self.version += 1
        self.updated_at = at

    def check_node(self, node: str) -> None:
        """Raise `NotFound` unless the graph has this node."""
        if node not in self.nodes:
            raise NotFound(f"node (of workflow {self.name!r}: {', '.join(self.nodes)})", node)

    def check_nodes(self, nodes: Mapping[str, str], *, workflow_variant: str | None = None) -> None:
        """Raise `InvalidInput` unless the graph has these nodes, given by the field naming them."""
        known = self._nodes_of(workflow_variant)
        _check_known(nodes, known, f"the graph of {self.name!r} has no such node; it has")

    def check_state_keys(
        self, values: JsonObject, *, field: str, workflow_variant: str | None = None
    ) -> None:
        """Raise `InvalidInput` unless the graph's state has all of these keys."""
        # Graphs that were registered before this was written down have no list.
        if known := _names(self._topology_of(workflow_variant), "state_keys"):
            given = {f"{field}.{key}": key for key in values}
            _check_known(given, known, "the state has no such key; it has")

    def _nodes_of(self, workflow_variant: str | None) -> list[str]:
        return _names(self._topology_of(workflow_variant), "nodes")

    def _topology_of(self, workflow_variant: str | None) -> JsonObject:
        if workflow_variant is None:
            return self.topology
        variant = self.find_workflow_variant(workflow_variant)
        return variant.topology if variant else {}

    def find_node_variant(self, node: str, name: str) -> NodeVariant | None:
        """The variant of `node` with this name."""
        return next((v for v in self.node_variants if (v.node, v.name) == (node, name)), None)

    def find_workflow_variant(self, name: str) -> WorkflowVariant | None:
        """The whole-graph variant with this name."""
        return next((v for v in self.workflow_variants if v.name == name), None)

    def check_choice(
        self,
        variants: Mapping[str, str],
        *,
        workflow_variant: str | None = None,
        field: str = "variants",
    ) -> None:
        """Raise `InvalidInput` unless the graph has every node and the node the variant chosen.

        `base` is always there. It may even be chosen for a node that only another graph of the
        workflow has, so that a batch test can name the same nodes in every combination.
        """
        violations = [
            Violation(f"{field}.{node}", problem)
            for node, name in variants.items()
            if (problem := self._problem(node, name, workflow_variant))
        ]
        if violations:
            raise InvalidInput(violations)

    def _problem(self, node: str, name: str, workflow_variant: str | None) -> str | None:
        if node not in (nodes := self._nodes_of(workflow_variant)):
            return self._why_missing(node, name, workflow_variant, nodes)
        if name == BASE_VARIANT or self.find_node_variant(node, name):
            return None
        known = [BASE_VARIANT, *(v.name for v in self.node_variants if v.node == node)]
        return f"no variant {name!r}; there are {', '.join(known)}"

    def _why_missing(
        self, node: str, name: str, workflow_variant: str | None, nodes: list[str]
    ) -> str | None:
        graphs = [None, *(variant.name for variant in self.workflow_variants)]
        elsewhere = any(node in self._nodes_of(graph) for graph in graphs)
        if elsewhere and name == BASE_VARIANT:
            return None
        graph = f"workflow {self.name!r}"
        if workflow_variant is not None:
            graph = f"workflow variant {workflow_variant!r}"
        rest = f"; only {BASE_VARIANT!r} can be chosen for it here" if elsewhere else ""
        return f"{graph} has no such node; it has {', '.join(nodes)}{rest}"

    def check_workflow_variant(self, name: str | None, *, field: str = "workflow_variant") -> None:
        """Raise `InvalidInput` unless the whole-graph variant exists; None means the original."""
        if name is not None and self.find_workflow_variant(name) is None:
            known = ", ".join(v.name for v in self.workflow_variants) or "none yet"
            raise InvalidInput.of(field, f"no variant {name!r}; there are: {known}")


def free_name(name: str) -> str:
    """A variant's name. Raises ValueError for the one that the original node has."""
    if name == BASE_VARIANT:
        raise ValueError(f"{BASE_VARIANT!r} always means the original node")
    return name


def decided(variants: dict[str, str]) -> dict[str, str]:
    """The choice without the nodes that stay as they are: one graph, one key."""
    return {node: name for node, name in variants.items() if name != BASE_VARIANT}


def _names(topology: JsonObject, key: str) -> list[str]:
    names = topology.get(key)
    return [str(name) for name in names] if isinstance(names, list) else []


def _check_known(given: Mapping[str, str], known: Collection[str], problem: str) -> None:
    """Raise `InvalidInput` unless all names that were given, by their fields, are known."""
    violations = [
        Violation(field, f"{problem} {', '.join(known)}")
        for field, name in given.items()
        if name not in known
    ]
    if violations:
        raise InvalidInput(violations)
