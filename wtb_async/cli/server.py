"""Which server a command talks to."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from wtb_async.cli.console import expected_errors
from wtb_async.sdk.client import WTBClient
from wtb_async.sdk.find_server import connect

DEFAULT_DATA_DIR = Path(".wtb")

DataDir = Annotated[
    Path,
    typer.Option(help="Where the local stack keeps its data. WTB_URL and WTB_API_KEY win over it."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def call(data_dir: Path, command: Callable[[WTBClient], Awaitable[None]]) -> None:
    """Run one command against the server; expected errors end it with a message."""

    async def connected() -> None:
        async with connect(data_dir) as client:
            await command(client)

    with expected_errors():
        run_until_interrupted(connected())


def run_until_interrupted(work: Coroutine[Any, Any, None]) -> None:
    """Run on an event loop; Ctrl-C ends it at once with KeyboardInterrupt.

    The handler that `asyncio.run` sets does not wake the loop: a signal that comes just before the
    loop goes to sleep would be noticed only at the next event, and a stream may be silent for long.
    """

    async def interruptible() -> None:
        task = asyncio.current_task()
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, task.cancel)
        await work

    try:
        asyncio.run(interruptible())
    except asyncio.CancelledError as error:
        raise KeyboardInterrupt from error
