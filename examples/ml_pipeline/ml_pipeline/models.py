"""Families of models: how to build one, and the few hyperparameters that tuning tries.

None of these starts threads of its own, because many runs share the machine's cores.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from ml_pipeline.prepared import labels_of, selected_rows
from ml_pipeline.state import MlState, Model, Parameters

FOLDS = 3
"""Of the cross-validation."""


@dataclass(frozen=True)
class Family:
    """Estimators that differ in their hyperparameters only."""

    build: Callable[[int], Any]
    """From a seed to an estimator that is not fitted."""
    candidates: tuple[Parameters, ...]
    """What tuning tries; the first is what training starts with."""


def _logistic_regression(seed: int) -> Any:  # noqa: ANN401 - scikit-learn carries no types
    return LogisticRegression(solver="liblinear", random_state=seed)


def _neighbours(_: int) -> Any:  # noqa: ANN401
    return KNeighborsClassifier(algorithm="kd_tree", n_jobs=1)


def _forest(seed: int) -> Any:  # noqa: ANN401
    return RandomForestClassifier(n_estimators=30, n_jobs=1, random_state=seed)


FAMILIES: Mapping[str, Family] = {
    "logistic_regression": Family(_logistic_regression, ({"C": 1.0}, {"C": 0.1}, {"C": 10.0})),
    "neighbours": Family(
        _neighbours, ({"n_neighbors": 5}, {"n_neighbors": 11}, {"n_neighbors": 21})
    ),
    "forest": Family(_forest, ({"min_samples_leaf": 1}, {"min_samples_leaf": 3})),
}


def fitted(state: MlState, model: Model) -> Any:  # noqa: ANN401
    """Return the model, fitted on the training rows; the same state gives the same model."""
    rows = state["train_rows"]
    return _unfitted(state, model).fit(selected_rows(state, rows), labels_of(state, rows))


def cross_validated_log_loss(state: MlState, model: Model) -> float:
    """Return the mean log loss (nats) over the folds of the training rows."""
    rows = state["train_rows"]
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=state["seed"])
    scores = cross_val_score(
        _unfitted(state, model),
        selected_rows(state, rows),
        labels_of(state, rows),
        scoring="neg_log_loss",
        cv=folds,
        n_jobs=1,
    )
    return -float(scores.mean())


def _unfitted(state: MlState, model: Model) -> Any:  # noqa: ANN401
    return FAMILIES[model["family"]].build(state["seed"]).set_params(**model["parameters"])
