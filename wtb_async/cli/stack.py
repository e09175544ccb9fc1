"""`wtb up`, `down`, `status` and `doctor`: the local stack."""

import signal
from pathlib import Path
from typing import Annotated

import typer

from wtb_async.cli.console import ExitCode, expected_errors, print_json, stderr, stdout
from wtb_async.cli.server import DEFAULT_DATA_DIR, AsJson
from wtb_async.cli.stack_views import (
    finding_document,
    print_findings,
    print_stack,
    print_status,
    start_progress,
    status_document,
)
from wtb_async.infrastructure.embedded import (
    LocalStack,
    LocalStackSettings,
    StackError,
    StackStatus,
    read_status,
)
from wtb_async.infrastructure.embedded.doctor import examine

_USUAL = LocalStackSettings()

DataDir = Annotated[Path, typer.Option(help="Where the stack keeps its data.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Of the API; 0 picks a free one.")]
FlowerPort = Annotated[int, typer.Option(min=0, max=65535, help="Of Flower; 0 picks a free one.")]
Project = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="The langgraph.json to serve; by default the one in this folder.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add `wtb up`, `wtb down`, `wtb status` and `wtb doctor`."""
    app.command("up")(up)
    app.command("down")(down)
    app.command("status")(status)
    app.command("doctor")(doctor)


def up(
    *,
    detach: Annotated[
        bool, typer.Option("--detach", help="Come back once everything is ready.")
    ] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    port: Port = _USUAL.port,
    flower_port: FlowerPort = _USUAL.flower_port,
    project: Project = None,
) -> None:
    """Start the local stack, and end it on Ctrl-C."""
    _treat_as_interrupt(signal.SIGTERM, signal.SIGHUP)
    settings = LocalStackSettings.from_environment(
        data_dir=data_dir, port=port, flower_port=flower_port, project=project
    )
    with expected_errors():
        if running := read_status(data_dir):
            _show_running(running, data_dir)
            return
        stack = LocalStack(settings)
        _start(stack, data_dir, detach=detach)
        if not detach:
            _wait_for_the_end(stack)


def _treat_as_interrupt(*signals: signal.Signals) -> None:
    for each in signals:
        signal.signal(each, signal.default_int_handler)


def _show_running(running: StackStatus, data_dir: Path) -> None:
    stdout().print(f"A stack runs already in {data_dir}.", markup=False)
    print_status(stdout(), running, data_dir)
    if not running.is_healthy:
        raise typer.Exit(ExitCode.FAILED)


def _start(stack: LocalStack, data_dir: Path, *, detach: bool) -> None:
    try:
        with start_progress(stderr()) as report:
            addresses = stack.up(detach=detach, report=report)
    except KeyboardInterrupt as interrupt:
        stderr().print("Interrupted; everything is stopped again.")
        raise typer.Exit(ExitCode.INTERRUPTED) from interrupt
    print_stack(stdout(), addresses, data_dir)
    ending = f"`wtb down --data-dir {data_dir}` ends it." if detach else "Ctrl-C ends it."
    stdout().print(ending, markup=False, soft_wrap=True)


def _wait_for_the_end(stack: LocalStack) -> None:
    try:
        ended_as_told = stack.wait()
    except KeyboardInterrupt:
        stderr().print("Stopping ...")
        ended_as_told = True
    stack.down()
    if not ended_as_told:
        raise StackError("the supervisor was killed, and everything ended with it")
    stderr().print("Everything is stopped.")


def down(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """End the local stack, whether detached or not."""
    with expected_errors():
        ended = LocalStack(LocalStackSettings(data_dir=data_dir)).down()
        line = "Everything is stopped." if ended else f"No stack runs in {data_dir}."
        stdout().print(line, markup=False)


def status(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Show every part of the local stack and where it is."""
    with expected_errors():
        found = read_status(data_dir)
        if as_json:
            print_json(status_document(found))
        elif found:
            print_status(stdout(), found, data_dir)
        if found is None:
            stderr().print(f"No stack runs in {data_dir}; `wtb up` starts one.", markup=False)
            raise typer.Exit(ExitCode.FAILED)


def doctor(
    *,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    port: Port = _USUAL.port,
    flower_port: FlowerPort = _USUAL.flower_port,
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Look for what would keep the local stack from working, and say what to do."""
    settings = LocalStackSettings.from_environment(
        data_dir=data_dir, port=port, flower_port=flower_port, project=project
    )
    with expected_errors():
        findings = list(examine(settings))
        if as_json:
            print_json([finding_document(each) for each in findings])
        else:
            print_findings(stdout(), findings)
        if not all(each.is_fine for each in findings):
            raise typer.Exit(ExitCode.FAILED)
