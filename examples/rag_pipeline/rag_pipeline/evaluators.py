"""How well a run found the right topic. LangSmith's calling convention: arguments by name.

A reference names one right topic (`{"topic": ...}`) or several (`{"topics": [...]}`), because the
language reference explains some things twice.
"""

from collections.abc import Mapping
from typing import Any

Values = Mapping[str, Any]


def hit_at_1(outputs: Values, reference_outputs: Values) -> bool:
    """Say whether the first document is about a right topic."""
    return _hit(outputs, reference_outputs, depth=1)


def hit_at_3(outputs: Values, reference_outputs: Values) -> bool:
    """Say whether one of the first three documents is about a right topic."""
    return _hit(outputs, reference_outputs, depth=3)


def reciprocal_rank(outputs: Values, reference_outputs: Values) -> float:
    """Return 1 / rank of the first right topic, 0 if it was not found; its mean is the MRR."""
    rank = _rank(outputs, reference_outputs)
    return 0.0 if rank is None else 1 / rank


def _hit(outputs: Values, reference_outputs: Values, *, depth: int) -> bool:
    rank = _rank(outputs, reference_outputs)
    return rank is not None and rank <= depth


def _rank(outputs: Values, reference_outputs: Values) -> int | None:
    right = reference_outputs.get("topics") or [reference_outputs["topic"]]
    found = (document["topic"] for document in outputs["documents"])
    return next((rank for rank, topic in enumerate(found, start=1) if topic in right), None)
