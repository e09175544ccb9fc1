"""Reads docker-compose.yml the way Compose does: YAML merges, then variables from outside."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
COMPOSE_FILE = ROOT / "docker-compose.yml"
WORKER_CONF = ROOT / "deploy" / "worker.conf"

_VARIABLE = re.compile(r"\$\$|\$\{(?P<name>\w+)(?::(?P<operator>[-?])(?P<operand>[^}]*))?\}")


class VariableMissingError(Exception):
    """A variable without a default was not given; the message is the one in the file."""


def load(variables: Mapping[str, str]) -> dict[str, Any]:
    """The file with its variables filled in; raises VariableMissingError."""
    document = _fill(yaml.safe_load(COMPOSE_FILE.read_text()), variables)
    assert isinstance(document, dict)
    return document


def example_variables() -> dict[str, str]:
    """What .env.example asks for, each with a value of its own."""
    return {name: f"canary-{name.lower()}" for name in required_variables()}


def required_variables() -> list[str]:
    """The variables that .env.example leaves for the reader to fill in."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    return [line.removesuffix("=") for line in lines if re.fullmatch(r"\w+=", line)]


def is_one_shot(service: Mapping[str, Any]) -> bool:
    """Whether the service does one thing and ends."""
    return bool(service["restart"] == "no")


def health_command(service: Mapping[str, Any]) -> list[str]:
    """The health check as a command line."""
    kind, *command = service["healthcheck"]["test"]
    return command if kind == "CMD" else ["sh", "-c", *command]


def _fill(node: object, variables: Mapping[str, str]) -> object:
    if isinstance(node, dict):
        return {key: _fill(value, variables) for key, value in node.items()}
    if isinstance(node, list):
        return [_fill(value, variables) for value in node]
    if isinstance(node, str):
        return _VARIABLE.sub(lambda match: _value(match, variables), node)
    return node


def _value(match: re.Match[str], variables: Mapping[str, str]) -> str:
    if match[0] == "$$":
        return "$"
    if given := variables.get(match["name"]):
        return given
    if match["operator"] == "-":
        return match["operand"]
    raise VariableMissingError(match["operand"])
