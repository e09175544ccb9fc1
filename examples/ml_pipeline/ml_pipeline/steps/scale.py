"""Step 4: bring all columns to one scale, learned from the training rows only."""

from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from ml_pipeline.state import MlState
from ml_pipeline.tables import Values, read_table


def standard(state: MlState) -> MlState:
    """Scale by mean and standard deviation."""
    scaler = StandardScaler().fit(_training_values(state))
    return _scaling(scaler.mean_, scaler.scale_)


def robust(state: MlState) -> MlState:
    """Scale by median and interquartile range, which outliers do not move."""
    scaler = RobustScaler().fit(_training_values(state))
    return _scaling(scaler.center_, scaler.scale_)


def minmax(state: MlState) -> MlState:
    """Scale by minimum and range, so that training values lie between 0 and 1."""
    scaler = MinMaxScaler().fit(_training_values(state))
    return _scaling(scaler.data_min_, 1 / scaler.scale_)


def _training_values(state: MlState) -> Values:
    return read_table(state["dataset"]).values[state["train_rows"]]


def _scaling(offset: Values, spread: Values) -> MlState:
    return {"scaling": {"offset": offset.tolist(), "spread": spread.tolist()}}
