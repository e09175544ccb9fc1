"""Parts of a batch test on their way into JSON."""

from collections import Counter
from collections.abc import Mapping, Sequence

from wtb_async.domain.batch_test import score_key
from wtb_async.domain.errors import InvalidInput
from wtb_async.domain.json import JsonValue
from wtb_async.sdk.references import Code, Refer, reference_of

Matrix = Mapping[str, Sequence[str]] | Sequence[Mapping[str, str]]
"""A product (variants by node), or an explicit list of combinations."""


def plain_matrix(matrix: Matrix) -> JsonValue:
    """The matrix as JSON."""
    if isinstance(matrix, Mapping):
        return {node: list(variants) for node, variants in matrix.items()}
    return [dict(combination) for combination in matrix]


def evaluator_references(
    workflow: object, evaluators: Sequence[Code], refer: Refer
) -> list[JsonValue]:
    """The references of evaluators. Raises InvalidInput where two would score under one name."""
    role = f"{workflow}/evaluators"
    references = [reference_of(each, role, refer) for each in evaluators]
    for name, count in Counter(map(score_key, references)).items():
        if count > 1:
            message = f"{count} evaluators are called {name!r}; give each a name of its own"
            raise InvalidInput.of("evaluators", message)
    return list(references)
