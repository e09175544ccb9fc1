import asyncio
import importlib
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.state import CompiledStateGraph
from ml_pipeline import evaluators
from ml_pipeline.graph import build_graph
from ml_pipeline.models import FAMILIES
from ml_pipeline.prepared import labels_of, scaled_rows, selected_rows
from ml_pipeline.state import Experiment, MlState, Result
from ml_pipeline.steps.load import load
from ml_pipeline.steps.scale import minmax, robust, standard
from ml_pipeline.steps.select_features import BEST, f_test
from ml_pipeline.steps.split import split
from ml_pipeline.steps.tune import tune
from ml_pipeline.steps.validate import InvalidExperimentError, InvalidTableError, validate
from ml_pipeline.tables import Table, UnknownDatasetError, read_table
from sklearn.datasets import load_breast_cancer

from wtb_async.infrastructure.langgraph.round_trip import lost_types

PROJECT = Path(__file__).parents[2] / "examples" / "ml_pipeline"
MANIFEST = json.loads((PROJECT / "langgraph.json").read_text())
BATCH = json.loads((PROJECT / "batch.json").read_text())
CASES = [json.loads(line) for line in (PROJECT / "splits.jsonl").read_text().splitlines()]
EXPERIMENT: Experiment = {"dataset": "breast_cancer", "seed": 1, "test_fraction": 0.3}

MlGraph = CompiledStateGraph[MlState, None, Experiment, Result]


def variants_of(node: str) -> dict[str, str]:
    references: dict[str, str] = MANIFEST["wtb"]["variants"]["ml"][node]
    return references


def resolve(reference: str) -> Callable[..., Any]:
    module, _, attribute = reference.partition(":")
    named: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    return named


def graph_with(variants: Mapping[str, str], saver: InMemorySaver | None = None) -> MlGraph:
    graph = build_graph()
    for node, variant in variants.items():
        if variant != "base":
            graph.nodes.pop(node)
            graph.add_node(node, resolve(variants_of(node)[variant]))
    return graph.compile(checkpointer=saver)


def asked(**changes: object) -> MlState:
    """The state of a run before its first step."""
    return cast("MlState", {**EXPERIMENT, **changes})


def split_state(**changes: object) -> MlState:
    """The state of a run after its split."""
    state = asked(**changes)
    return state | split(state)


def deterministic(result: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in result.items() if key != "fit_ms"}


class TestManifest:
    def test_every_reference_of_variants_and_evaluators_resolves(self) -> None:
        of_variants = [
            reference
            for named in MANIFEST["wtb"]["variants"]["ml"].values()
            for reference in named.values()
        ]
        assert all(callable(resolve(each)) for each in of_variants + BATCH["evaluators"])

    def test_the_batch_names_only_nodes_and_variants_that_exist(self) -> None:
        for node, chosen in BATCH["variant_matrix"].items():
            assert set(chosen) == {"base", *variants_of(node)}

    def test_every_case_is_another_split_of_the_same_table(self) -> None:
        assert {case["input"]["dataset"] for case in CASES} == {"breast_cancer"}
        assert len({case["id"] for case in CASES}) == 20
        assert len({case["input"]["seed"] for case in CASES}) == 20


