"""Which evaluators there are: built in, in the workflow's project, in known libraries."""

from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from typing import Final

import orjson
from pydantic import ValidationError

from wtb_async.domain.errors import InvalidInput, Violation
from wtb_async.domain.evaluator import EvaluatorChoice, numbered
from wtb_async.infrastructure.evaluation.binding import Evaluator, is_evaluator
from wtb_async.infrastructure.evaluation.builtin import BUILTIN_EVALUATORS
from wtb_async.infrastructure.evaluation.libraries import (
    check_library_scorer,
    is_of_library,
    load_library_scorer,
    makes_scorers,
)
from wtb_async.infrastructure.evaluation.signatures import argument_violations
from wtb_async.infrastructure.langgraph.code_source import CodeSource, CodeSources

BUILTIN_PREFIX: Final = "wtb."


class EvaluatorCatalogue:
    """Finds evaluators, and keeps what it has found."""

    def __init__(self, projects: CodeSources) -> None:
        self._projects = projects
        self._kept = lru_cache(maxsize=256)(self._make)

    def forget(self) -> None:
        """Load every evaluator anew: what references name has changed."""
        self._kept.cache_clear()

    def check(self, project: str, choices: Sequence[EvaluatorChoice]) -> None:
        """Raise InvalidInput with everything that is wrong with these choices.

        Nothing of the project is loaded; what cannot be told without that shows when an execution
        is scored.
        """
        found = self._projects.get(project)
        violations: list[Violation] = []
        for place, choice in numbered(choices):
            try:
                _check(found, choice, place)
            except InvalidInput as error:
                violations += error.violations
        if violations:
            raise InvalidInput(violations)

    def find(self, project: str, choice: EvaluatorChoice) -> Evaluator:
        """The evaluator with the choice's arguments. Raises InvalidInput.

        A class is made with them, and so is what openevals' `create_` functions make; any other
        function gets them with every call.
        """
        return self._kept(project, choice.use, orjson.dumps(choice.arguments))

    def lower_is_better(self, project: str, choice: EvaluatorChoice, score_key: str) -> bool:
        """Tell whether less is better: by the caller, else the evaluator or the project."""
        if choice.lower_is_better is not None:
            return choice.lower_is_better
        built_in = BUILTIN_EVALUATORS.get(choice.use)
        if built_in is not None and built_in.lower_is_better:
            return True
        return score_key in self._projects.get(project).lower_is_better

    def _make(self, project: str, reference: str, arguments_text: bytes) -> Evaluator:
        arguments = orjson.loads(arguments_text)
        if reference.startswith(BUILTIN_PREFIX):
            return _built_in(EvaluatorChoice(use=reference, arguments=arguments), "evaluators")
        if is_of_library(reference):
            found = load_library_scorer(reference)
        else:
            found = self._projects.get(project).load(reference, field="evaluators")
        if makes_scorers(found, reference):
            found = found(**arguments)
        elif arguments:
            found = partial(found, **arguments)
        if not is_evaluator(found):
            raise InvalidInput.of("evaluators", f"{reference!r} is not a function")
        return found


def _check(project: CodeSource, choice: EvaluatorChoice, place: str) -> None:
    if choice.use.startswith(BUILTIN_PREFIX):
        _built_in(choice, place)
    elif is_of_library(choice.use):
        check_library_scorer(choice.use, field=place)
    else:
        project.check_reference(choice.use, field=place)
        if violations := list(argument_violations(project, choice, place)):
            raise InvalidInput(violations)


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
