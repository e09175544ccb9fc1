"""Reads what evaluators return: LangSmith's forms, and autoevals' scores."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from pydantic import BaseModel

from wtb_async.application.batches.scoring import Score
from wtb_async.domain.evaluator import EvaluatorChoice
from wtb_async.infrastructure.langgraph.plain_json import storable_text

_MEANT = frozenset({"key", "score", "value", "comment"})


def scores_of(choice: EvaluatorChoice, result: object) -> list[Score]:
    """One score for each thing that the evaluator said.

    A key that the caller chose stands before those that an evaluator gives to several scores.

    Raises:
        TypeError: it said nothing, or something that is no score.
    """
    if not isinstance(result, list | tuple) and not _holds_several(result):
        return [_score(choice, result, key=choice.key)]
    scores = [_prefixed(choice, item) for item in _items(result)]
    if not scores:
        raise TypeError("it returned no score")
    return scores


def _prefixed(choice: EvaluatorChoice, item: object) -> Score:
    key = _named(item).get("key")
    if key and choice.key:
        key = f"{choice.key}.{key}"
    return _score(choice, item, key=key or choice.key)


def _items(result: object) -> Iterator[object]:
    if isinstance(result, list | tuple):
        for item in result:
            yield from _items(item)
    elif _holds_several(result):
        yield from _items(_named(result)["results"])
    else:
        yield result


def _holds_several(result: object) -> bool:
    return "results" in _named(result)


def _named(result: object) -> Mapping[str, Any]:
    """The fields of a mapping, of LangSmith's `EvaluationResult`, of autoevals' `Score`."""
    if isinstance(result, Mapping):
        return result
    if isinstance(result, BaseModel):
        return result.model_dump()
    if hasattr(result, "score") and hasattr(result, "name"):
        metadata = getattr(result, "metadata", None) or {}
        return {"key": result.name, "score": result.score, "comment": metadata.get("rationale")}
    return {}


def _score(choice: EvaluatorChoice, item: object, *, key: str | None) -> Score:
    fields = _named(item)
    if not fields:
        fields = {"value": item} if item and isinstance(item, str) else {"score": item}
    if not _MEANT.intersection(fields):
        raise TypeError(f"a result has a key, a score, a value or a comment, not {[*fields]}")
    return Score(
        evaluator=choice.name,
        key=storable_text(str(key or fields.get("key") or choice.score_key)),
        score=_number(fields.get("score")),
        comment=_comment(fields),
    )


def _comment(fields: Mapping[str, Any]) -> str | None:
    """What it said in words; a category (LangSmith's `value`) comes first."""
    words = [str(said) for name in ("value", "comment") if (said := fields.get(name)) is not None]
    return storable_text(": ".join(words)) if words else None


def _number(value: object) -> bool | float | None:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    raise TypeError(f"a score is a bool or a finite number, not {value!r}")
