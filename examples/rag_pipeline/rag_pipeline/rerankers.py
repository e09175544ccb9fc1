"""Second-stage rankings: a closer look at the few documents that a retriever found.

Each adds evidence of its own, between 0 and 1, to the retriever's score, which is scaled so that
the best document has 1. The evidence is about the question as it was asked: the terms that the
expansion added have done their work once the documents are found.
"""

from collections.abc import Mapping, Sequence
from pydoc_data.topics import topics

from rag_pipeline.built_once import built_once
from rag_pipeline.corpus import term_weights
from rag_pipeline.keyword_index import KeywordIndex
from rag_pipeline.state import Document, RagState
from rag_pipeline.tokens import tokenise

TITLE_WEIGHT = 0.5
"""What a heading counts beside the text: it says what a passage is about, but in few words."""


async def keep_order(state: RagState) -> RagState:
    """Leave the documents as the retriever ranked them."""
    return {"documents": state["documents"]}


async def overlap(state: RagState) -> RagState:
    """Prefer passages that contain more of the question, in their text and in their headings."""
    documents = state["documents"]
    shares = _shares_of_information(state["question"])
    evidence = [_covered(shares, document) for document in documents]
    return {"documents": _reranked(documents, evidence)}


async def whole_topic(state: RagState) -> RagState:
    """Prefer passages whose whole topic is about the question, by the topic's own BM25 score.

    A passage alone is weak evidence: a long topic has many, and one of them matches by chance.
    """
    documents = state["documents"]
    scores = dict(zip(topics, _topic_index().scores(state["question"]).tolist(), strict=True))
    found = [float(scores[document["topic"]]) for document in documents]
    best = max(found, default=0.0)
    evidence = [score / best if best else 0.0 for score in found]
    return {"documents": _reranked(documents, evidence)}


@built_once
def _topic_index() -> KeywordIndex:
    return KeywordIndex(topics.values())


def _reranked(documents: Sequence[Document], evidence: Sequence[float]) -> list[Document]:
    """Order the documents by their scaled score plus the evidence for each."""
    best = max((document["score"] for document in documents), default=1.0)
    rescored: list[Document] = [
        {**document, "score": round(document["score"] / best + found, 6)}
        for document, found in zip(documents, evidence, strict=True)
    ]
    return sorted(rescored, key=lambda document: -document["score"])


def _shares_of_information(question: str) -> Mapping[str, float]:
    """Return each term's share of the question's inverse document frequency; they add up to 1."""
    weights = term_weights()
    known = {term: weights[term] for term in tokenise(question) if term in weights}
    total = sum(known.values())
    return {term: weight / total for term, weight in known.items()}


def _covered(shares: Mapping[str, float], document: Document) -> float:
    """Return how much of the question the document's text and headings contain."""
    text = sum(shares.get(term, 0.0) for term in set(tokenise(document["passage"])))
    title = sum(shares.get(term, 0.0) for term in set(tokenise(document["title"])))
    return (text + TITLE_WEIGHT * title) / (1 + TITLE_WEIGHT)
