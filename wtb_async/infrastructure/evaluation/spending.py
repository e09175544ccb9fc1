"""What the models of one execution took, for the account of its batch test."""

from collections.abc import Iterable

from wtb_async.application.batches.scoring import Score, TokenUsage
from wtb_async.domain.evaluator import EvaluatorChoice
from wtb_async.domain.json import JsonValue
from wtb_async.infrastructure.evaluation.builtin.usage import find_usages

COST = "wtb.cost"


def usage_of(
    outputs: JsonValue, choices: Iterable[EvaluatorChoice], scores: Iterable[Score]
) -> TokenUsage | None:
    """The tokens that the messages name, and the money if an evaluator has just added it up."""
    if not (usages := find_usages(outputs)):
        return None
    priced = {choice.name for choice in choices if choice.use == COST}
    costs = [s.score for s in scores if s.evaluator in priced and s.score is not None]
    return TokenUsage(
        input_tokens=sum(usage.input for usage in usages),
        output_tokens=sum(usage.output for usage in usages),
        cost=float(costs[0]) if costs else None,
    )