class TestGraph:
    @pytest.mark.parametrize("scale", BATCH["variant_matrix"]["scale"])
    @pytest.mark.parametrize("select_features", BATCH["variant_matrix"]["select_features"])
    @pytest.mark.parametrize("train", BATCH["variant_matrix"]["train"])
    async def test_every_combination_of_the_batch_finds_most_tumours(
        self, scale: str, select_features: str, train: str
    ) -> None:
        chosen = {"scale": scale, "select_features": select_features, "train": train}
        result = await graph_with(chosen).ainvoke(EXPERIMENT)
        assert 0.9 < result["metrics"]["accuracy"] < 1.0
        assert result["report"].startswith(f"# {result['model']['family']} on breast_cancer")
        assert {each["feature"] for each in result["importances"]} == set(result["features"])
        assert json.loads(json.dumps(result)) == result

    async def test_its_ten_steps_run_in_the_order_of_the_text_book(self) -> None:
        graph = graph_with({})
        steps = [step async for step in graph.astream(EXPERIMENT, stream_mode="updates")]
        assert [next(iter(step)) for step in steps] == [
            "load",
            "validate",
            "split",
            "scale",
            "select_features",
            "train",
            "tune",
            "evaluate",
            "explain",
            "report",
        ]

    async def test_runs_at_the_same_time_find_what_each_would_find_alone(self) -> None:
        graph = graph_with({"train": "forest", "select_features": "f_test"})
        inputs = [case["input"] for case in CASES[:2]]
        together = await asyncio.gather(*(graph.ainvoke(each) for each in inputs))
        alone = [await graph.ainvoke(each) for each in inputs]
        assert list(map(deterministic, together)) == list(map(deterministic, alone))

    async def test_resumed_from_any_checkpoint_a_run_comes_to_the_same_result(self) -> None:
        graph = graph_with({"select_features": "f_test"}, InMemorySaver())
        thread: Any = {"configurable": {"thread_id": "1"}}
        result = await graph.ainvoke(EXPERIMENT, thread)
        history = [snapshot async for snapshot in graph.aget_state_history(thread)]
        resumable = [each for each in history if each.next and each.next != ("__start__",)]
        assert len(resumable) == 10
        for snapshot in resumable:
            again = await graph.ainvoke(None, snapshot.config)
            assert deterministic(again) == deterministic(result)

    async def test_its_state_is_small_plain_json(self) -> None:
        graph = graph_with({}, InMemorySaver())
        thread: Any = {"configurable": {"thread_id": "1"}}
        await graph.ainvoke(EXPERIMENT, thread)
        values = (await graph.aget_state(thread)).values
        assert set(values) == set(MlState.__annotations__)
        assert json.loads(json.dumps(values)) == values
        assert len(json.dumps(values)) < 16_000

    def test_its_types_survive_a_checkpoint_and_its_schemas_can_be_published(self) -> None:
        graph = build_graph().compile()
        assert lost_types(graph) == []
        assert set(graph.get_input_jsonschema()["properties"]) == set(EXPERIMENT)
        assert set(graph.get_output_jsonschema()["properties"]) == set(Result.__annotations__)


class TestLoadAndValidate:
    def test_the_table_is_named_by_its_size_and_digest(self) -> None:
        data = load(asked())["data"]
        assert (data["rows"], data["columns"]) == (569, 30)
        assert data == load(asked())["data"]

    def test_nobody_can_write_to_the_table_that_all_runs_share(self) -> None:
        with pytest.raises(ValueError, match="read-only"):
            read_table("breast_cancer").values[0, 0] = 0.0

    def test_its_labels_agree_with_scikit_learn_s_names(self) -> None:
        source = load_breast_cancer()
        malignant = source.target_names[source.target] == "malignant"
        assert (read_table("breast_cancer").malignant == malignant).all()

    @pytest.mark.parametrize("given", [{}, {"dataset": "iris"}])
    def test_an_unknown_dataset_is_refused(self, given: MlState) -> None:
        with pytest.raises(UnknownDatasetError, match="there is breast_cancer"):
            load(given)

    def test_the_malignant_tumours_are_counted_as_what_is_to_be_found(self) -> None:
        assert validate(asked()) == {"class_counts": {"malignant": 212, "benign": 357}}

    @pytest.mark.parametrize("seed", [None, "1", 1.5, -1, 2**32])
    def test_a_seed_that_scikit_learn_would_not_take_is_refused(self, seed: object) -> None:
        with pytest.raises(InvalidExperimentError, match="seed is a whole number"):
            validate(asked(seed=seed))

    @pytest.mark.parametrize("fraction", [None, "0.3", 0, 0.05, 0.9, math.nan])
    def test_a_fraction_out_of_bounds_is_refused(self, fraction: object) -> None:
        with pytest.raises(InvalidExperimentError, match="test_fraction is a number"):
            validate(asked(test_fraction=fraction))

    @pytest.mark.parametrize(
        ("value", "label", "said"), [(math.nan, 1, "missing"), (1.0, 0, "one class only")]
    )
    def test_a_table_that_teaches_nothing_is_refused(
        self, monkeypatch: pytest.MonkeyPatch, value: float, label: int, said: str
    ) -> None:
        bad = Table(("width",), np.array([[1.0], [value]]), np.array([0, label]))
        monkeypatch.setattr("ml_pipeline.steps.validate.read_table", lambda _: bad)
        with pytest.raises(InvalidTableError, match=said):
            validate(asked())


