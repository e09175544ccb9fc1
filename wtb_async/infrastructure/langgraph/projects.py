"""Projects: the `langgraph.json` files whose graphs this server may load."""

import ast
import json
from collections.abc import Iterable, Iterator
from dataclasses import field
from pathlib import Path
from typing import Any

from pydantic.dataclasses import dataclass

from wtb_async.domain.errors import InvalidInput
from wtb_async.infrastructure.langgraph.references import load_attribute
from wtb_async.infrastructure.langgraph.workspace_settings import (
    DEFAULT_WORKSPACE,
    WorkspaceSettings,
    read_workspaces,
)


@dataclass(frozen=True, slots=True)
class Project:
    """One `langgraph.json`.

    `variants` is our own key in it: `{"wtb": {"variants": {workflow: {node: {name: reference}}}}}`
    names node variants, `{"wtb": {"workflow_variants": {workflow: {name: reference}}}}` whole
    graphs, `{"wtb": {"lower_is_better": [key]}}` scores; LangGraph's own tools pass them over.
    """

    name: str
    file: Path
    graphs: dict[str, str]
    variants: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    workflow_variants: dict[str, dict[str, str]] = field(default_factory=dict)
    workspaces: dict[str, WorkspaceSettings] = field(default_factory=dict)
    """`{"wtb": {"workspaces": {workflow: settings}}}`."""
    lower_is_better: tuple[str, ...] = ()
    """The keys of scores of which less is better, whichever evaluator gives them."""
    dependencies: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Where the project lies; references stay below it."""
        return self.file.parent

    @property
    def search_path(self) -> list[str]:
        """The folders that the project's modules are imported from."""
        local = [item for item in self.dependencies if item.startswith(".")]
        folders = [self.folder, *((self.folder / item).resolve() for item in local)]
        return list(dict.fromkeys(str(folder) for folder in folders))

    @property
    def project_file(self) -> Path:
        """The `langgraph.json`, by which another process finds the same code."""
        return self.file

    def workspace_of(self, workflow: str) -> WorkspaceSettings:
        """How the workspaces of a workflow are kept, and which of its nodes have processes."""
        return self.workspaces.get(workflow, DEFAULT_WORKSPACE)

    def check_reference(self, reference: str, *, field: str = "graph") -> None:
        """Raise `InvalidInput` unless the reference can only lead into this project's folder."""
        target, separator, attribute = reference.rpartition(":")
        if not separator or not attribute.isidentifier() or not target:
            raise InvalidInput.of(field, f"{reference!r} is not 'module:attr' or './file.py:attr'")
        path = self.file_of(target)
        if path is None or not path.is_relative_to(self.folder) or not _is_file(path):
            raise InvalidInput.of(
                field,
                f"{reference!r} names nothing in project {self.name!r}; "
                "give a file or module under the folder of its langgraph.json",
            )
        if not binds(path, attribute):
            raise InvalidInput.of(field, f"{reference!r}: {path.name} defines no {attribute!r}")

    def load(self, reference: str, *, field: str = "graph") -> Any:  # noqa: ANN401 - the user's own object
        """Import what a reference names. Raises InvalidInput."""
        return load_attribute(self, reference, field=field)

    def file_of(self, target: str) -> Path | None:
        """The file that the part of a reference before the colon means, if it means one."""
        if target.endswith(".py"):
            return (self.folder / target).resolve()
        parts = target.split(".")
        if not all(part.isidentifier() for part in parts):
            return None
        for folder in map(Path, self.search_path):
            module = folder.joinpath(*parts)
            for candidate in (module.with_suffix(".py"), module / "__init__.py"):
                if _is_file(candidate):
                    return candidate.resolve()
        return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # A name may be longer than the file system takes.
        return False


def binds(file: Path, name: str) -> bool:
    """Tell from its text, without running it, whether a module has this name at its top level.

    A star import may bring any name, so it counts as a yes.
    """
    try:
        module = ast.parse(file.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError):
        return True  # Loading it will say what is wrong in the words of the interpreter.
    return any(_binds(each, name) for each in _top_level(module))


def _top_level(node: ast.AST) -> Iterator[ast.AST]:
    """All of a module but what its functions and classes keep to themselves."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(
            child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
        ):
            yield from _top_level(child)


def _binds(node: ast.AST, name: str) -> bool:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return node.name == name
        case ast.Name(ctx=ast.Store()):
            return node.id == name
        case ast.alias():
            return name == (node.asname or node.name.partition(".")[0]) or node.name == "*"
        case _:
            return False


def read_project(path: Path) -> Project:
    """Read a `langgraph.json`. Raises InvalidInput when it is missing or not understood."""
    file = path.expanduser().resolve()
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        graphs = {name: _reference(value) for name, value in content["graphs"].items()}
        ours = content.get("wtb", {})
        return Project(
            name=file.parent.name,
            file=file,
            graphs=graphs,
            variants=ours.get("variants", {}),
            workflow_variants=ours.get("workflow_variants", {}),
            workspaces=read_workspaces(ours.get("workspaces", {}), file.parent, graphs),
            lower_is_better=ours.get("lower_is_better", ()),
            dependencies=tuple(content.get("dependencies", ())),
        )
    except FileNotFoundError as error:
        raise InvalidInput.of("project", f"there is no file {file}") from error
    except OSError as error:
        message = f"{file} cannot be read: {error.strerror}"
        raise InvalidInput.of("project", message) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput.of("project", f"{file} is not a langgraph.json: {error!r}") from error


def _reference(value: object) -> str:
    if isinstance(value, dict):
        value = value["path"]
    if not isinstance(value, str):
        raise TypeError(f"a graph is a reference, not {value!r}")
    return value


class ProjectRegistry:
    """The configured projects, by name."""

    def __init__(self, paths: Iterable[Path]) -> None:
        projects = [read_project(path) for path in paths]
        self._projects = {project.name: project for project in projects}
        if len(self._projects) != len(projects):
            names = ", ".join(project.name for project in projects)
            raise InvalidInput.of("projects", f"two projects share a folder name: {names}")

    def __iter__(self) -> Iterator[Project]:
        return iter(self._projects.values())

    def get(self, name: str) -> Project:
        """The project with this name. Raises InvalidInput."""
        if name not in self._projects:
            known = ", ".join(self._projects) or "none; start with `wtb up` beside a langgraph.json"
            raise InvalidInput.of("project", f"no project {name!r}; this server has: {known}")
        return self._projects[name]

    def default(self) -> Project:
        """The only project. Raises InvalidInput when there are several, or none."""
        if len(self._projects) != 1:
            raise InvalidInput.of("project", f"name one of: {', '.join(self._projects) or 'none'}")
        return next(iter(self._projects.values()))
