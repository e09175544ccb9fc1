"""Parts of a batch test on their way into JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from wtb_async.domain.json import JsonValue
from wtb_async.sdk.references import Code, Refer, reference_of

Matrix = Mapping[str, Sequence[str]] | Sequence[Mapping[str, str]]
"""A product (variants by node), or an explicit list of combinations."""

EvaluatorEntry = Mapping[str, Any]
"""`{"use", "key"?, "with"?, ...}`, where `use` is a function or a reference."""


def plain_matrix(matrix: Matrix) -> JsonValue:
    """The matrix as JSON."""
    if isinstance(matrix, Mapping):
        return {node: list(variants) for node, variants in matrix.items()}
    return [dict(combination) for combination in matrix]


def evaluator_entries(
    workflow: object, evaluators: Sequence[Code | EvaluatorEntry], refer: Refer
) -> list[JsonValue]:
    """The evaluators as JSON, with references in place of functions."""
    return [_entry(each, f"{workflow}/evaluators", refer) for each in evaluators]


def _entry(evaluator: Code | EvaluatorEntry, role: str, refer: Refer) -> JsonValue:
    if not isinstance(evaluator, Mapping):
        return reference_of(evaluator, role, refer)
    if "key" in evaluator:
        # Functions of one name are kept apart by the keys under which they score.
        role = f"{role}/{evaluator['key']}"
    return {**evaluator, "use": reference_of(evaluator.get("use", ""), role, refer)}
