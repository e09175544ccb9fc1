"""How good a run's model is. LangSmith's calling convention: arguments by name.

As with scikit-learn's scorers, higher is better throughout: what should be small is negated and
has a name that begins with `neg_`.
"""

from collections.abc import Mapping
from typing import Any

Outputs = Mapping[str, Any]


def accuracy(outputs: Outputs) -> float:
    """Return the share of test rows that the model told right."""
    return _metric(outputs, "accuracy")


def roc_auc(outputs: Outputs) -> float:
    """Return how often a malignant tumour was given a higher probability than a benign one."""
    return _metric(outputs, "roc_auc")


def f1(outputs: Outputs) -> float:
    """Return the harmonic mean of precision and recall of the malignant tumours."""
    return _metric(outputs, "f1")


def neg_log_loss(outputs: Outputs) -> float:
    """Return the mean log probability (nats) that the model gave to what was the case."""
    return -_metric(outputs, "log_loss")


def neg_features(outputs: Outputs) -> float:
    """Return minus the number of measurements that the model needs."""
    return -float(len(outputs["features"]))


def neg_fit_ms(outputs: Outputs) -> float:
    """Return minus the milliseconds of processor time that one fit took."""
    return -float(outputs["fit_ms"])


def _metric(outputs: Outputs, name: str) -> float:
    return float(outputs["metrics"][name])
