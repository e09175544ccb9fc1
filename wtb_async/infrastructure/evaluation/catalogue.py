"""Which evaluators there are: built in, in the workflow's project, in known libraries."""

import importlib
import importlib.util
import inspect
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

import orjson
from pydantic import ValidationError

from wtb_async.domain.errors import InvalidInput, Violation
from wtb_async.domain.evaluator import EvaluatorChoice, numbered
from wtb_async.infrastructure.evaluation.binding import Evaluator, is_evaluator
from wtb_async.infrastructure.evaluation.builtin import BUILTIN_EVALUATORS
from wtb_async.infrastructure.evaluation.signatures import argument_violations
from wtb_async.infrastructure.langgraph.projects import ProjectRegistry
from wtb_async.infrastructure.langgraph.references import load_attribute

BUILTIN_PREFIX: Final = "wtb."
LIBRARIES: Final = frozenset({"openevals", "autoevals"})
"""Packages whose scorers may be named as they are, where they are installed."""


class EvaluatorCatalogue:
    """Finds evaluators, and keeps what it has found."""

    def __init__(self, projects: ProjectRegistry) -> None:
        self._projects = projects
        self._found: dict[tuple[str, bytes], Evaluator] = {}

    def check(self, project: str, choices: Sequence[EvaluatorChoice]) -> None:
        """Raise InvalidInput with everything that is wrong with these choices.

        Nothing of the project is loaded; what cannot be told without that shows when an execution
        is scored.
        """
        found = self._projects.get(project)
        violations: list[Violation] = []
        for place, choice in numbered(choices):
            try:
                if choice.use.startswith(BUILTIN_PREFIX):
                    _built_in(choice, place)
                elif _library_of(choice.use) in LIBRARIES:
                    _check_library(choice.use, place)
                else:
                    found.check_reference(choice.use, field=place)
                    violations += argument_violations(found, choice, place)
            except InvalidInput as error:
                violations += error.violations
        if violations:
            raise InvalidInput(violations)

    def find(self, project: str, choice: EvaluatorChoice) -> Evaluator:
        """The evaluator with the choice's arguments. Raises InvalidInput.

        A class is made with them, and so is what openevals' `create_` functions make; any other
        function gets them with every call.
        """
        key = (project, orjson.dumps(choice.to_stored()))
        if key not in self._found:
            self._found[key] = self._make(project, choice)
        return self._found[key]

    def lower_is_better(self, project: str, choice: EvaluatorChoice, score_key: str) -> bool:
        """Tell whether less is better: by the caller, else the evaluator or the project."""
        if choice.lower_is_better is not None:
            return choice.lower_is_better
        built_in = BUILTIN_EVALUATORS.get(choice.use)
        if built_in is not None and built_in.lower_is_better:
            return True
        return score_key in self._projects.get(project).lower_is_better

    def _make(self, project: str, choice: EvaluatorChoice) -> Evaluator:
        if choice.use.startswith(BUILTIN_PREFIX):
            return _built_in(choice, "evaluators")
        if _library_of(choice.use) in LIBRARIES:
            found = _load_from_library(choice.use)
            is_maker = inspect.isclass(found) or _attribute(choice.use).startswith("create_")
        else:
            found = load_attribute(self._projects.get(project), choice.use, field="evaluators")
            is_maker = inspect.isclass(found)
        made = found(**choice.arguments) if is_maker else _called_with(found, choice.arguments)
        if not is_evaluator(made):
            raise InvalidInput.of("evaluators", f"{choice.use!r} is not a function")
        return made


def _called_with(found: Any, arguments: dict[str, Any]) -> Evaluator:  # noqa: ANN401
    return partial(found, **arguments) if arguments else found


def _built_in(choice: EvaluatorChoice, place: str) -> Evaluator:
    kind = BUILTIN_EVALUATORS.get(choice.use)
    if kind is None:
        known = ", ".join(BUILTIN_EVALUATORS)
        raise InvalidInput.of(place, f"{choice.use!r} does not exist; built in are {known}")
    try:
        return kind.model_validate(choice.arguments)
    except ValidationError as error:
        raise InvalidInput(list(_violations(error, place))) from error


def _violations(error: ValidationError, place: str) -> Iterator[Violation]:
    for each in error.errors(include_url=False):
        path = ".".join(str(part) for part in ("with", *each["loc"]))
        yield Violation(f"{place}.{path}", each["msg"])


def _attribute(reference: str) -> str:
    return reference.rpartition(":")[2]


def _library_of(reference: str) -> str:
    return reference.partition(":")[0].partition(".")[0]


def _check_library(reference: str, place: str) -> None:
    library = _library_of(reference)
    if importlib.util.find_spec(library) is None:
        raise InvalidInput.of(place, f"{reference!r}: {library} is not installed on this server")
    if ":" not in reference or not _attribute(reference).isidentifier():
        raise InvalidInput.of(place, f"{reference!r} is not 'module:attr'")


def _load_from_library(reference: str) -> Any:  # noqa: ANN401 - the library's own object
    """Import a scorer that is the library's own: what it imports itself is nobody's to call."""
    module, _, attribute = reference.rpartition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except Exception as error:
        message = f"{reference!r} does not load: {type(error).__name__}: {error}"
        raise InvalidInput.of("evaluators", message) from error
    if _library_of(str(getattr(found, "__module__", ""))) != _library_of(reference):
        message = f"{reference!r} is not of {_library_of(reference)} itself"
        raise InvalidInput.of("evaluators", message)
    return found
