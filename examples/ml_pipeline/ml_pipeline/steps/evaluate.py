"""Step 8: measure the tuned model on the test rows, which nothing has learned from."""

from langchain_core.runnables import RunnableConfig
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score

from ml_pipeline.folder import write_table
from ml_pipeline.models import fitted
from ml_pipeline.prepared import labels_of, selected_rows
from ml_pipeline.state import MlState


def evaluate(state: MlState, config: RunnableConfig | None = None) -> MlState:
    """Compare the predictions for the test rows with what was the case."""
    rows = state["test_rows"]
    truth = labels_of(state, rows)
    probability = fitted(state, state["model"]).predict_proba(selected_rows(state, rows))[:, 1]
    lines = zip(rows, probability.tolist(), truth.tolist(), strict=True)
    write_table(config, "predictions.csv", ("row", "probability", "malignant"), lines)
    predicted = probability > 0.5  # noqa: PLR2004 - more likely than not
    return {
        "metrics": {
            "accuracy": float(accuracy_score(truth, predicted)),
            "roc_auc": float(roc_auc_score(truth, probability)),
            "f1": float(f1_score(truth, predicted)),
            "log_loss": float(log_loss(truth, probability)),
        }
    }
