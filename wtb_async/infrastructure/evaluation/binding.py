"""Calling conventions: which arguments an evaluator gets.

An evaluator names what it wants (LangSmith's convention). One that requires two parameters of other
names gets the run and the example, LangSmith's older one. `output` and `expected` are autoevals'.
Objects with LangSmith's own methods are called by these.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from wtb_async.infrastructure.evaluation.offers import Offer

Evaluator = Any
"""A function, an instance with `__call__`, or an object with LangSmith's methods."""

_METHODS = (("evaluate_run", "aevaluate_run"), ("compare_runs", "acompare_runs"))
_LEGACY_PARAMETERS = 2


def is_evaluator(found: object) -> bool:
    """Tell whether it can be called one way or the other."""
    return callable(found) or any(hasattr(found, name) for names in _METHODS for name in names)


def bound(evaluator: Evaluator, offer: Offer) -> Callable[[], Any]:
    """The evaluator with its arguments. Raises TypeError when it asks for what there is not."""
    if (method := _langsmith_method(evaluator)) is not None:
        return partial(method, *offer.pair)
    return _bound_by_signature(evaluator, offer)


def _langsmith_method(evaluator: Evaluator) -> Callable[..., Any] | None:
    """LangSmith's own wrappers have both methods and say which one is meant."""
    for plain, asynchronous in _METHODS:
        method: Callable[..., Any] | None = getattr(evaluator, plain, None)
        if method is None or getattr(evaluator, "is_async", False):
            method = getattr(evaluator, asynchronous, method)
        if method is not None:
            return method
    return None


def _bound_by_signature(evaluator: Evaluator, offer: Offer) -> Callable[[], Any]:
    parameters = inspect.signature(evaluator).parameters.values()
    available = {**offer.aliases, **offer.named}
    required = [p.name for p in parameters if p.default is p.empty and not _is_variadic(p)]
    if unknown := sorted(set(required) - available.keys()):
        if len(required) == _LEGACY_PARAMETERS:
            return partial(evaluator, *offer.pair)
        raise TypeError(f"it asks for {', '.join(unknown)}; there are {', '.join(offer.named)}")
    by_position = [available[p.name] for p in parameters if p.kind is p.POSITIONAL_ONLY]
    by_name = {
        p.name: available[p.name]
        for p in parameters
        if p.name in available and p.kind in {p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY}
    }
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        by_name |= _unnamed(by_name, offer)
    return partial(evaluator, *by_position, **by_name)


def _unnamed(by_name: Mapping[str, Any], offer: Offer) -> Mapping[str, Any]:
    """What goes to `**kwargs`: everything if nothing was named, as with LangSmith nothing else.

    Scorers of autoevals name `output` and find the input there.
    """
    if not by_name:
        return offer.named
    return {"input": offer.aliases["input"]} if "output" in by_name else {}


def _is_variadic(parameter: inspect.Parameter) -> bool:
    return parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}
