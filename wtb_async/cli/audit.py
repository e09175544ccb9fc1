"""`wtb audit`: who did what to which object."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from wtb_async.cli.arguments import read_moment
from wtb_async.cli.console import print_json, stdout
from wtb_async.cli.downloads import put_out
from wtb_async.cli.execution_views import moment
from wtb_async.cli.listing import first, page_size
from wtb_async.cli.server import DEFAULT_DATA_DIR, AsJson, DataDir, call
from wtb_async.domain.audit import Severity
from wtb_async.domain.command import CommandKind
from wtb_async.sdk.audit import AuditEntry, TrailFilter
from wtb_async.sdk.client import WTBClient

Execution = Annotated[str | None, typer.Option(help="Only of this execution.")]
Batch = Annotated[str | None, typer.Option(help="Only of this batch test and its executions.")]
By = Annotated[str | None, typer.Option("--caller", help="Only what this caller or part did.")]
Kind = Annotated[CommandKind | None, typer.Option(help="Only what this kind of command did.")]
Action = Annotated[str | None, typer.Option(help="Only this action, such as ExecutionPaused.")]
Serious = Annotated[Severity | None, typer.Option("--severity", help="Only this severity.")]
Since = Annotated[str | None, typer.Option(help="From this time on: ISO 8601, or 30m, 2h, 7d ago.")]
Until = Annotated[str | None, typer.Option(help="Before this time, given in the same ways.")]

_STYLES = {Severity.INFO: "", Severity.WARNING: "yellow", Severity.ERROR: "red"}


def register(app: typer.Typer) -> None:
    """Add `wtb audit`."""
    audit = typer.Typer(help="Who did what to which object.", no_args_is_help=True)
    audit.command("ls")(list_entries)
    audit.command("export")(export_entries)
    app.add_typer(audit, name="audit")


def list_entries(
    *,
    execution: Execution = None,
    batch: Batch = None,
    caller: By = None,
    kind: Kind = None,
    action: Action = None,
    severity: Serious = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """List entries of the audit trail, newest first."""
    wanted = _wanted(execution, batch, caller, kind, action, severity, since, until)

    async def command(client: WTBClient) -> None:
        entries = await first(limit, client.audit.list(page_size=page_size(limit), **wanted))
        if as_json:
            print_json([each.model_dump(mode="json") for each in entries])
        else:
            stdout().print(_table(entries))

    call(data_dir, command)


def export_entries(
    file: Annotated[Path | None, typer.Argument(help="Standard output when left out.")] = None,
    *,
    execution: Execution = None,
    batch: Batch = None,
    caller: By = None,
    kind: Kind = None,
    action: Action = None,
    severity: Serious = None,
    since: Since = None,
    until: Until = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Write all entries, or those that are chosen, to a JSONL file, newest first."""
    wanted = _wanted(execution, batch, caller, kind, action, severity, since, until)

    async def command(client: WTBClient) -> None:
        await put_out(client.audit.export(**wanted), file)

    call(data_dir, command)


def _wanted(
    execution: str | None,
    batch: str | None,
    caller: str | None,
    kind: CommandKind | None,
    action: str | None,
    severity: Severity | None,
    since: str | None,
    until: str | None,
) -> TrailFilter:
    return TrailFilter(
        execution=execution,
        batch=batch,
        caller=caller,
        kind=kind,
        action=action,
        severity=severity,
        since=read_moment(since) if since else None,
        until=read_moment(until) if until else None,
    )


def _table(entries: list[AuditEntry]) -> Table:
    table = Table(box=None)
    for name in ("at", "severity", "action", "target"):
        table.add_column(name, no_wrap=True)
    table.add_column("status")
    table.add_column("caller")
    for each in entries:
        statuses = " -> ".join(filter(None, (each.status_before, each.status_after)))
        target = str(each.target_id)
        row = (each.severity.value, each.action, target, statuses, escape(each.caller))
        table.add_row(moment(each.at), *row, style=_STYLES[each.severity])
    return table
