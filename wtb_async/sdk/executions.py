"""`/executions`: one input through one workflow, followed to its end."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing

from wtb_async.domain.json import JsonObject, JsonValue
from wtb_async.sdk.connection import Connection, Id, path_of
from wtb_async.sdk.event_stream import Connected
from wtb_async.sdk.execution_tree import ExecutionTree, read_tree
from wtb_async.sdk.models import Breakpoints, Checkpoint, Event, Execution, NodeBoundary, State

_END_EVENTS = frozenset({"ExecutionCompleted", "ExecutionFailed", "ExecutionCancelled"})
_REST_EVENTS = _END_EVENTS | {"ExecutionPaused", "ExecutionRolledBack"}


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
        parent: Id | None = None,
        page_size: int = 100,
    ) -> AsyncIterator[Execution]:
        """Walk the executions, newest first, that match every filter given.

        `parent` is the execution that they branched off.
        """
        filters = {
            "workflow": workflow,
            "status": status,
            "batch": batch_test_id,
            "parent": parent,
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
        breakpoints: Breakpoints | None = None,
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
            breakpoints: the nodes before and after which it pauses.
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
            "breakpoints": (breakpoints or Breakpoints()).model_dump(mode="json"),
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

    async def tree(self, execution_id: Id) -> ExecutionTree:
        """Read the timelines of an execution, and those of all that branched off it."""

        async def read(execution: Execution) -> tuple[list[Checkpoint], list[Execution]]:
            checkpoints = [each async for each in self.checkpoints(execution.id, page_size=200)]
            branches = [each async for each in self.list(parent=execution.id)]
            return checkpoints, branches[::-1]

        return await read_tree(await self.get(execution_id), read)

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

    async def pause(
        self, execution_id: Id, *, reason: str | None = None, at_node: str | None = None
    ) -> Execution:
        """Ask for a pause at the next superstep boundary, or before a node."""
        return await self._command(execution_id, "pause", {"reason": reason, "at_node": at_node})

    async def resume(
        self,
        execution_id: Id,
        *,
        state: JsonObject | None = None,
        as_node: str | None = None,
        answers: JsonValue = None,
    ) -> Execution:
        """Let a paused execution go on, or try a failed one again from its last checkpoint.

        Args:
            execution_id: the execution.
            state: values for the state, as if a node had returned them: reducers apply.
            as_node: the node that they count as the output of.
            answers: by interrupt id; the bare answer will do when one question is open. None is no
                answer: to answer with null, give the interrupt's id with it.
        """
        body: JsonObject = {"state": state, "as_node": as_node, "answers": answers}
        return await self._command(execution_id, "resume", body)

    async def stop(self, execution_id: Id, *, reason: str | None = None) -> Execution:
        """End an execution that is not wanted any more."""
        return await self._command(execution_id, "stop", {"reason": reason})

    async def roll_back(
        self,
        execution_id: Id,
        *,
        checkpoint_id: Id | None = None,
        before_node: str | None = None,
        after_node: str | None = None,
        restore_files: bool = True,
    ) -> Execution:
        """Take an execution back to exactly one of these moments; it is paused there.

        Its files go back with its state, unless they are to stay as they are.
        """
        body: JsonObject = {
            "checkpoint_id": None if checkpoint_id is None else str(checkpoint_id),
            "before_node": before_node,
            "after_node": after_node,
            "restore_files": restore_files,
        }
        return await self._command(execution_id, "rollback", body)

    async def branch(
        self,
        execution_id: Id,
        checkpoint_id: Id,
        *,
        state: JsonObject | None = None,
        variants: Mapping[str, str] | None = None,
        start: bool = True,
    ) -> Execution:
        """Begin a new execution at a checkpoint of this one, which stays as it is.

        Args:
            execution_id: the execution to branch off.
            checkpoint_id: one of its checkpoints.
            state: values for the state, as if a node had returned them.
            variants: by node, on top of the execution's own.
            start: whether it runs at once; otherwise it is paused where it begins.
        """
        body: JsonObject = {
            "checkpoint_id": str(checkpoint_id),
            "state": state,
            "variants": dict(variants or {}),
            "start": start,
        }
        return await self._command(execution_id, "branch", body)

    async def edit_state(
        self, execution_id: Id, values: JsonObject, *, as_node: str | None = None
    ) -> Execution:
        """Change the state of a paused execution; it is pending until a runner has done so."""
        path = path_of("executions", execution_id, "state")
        body: JsonObject = {"state": values, "as_node": as_node}
        return await self._connection.send(Execution, "PATCH", path, body)

    async def events(self, execution_id: Id, *, after: str | None = None) -> AsyncIterator[Event]:
        """Follow an execution until it ends; a broken connection is taken up again.

        An end that somebody led out of since, by a retry or a rollback, is not the last event.
        """
        version = (await self.get(execution_id)).version
        changes = self._connection.changes(self._stream_of(execution_id), after=after)
        async with aclosing(changes):
            async for event in changes:
                if isinstance(event, Event):
                    yield event
                    if event.type in _END_EVENTS and int(event.id) >= version:
                        return

    async def wait_for(self, execution_id: Id, *, since: int = 0) -> Execution:
        """Wait until the execution has ended or is paused, and return it.

        Args:
            execution_id: the execution.
            since: the version that a command has answered; how the execution rested before the
                command is not returned then.
        """
        seen = 0
        changes = self._connection.changes(self._stream_of(execution_id), after=str(since))
        async with aclosing(changes):
            async for change in changes:
                # Before the connection, or while there was none, it may have come to rest.
                if isinstance(change, Connected) or _tells_rest(change, seen):
                    execution = await self.get(execution_id)
                    if execution.is_at_rest and execution.version >= since:
                        return execution
                    seen = execution.version
        return await self.get(execution_id)

    async def _command(self, execution_id: Id, verb: str, body: JsonObject) -> Execution:
        path = path_of("executions", execution_id, verb)
        return await self._connection.post(Execution, path, body)

    @staticmethod
    def _stream_of(execution_id: Id) -> str:
        return path_of("executions", execution_id, "events")


def _tells_rest(event: Event, seen: int) -> bool:
    """Whether the execution came to rest after the version that was seen."""
    return event.type in _REST_EVENTS and int(event.id) > seen
