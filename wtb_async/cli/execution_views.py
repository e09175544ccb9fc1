"""Executions and their events as text."""

import json
from collections.abc import Iterable
from datetime import datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wtb_async.cli.console import print_fields
from wtb_async.domain.comparison import combination_label
from wtb_async.sdk.models import Checkpoint, Event, Execution, NodeBoundary

_STYLES = {
    "completed": "green",
    "failed": "red",
    "cancelled": "yellow",
    "paused": "cyan",
    "interrupted": "cyan",
}
_RESULT_WIDTH = 60


def print_executions(console: Console, executions: Iterable[Execution]) -> None:
    """Print one row per execution."""
    table = Table("id", "workflow", "status", "variants", "created", "took")
    table.columns[0].no_wrap = True
    for execution in executions:
        table.add_row(
            str(execution.id),
            execution.workflow,
            execution.status.value,
            combination_label(execution.variants),
            moment(execution.created_at),
            duration(execution.started_at, execution.finished_at),
            style=_STYLES.get(execution.status),
        )
    console.print(table)


def print_checkpoints(console: Console, checkpoints: Iterable[Checkpoint]) -> None:
    """Print one row per checkpoint."""
    table = Table("checkpoint", "step", "source", "next", "waits for", "created")
    table.columns[0].no_wrap = True
    for each in checkpoints:
        table.add_row(
            each.checkpoint_id,
            str(each.step),
            each.source,
            ", ".join(each.next_nodes),
            ", ".join(_json(asked.value) for asked in each.interrupts),
            moment(each.created_at),
        )
    console.print(table)


def print_execution(console: Console, execution: Execution) -> None:
    """Print everything that a reader of one execution asks for."""
    fields = {
        "execution": str(execution.id),
        "workflow": execution.workflow,
        "variants": execution.workflow_variant or combination_label(execution.variants),
        "status": _status(execution),
        "created": moment(execution.created_at),
        "took": duration(execution.started_at, execution.finished_at),
        "input": _json(execution.input),
        "output": _json(execution.output),
        "error": _error(execution),
        "waits for": "\n".join(f"{each.id}: {_json(each.value)}" for each in execution.interrupts),
    }
    print_fields(console, fields)


def print_nodes(console: Console, nodes: Iterable[NodeBoundary]) -> None:
    """Print one row per attempt of a node."""
    table = Table("node", "attempt", "status", "started", "took", "result")
    for each in nodes:
        table.add_row(
            escape(each.node),
            str(each.attempt),
            each.status.value,
            moment(each.started_at),
            f"{each.duration_ms:.1f} ms",
            escape(_result(each)),
            style=_STYLES.get(each.status),
        )
    console.print(table)


def event_line(event: Event) -> str:
    """Give one event in one line."""
    data = json.dumps(event.data, ensure_ascii=False) if event.data else ""
    return f"{moment(event.at)}  {event.type:<20}  {data}".rstrip()


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


def _error(execution: Execution) -> str:
    error = execution.error
    if error is None:
        return ""
    place = f" in node {error.node}" if error.node else ""
    return f"{error.type}{place}: {error.message}"


def _result(boundary: NodeBoundary) -> str:
    """The output or the error, cut off where a table's row should end."""
    error = boundary.error
    text = f"{error.type}: {error.message}" if error else _json(boundary.output)
    return text if len(text) <= _RESULT_WIDTH else f"{text[: _RESULT_WIDTH - 1]}…"


def _json(value: object) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)
