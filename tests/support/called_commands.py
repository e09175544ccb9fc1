"""The command line as a process of its own, calling a served API."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from api_fixtures import ServedApi
from arranging import API_KEY


@dataclass(frozen=True)
class Told:
    """How a command ended, and what it said."""

    code: int | None
    out: str
    err: str


Wtb = Callable[..., Awaitable[Told]]


async def run_wtb(api: ServedApi, *arguments: object, folder: Path | None = None) -> Told:
    """Run `wtb` with these arguments, in this folder."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "wtb_async.cli.main", *map(str, arguments)),
        env=os.environ | {"WTB_URL": api.url, "WTB_API_KEY": API_KEY},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
    )
    out, err = await process.communicate()
    return Told(process.returncode, out.decode(), err.decode())
