"""Which server a command talks to."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from wtb_async.cli.console import expected_errors
from wtb_async.domain.errors import WtbError
from wtb_async.infrastructure.embedded import find_stack
from wtb_async.sdk.client import WTBClient

DEFAULT_DATA_DIR = Path(".wtb")

DataDir = Annotated[
    Path,
    typer.Option(help="Where the local stack keeps its data. WTB_URL and WTB_API_KEY win over it."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


class NoServer(WtbError):
    """There is no server to talk to."""

    code = "no_server"


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


def connect(data_dir: Path) -> WTBClient:
    """Return a client of the server in the environment, else of the stack in the data directory.

    Raises:
        NoServer: neither is there.
    """
    if url := os.environ.get("WTB_URL"):
        key = os.environ.get("WTB_API_KEY")
        if not key:
            raise NoServer(f"WTB_URL names {url}, but there is no key: set WTB_API_KEY too")
        return WTBClient(url, api_key=key)
    addresses = find_stack(data_dir)
    if addresses is None:
        raise NoServer(
            f'no stack runs in {data_dir}; run "wtb up" first, name another place with '
            "--data-dir, or set WTB_URL and WTB_API_KEY for a server elsewhere"
        )
    return WTBClient(addresses.api_url, api_key=addresses.api_key)
