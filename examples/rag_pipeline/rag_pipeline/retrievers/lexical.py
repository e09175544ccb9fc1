"""Okapi BM25, the baseline that any other retriever has to beat."""

from rag_pipeline.built_once import built_once
from rag_pipeline.corpus import passages
from rag_pipeline.keyword_index import KeywordIndex
from rag_pipeline.retrievers.ranking import best_per_topic
from rag_pipeline.state import RagState


async def bm25(state: RagState) -> RagState:
    """Rank passages by the terms that they share with the query."""
    return {"documents": best_per_topic(passages(), _passage_index().scores(state["query"]))}


@built_once
def _passage_index() -> KeywordIndex:
    return KeywordIndex(passage.searchable for passage in passages())
