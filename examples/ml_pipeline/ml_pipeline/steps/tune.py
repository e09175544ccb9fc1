"""Step 7: try a few hyperparameters by cross-validation within the training rows."""

from langchain_core.runnables import RunnableConfig

from ml_pipeline.folder import write_json
from ml_pipeline.models import FAMILIES, cross_validated_log_loss
from ml_pipeline.state import MlState, Model, Parameters, Trial


def tune(state: MlState, config: RunnableConfig | None = None) -> MlState:
    """Take the candidate with the lowest log loss; of equals the earlier."""
    family = state["model"]["family"]
    trials = [_tried(state, family, each) for each in FAMILIES[family].candidates]
    best = min(trials, key=lambda trial: trial["log_loss"])
    model: Model = {"family": family, "parameters": best["parameters"]}
    write_json(config, "model.json", model)
    write_json(config, "trials.json", trials)
    return {"model": model, "trials": trials}


def _tried(state: MlState, family: str, parameters: Parameters) -> Trial:
    model: Model = {"family": family, "parameters": parameters}
    return {"parameters": parameters, "log_loss": cross_validated_log_loss(state, model)}
