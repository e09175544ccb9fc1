"""What travels through the graph: what was asked, and what each step decided or measured.

Plain JSON values, a few kilobytes in all. Neither the table nor a fitted model is among them:
whoever holds the state can build both again, exactly.
"""

# Pydantic, which derives the graph's JSON schemas, needs this TypedDict before Python 3.12.
from typing_extensions import TypedDict

Parameters = dict[str, float]
"""Hyperparameters of an estimator, by scikit-learn's names."""


class Data(TypedDict):
    """Which table was read: its size, and a digest by which two reports can be compared."""

    rows: int
    columns: int
    sha256: str


class Scaling(TypedDict):
    """What a scaler learned: a scaled value is (value - offset) / spread. One of each a column."""

    offset: list[float]
    spread: list[float]


class Model(TypedDict):
    """A recipe: with the state's rows, features and seed it always gives the same fitted model."""

    family: str
    parameters: Parameters


class Trial(TypedDict):
    """One candidate of the tuning, and its cross-validated log loss (nats, lower is better)."""

    parameters: Parameters
    log_loss: float


class Importance(TypedDict):
    """How much the ROC AUC on the test rows falls when the values of a feature are shuffled."""

    feature: str
    roc_auc_drop: float


class Experiment(TypedDict):
    """The graph's input; seed and test fraction make one random split."""

    dataset: str
    seed: int
    test_fraction: float


class Result(TypedDict):
    """The graph's output. All follows from the input but `fit_ms`, milliseconds of a processor."""

    model: Model
    features: list[str]
    metrics: dict[str, float]
    importances: list[Importance]
    fit_ms: float
    report: str


class MlState(TypedDict, total=False):
    """The state of one run; a node returns only the keys that it changes."""

    dataset: str
    seed: int
    test_fraction: float
    data: Data
    class_counts: dict[str, int]
    train_rows: list[int]
    test_rows: list[int]
    scaling: Scaling
    features: list[str]
    model: Model
    fit_ms: float
    trials: list[Trial]
    metrics: dict[str, float]
    importances: list[Importance]
    report: str
