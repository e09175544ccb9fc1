"""`wtb batch pause|resume|stop|retry`: hold a whole batch test, let it go on, end it."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from wtb_async.cli.arguments import BatchId
from wtb_async.cli.batch_views import print_batch
from wtb_async.cli.console import ExitCode, print_json, stdout
from wtb_async.cli.control import Reason
from wtb_async.cli.progress import batch_progress
from wtb_async.cli.server import DEFAULT_DATA_DIR, AsJson, DataDir, call
from wtb_async.domain.batch_test import BATCH_ENDED, BatchStatus
from wtb_async.sdk.batch_models import BatchTest
from wtb_async.sdk.client import WTBClient

Wait = Annotated[bool, typer.Option("--wait", help="Wait until it has come to that.")]

_Ask = Callable[[WTBClient], Awaitable[BatchTest]]


def register(batch: typer.Typer) -> None:
    """Add the verbs to `wtb batch`."""
    batch.command("pause")(pause_batch)
    batch.command("resume")(resume_batch)
    batch.command("stop")(stop_batch)
    batch.command("retry")(retry_batch)


def pause_batch(
    batch_id: BatchId,
    *,
    reason: Reason = None,
    wait: Wait = False,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Begin nothing more of a batch test, and pause what runs of it."""
    _carry_out(
        lambda client: client.batch_tests.pause(batch_id, reason=reason),
        wanted=BatchStatus.PAUSED,
        wait=wait,
        as_json=as_json,
        data_dir=data_dir,
    )


def resume_batch(
    batch_id: BatchId,
    *,
    reason: Reason = None,
    wait: Wait = False,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Let a paused batch test go on, or one that ended before all of it had run."""
    _carry_out(
        lambda client: client.batch_tests.resume(batch_id, reason=reason),
        wanted=BatchStatus.COMPLETED,
        wait=wait,
        as_json=as_json,
        data_dir=data_dir,
    )


def stop_batch(
    batch_id: BatchId,
    *,
    reason: Reason = None,
    wait: Wait = False,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """End a batch test that is not wanted any more."""
    _carry_out(
        lambda client: client.batch_tests.stop(batch_id, reason=reason),
        wanted=BatchStatus.CANCELLED,
        wait=wait,
        as_json=as_json,
        data_dir=data_dir,
    )


def retry_batch(
    batch_id: BatchId,
    *,
    reason: Reason = None,
    wait: Wait = False,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Try the failed executions of a batch test again from their last checkpoints."""
    _carry_out(
        lambda client: client.batch_tests.retry_failed(batch_id, reason=reason),
        wanted=BatchStatus.COMPLETED,
        wait=wait,
        as_json=as_json,
        data_dir=data_dir,
    )


def _carry_out(
    ask: _Ask, *, wanted: BatchStatus, wait: bool, as_json: bool, data_dir: DataDir
) -> None:
    """Give the command; with `wait` the exit code says whether the batch has come to `wanted`."""

    rest = {wanted, *BATCH_ENDED}

    async def command(client: WTBClient) -> None:
        batch = await ask(client)
        if wait:
            with batch_progress(batch.name) as show:
                batch = await client.batch_tests.wait_for(batch.id, show, until=rest)
        if as_json:
            print_json(batch.model_dump(mode="json"))
        else:
            print_batch(stdout(), batch)
        if wait and batch.status is not wanted:
            raise typer.Exit(ExitCode.FAILED)

    call(data_dir, command)
