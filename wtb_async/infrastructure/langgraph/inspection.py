"""Looks at graphs: in a process of its own, unless it is the user's own process anyway.

The API must not run the user's imports on its event loop, and a graph that crashes or hangs while
it is imported must not take the API with it.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from wtb_async.application.ports import GraphInspector
from wtb_async.domain.errors import InvalidInput, Violation
from wtb_async.domain.json import JsonObject
from wtb_async.infrastructure.langgraph.projects import Project, ProjectRegistry
from wtb_async.infrastructure.langgraph.strict_msgpack import STRICT_MSGPACK

CHILD_MODULE = "wtb_async.infrastructure.langgraph.inspect_graph"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelsAt:
    """Channels of the state, and the root checkpoint at which they are wanted."""

    database_url: str
    thread_id: str
    checkpoint_id: str
    names: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownChannels:
    """Values as plain JSON by channel; for each of the others the reason why there is none."""

    values: JsonObject
    not_shown: dict[str, str]


class CodeInspector(GraphInspector, Protocol):
    """Looks at graphs, and has them put together what only they can."""

    async def rebuild_channels(self, project: str, graph: str, wanted: ChannelsAt) -> ShownChannels:
        """Values of DeltaChannels, which the graph's reducers put together.

        Raises:
            InvalidInput: the graph does not load.
        """


class SubprocessGraphInspector:
    """Answers questions about graphs by asking a child process, one per question."""

    def __init__(self, projects: ProjectRegistry, *, timeout_seconds: float) -> None:
        self._projects = projects
        self._timeout_seconds = timeout_seconds

    async def inspect_graph(
        self,
        project: str,
        graph: str,
        variants: Sequence[tuple[str, str]] = (),
        *,
        workflow: str | None = None,
    ) -> JsonObject:
        """The graph's topology and schemas.

        Raises:
            InvalidInput: it does not load, one of the variants, each a `(node, reference)`,
                cannot take its node's place, or a node of the `workflow` cannot have the process
                that the project gives it.
        """
        found = self._projects.get(project)
        found.check_reference(graph)
        for _, reference in variants:
            found.check_reference(reference, field="implementation")
        question = {"graph": graph, "variants": [list(v) for v in variants], "workflow": workflow}
        return await self._ask(found, question)

    async def rebuild_channels(self, project: str, graph: str, wanted: ChannelsAt) -> ShownChannels:
        """Values of DeltaChannels, which the graph's reducers put together.

        Raises:
            InvalidInput: the graph does not load.
        """
        found = self._projects.get(project)
        found.check_reference(graph)
        return ShownChannels(**await self._ask(found, {"graph": graph, "rebuild": asdict(wanted)}))

    async def _ask(self, found: Project, question: dict[str, Any]) -> dict[str, Any]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            CHILD_MODULE,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=found.folder,
            env=os.environ | STRICT_MSGPACK,
            start_new_session=True,  # uvloop knows no `process_group`.
        )
        request = json.dumps({"project": str(found.file), **question}).encode()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                answer, complaint = await process.communicate(request)
        except TimeoutError as error:
            message = f"loading it took longer than {self._timeout_seconds:g} s"
            raise InvalidInput.of("graph", message) from error
        finally:
            # What the user's modules started while they were imported ends with them.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        return _read_answer(answer, complaint, process.returncode)


def _read_answer(answer: bytes, complaint: bytes, code: int | None) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(answer.rpartition(b"\n")[2])
    except ValueError as error:
        last_words = complaint.decode(errors="replace").strip().rpartition("\n")[2]
        message = f"loading it ended its process (exit code {code}): {last_words}"
        raise InvalidInput.of("graph", message) from error
    if violations := content.get("violations"):
        raise InvalidInput([Violation(**item) for item in violations])
    found: dict[str, Any] = content["found"]
    return found
