"""Evaluators that come with the platform, addressed as `wtb.<name>`."""

from collections.abc import Mapping

from wtb_async.infrastructure.evaluation.builtin.evaluator import BuiltInEvaluator
from wtb_async.infrastructure.evaluation.builtin.matching import ExactMatch, JsonMatch, NumericMatch
from wtb_async.infrastructure.evaluation.builtin.text import Contains, Regex
from wtb_async.infrastructure.evaluation.builtin.usage import Cost, Latency, Tokens

__all__ = ["BUILTIN_EVALUATORS", "BuiltInEvaluator"]

BUILTIN_EVALUATORS: Mapping[str, type[BuiltInEvaluator]] = {
    "wtb.exact_match": ExactMatch,
    "wtb.json_match": JsonMatch,
    "wtb.numeric_match": NumericMatch,
    "wtb.contains": Contains,
    "wtb.regex": Regex,
    "wtb.latency": Latency,
    "wtb.tokens": Tokens,
    "wtb.cost": Cost,
}
