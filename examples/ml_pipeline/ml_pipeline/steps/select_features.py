"""Step 5: choose the columns that the model sees."""

from sklearn.feature_selection import SelectKBest, f_classif

from ml_pipeline.prepared import labels_of, scaled_rows
from ml_pipeline.state import MlState
from ml_pipeline.tables import read_table

BEST = 10
"""A third of the columns of the breast-cancer table."""


def keep_all(state: MlState) -> MlState:
    """Keep every column."""
    return {"features": list(read_table(state["dataset"]).features)}


def f_test(state: MlState) -> MlState:
    """Keep the columns whose means differ most between the classes, by an analysis of variance."""
    rows = state["train_rows"]
    selector = SelectKBest(f_classif, k=BEST)
    selector.fit(scaled_rows(state, rows), labels_of(state, rows))
    names = read_table(state["dataset"]).features
    return {"features": [names[column] for column in selector.get_support(indices=True)]}
