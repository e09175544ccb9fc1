"""How commands speak to the terminal, and how they end."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum

import typer
from rich.console import Console

from wtb_async.domain.errors import WtbError

_PLAIN_WIDTH = 120


class ExitCode(IntEnum):
    """What the shell learns from a command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    INTERRUPTED = 130


def stdout() -> Console:
    """Return the console for what was asked for."""
    return _console(to_stderr=False)


def stderr() -> Console:
    """Return the console for progress and errors, which no pipe shall see."""
    return _console(to_stderr=True)


def _console(*, to_stderr: bool) -> Console:
    console = Console(stderr=to_stderr, highlight=False)
    if not console.is_terminal:
        # A pipe has no width of its own, and tables need room for ids.
        console.width = _PLAIN_WIDTH
    return console


def print_fields(console: Console, fields: Mapping[str, str]) -> None:
    """Print one line per field that has a text; long lines stay whole."""
    width = max(map(len, fields))
    for name, text in fields.items():
        if text:
            console.print(f"{name:<{width}}  {text}", markup=False, soft_wrap=True)


def print_json(value: object) -> None:
    """Write one JSON document to standard output, and nothing else."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


@contextmanager
def expected_errors() -> Iterator[None]:
    """Turn expected errors and Ctrl-C into a message and an exit code, without a traceback."""
    try:
        yield
    except WtbError as error:
        stderr().print(f"Error: {error}", style="red", markup=False, soft_wrap=True)
        raise typer.Exit(ExitCode.FAILED) from error
    except KeyboardInterrupt as interrupt:
        stderr().print("Interrupted. What the server has accepted goes on.")
        raise typer.Exit(ExitCode.INTERRUPTED) from interrupt
