"""Evaluators that come with the platform, addressed as `wtb.<name>`."""

from collections.abc import Callable, Mapping
from typing import Any

from wtb_async.domain.json import JsonValue
from wtb_async.infrastructure.evaluation.calling import RunView


def exact_match(outputs: JsonValue, reference_outputs: JsonValue) -> bool:
    """True when every field of the reference has the same value in the output."""
    if isinstance(outputs, dict) and isinstance(reference_outputs, dict):
        return all(
            key in outputs and outputs[key] == value for key, value in reference_outputs.items()
        )
    return outputs == reference_outputs


def latency(run: RunView) -> float | None:
    """How long the graph ran, in milliseconds; lower is better."""
    return run.duration_ms


BUILTIN_EVALUATORS: Mapping[str, Callable[..., Any]] = {
    "wtb.exact_match": exact_match,
    "wtb.latency": latency,
}
