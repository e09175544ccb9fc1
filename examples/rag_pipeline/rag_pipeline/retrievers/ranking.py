"""From scores of passages to a ranking of topics."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag_pipeline.corpus import Passage
from rag_pipeline.state import Document

CANDIDATES = 10
"""How many topics a retriever hands to the reranker."""


def best_per_topic(
    passages: Sequence[Passage], scores: NDArray[np.floating[Any]]
) -> list[Document]:
    """Return the best topics, each with its best passage; what does not match is left out."""
    best: dict[str, Document] = {}
    for position in np.argsort(-scores, kind="stable"):
        score = float(scores[position])
        if score <= 0 or len(best) == CANDIDATES:
            break
        passage = passages[position]
        best.setdefault(
            passage.topic,
            {
                "topic": passage.topic,
                "title": passage.title,
                "passage": passage.text,
                "score": round(score, 6),
            },
        )
    return list(best.values())
