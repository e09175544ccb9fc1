"""WorkflowProject: a workflow and its variants, in code."""

from collections.abc import Mapping
from dataclasses import dataclass

from wtb_async.sdk.references import Code, Refer, reference_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectReferences:
    """A project as a server takes it: references instead of objects."""

    graph: str
    node_variants: Mapping[str, Mapping[str, str]]
    """Node, variant name, reference."""
    workflow_variants: Mapping[str, str]


class WorkflowProject:
    """A graph with other implementations of its nodes, and other whole graphs in its place.

    Graphs are given as a factory, a `StateGraph` or a compiled graph, nodes as functions or
    Runnables, and both as text (`package.module:name`) too.

    Args:
        name: what the workflow is run by.
        graph_factory: the graph.
        description: what it is for.
        project: the server's project that the code lies in; may be left out when it has only one.
    """

    def __init__(
        self,
        name: str,
        graph_factory: Code,
        *,
        description: str = "",
        project: str | None = None,
    ) -> None:
        self.name = name
        self.description = description
        self.project = project
        self._graph = graph_factory
        self._node_variants: dict[str, dict[str, Code]] = {}
        self._workflow_variants: dict[str, Code] = {}

    def register_variant(self, node: str, name: str, implementation: Code) -> None:
        """Offer another implementation of a node; the same name again replaces it."""
        self._node_variants.setdefault(node, {})[name] = implementation

    def register_workflow_variant(self, name: str, graph_factory: Code) -> None:
        """Offer another whole graph; the same name again replaces it."""
        self._workflow_variants[name] = graph_factory

    def references(self, refer: Refer) -> ProjectReferences:
        """Name all of its code. Raises whatever `refer` raises for an object without a name."""
        return ProjectReferences(
            graph=reference_of(self._graph, self.name, refer),
            node_variants={
                node: {
                    name: reference_of(code, f"{self.name}/{node}/{name}", refer)
                    for name, code in variants.items()
                }
                for node, variants in self._node_variants.items()
            },
            workflow_variants={
                name: reference_of(code, f"{self.name}/{name}", refer)
                for name, code in self._workflow_variants.items()
            },
        )
