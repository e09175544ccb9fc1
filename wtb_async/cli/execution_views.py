"""Executions and their events as text."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime

from rich.console import Console
from rich.table import Table

from wtb_async.cli.console import print_fields
from wtb_async.domain.comparison import combination_label
from wtb_async.domain.graph_choice import GraphChoice
from wtb_async.sdk.models import Event, Execution, Interrupt, InterruptKind

STYLES = {
    "completed": "green",
    "failed": "red",
    "cancelled": "yellow",
    "paused": "cyan",
    "interrupted": "cyan",
}
_LIVE_WIDTH = 160


def print_executions(console: Console, executions: Iterable[Execution]) -> None:
    """Print one row per execution."""
    table = Table("id", "workflow", "status", "variants", "created", "took")
    table.columns[0].no_wrap = True
    for execution in executions:
        table.add_row(
            str(execution.id),
            execution.workflow,
            execution.status.value,
            _choice(execution),
            moment(execution.created_at),
            duration(execution.started_at, execution.finished_at),
            style=STYLES.get(execution.status),
        )
    console.print(table)


def print_execution(console: Console, execution: Execution) -> None:
    """Print everything that a reader of one execution asks for."""
    fields = {
        "execution": str(execution.id),
        "workflow": execution.workflow,
        "branch of": str(execution.parent_execution_id or ""),
        "variants": _choice(execution),
        "status": _status(execution),
        "created": moment(execution.created_at),
        "took": duration(execution.started_at, execution.finished_at),
        "input": json_text(execution.input),
        "output": json_text(execution.output),
        "error": _error(execution),
        "next": ", ".join(execution.next_nodes),
    }
    print_fields(console, fields)
    for asked in execution.interrupts:
        console.print()
        print_fields(console, _what_to_do(execution, asked))


def _choice(execution: Execution) -> str:
    """Name the graph and the variants of its nodes as a batch test would."""
    choice = GraphChoice(execution.variants, execution.workflow_variant)
    return combination_label(choice.combination())


def event_line(event: Event) -> str:
    """Give one event in one line; a live one begins with its subgraphs and is cut off."""
    match event.data:
        case {"ns": list(path), **shown}:
            graphs = "".join(f"{str(graph).partition(':')[0]}/" for graph in path)
            text = cut_off(graphs + _live_text(shown), _LIVE_WIDTH)
        case data:
            text = json_text(data) if data else ""
    return f"{moment(event.at)}  {event.type:<20}  {text}".rstrip()


def questions(interrupts: Iterable[Interrupt]) -> str:
    """Give the questions that a graph waits on, one per line, each with the id to answer it."""
    return "\n".join(f"{each.id}: {json_text(each.value)}" for each in interrupts)


def json_text(value: object) -> str:
    """Give a value in one line; None is nothing."""
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def cut_off(text: str, width: int) -> str:
    """Give so much of a text as fits."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


def moment(at: datetime) -> str:
    """Give a time in the reader's own zone, to the second."""
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"


def duration(started: datetime | None, finished: datetime | None) -> str:
    """Give how long something took, if it has ended."""
    if started is None or finished is None:
        return ""
    return f"{(finished - started).total_seconds():.3f} s"


def _status(execution: Execution) -> str:
    reason = f" ({execution.pause_reason.value})" if execution.pause_reason else ""
    return f"{execution.status.value}{reason}"


def _what_to_do(execution: Execution, asked: Interrupt) -> dict[str, str]:
    """What a paused execution waits for, and the command that lets it go on."""
    command = f"wtb executions resume {execution.id}"
    if asked.kind is InterruptKind.BREAKPOINT:
        return {"breakpoint": f"before node {asked.node}", "go on": command}
    return {
        "question": json_text(asked.value) or "null",
        "node": asked.node or "",
        "schema": json_text(asked.response_schema),
        "answer": f"{command} --answer {asked.id}=JSON" if asked.id else "",
    }


def _error(execution: Execution) -> str:
    error = execution.error
    if error is None:
        return ""
    place = f" in node {error.node}" if error.node else ""
    return f"{error.type}{place}: {error.message}"


def _live_text(shown: Mapping[str, object]) -> str:
    """Of a message who said what, of anything else all fields."""
    match shown:
        case {"message": {"content": content}, "metadata": {"langgraph_node": node}}:
            return f"{node}: {content}"
        case _:
            return json_text(shown)
