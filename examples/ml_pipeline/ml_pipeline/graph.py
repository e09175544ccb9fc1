"""The graph under test: ten steps in a row, with their baseline nodes.

All nodes are plain functions, not coroutines: they compute, and LangGraph runs plain functions in
threads, where they hold up nobody else's run.
"""

from itertools import pairwise

from langgraph.graph import END, START, StateGraph

from ml_pipeline.state import Experiment, MlState, Result
from ml_pipeline.steps.evaluate import evaluate
from ml_pipeline.steps.explain import explain
from ml_pipeline.steps.load import load
from ml_pipeline.steps.report import report
from ml_pipeline.steps.scale import standard
from ml_pipeline.steps.select_features import keep_all
from ml_pipeline.steps.split import split
from ml_pipeline.steps.train import logistic_regression
from ml_pipeline.steps.tune import tune
from ml_pipeline.steps.validate import validate


def build_graph() -> StateGraph[MlState, None, Experiment, Result]:
    """Build the baseline; `langgraph.json` names the variants of each node."""
    graph = StateGraph(MlState, input_schema=Experiment, output_schema=Result)
    graph.add_node("load", load)
    graph.add_node("validate", validate)
    graph.add_node("split", split)
    graph.add_node("scale", standard)
    graph.add_node("select_features", keep_all)
    graph.add_node("train", logistic_regression)
    graph.add_node("tune", tune)
    graph.add_node("evaluate", evaluate)
    graph.add_node("explain", explain)
    graph.add_node("report", report)
    for before, after in pairwise([START, *graph.nodes, END]):
        graph.add_edge(before, after)
    return graph
