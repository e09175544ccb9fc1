"""Turns references into the objects that they name, inside the process that will use them."""

import hashlib
import importlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wtb_async.domain.errors import InvalidInput

if TYPE_CHECKING:
    from wtb_async.infrastructure.langgraph.projects import Project


def load_attribute(project: "Project", reference: str, *, field: str = "graph") -> Any:  # noqa: ANN401 - the user's own object
    """Import what a reference names.

    Raises:
        InvalidInput: it lies outside the project, does not import, or has no such attribute; the
            message carries the user's own error.
    """
    project.check_reference(reference, field=field)
    target, _, attribute = reference.rpartition(":")
    for folder in reversed(project.search_path):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    try:
        module = _load(project, target)
        return getattr(module, attribute)
    except Exception as error:
        message = f"{reference!r} does not load: {type(error).__name__}: {error}"
        raise InvalidInput.of(field, message) from error


def _load(project: "Project", target: str) -> Any:  # noqa: ANN401
    return _import_file(project, target) if target.endswith(".py") else _import(project, target)


def _import(project: "Project", name: str) -> Any:  # noqa: ANN401
    """Import a module by its name, and make sure that it is this project's.

    Python keeps one module per name: another project's, or a library's, may have come first.
    """
    module = importlib.import_module(name)
    found, own = Path(module.__file__ or "").resolve(), project.file_of(name)
    if found != own:
        raise ImportError(
            f"{name!r} is loaded from {found} already; refer to the file, ./{name}.py"
        )
    return module


def _import_file(project: "Project", target: str) -> Any:  # noqa: ANN401
    """Import a file once, under a name of its own: two projects may both have a `graph.py`."""
    path = (project.folder / target).resolve()
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:12]
    name = f"wtb_project_{digest}_{path.stem}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
