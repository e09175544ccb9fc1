"""Arguments that name an object, carry JSON or make a choice."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from wtb_async.domain.errors import InvalidInput
from wtb_async.domain.event_position import EventPosition
from wtb_async.domain.json import JsonObject, JsonValue
from wtb_async.domain.stream_mode import StreamMode, stream_modes

STATE_HELP = "Values for the state as JSON, or @file; reducers apply."

BatchId = Annotated[str, typer.Argument(help="Id of the batch test.")]
ExecutionId = Annotated[str, typer.Argument(help="Id of the execution.")]
Variants = Annotated[
    list[str] | None, typer.Option(help="node=variant; may be given several times.")
]
StateText = Annotated[str | None, typer.Option(help=STATE_HELP)]
AsNode = Annotated[
    str | None, typer.Option(help="The node that the values count as the output of.")
]

_AGO = re.compile(r"(?P<count>[0-9]{1,5})(?P<unit>[mhd])")

_ANSWER_WITH_ID = re.compile(r"(?P<id>[0-9a-f]{32})=(?P<answer>.*)", re.DOTALL)
"""LangGraph's interrupt ids are 128 bits in hexadecimal; no JSON begins like that."""


def read_position(text: str | None) -> str | None:
    """Take a place in an event stream; raises a usage error for anything else."""
    if text is not None:
        try:
            EventPosition.parse(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
    return text


def read_json_argument(text: str) -> JsonValue:
    """Read JSON given in place, or from a file as `@path`; raises a usage error."""
    source = _read_text(Path(text[1:])) if text.startswith("@") else text
    try:
        value: JsonValue = json.loads(source)
    except json.JSONDecodeError as error:
        raise typer.BadParameter(f"this is not JSON: {error}") from error
    return value


def read_object_argument(text: str) -> JsonObject:
    """Read a JSON object like `read_json_argument`; raises a usage error for anything else."""
    value = read_json_argument(text)
    if not isinstance(value, dict):
        raise typer.BadParameter('give a JSON object, {"key": value}')
    return value


def read_answers(texts: list[str]) -> JsonValue:
    """Read the answers to interrupts: one bare answer, or `interrupt_id=answer` for each.

    Returns:
        The bare answer, the answers by interrupt id, or None when there are none.

    Raises:
        typer.BadParameter: one of several has no id, or an id is given twice.
    """
    if len(texts) == 1 and not _ANSWER_WITH_ID.fullmatch(texts[0]):
        return read_json_argument(texts[0])
    answers: JsonObject = {}
    for text in texts:
        found = _ANSWER_WITH_ID.fullmatch(text)
        if found is None:
            raise typer.BadParameter(f"{text!r} does not say for which question: ID=JSON")
        if found["id"] in answers:
            raise typer.BadParameter(f"question {found['id']} is answered twice")
        answers[found["id"]] = read_json_argument(found["answer"])
    return answers or None


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


def read_moment(text: str) -> datetime:
    """Read a time, in the reader's zone unless it names one, or how long ago it was.

    Raises a usage error for anything else.
    """
    if ago := _AGO.fullmatch(text):
        unit = {"m": "minutes", "h": "hours", "d": "days"}[ago["unit"]]
        return datetime.now(UTC) - timedelta(**{unit: int(ago["count"])})
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError) as error:
        message = f"{text!r} is no time; give 2026-01-31, 2026-01-31T12:00:00Z or 30m, 2h, 7d"
        raise typer.BadParameter(message) from error


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"cannot read {path}: {error}") from error
