"""Step 10: tell a reader what was done and found."""

from collections.abc import Iterable

from langchain_core.runnables import RunnableConfig

from ml_pipeline.folder import write_text
from ml_pipeline.state import MlState, Parameters

MENTIONED = 5
"""How many features the report names."""


def report(state: MlState, config: RunnableConfig | None = None) -> MlState:
    """Write the report in Markdown; it holds nothing that a second run would not find again."""
    model = state["model"]
    lines = [
        f"# {model['family']} on {state['dataset']}, seed {state['seed']}",
        "",
        *_data(state),
        "",
        f"Tuned to {_setting(model['parameters'])}:",
        *_tuning(state),
        "",
        f"On the test rows, with {len(state['features'])} features:",
        *(f"- {name}: {value:.4f}" for name, value in state["metrics"].items()),
        "",
        "Shuffling a feature costs this much ROC AUC:",
        *_explanation(state),
    ]
    text = "\n".join(lines) + "\n"
    write_text(config, "report.md", text)
    return {"report": text}


def _data(state: MlState) -> Iterable[str]:
    data = state["data"]
    counts = ", ".join(f"{count} {name}" for name, count in state["class_counts"].items())
    yield f"{data['rows']} rows ({counts}), SHA-256 {data['sha256'][:12]}."
    yield f"{len(state['train_rows'])} to learn from, {len(state['test_rows'])} to test."


def _tuning(state: MlState) -> Iterable[str]:
    for trial in state["trials"]:
        yield f"- {_setting(trial['parameters'])}: log loss {trial['log_loss']:.4f}"


def _explanation(state: MlState) -> Iterable[str]:
    for each in state["importances"][:MENTIONED]:
        yield f"- {each['feature']}: {each['roc_auc_drop']:z.4f}"


def _setting(parameters: Parameters) -> str:
    return ", ".join(f"{name} = {value:g}" for name, value in parameters.items())
