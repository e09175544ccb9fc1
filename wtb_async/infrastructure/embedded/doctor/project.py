"""`langgraph.json`: whether it can be read and its references lead to files."""

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from wtb_async.infrastructure.embedded.doctor.finding import Finding, fine, wrong

_SUBJECT = "project"


def check_project(project: Path) -> Iterator[Finding]:
    """The file itself, then every graph and variant that it names."""
    try:
        document = json.loads(project.read_text())
        references = dict(_references(document))
    except OSError as error:
        yield wrong(_SUBJECT, f"{project}: {error.strerror}", "name a readable langgraph.json")
        return
    except (ValueError, AttributeError) as error:
        yield wrong(_SUBJECT, f"{project} is not a langgraph.json: {error}", "correct the file")
        return
    if not references:
        yield wrong(
            _SUBJECT, f"{project} names no graphs", 'add {"graphs": {"name": "./file.py:graph"}}'
        )
    for name, reference in references.items():
        yield _reference(name, reference, project.resolve().parent)


def _references(document: dict[str, object]) -> Iterator[tuple[str, str]]:
    for name, graph in _object(document.get("graphs")).items():
        yield name, _target(graph)
    for workflow, nodes in _object(_object(document.get("wtb")).get("variants")).items():
        for node, variants in _object(nodes).items():
            for variant, target in _object(variants).items():
                yield f"{workflow}.{node}.{variant}", _target(target)


def _object(value: object) -> dict[str, object]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} should be an object")  # noqa: TRY004 - a fault of the file
    return value


def _target(value: object) -> str:
    # A graph may also be an object with its reference under `path`.
    return str(value.get("path", "")) if isinstance(value, dict) else str(value)


def _reference(name: str, reference: str, folder: Path) -> Finding:
    subject = f"reference {name}"
    location, colon, attribute = reference.rpartition(":")
    if not (colon and location and attribute):
        return wrong(
            subject, repr(reference), "write it as ./file.py:attribute or module:attribute"
        )
    if _leads_to_code(location, folder):
        return fine(subject, reference)
    return wrong(subject, f"{reference}: there is no such file below {folder}", "correct the path")


def _leads_to_code(location: str, folder: Path) -> bool:
    if location.endswith(".py"):
        return (folder / location).is_file()
    inside = folder.joinpath(*location.split("."))
    if inside.with_suffix(".py").is_file() or (inside / "__init__.py").is_file():
        return True
    # Only the top package is looked up: finding a submodule would import its parents.
    return find_spec(location.partition(".")[0]) is not None
