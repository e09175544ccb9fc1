"""The child process of `inspection`: reads one question from standard input, writes one answer."""

import asyncio
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wtb_async.domain.errors import InvalidInput
from wtb_async.infrastructure.langgraph.graph_examination import examine_graph
from wtb_async.infrastructure.langgraph.graph_loader import load_graph
from wtb_async.infrastructure.langgraph.inspection import ChannelsAt
from wtb_async.infrastructure.langgraph.projects import Project, read_project


async def _answer(question: dict[str, Any]) -> dict[str, Any]:
    project, graph = read_project(Path(question["project"])), question["graph"]
    try:
        if wanted := question.get("rebuild"):
            return {"found": await _rebuilt(project, graph, ChannelsAt(**wanted))}
        variants, workflow = question["variants"], question["workflow"]
        return {"found": await examine_graph(project, graph, variants, workflow)}
    except InvalidInput as error:
        return {"violations": [{"field": v.field, "message": v.message} for v in error.violations]}


async def _rebuilt(project: Project, graph: str, wanted: ChannelsAt) -> dict[str, Any]:
    # Registering a workflow needs no driver of the database.
    from wtb_async.infrastructure.langgraph.rebuild_channels import (  # noqa: PLC0415
        rebuild_channels,
    )

    return asdict(await rebuild_channels(await load_graph(project, graph), wanted))


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
