"""Which differences do not count."""

import math
from dataclasses import dataclass
from fnmatch import fnmatchcase

from wtb_async.domain.json import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How far two benches may be apart.

    Attributes:
        absolute: by how much numbers may differ, whatever their size.
        relative: by which part of the larger one they may differ instead.
        ignored: patterns (`*`, `?`) of what is not compared: `output.fit_ms`, `scores.neg_*`.
        duration_factor: how many times as long an execution may take on the slower bench; None
            compares no durations.
    """

    absolute: float = 1e-9
    relative: float = 1e-6
    ignored: tuple[str, ...] = ("scores.wtb.latency",)
    duration_factor: float | None = None

    def ignores(self, path: str) -> bool:
        """Whether what lies at this path is not compared."""
        return any(fnmatchcase(path, pattern) for pattern in self.ignored)

    def are_alike(self, first: JsonValue, second: JsonValue) -> bool:
        """Whether two values without parts pass for the same; True is not 1."""
        if _is_number(first) and _is_number(second):
            return math.isclose(first, second, rel_tol=self.relative, abs_tol=self.absolute)  # type: ignore[arg-type]
        return type(first) is type(second) and first == second

    def are_alike_in_time(self, first_ms: float | None, second_ms: float | None) -> bool:
        """Whether two durations pass for the same."""
        if self.duration_factor is None or first_ms is None or second_ms is None:
            return True
        return max(first_ms, second_ms) <= self.duration_factor * min(first_ms, second_ms)


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
