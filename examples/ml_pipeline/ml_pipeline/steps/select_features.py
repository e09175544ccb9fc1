"""Step 5: choose the columns that the model sees."""

from langchain_core.runnables import RunnableConfig
from sklearn.feature_selection import SelectKBest, f_classif

from ml_pipeline.folder import write_table
from ml_pipeline.prepared import labels_of, scaled_rows, selected_rows
from ml_pipeline.state import MlState
from ml_pipeline.tables import read_table

BEST = 10
"""A third of the columns of the breast-cancer table."""


def keep_all(state: MlState, config: RunnableConfig | None = None) -> MlState:
    """Keep every column."""
    return _selected(state, list(read_table(state["dataset"]).features), config)


def f_test(state: MlState, config: RunnableConfig | None = None) -> MlState:
    """Keep the columns whose means differ most between the classes, by an analysis of variance."""
    rows = state["train_rows"]
    selector = SelectKBest(f_classif, k=BEST)
    selector.fit(scaled_rows(state, rows), labels_of(state, rows))
    names = read_table(state["dataset"]).features
    chosen = [names[column] for column in selector.get_support(indices=True)]
    return _selected(state, chosen, config)


def _selected(state: MlState, features: list[str], config: RunnableConfig | None) -> MlState:
    """Keep these columns, and leave the table that the model learns from."""
    rows = state["train_rows"]
    values = selected_rows(state | {"features": features}, rows).tolist()
    labels = labels_of(state, rows).tolist()
    lines = ([*row, label] for row, label in zip(values, labels, strict=True))
    write_table(config, "training.csv", (*features, "malignant"), lines)
    return {"features": features}
