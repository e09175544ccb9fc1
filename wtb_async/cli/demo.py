"""`wtb demo`: the whole way on real input, from nothing running to a verdict."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer

from wtb_async.cli.batch import submit_and_watch
from wtb_async.cli.batch_file import read_batch_file
from wtb_async.cli.comparison_tables import print_comparison
from wtb_async.cli.console import ExitCode, expected_errors, print_fields, stderr, stdout
from wtb_async.cli.server import DEFAULT_DATA_DIR
from wtb_async.domain.batch_test import BatchStatus
from wtb_async.domain.errors import WtbError
from wtb_async.domain.json import JsonObject
from wtb_async.infrastructure.embedded import (
    LocalStack,
    LocalStackSettings,
    Progress,
    StackAddresses,
    Step,
)
from wtb_async.infrastructure.embedded.ports import is_free
from wtb_async.sdk.batch_models import BatchTest
from wtb_async.sdk.client import WTBClient

_API_PORT = 8000
_FLOWER_PORT = 5555


class ProjectMissing(WtbError):
    """The folder holds no project that a demo could run."""

    code = "project_missing"


def register(app: typer.Typer) -> None:
    """Add `wtb demo`."""
    app.command("demo")(demo)


def demo(
    project: Annotated[
        Path, typer.Option(help="Folder with a langgraph.json and a batch.json.")
    ] = Path("examples/rag_pipeline"),
    keep: Annotated[bool, typer.Option("--keep", help="Leave the stack running.")] = False,
    data_dir: Annotated[
        Path, typer.Option(help="Where the local stack keeps its data.")
    ] = DEFAULT_DATA_DIR,
) -> None:
    """Start the local stack, run the example's whole variant matrix, and compare."""
    # A demo that is told to end shall take its stack along, however it is told.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with expected_errors():
        settings = _settings(project, data_dir)
        body = read_batch_file(project / "batch.json")
        stack = LocalStack(settings)
        addresses = stack.up(detach=keep, report=_report)
        try:
            _print_addresses(addresses, data_dir)
            batch = asyncio.run(_run_and_compare(addresses, body))
        finally:
            _end(stack, data_dir, keep=keep)
    if batch.status is not BatchStatus.COMPLETED:
        raise typer.Exit(ExitCode.FAILED)


def _settings(project: Path, data_dir: Path) -> LocalStackSettings:
    graphs = project / "langgraph.json"
    if not graphs.is_file():
        raise ProjectMissing(
            f"there is no {graphs}; run this in WTB's source folder, or name a project "
            "folder with --project"
        )
    return LocalStackSettings.from_environment(
        data_dir=data_dir,
        port=_usual_or_any(_API_PORT),
        flower_port=_usual_or_any(_FLOWER_PORT),
        project=graphs,
    )


def _usual_or_any(port: int) -> int:
    """Choose the usual port unless somebody has it: a demo should not fail over that."""
    return port if is_free(port) else 0


def _report(progress: Progress) -> None:
    if progress.step is Step.STARTING:
        return
    line = f"{progress.part} {progress.step} after {progress.seconds:.1f} s {progress.detail}"
    stderr().print(line.rstrip(), markup=False, soft_wrap=True)


async def _run_and_compare(addresses: StackAddresses, body: JsonObject) -> BatchTest:
    async with WTBClient(addresses.api_url, api_key=addresses.api_key) as client:
        batch = await submit_and_watch(client, body)
        print_comparison(stdout(), await client.batch_tests.comparison(batch.id))
    return batch


def _print_addresses(addresses: StackAddresses, data_dir: Path) -> None:
    fields = {
        "API docs": f"{addresses.api_url}/docs",
        "Flower": f"{addresses.flower_url} (user {addresses.flower_user}, "
        f"password in {data_dir / 'stack.json'})",
    }
    print_fields(stdout(), fields)


def _end(stack: LocalStack, data_dir: Path, *, keep: bool) -> None:
    console = stdout()
    if keep:
        line = f"The stack goes on; `wtb down --data-dir {data_dir}` ends it."
    else:
        stack.down()
        line = "Everything is stopped; --keep would leave it running."
    console.print(f"\n{line}", markup=False, soft_wrap=True)
