"""Graph choice: which graph an execution runs, and with which variants of its nodes."""

from dataclasses import dataclass
from typing import Self

from wtb_async.domain.workflow import BASE_VARIANT

WORKFLOW_KEY = "__workflow__"
"""Stands beside the nodes in a combination and names the graph; no node is addressed by it."""

Combination = dict[str, str]
"""Node name to variant name, and perhaps `__workflow__` to that of a whole graph."""


@dataclass(frozen=True, slots=True)
class GraphChoice:
    """The original graph or a whole-graph variant, with variants of its nodes."""

    variants: dict[str, str]
    workflow_variant: str | None = None
    """None is the original."""

    @classmethod
    def of(cls, combination: Combination) -> Self:
        """The choice that a combination stands for."""
        variants = {name: each for name, each in combination.items() if name != WORKFLOW_KEY}
        graph = combination.get(WORKFLOW_KEY, BASE_VARIANT)
        return cls(variants, None if graph == BASE_VARIANT else graph)

    def combination(self) -> Combination:
        """The shortest combination that stands for this choice."""
        if self.workflow_variant is None:
            return self.variants
        return {WORKFLOW_KEY: self.workflow_variant, **self.variants}
