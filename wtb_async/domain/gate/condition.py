"""Conditions that a batch test must not fulfil: `[retriever=bm25] p95(latency) > 500`."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

FAILURES = "failures"
"""The name of the number of failed executions."""

_WORD = re.compile(r'[^\s()\[\],=<>!"]+')
_SAME = 1e-9
"""Means that are equal on paper differ by less than this share of their size."""


class Operator(StrEnum):
    """How a number is held against a limit."""

    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="
    EQUAL = "=="
    UNEQUAL = "!="

    def holds(self, value: float, limit: float) -> bool:
        """Whether `value operator limit`; what differs by rounding alone is equal."""
        equal = math.isclose(value, limit, rel_tol=_SAME, abs_tol=_SAME**2)
        match self:
            case Operator.BELOW:
                return value < limit and not equal
            case Operator.AT_MOST:
                return value < limit or equal
            case Operator.ABOVE:
                return value > limit and not equal
            case Operator.AT_LEAST:
                return value > limit or equal
            case Operator.EQUAL:
                return equal
            case Operator.UNEQUAL:
                return not equal


class Summary(StrEnum):
    """How the scores of one combination become one number."""

    MEAN = "mean"
    """Over the test cases, whose repetitions are averaged first."""
    MIN = "min"
    MAX = "max"
    PERCENTILE = "p"
    """The smallest score that so many percent of the executions do not exceed."""


@dataclass(frozen=True, slots=True)
class ScoreMeasure:
    """One number made of the scores under one key."""

    key: str
    summary: Summary = Summary.MEAN
    percent: int = 0
    """Of a percentile: 1 to 99."""

    def __str__(self) -> str:
        key = quoted(self.key)
        match self.summary:
            case Summary.MEAN:
                return f'"{key}"' if key == FAILURES else key
            case Summary.PERCENTILE:
                return f"p{self.percent}({key})"
            case _:
                return f"{self.summary}({key})"


@dataclass(frozen=True, slots=True)
class FailureCount:
    """How many executions failed."""

    def __str__(self) -> str:
        return FAILURES


Measure = ScoreMeasure | FailureCount


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold for no combination, or for none of those that are chosen.

    `choices` chooses the combinations that contain all of these pairs of node and variant.
    """

    measure: Measure
    operator: Operator
    limit: float
    choices: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __str__(self) -> str:
        pairs = ",".join(f"{quoted(node)}={quoted(name)}" for node, name in self.choices.items())
        chosen = f"[{pairs}] " if pairs else ""
        return f"{chosen}{self.measure} {self.operator} {repr(self.limit).removesuffix('.0')}"


def quoted(name: str) -> str:
    """Write a name so that it is read back as one."""
    return name if _WORD.fullmatch(name) else f'"{name}"'
