"""How the local stack looks on the terminal."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from wtb_async.cli.console import print_fields
from wtb_async.domain.json import JsonObject
from wtb_async.infrastructure.embedded import (
    PartStatus,
    Progress,
    Report,
    StackAddresses,
    StackStatus,
    Step,
)
from wtb_async.infrastructure.embedded.doctor import Finding


@contextmanager
def start_progress(console: Console) -> Iterator[Report]:
    """One line per part that gets ready, and on a terminal what is still being waited for."""
    starting: list[str] = []
    with console.status("starting") as spinner:

        def show(progress: Progress) -> None:
            if progress.step is Step.STARTING:
                starting.append(progress.part)
            else:
                starting.remove(progress.part)
                console.print(_progress_line(progress), markup=False, soft_wrap=True)
            spinner.update(f"waiting for {', '.join(starting) or 'the API to find every part'}")

        yield show


def _progress_line(progress: Progress) -> str:
    if progress.step is Step.FAILED:
        return f"Warning: {progress.part} failed, going on without it:\n{progress.detail}"
    return f"{progress.part:<12} ready after {progress.seconds:4.1f} s"


def print_stack(console: Console, addresses: StackAddresses, data_dir: Path) -> None:
    """Say where everything is."""
    secrets = data_dir / "stack.json"
    fields = {
        "API docs": f"{addresses.api_url}/docs (key in {secrets})",
        "Flower": f"{addresses.flower_url} (user {addresses.flower_user}, password in {secrets})",
        "Logs": addresses.logs,
    }
    print_fields(console, fields)


def print_status(console: Console, status: StackStatus, data_dir: Path) -> None:
    """Show addresses, parts, and what the API says."""
    print_stack(console, status.addresses, data_dir)
    table = Table("part", "state", "pid", "up for")
    for part in status.parts:
        table.add_row(part.name, _state(part), str(part.pid or ""), _uptime(part))
    console.print(table)
    console.print(_readiness(status), markup=False, soft_wrap=True)


def _state(part: PartStatus) -> str:
    return "done" if part.state == "exited" and part.exit_code == 0 else part.state


def _uptime(part: PartStatus) -> str:
    if part.started_at is None or part.pid is None:
        return ""
    return str(timedelta(seconds=int((datetime.now(UTC) - part.started_at).total_seconds())))


def _readiness(status: StackStatus) -> str:
    if status.readiness is None:
        return "Not ready: the API does not answer."
    return "Ready." if status.is_healthy else f"Not ready: {status.readiness.complaint()}."


def status_document(status: StackStatus | None) -> JsonObject:
    """The status as JSON, without secrets."""
    if status is None:
        return {"running": False, "ready": False}
    addresses = status.addresses
    readiness = status.readiness.parts if status.readiness else {}
    return {
        "running": True,
        "ready": status.is_healthy,
        "api_url": addresses.api_url,
        "flower_url": addresses.flower_url,
        "ray_address": addresses.ray_address,
        "logs": addresses.logs,
        "processes": [_part_document(part) for part in status.parts],
        "parts": {**readiness},
    }


def _part_document(part: PartStatus) -> JsonObject:
    started = part.started_at.isoformat() if part.started_at else None
    return {"name": part.name, "state": _state(part), "pid": part.pid, "started_at": started}


def print_findings(console: Console, findings: Iterable[Finding]) -> None:
    """One line per check, and for a bad one what to do."""
    for finding in findings:
        mark = "ok   " if finding.is_fine else "WRONG"
        console.print(f"{mark} {finding.subject}: {finding.seen}", markup=False, soft_wrap=True)
        if finding.remedy:
            console.print(f"      -> {finding.remedy}", markup=False, soft_wrap=True)


def finding_document(finding: Finding) -> JsonObject:
    """A check as JSON."""
    return asdict(finding)
