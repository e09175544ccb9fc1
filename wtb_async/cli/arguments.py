"""Arguments that name an object, carry JSON or make a choice."""

import json
from pathlib import Path
from typing import Annotated

import typer

from wtb_async.domain.errors import InvalidInput
from wtb_async.domain.json import JsonValue
from wtb_async.domain.stream_mode import StreamMode, stream_modes

ExecutionId = Annotated[str, typer.Argument(help="Id of the execution.")]


def read_json_argument(text: str) -> JsonValue:
    """Read JSON given in place, or from a file as `@path`; raises a usage error."""
    source = _read_text(Path(text[1:])) if text.startswith("@") else text
    try:
        value: JsonValue = json.loads(source)
    except json.JSONDecodeError as error:
        raise typer.BadParameter(f"this is not JSON: {error}") from error
    return value


def read_choices(pairs: list[str]) -> dict[str, str]:
    """Read `node=variant` pairs; raises a usage error for anything else."""
    choices: dict[str, str] = {}
    for pair in pairs:
        node, equals, variant = pair.partition("=")
        if not (node and equals and variant):
            raise typer.BadParameter(f"{pair!r} is not of the form node=variant")
        if node in choices:
            raise typer.BadParameter(f"node {node!r} is given twice")
        choices[node] = variant
    return choices


def read_stream_modes(names: list[str]) -> tuple[StreamMode, ...]:
    """Read names of stream modes and of presets; raises a usage error for an unknown one."""
    try:
        return stream_modes(names)
    except InvalidInput as error:
        raise typer.BadParameter(str(error)) from error


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"cannot read {path}: {error}") from error
