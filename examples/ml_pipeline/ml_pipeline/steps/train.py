"""Step 6: choose a family of models and fit it once, with the hyperparameters it starts with."""

import time

from langchain_core.runnables import RunnableConfig

from ml_pipeline.folder import write_json
from ml_pipeline.models import FAMILIES, fitted
from ml_pipeline.state import MlState, Model


def logistic_regression(state: MlState, config: RunnableConfig | None = None) -> MlState:
    """Train a linear model."""
    return _trained(state, "logistic_regression", config)


def neighbours(state: MlState, config: RunnableConfig | None = None) -> MlState:
    """Train a vote among the nearest training rows."""
    return _trained(state, "neighbours", config)


def forest(state: MlState, config: RunnableConfig | None = None) -> MlState:
    """Train a random forest."""
    return _trained(state, "forest", config)


def _trained(state: MlState, family: str, config: RunnableConfig | None) -> MlState:
    model: Model = {"family": family, "parameters": FAMILIES[family].candidates[0]}
    # The thread's own time: how busy the machine is with other runs does not count.
    started = time.thread_time()
    fitted(state, model)
    fit_ms = (time.thread_time() - started) * 1000
    write_json(config, "model.json", model)
    return {"model": model, "fit_ms": fit_ms}
