"""Step 9: find out which measurements the model relies on."""

from langchain_core.runnables import RunnableConfig
from sklearn.inspection import permutation_importance

from ml_pipeline.folder import write_table
from ml_pipeline.models import fitted
from ml_pipeline.prepared import labels_of, selected_rows
from ml_pipeline.state import Importance, MlState

REPEATS = 2
"""Shuffles per feature."""


def explain(state: MlState, config: RunnableConfig | None = None) -> MlState:
    """Rank the features by permutation importance (Breiman, 2001), the greatest first."""
    rows = state["test_rows"]
    found = permutation_importance(
        fitted(state, state["model"]),
        selected_rows(state, rows),
        labels_of(state, rows),
        scoring="roc_auc",
        n_repeats=REPEATS,
        random_state=state["seed"],
        n_jobs=1,
    )
    importances: list[Importance] = [
        {"feature": feature, "roc_auc_drop": drop}
        for feature, drop in zip(state["features"], found.importances_mean.tolist(), strict=True)
    ]
    importances.sort(key=lambda each: -each["roc_auc_drop"])
    lines = [(each["feature"], each["roc_auc_drop"]) for each in importances]
    write_table(config, "importances.csv", ("feature", "roc_auc_drop"), lines)
    return {"importances": importances}
