"""Pairwise evaluators: in which order the outputs are shown, and which one was preferred."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

from wtb_async.application.batches.scoring import Score, ScoringJob
from wtb_async.domain.evaluator import EvaluatorChoice
from wtb_async.domain.workflow import decided
from wtb_async.infrastructure.langgraph.plain_json import storable_text

TIE: Final = 0.5


def shows_baseline_first(choice: EvaluatorChoice, job: ScoringJob) -> bool:
    """Toss a coin that falls the same way for this case whenever it is tossed.

    Judges favour a position; over many cases that favours neither side.
    """
    chosen = sorted(decided(job.combination).items())
    tossed = [choice.name, job.case.key, job.repetition, chosen]
    return hashlib.sha256(json.dumps(tossed).encode()).digest()[0] % 2 == 0


def preference_of(
    choice: EvaluatorChoice, result: object, run_ids: Sequence[str], *, baseline_first: bool
) -> Score:
    """1 where the combination's output was preferred to the baseline's, 0 where not, 0.5 for a tie.

    An evaluator returns a score for each output: in their order, or by the ids of their runs under
    `scores`. Or it returns the preferred one's place, 0 or 1, and 0.5 for a tie.

    Raises:
        TypeError: it returned something else.
    """
    fields = _fields(result)
    second_preferred = _second_preferred(
        fields.get("scores"), run_ids, lower_is_better=bool(choice.lower_is_better)
    )
    comment = fields.get("comment")
    return Score(
        evaluator=choice.name,
        key=storable_text(choice.key or str(fields.get("key") or choice.score_key)),
        score=second_preferred if baseline_first else 1 - second_preferred,
        comment=None if comment is None else storable_text(str(comment)),
        baseline_first=baseline_first,
    )


def _fields(result: object) -> Mapping[str, Any]:
    if isinstance(result, BaseModel):
        return result.model_dump()
    return result if isinstance(result, Mapping) else {"scores": result}


def _second_preferred(scores: object, run_ids: Sequence[str], *, lower_is_better: bool) -> float:
    """How far the output that was shown second was preferred to the other."""
    if isinstance(scores, Mapping):
        by_id = {str(run_id): score for run_id, score in scores.items()}
        scores = [by_id.get(run_id) for run_id in run_ids]
    match scores:
        case [int() | float() as first, int() | float() as second]:
            better = second < first if lower_is_better else second > first
            return TIE if first == second else float(better)
        case int() | float() if scores in {0, TIE, 1}:
            return float(scores)
        case _:
            raise TypeError(f"a preference is a score for each of two outputs, not {scores!r}")
