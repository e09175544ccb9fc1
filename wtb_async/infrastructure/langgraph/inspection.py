"""Looks at graphs in a process of its own.

The API must not run the user's imports on its event loop, and a graph that crashes or hangs while
it is imported must not take the API with it. Run as a module, this file is that process: it reads
one request from standard input and writes one answer to standard output.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic.errors import PydanticUserError

from wtb_async.domain.errors import InvalidInput, Violation, WtbError
from wtb_async.domain.json import JsonObject
from wtb_async.infrastructure.langgraph.graph_loader import load_graph, load_node
from wtb_async.infrastructure.langgraph.node_replacement import (
    Replacement,
    builder_of,
    compile_like,
    replace_nodes,
)
from wtb_async.infrastructure.langgraph.projects import Project, ProjectRegistry, read_project


class SubprocessGraphInspector:
    """Answers questions about graphs by asking a child process, one per question."""

    def __init__(self, projects: ProjectRegistry, *, timeout_seconds: float) -> None:
        self._projects = projects
        self._timeout_seconds = timeout_seconds

    async def inspect_graph(
        self, project: str, graph: str, variants: Sequence[tuple[str, str]] = ()
    ) -> JsonObject:
        """The graph's topology and schemas.

        Raises:
            InvalidInput: it does not load, or one of the variants, each a `(node, reference)`,
                cannot take its node's place.
        """
        found = self._projects.get(project)
        found.check_reference(graph)
        for _, reference in variants:
            found.check_reference(reference, field="implementation")
        return await self._ask(found, {"graph": graph, "variants": [list(v) for v in variants]})

    async def _ask(self, found: Project, question: JsonObject) -> JsonObject:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            __name__,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=found.folder,
            process_group=0,
        )
        request = json.dumps({"project": str(found.file), **question}).encode()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                answer, complaint = await process.communicate(request)
        except TimeoutError as error:
            message = f"loading it took longer than {self._timeout_seconds:g} s"
            raise InvalidInput.of("graph", message) from error
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        return _read_answer(answer, complaint, process.returncode)


def _read_answer(answer: bytes, complaint: bytes, code: int | None) -> JsonObject:
    try:
        content: dict[str, Any] = json.loads(answer.rpartition(b"\n")[2])
    except ValueError as error:
        last_words = complaint.decode(errors="replace").strip().rpartition("\n")[2]
        message = f"loading it ended its process (exit code {code}): {last_words}"
        raise InvalidInput.of("graph", message) from error
    if violations := content.get("violations"):
        raise InvalidInput([Violation(**item) for item in violations])
    topology: JsonObject = content["topology"]
    return topology


def describe(graph: Any) -> JsonObject:  # noqa: ANN401 - compiled graphs have four type parameters
    """Topology and schemas of a compiled graph: what `/workflows/{id}` shows."""
    drawn = graph.get_graph()
    nodes = [name for name in drawn.nodes if name not in {"__start__", "__end__"}]
    edges = [
        {"source": edge.source, "target": edge.target, "conditional": edge.conditional}
        for edge in drawn.edges
    ]
    return {
        "nodes": nodes,
        "edges": edges,
        "mermaid": drawn.draw_mermaid(),
        "input_schema": _schema(graph.get_input_jsonschema),
        "output_schema": _schema(graph.get_output_jsonschema),
    }


def _schema(describe_schema: Callable[[], JsonObject]) -> JsonObject:
    """A JSON schema; one that allows any object where Pydantic cannot say more.

    It knows nothing of some types that LangGraph takes, `typing.TypedDict` before Python 3.12
    among them, and such graphs run all the same.
    """
    try:
        return describe_schema()
    except PydanticUserError as error:
        return {"type": "object", "description": f"not described further: {error.message}"}


async def _answer(question: dict[str, Any]) -> dict[str, Any]:
    project = read_project(Path(question["project"]))
    try:
        graph = await load_graph(project, question["graph"])
        for node, reference in question["variants"]:
            variant = Replacement(reference, load_node(project, reference))
            compile_like(graph, replace_nodes(graph, {node: variant}))
        return {"topology": describe(compile_like(graph, builder_of(graph)))}
    except InvalidInput as error:
        return {"violations": [{"field": v.field, "message": v.message} for v in error.violations]}
    except (WtbError, ValueError, TypeError, KeyError) as error:
        message = f"{question['graph']!r} does not compile: {type(error).__name__}: {error}"
        return {"violations": [{"field": "graph", "message": message}]}


def main() -> None:
    """Answer one question."""
    question = json.load(sys.stdin)
    # What the user's modules print must not mix with the answer.
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    output.write("\n" + json.dumps(asyncio.run(_answer(question)), default=str))
    output.flush()


if __name__ == "__main__":
    main()
