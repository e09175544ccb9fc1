"""Step 2: refuse what the later steps could not use, with a reason."""

import numpy as np

from ml_pipeline.state import MlState
from ml_pipeline.tables import read_table

SMALLEST_FRACTION, LARGEST_FRACTION = 0.1, 0.5
"""With less the test rows would say little, with more the model would learn little."""
SEEDS = 2**32


class InvalidExperimentError(ValueError):
    """The input does not describe an experiment."""


class InvalidTableError(ValueError):
    """Nothing can be learned from this table."""


def validate(state: MlState) -> MlState:
    """Count the classes of a table that can be learned from.

    Raises:
        InvalidExperimentError: seed or test fraction is not a number within its bounds.
        InvalidTableError: a value is missing or infinite, or a class is.
    """
    _check_seed(state.get("seed"))
    _check_fraction(state.get("test_fraction"))
    table = read_table(state["dataset"])
    if not np.isfinite(table.values).all():
        raise InvalidTableError("the table holds values that are missing or infinite")
    malignant = int(table.malignant.sum())
    counts = {"malignant": malignant, "benign": len(table.malignant) - malignant}
    if not all(counts.values()):
        raise InvalidTableError(f"the table holds one class only: {counts}")
    return {"class_counts": counts}


def _check_seed(seed: object) -> None:
    if not isinstance(seed, int) or not 0 <= seed < SEEDS:
        raise InvalidExperimentError(
            f"seed is a whole number from 0 to {SEEDS - 1}, it cannot be {seed!r}"
        )


def _check_fraction(fraction: object) -> None:
    if not isinstance(fraction, int | float) or not (
        SMALLEST_FRACTION <= fraction <= LARGEST_FRACTION
    ):
        raise InvalidExperimentError(
            f"test_fraction is a number from {SMALLEST_FRACTION} to {LARGEST_FRACTION}, "
            f"it cannot be {fraction!r}"
        )
