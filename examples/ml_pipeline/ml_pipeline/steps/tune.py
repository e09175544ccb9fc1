"""Step 7: try a few hyperparameters by cross-validation within the training rows."""

from ml_pipeline.models import FAMILIES, cross_validated_log_loss
from ml_pipeline.state import MlState, Model, Parameters, Trial


def tune(state: MlState) -> MlState:
    """Take the candidate with the lowest log loss; of equals the earlier."""
    family = state["model"]["family"]
    trials = [_tried(state, family, each) for each in FAMILIES[family].candidates]
    best = min(trials, key=lambda trial: trial["log_loss"])
    return {"model": {"family": family, "parameters": best["parameters"]}, "trials": trials}


def _tried(state: MlState, family: str, parameters: Parameters) -> Trial:
    model: Model = {"family": family, "parameters": parameters}
    return {"parameters": parameters, "log_loss": cross_validated_log_loss(state, model)}
