"""`wtb integrity`: whether everything is as it was promised."""

from typing import Annotated

import typer

from wtb_async.cli.console import ExitCode, print_json, stderr, stdout
from wtb_async.cli.integrity_views import print_report
from wtb_async.cli.server import DEFAULT_DATA_DIR, AsJson, DataDir, call
from wtb_async.sdk.client import WTBClient
from wtb_async.sdk.integrity import IntegrityReport

Wait = Annotated[bool, typer.Option("--wait", help="Come back once the report is complete.")]


def register(app: typer.Typer) -> None:
    """Add `wtb integrity`."""
    integrity = typer.Typer(help="Whether everything is as it was promised.", no_args_is_help=True)
    integrity.command("check")(check)
    integrity.command("show")(show)
    integrity.command("repair")(repair)
    app.add_typer(integrity, name="integrity")


def check(
    deep: Annotated[bool, typer.Option(help="Read every blob, too.")] = False,
    wait: Wait = False,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Look at everything; the exit code is 1 when something is as bad as an error."""

    async def command(client: WTBClient) -> None:
        report = await client.integrity.check(deep=deep)
        await _tell(client, report, wait=wait, as_json=as_json)

    call(data_dir, command)


def show(
    report_id: Annotated[str | None, typer.Argument(help="The newest when left out.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Show a report, as far as it is."""

    async def command(client: WTBClient) -> None:
        report = await client.integrity.report(report_id)
        await _tell(client, report, wait=False, as_json=as_json)

    call(data_dir, command)


def repair(
    checks: Annotated[list[str], typer.Argument(help="The checks whose findings to mend.")],
    yes: Annotated[bool, typer.Option("--yes", help="Mend, do not only say what.")] = False,
    wait: Wait = False,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Mend what some checks find; without --yes only say what that would be."""

    async def command(client: WTBClient) -> None:
        report = await client.integrity.check(repair=checks, dry_run=not yes)
        await _tell(client, report, wait=wait, as_json=as_json)

    call(data_dir, command)


async def _tell(client: WTBClient, report: IntegrityReport, *, wait: bool, as_json: bool) -> None:
    if wait and not report.has_ended:
        stderr().print(f"report {report.id} accepted, waiting", soft_wrap=True)
        report = await client.integrity.wait_for(report.id)
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        print_report(stdout(), report)
    if report.has_ended and not report.is_sound:
        raise typer.Exit(ExitCode.FAILED)
