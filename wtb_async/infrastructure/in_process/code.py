"""Code of this very process: functions without an importable name beside those that have one."""

import importlib
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from wtb_async.domain.errors import InvalidInput
from wtb_async.infrastructure.langgraph.code_source import CodeSource
from wtb_async.infrastructure.langgraph.projects import Project
from wtb_async.infrastructure.langgraph.workspace_settings import (
    DEFAULT_WORKSPACE,
    WorkspaceSettings,
)

LOCAL = "local"
"""The name of the source that has every module which this process can import."""

_OBJECTS = "memory/"
"""What references to objects begin with; no module has such a name."""


class InProcessObjects:
    """Objects of this process by reference, for those that no import finds again."""

    def __init__(self) -> None:
        self._objects: dict[str, object] = {}
        self.on_change: Callable[[], None] = _nobody

    def put(self, role: str, found: object) -> str:
        """Keep an object under what it is to a workflow; answers its reference.

        The same role and name always give the same reference: a run that an earlier process has
        left finds the object again, once it was put here again.
        """
        name = str(getattr(found, "__name__", type(found).__name__))
        reference = f"{_OBJECTS}{role}:{name if name.isidentifier() else 'function'}"
        if self._objects.get(reference) is not found:
            self._objects[reference] = found
            self.on_change()
        return reference

    def get(self, reference: str, field: str) -> object:
        """What was put under this reference. Raises InvalidInput."""
        if reference not in self._objects:
            raise InvalidInput.of(
                field,
                f"{reference!r} was an object of a process that has ended, or is not registered "
                "yet; register its project (bench.register_project), then resume the execution",
            )
        return self._objects[reference]


class InProcessCode:
    """A code source with the objects of this process in it."""

    def __init__(self, source: CodeSource, objects: InProcessObjects) -> None:
        self._source = source
        self._objects = objects

    @property
    def name(self) -> str:
        """By which workflows name it."""
        return self._source.name

    @property
    def lower_is_better(self) -> Sequence[str]:
        """The keys of the scores of which less is better."""
        return self._source.lower_is_better

    @property
    def project_file(self) -> Path | None:
        """The `langgraph.json` by which another process finds the same code, if there is one."""
        return self._source.project_file

    def workspace_of(self, workflow: str) -> WorkspaceSettings:
        """How the workspaces of a workflow are kept."""
        return self._source.workspace_of(workflow)

    def file_of(self, target: str) -> Path | None:
        """The file that the part of a reference before the colon means, as far as can be told."""
        return self._source.file_of(target)

    def check_reference(self, reference: str, *, field: str = "graph") -> None:
        """Raise `InvalidInput` for a reference that leads nowhere."""
        if reference.startswith(_OBJECTS):
            self._objects.get(reference, field)
        else:
            self._source.check_reference(reference, field=field)

    def load(self, reference: str, *, field: str = "graph") -> Any:  # noqa: ANN401 - the user's own object
        """What the reference names. Raises InvalidInput."""
        if reference.startswith(_OBJECTS):
            return self._objects.get(reference, field)
        return self._source.load(reference, field=field)


class ImportableCode:
    """Every module that this process can import: its user may run them all anyway."""

    name = LOCAL
    lower_is_better: Sequence[str] = ()
    project_file: Path | None = None

    def workspace_of(self, workflow: str) -> WorkspaceSettings:
        """That of a workflow of which no project's file says anything."""
        del workflow
        return DEFAULT_WORKSPACE

    def file_of(self, target: str) -> Path | None:
        """Nothing is told of what may be a notebook's; calling it will show what it asks for."""
        del target
        return None

    def check_reference(self, reference: str, *, field: str = "graph") -> None:
        """Raise `InvalidInput` unless it has the form of a reference to a module's attribute."""
        module, _, attribute = reference.rpartition(":")
        parts = [*module.split("."), attribute]
        if not all(part.isidentifier() for part in parts):
            raise InvalidInput.of(
                field,
                f"{reference!r} is not 'package.module:attribute'; for a file of a project open "
                "the bench with its langgraph.json: WTBTestBench.local(project=...)",
            )

    def load(self, reference: str, *, field: str = "graph") -> Any:  # noqa: ANN401
        """Import what the reference names. Raises InvalidInput."""
        self.check_reference(reference, field=field)
        name, _, attribute = reference.rpartition(":")
        try:
            module = sys.modules.get(name) or importlib.import_module(name)
            return getattr(module, attribute)
        except Exception as error:
            message = f"{reference!r} does not load: {type(error).__name__}: {error}"
            raise InvalidInput.of(field, message) from error


class InProcessSources:
    """Everything importable, and the projects that the bench was opened with."""

    def __init__(self, projects: Iterable[Project], objects: InProcessObjects) -> None:
        sources: list[CodeSource] = [ImportableCode(), *projects]
        self._sources = {source.name: InProcessCode(source, objects) for source in sources}

    def get(self, name: str) -> InProcessCode:
        """The source with this name. Raises InvalidInput."""
        if name not in self._sources:
            raise InvalidInput.of(
                "project",
                f"this bench has no project {name!r}; open it with that project's langgraph.json: "
                "WTBTestBench.local(project=...)",
            )
        return self._sources[name]

    def default(self) -> InProcessCode:
        """Everything that this process can import."""
        return self._sources[LOCAL]


def _nobody() -> None:
    """Nobody listens yet."""
