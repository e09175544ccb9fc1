"""How the workspaces of a project's workflows are kept: our key `wtb.workspaces`."""

from collections.abc import Collection
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from pathspec import GitIgnoreSpec
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from wtb_async.domain.errors import InvalidInput


class Snapshots(StrEnum):
    """When the files of a workspace are kept."""

    NODE = "node"
    """At the successful end of every node."""
    SUPERSTEP = "superstep"
    """With every checkpoint."""
    MANUAL = "manual"
    """At the end of a node that has called `workspace.keep()`."""


class WhenEnded(StrEnum):
    """What becomes of the directory when an execution ends; its kept files stay in any case."""

    REMOVE = "remove"
    KEEP = "keep"
    ARCHIVE = "archive"
    """Its newest files are packed into one, and it is removed."""


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class WorkspaceSettings:
    """What a workflow's entry says; what it leaves out is as here."""

    source: Path | None = None
    """The folder whose files a workspace begins with; None: it begins empty."""
    ignore: tuple[str, ...] = ()
    """Paths that are not kept, as in a `.gitignore`."""
    copy: tuple[str, ...] = ()
    """Paths that are copied instead of linked, for what writes to them without Python."""
    snapshots: Snapshots = Snapshots.NODE
    when_ended: WhenEnded = WhenEnded.REMOVE
    processes: frozenset[str] = frozenset()
    """The nodes that run in processes of their own."""


DEFAULT_WORKSPACE = WorkspaceSettings()
"""An empty one that comes into being when a node asks for it."""

_ENTRIES = TypeAdapter(dict[str, WorkspaceSettings])


def read_workspaces(
    given: object, folder: Path, workflows: Collection[str]
) -> dict[str, WorkspaceSettings]:
    """What a project says of its workspaces, by workflow; sources become absolute.

    Args:
        given: the value of the key, as JSON has it.
        folder: of the project; sources stay below it.
        workflows: those that the project has.

    Raises:
        InvalidInput: it names the entry that is not understood.
    """
    try:
        entries = _ENTRIES.validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise _refused(".".join(map(str, first["loc"])), first["msg"]) from error
    for name, settings in entries.items():
        if name not in workflows:
            raise _refused(name, f"the project has no workflow {name!r}")
        _check_patterns(f"{name}.ignore", settings.ignore)
        _check_patterns(f"{name}.copy", settings.copy)
    return {name: _resolved(name, settings, folder) for name, settings in entries.items()}


def _check_patterns(place: str, patterns: Collection[str]) -> None:
    try:
        GitIgnoreSpec.from_lines(patterns)
    except ValueError as error:
        raise _refused(place, str(error)) from error


def _resolved(name: str, settings: WorkspaceSettings, folder: Path) -> WorkspaceSettings:
    if settings.source is None:
        return settings
    source = (folder / settings.source).resolve()
    if not source.is_relative_to(folder) or not source.is_dir():
        message = (
            f"{str(settings.source)!r} is no folder below that of the project's langgraph.json"
        )
        raise _refused(f"{name}.source", message)
    return replace(settings, source=source)


def _refused(place: str, message: str) -> InvalidInput:
    return InvalidInput.of("project", f"langgraph.json: wtb.workspaces.{place}: {message}")