class TestSplit:
    def test_every_row_is_on_one_side_with_the_same_share_of_malignant_tumours(self) -> None:
        state = split_state()
        train, test = state["train_rows"], state["test_rows"]
        assert sorted(train + test) == list(range(569))
        assert len(test) == 171
        shares = [labels_of(state, rows).mean() for rows in (train, test)]
        assert shares == pytest.approx([212 / 569] * 2, abs=0.01)

    def test_another_seed_draws_other_rows_and_the_same_seed_the_same(self) -> None:
        drawn = [split_state(seed=seed)["test_rows"] for seed in (1, 1, 2)]
        assert drawn[0] == drawn[1] != drawn[2]


class TestScale:
    @pytest.mark.parametrize(
        ("scaler", "centre", "spread"),
        [
            (standard, np.mean, np.std),
            (
                robust,
                np.median,
                lambda values, axis: np.subtract(*np.quantile(values, [0.75, 0.25], axis=axis)),
            ),
            (minmax, np.min, np.ptp),
        ],
    )
    def test_each_brings_the_training_rows_to_offset_0_and_spread_1(
        self,
        scaler: Callable[[MlState], MlState],
        centre: Callable[..., Any],
        spread: Callable[..., Any],
    ) -> None:
        state = split_state()
        state |= scaler(state)
        scaled = scaled_rows(state, state["train_rows"])
        assert centre(scaled, axis=0) == pytest.approx(np.zeros(30), abs=1e-9)
        assert spread(scaled, axis=0) == pytest.approx(np.ones(30))

    def test_the_test_rows_teach_it_nothing(self) -> None:
        state = split_state()
        without_test: MlState = {**state, "test_rows": []}
        assert standard(state) == standard(without_test)


class TestSelectFeatures:
    def test_it_keeps_the_columns_that_tell_most_of_the_classes(self) -> None:
        state = split_state()
        state |= standard(state)
        state |= f_test(state)
        assert len(state["features"]) == BEST
        assert "worst concave points" in state["features"]
        assert "texture error" not in state["features"]
        assert selected_rows(state, [0]).shape == (1, BEST)


class TestTune:
    @pytest.mark.parametrize("family", FAMILIES)
    def test_it_takes_the_candidate_with_the_lowest_log_loss(self, family: str) -> None:
        state = split_state()
        state |= standard(state)
        state |= f_test(state)
        state["model"] = {"family": family, "parameters": {}}
        tuned = tune(state)
        losses = [trial["log_loss"] for trial in tuned["trials"]]
        best = tuned["trials"][losses.index(min(losses))]
        assert tuned["model"] == {"family": family, "parameters": best["parameters"]}
        tried = tuple(trial["parameters"] for trial in tuned["trials"])
        assert tried == FAMILIES[family].candidates


class TestEvaluators:
    def test_they_read_the_metrics_and_negate_what_should_be_small(self) -> None:
        metrics = {"accuracy": 0.9, "roc_auc": 0.8, "f1": 0.7, "log_loss": 0.6}
        outputs = {"metrics": metrics, "features": ["a", "b"], "fit_ms": 5.0}
        named = [reference.partition(":")[2] for reference in BATCH["evaluators"]]
        assert {name: getattr(evaluators, name)(outputs=outputs) for name in named} == {
            "accuracy": 0.9,
            "roc_auc": 0.8,
            "f1": 0.7,
            "neg_log_loss": -0.6,
            "neg_features": -2.0,
            "neg_fit_ms": -5.0,
        }
