"""The tables to learn from, which come with scikit-learn and are read once in a process."""

import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer

Values = NDArray[np.float64]
Labels = NDArray[np.int64]

DATASETS: Mapping[str, Callable[[], Any]] = {"breast_cancer": load_breast_cancer}


class UnknownDatasetError(ValueError):
    """There is no dataset of this name."""


@dataclass(frozen=True)
class Table:
    """One row per tumour; arrays that nobody can write to, because all runs share them."""

    features: tuple[str, ...]
    values: Values
    """Rows by features, in the units of the data."""
    malignant: Labels
    """1 for a malignant tumour, 0 for a benign one."""

    def digest(self) -> str:
        """Return the SHA-256 of values and labels."""
        return hashlib.sha256(self.values.tobytes() + self.malignant.tobytes()).hexdigest()


@functools.cache
def read_table(name: str) -> Table:
    """Return the table of a dataset.

    Raises:
        UnknownDatasetError: there is none of this name.
    """
    if name not in DATASETS:
        raise UnknownDatasetError(f"there is no dataset {name!r}; there is {', '.join(DATASETS)}")
    source = DATASETS[name]()
    # scikit-learn gives the tumours to be found the 0, and every metric takes 1 for the finding.
    malignant = (source.target == list(source.target_names).index("malignant")).astype(np.int64)
    for array in (source.data, malignant):
        array.setflags(write=False)
    return Table(tuple(str(name) for name in source.feature_names), source.data, malignant)
