"""The graph under test: expand -> retriever -> reranker -> answerer, with its baseline nodes."""

from langgraph.graph import END, START, StateGraph

from rag_pipeline.answerers.extractive import extractive
from rag_pipeline.expansion import glossary
from rag_pipeline.rerankers import keep_order
from rag_pipeline.retrievers.lexical import bm25
from rag_pipeline.state import Answer, Question, RagState


def build_graph() -> StateGraph[RagState, None, Question, Answer]:
    """Build the baseline; `langgraph.json` names the variants of each node."""
    graph = StateGraph(RagState, input_schema=Question, output_schema=Answer)
    graph.add_node("expand", glossary)
    graph.add_node("retriever", bm25)
    graph.add_node("reranker", keep_order)
    graph.add_node("answerer", extractive)
    graph.add_edge(START, "expand")
    graph.add_edge("expand", "retriever")
    graph.add_edge("retriever", "reranker")
    graph.add_edge("reranker", "answerer")
    graph.add_edge("answerer", END)
    return graph
