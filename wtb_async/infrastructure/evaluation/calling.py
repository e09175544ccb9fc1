"""LangSmith's calling convention: an evaluator names the arguments that it wants."""

import asyncio
import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from wtb_async.application.ports import Score, ScoringJob
from wtb_async.domain.batch_test import score_key
from wtb_async.domain.json import JsonObject, JsonValue
from wtb_async.infrastructure.langgraph.plain_json import storable_text

Evaluator = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class RunView:
    """What an evaluator sees of the run under the name `run`."""

    id: str
    inputs: JsonObject
    outputs: JsonValue
    error: JsonObject | None
    status: str
    duration_ms: float | None
    metadata: JsonObject


async def call_evaluator(name: str, evaluator: Evaluator, job: ScoringJob) -> list[Score]:
    """Call with the arguments it names, and read what it returns.

    Sync evaluators run in a thread; what they return may still be an awaitable. Whatever goes
    wrong becomes the score's error: one bad evaluator must not cost the others their results.
    """
    try:
        arguments = _arguments(evaluator, job)
        if inspect.iscoroutinefunction(evaluator):
            result = await evaluator(**arguments)
        else:
            result = await asyncio.to_thread(evaluator, **arguments)
        if inspect.isawaitable(result):
            result = await result
        return _scores(name, result)
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        message = storable_text(f"{type(error).__name__}: {error}")
        return [Score(evaluator=name, key=score_key(name), error=message)]


def _arguments(evaluator: Evaluator, job: ScoringJob) -> dict[str, Any]:
    offered: dict[str, Any] = {
        "inputs": job.inputs,
        "outputs": job.outputs,
        "reference_outputs": job.reference_outputs,
        "metadata": job.metadata,
        "run": RunView(
            id=str(job.execution_id),
            inputs=job.inputs,
            outputs=job.outputs,
            error=job.error,
            status=job.status,
            duration_ms=job.duration_ms,
            metadata=job.metadata,
        ),
    }
    parameters = inspect.signature(evaluator).parameters.values()
    wanted = [p.name for p in parameters if p.kind is not inspect.Parameter.VAR_KEYWORD]
    if len(wanted) < len(parameters):
        return offered
    required = {p.name for p in parameters if p.default is inspect.Parameter.empty}
    if unknown := sorted(required - offered.keys()):
        raise TypeError(f"it asks for {', '.join(unknown)}; there are {', '.join(offered)}")
    return {argument: offered[argument] for argument in wanted if argument in offered}


def _scores(name: str, result: object) -> list[Score]:
    if isinstance(result, list | tuple):
        return [score for item in result for score in _scores(name, item)]
    if isinstance(result, Mapping):
        return [_from_mapping(name, result)]
    return [Score(evaluator=name, key=score_key(name), score=_number(result))]


def _from_mapping(name: str, result: Mapping[str, Any]) -> Score:
    comment = result.get("comment")
    return Score(
        evaluator=name,
        key=storable_text(str(result.get("key") or score_key(name))),
        score=_number(result.get("score")),
        comment=None if comment is None else storable_text(str(comment)),
    )


def _number(value: object) -> bool | float | None:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    raise TypeError(f"a score is a bool or a finite number, not {value!r}")
