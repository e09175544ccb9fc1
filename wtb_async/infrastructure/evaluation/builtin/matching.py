"""Outputs against the reference: equal, equal in part, or close."""

import math
from typing import Annotated, TypeGuard

from pydantic import Field

from wtb_async.domain.json import JsonValue
from wtb_async.infrastructure.evaluation.builtin.evaluator import BuiltInEvaluator
from wtb_async.infrastructure.evaluation.picking import picked

Tolerance = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Path = Annotated[str, Field(min_length=1, max_length=500)]
"""Dotted, as in `picked`."""

ANY_PART = "*"
"""Stands for one part of a path that is ignored, whatever it is."""


class ExactMatch(BuiltInEvaluator):
    """True when every field of the reference has the same value in the output."""

    def __call__(self, outputs: JsonValue, reference_outputs: JsonValue) -> bool:
        """Compare."""
        if isinstance(outputs, dict) and isinstance(reference_outputs, dict):
            return all(
                key in outputs and outputs[key] == value for key, value in reference_outputs.items()
            )
        return outputs == reference_outputs


class JsonMatch(BuiltInEvaluator):
    """True when output and reference are the same JSON, but for what is ignored."""

    only: list[Path] | None = None
    """Compare nothing but what stands at these paths."""
    ignore: list[Path] = Field(default_factory=list)
    """Paths that are not compared; `*` stands for any field or place: `documents.*.score`."""
    tolerance: Tolerance = 0.0
    """How far numbers may differ."""
    relative_tolerance: Tolerance = 0.0
    """The same as a share of the larger one."""

    def __call__(self, outputs: JsonValue, reference_outputs: JsonValue) -> bool:
        """Compare."""
        if self.only is None:
            return self._same(outputs, reference_outputs, ())
        return all(
            self._same(
                picked(outputs, path, "outputs"),
                picked(reference_outputs, path, "reference_outputs"),
                tuple(path.split(".")),
            )
            for path in self.only
        )

    def _same(self, ours: JsonValue, theirs: JsonValue, path: tuple[str, ...]) -> bool:
        if self._is_ignored(path):
            return True
        match ours, theirs:
            case dict(), dict():
                return self._same_fields(ours, theirs, path)
            case list(), list():
                return len(ours) == len(theirs) and all(
                    self._same(one, other, (*path, str(place)))
                    for place, (one, other) in enumerate(zip(ours, theirs, strict=True))
                )
            case (bool(), _) | (_, bool()):
                return ours is theirs
            case int() | float(), int() | float():
                return math.isclose(
                    ours, theirs, rel_tol=self.relative_tolerance, abs_tol=self.tolerance
                )
            case _:
                return ours == theirs

    def _same_fields(
        self, ours: dict[str, JsonValue], theirs: dict[str, JsonValue], path: tuple[str, ...]
    ) -> bool:
        names = {
            name for name in ours.keys() | theirs.keys() if not self._is_ignored((*path, name))
        }
        return all(
            name in ours and name in theirs and self._same(ours[name], theirs[name], (*path, name))
            for name in names
        )

    def _is_ignored(self, path: tuple[str, ...]) -> bool:
        return any(_fits(ignored.split("."), path) for ignored in self.ignore)


class NumericMatch(BuiltInEvaluator):
    """True when the output is a number as close to the reference as the tolerances ask for."""

    tolerance: Tolerance = 0.0
    relative_tolerance: Tolerance = 0.0
    """As a share of the larger one."""

    def __call__(self, outputs: JsonValue, reference_outputs: JsonValue) -> bool:
        """Compare; an output that is no number is no match. Raises TypeError for the reference."""
        if not _is_number(reference_outputs):
            raise TypeError("reference_outputs is no number; say where it is with `reference`")
        return _is_number(outputs) and math.isclose(
            outputs,
            reference_outputs,
            rel_tol=self.relative_tolerance,
            abs_tol=self.tolerance,
        )


def _is_number(value: JsonValue) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _fits(pattern: list[str], path: tuple[str, ...]) -> bool:
    return len(pattern) == len(path) and all(
        wanted in {ANY_PART, part} for wanted, part in zip(pattern, path, strict=True)
    )
