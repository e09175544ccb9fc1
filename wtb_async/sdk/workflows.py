"""`/workflows`: graphs and the variants of their nodes."""

from collections.abc import AsyncIterator, Mapping

from wtb_async.domain.json import JsonObject
from wtb_async.sdk.connection import Connection, Id, path_of
from wtb_async.sdk.models import NodeVariant, Workflow, WorkflowVariant


class Workflows:
    """The workflows of a server; each is addressed by its name or id."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, *, page_size: int = 100) -> AsyncIterator[Workflow]:
        """Walk all registered workflows."""
        return self._connection.pages(Workflow, path_of("workflows"), {}, page_size=page_size)

    async def get(self, workflow: Id) -> Workflow:
        """Read one workflow."""
        return await self._connection.get(Workflow, path_of("workflows", workflow))

    async def create(
        self, name: str, graph: str, *, description: str = "", idempotency_key: str | None = None
    ) -> Workflow:
        """Register a graph, given as `package.module:attr` or `./file.py:attr`."""
        body = {"name": name, "graph": graph, "description": description}
        path = path_of("workflows")
        return await self._connection.post(Workflow, path, body, idempotency_key=idempotency_key)

    async def put(
        self,
        name: str,
        graph: str,
        *,
        project: str | None = None,
        description: str | None = None,
        node_variants: Mapping[str, Mapping[str, str]] | None = None,
        workflow_variants: Mapping[str, str] | None = None,
    ) -> Workflow:
        """Register a graph with its variants, or bring them up to date; others stay.

        Args:
            name: of the workflow.
            graph: by reference.
            project: the server's project that it lies in, unless there is only one.
            description: None leaves it as it is.
            node_variants: references by variant, by node.
            workflow_variants: references of whole graphs by variant.
        """
        variants = {node: dict(named) for node, named in (node_variants or {}).items()}
        body: JsonObject = {
            "graph": graph,
            "project": project,
            "description": description,
            "node_variants": variants,
            "workflow_variants": dict(workflow_variants or {}),
        }
        return await self._connection.send(Workflow, "PUT", path_of("workflows", name), body)

    async def create_node_variant(
        self,
        workflow: Id,
        node: str,
        name: str,
        implementation: str,
        *,
        description: str = "",
        idempotency_key: str | None = None,
    ) -> NodeVariant:
        """Add another implementation of one node, by reference."""
        body = {
            "name": name,
            "implementation": implementation,
            "description": description,
        }
        path = path_of("workflows", workflow, "nodes", node, "variants")
        return await self._connection.post(NodeVariant, path, body, idempotency_key=idempotency_key)

    async def create_variant(
        self,
        workflow: Id,
        name: str,
        graph: str,
        *,
        description: str = "",
        idempotency_key: str | None = None,
    ) -> WorkflowVariant:
        """Add another whole graph under a workflow, by reference."""
        body = {"name": name, "graph": graph, "description": description}
        path = path_of("workflows", workflow, "variants")
        return await self._connection.post(
            WorkflowVariant, path, body, idempotency_key=idempotency_key
        )
