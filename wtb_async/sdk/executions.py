"""`/executions`: one input through one workflow, followed to its end."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing

from wtb_async.domain.execution import ENDED, ExecutionStatus
from wtb_async.domain.json import JsonObject, JsonValue
from wtb_async.sdk.connection import Connection, Id, path_of
from wtb_async.sdk.event_stream import Connected, events_until
from wtb_async.sdk.models import Checkpoint, Event, Execution, NodeBoundary, State

_END_EVENTS = frozenset({"ExecutionCompleted", "ExecutionFailed", "ExecutionCancelled"})
_STOP_EVENTS = _END_EVENTS | {"ExecutionPaused"}
_STOPPED = (*ENDED, ExecutionStatus.PAUSED)


class Executions:
    """The executions of a server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(
        self,
        *,
        workflow: Id | None = None,
        status: str | None = None,
        batch_test_id: Id | None = None,
        page_size: int = 100,
    ) -> AsyncIterator[Execution]:
        """Walk the executions, newest first, that match every filter given."""
        filters = {
            "workflow": workflow,
            "status": status,
            "batch": batch_test_id,
        }
        return self._connection.pages(
            Execution, path_of("executions"), filters, page_size=page_size
        )

    async def get(self, execution_id: Id) -> Execution:
        """Read one execution."""
        return await self._connection.get(Execution, path_of("executions", execution_id))

    async def create(
        self,
        workflow: Id,
        graph_input: JsonValue,
        *,
        variants: Mapping[str, str] | None = None,
        workflow_variant: str | None = None,
        stream: str | Sequence[str] = (),
        limits: JsonObject | None = None,
        metadata: JsonObject | None = None,
        idempotency_key: str | None = None,
    ) -> Execution:
        """Ask for one input to be run through one workflow with one choice of variants.

        Args:
            workflow: its name or id.
            graph_input: what the graph is given.
            variants: by node.
            workflow_variant: another whole graph.
            stream: LangGraph's stream modes that `events` shall show, or a preset's name.
            limits: what it may take.
            metadata: kept and shown, of no further meaning.
            idempotency_key: with the same key the same execution is answered again.
        """
        body: JsonObject = {
            "workflow": str(workflow),
            "input": graph_input,
            "variants": dict(variants or {}),
            "workflow_variant": workflow_variant,
            "stream": stream if isinstance(stream, str) else list(stream),
            "limits": limits or {},
            "metadata": metadata or {},
        }
        path = path_of("executions")
        return await self._connection.post(Execution, path, body, idempotency_key=idempotency_key)

    def checkpoints(self, execution_id: Id, *, page_size: int = 100) -> AsyncIterator[Checkpoint]:
        """Walk the timeline of one execution, newest first; forks show in `thread_id`."""
        path = path_of("executions", execution_id, "checkpoints")
        return self._connection.pages(Checkpoint, path, {}, page_size=page_size)

    async def checkpoint(self, execution_id: Id, checkpoint_id: Id) -> Checkpoint:
        """Read one point of the timeline."""
        path = path_of("executions", execution_id, "checkpoints", checkpoint_id)
        return await self._connection.get(Checkpoint, path)

    async def state(self, execution_id: Id, checkpoint_id: Id | None = None) -> State:
        """Read the values at a checkpoint of the timeline; without one, at the newest."""
        path = path_of("executions", execution_id, "state")
        return await self._connection.get(State, path, {"checkpoint_id": checkpoint_id})

    def nodes(self, execution_id: Id, *, page_size: int = 100) -> AsyncIterator[NodeBoundary]:
        """Walk every attempt of every node, oldest first."""
        path = path_of("executions", execution_id, "nodes")
        return self._connection.pages(NodeBoundary, path, {}, page_size=page_size)

    def events(self, execution_id: Id, *, after: str | None = None) -> AsyncIterator[Event]:
        """Follow an execution until it ends; a broken connection is taken up again."""
        changes = self._connection.changes(self._stream_of(execution_id), after=after)
        return events_until(_END_EVENTS, changes)

    async def wait_for(self, execution_id: Id) -> Execution:
        """Wait until the execution has ended or is paused, and return it."""
        async with aclosing(self._connection.changes(self._stream_of(execution_id))) as changes:
            async for change in changes:
                # Before the connection, or while there was none, the end may have passed.
                if isinstance(change, Connected) or change.type in _STOP_EVENTS:
                    execution = await self.get(execution_id)
                    if execution.status in _STOPPED:
                        return execution
        return await self.get(execution_id)

    @staticmethod
    def _stream_of(execution_id: Id) -> str:
        return path_of("executions", execution_id, "events")
