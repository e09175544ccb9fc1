"""What functions ask for, read from the text of their module without running it."""

import ast
from collections.abc import Iterator

from wtb_async.domain.errors import Violation
from wtb_async.domain.evaluator import EvaluatorChoice, EvaluatorKind
from wtb_async.infrastructure.evaluation.offers import (
    PAIRWISE_NAMES,
    SINGLE_NAMES,
    SUMMARY_NAMES,
)
from wtb_async.infrastructure.langgraph.code_source import CodeSource

_OFFERED = {
    EvaluatorKind.SINGLE: SINGLE_NAMES,
    EvaluatorKind.PAIRWISE: PAIRWISE_NAMES,
    EvaluatorKind.SUMMARY: SUMMARY_NAMES,
}
_LEGACY_PARAMETERS = 2


def argument_violations(
    project: CodeSource, choice: EvaluatorChoice, place: str
) -> Iterator[Violation]:
    """What is wrong with the arguments of a choice whose reference leads to a plain function.

    Of classes, decorated functions and names that are assigned nothing can be told.
    """
    target, _, name = choice.use.rpartition(":")
    function = _function(project, target, name)
    if function is None:
        return
    given = choice.arguments.keys()
    known, required = _parameters(function.args)
    if function.args.kwarg is None:
        for argument in sorted(given - known):
            message = f"{name} takes no argument {argument!r}"
            yield Violation(f"{place}.with.{argument}", message)
    missing = sorted(required - given - set(_OFFERED[choice.kind]))
    if missing and len(required - given) != _LEGACY_PARAMETERS:
        message = f"{name} asks for {', '.join(missing)}, which nobody gives it"
        yield Violation(f"{place}.with", message)


def _function(
    project: CodeSource, target: str, name: str
) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    file = project.file_of(target)
    if file is None:
        return None
    try:
        module = ast.parse(file.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return None  # Loading it will say what is wrong in the words of the interpreter.
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            return None if node.decorator_list else node
    return None


def _parameters(arguments: ast.arguments) -> tuple[set[str], set[str]]:
    """All names, and those without a default."""
    by_place = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
    required = set(by_place[: len(by_place) - len(arguments.defaults)])
    by_name = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    required |= {each.arg for each, default in by_name if default is None}
    return {*by_place, *(each.arg for each in arguments.kwonlyargs)}, required
