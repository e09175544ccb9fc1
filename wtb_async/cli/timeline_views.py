"""Checkpoints, states and node boundaries as text."""

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wtb_async.cli.console import print_fields
from wtb_async.cli.execution_views import STYLES, cut_off, json_text, moment, questions
from wtb_async.sdk.models import Checkpoint, NodeBoundary, State

_RESULT_WIDTH = 60


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
            escape(", ".join(json_text(asked.value) for asked in each.interrupts)),
            moment(each.created_at),
        )
    console.print(table)


def print_state(console: Console, state: State) -> None:
    """Print where the state was read, and then one line per value."""
    fields = {
        "execution": str(state.execution_id),
        "checkpoint": state.checkpoint_id or "none yet",
        "created": moment(state.created_at) if state.created_at else "",
        "next": ", ".join(state.next_nodes),
        "waits for": questions(state.interrupts),
    }
    print_fields(console, fields)
    if values := dict(_lines(state)):
        console.print()
        print_fields(console, values)


def print_nodes(console: Console, nodes: Iterable[NodeBoundary]) -> None:
    """Print one row per attempt of a node; `(shared)` marks what ran for other executions, too."""
    table = Table("node", "attempt", "status", "started", "took", "result")
    for each in nodes:
        table.add_row(
            escape(each.node),
            str(each.attempt),
            each.status.value,
            moment(each.started_at),
            f"{each.duration_ms:.1f} ms{' (shared)' if each.shared else ''}",
            escape(_result(each)),
            style=STYLES.get(each.status),
        )
    console.print(table)


def _lines(state: State) -> Iterator[tuple[str, str]]:
    """Each channel with its value as JSON, or why that is not shown."""
    values = state.values if isinstance(state.values, dict) else {"state": state.values}
    for channel, value in values.items():
        yield channel, "null" if value is None else json_text(value)
    for channel, reason in state.not_shown.items():
        yield channel, f"(not shown: {reason})"


def _result(boundary: NodeBoundary) -> str:
    """The output or the error, cut off where a table's row should end."""
    error = boundary.error
    text = f"{error.type}: {error.message}" if error else json_text(boundary.output)
    return cut_off(text, _RESULT_WIDTH)
