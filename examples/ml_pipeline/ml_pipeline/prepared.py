"""From rows of the table to what an estimator takes, by what the steps before decided."""

from collections.abc import Sequence

from ml_pipeline.state import MlState
from ml_pipeline.tables import Labels, Values, read_table


def scaled_rows(state: MlState, rows: Sequence[int]) -> Values:
    """Return all columns of some rows, scaled."""
    scaling = state["scaling"]
    values = read_table(state["dataset"]).values[rows]
    return (values - scaling["offset"]) / scaling["spread"]


def selected_rows(state: MlState, rows: Sequence[int]) -> Values:
    """Return the selected columns of some rows, scaled."""
    known = read_table(state["dataset"]).features
    return scaled_rows(state, rows)[:, [known.index(name) for name in state["features"]]]


def labels_of(state: MlState, rows: Sequence[int]) -> Labels:
    """Return which of some rows are malignant."""
    return read_table(state["dataset"]).malignant[rows]
