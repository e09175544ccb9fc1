"""`wtb parity`: whether a batch test comes out the same in one process and on the stack."""

from pathlib import Path
from typing import Annotated

import typer

from wtb_async.cli.batch_file import read_batch_file
from wtb_async.cli.console import ExitCode, expected_errors, print_json, stderr, stdout
from wtb_async.cli.parity_views import parity_document, print_parity
from wtb_async.cli.server import DEFAULT_DATA_DIR, AsJson, DataDir, call
from wtb_async.domain.errors import InvalidInput
from wtb_async.domain.json import JsonObject
from wtb_async.infrastructure.embedded.settings import project_here
from wtb_async.sdk.bench import BatchExecutor, WTBTestBench
from wtb_async.sdk.client import WTBClient
from wtb_async.sdk.parity import ParityChecker, ParityReport, Tolerance
from wtb_async.sdk.references import importable_reference

_USUAL = Tolerance()


def register(app: typer.Typer) -> None:
    """Add `wtb parity`."""
    app.command("parity")(parity)


def parity(
    *,
    file: Annotated[Path, typer.Argument(help="JSON file with the batch test.")],
    project: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="The langgraph.json of its workflow; by default the one beside the file, or here.",
        ),
    ] = None,
    absolute: Annotated[
        float, typer.Option(min=0, help="By how much numbers may differ.")
    ] = _USUAL.absolute,
    relative: Annotated[
        float, typer.Option(min=0, help="By which part of the larger one they may differ.")
    ] = _USUAL.relative,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            help="What is not compared, output.fit_ms or scores.neg_*; may be given several times."
        ),
    ] = None,
    duration_factor: Annotated[
        float | None,
        typer.Option(min=1, help="How many times as long executions may take on the slower one."),
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Run a batch test in this process and on the running stack, and list the discrepancies."""
    with expected_errors():
        body = read_batch_file(file)
        graphs = _project_of(file, project)
    tolerance = Tolerance(
        absolute=absolute,
        relative=relative,
        ignored=(*_USUAL.ignored, *(ignore or ())),
        duration_factor=duration_factor,
    )

    async def command(client: WTBClient) -> None:
        report = await _check(client, body, graphs, data_dir / "parity", tolerance)
        if as_json:
            print_json(parity_document(report))
        else:
            print_parity(stdout(), report)
        if not report.is_clean:
            raise typer.Exit(ExitCode.FAILED)

    call(data_dir, command)


async def _check(
    client: WTBClient, body: JsonObject, project: Path, data_dir: Path, tolerance: Tolerance
) -> ParityReport:
    batch_test = await _with_its_cases(client, body)
    server = WTBTestBench(client, importable_reference, BatchExecutor.RAY)
    async with WTBTestBench.local(data_dir, project) as local:
        stderr().print("running it in this process, then on the stack")
        return await ParityChecker(local, server, tolerance).check(batch_test)


async def _with_its_cases(client: WTBClient, body: JsonObject) -> JsonObject:
    """The same batch test with the cases of its dataset in it, which only the server has."""
    dataset = body.get("dataset")
    if not isinstance(dataset, str):
        return body
    version = body.get("dataset_version")
    known = version if isinstance(version, int) else None
    cases = [
        case.model_dump(mode="json", include={"id", "input", "reference", "metadata"})
        async for case in client.datasets.test_cases(dataset, version=known)
    ]
    rest = {key: value for key, value in body.items() if not key.startswith("dataset")}
    return {**rest, "test_cases": cases}


def _project_of(file: Path, given: Path | None) -> Path:
    beside = file.parent / "langgraph.json"
    found = given or (beside if beside.is_file() else project_here())
    if found is None:
        raise InvalidInput.of("project", f"there is no {beside}; name one with --project")
    return found
