"""Okapi BM25 over any texts."""

from collections.abc import Iterable

import numpy as np
from bm25s import BM25
from numpy.typing import NDArray

from rag_pipeline.tokens import tokenise


class KeywordIndex:
    """Scores a fixed list of texts against queries (k1 = 1.5, b = 0.75, Lucene's idf)."""

    def __init__(self, texts: Iterable[str]) -> None:
        terms = [list(tokenise(text)) for text in texts]
        self._size = len(terms)
        self._index = BM25(k1=1.5, b=0.75, method="lucene")
        self._index.index(terms, show_progress=False)

    def scores(self, query: str) -> NDArray[np.float32]:
        """Return one score per text, 0 where text and query share no term."""
        known = [term for term in tokenise(query) if term in self._index.vocab_dict]
        if not known:
            return np.zeros(self._size, dtype=np.float32)
        return np.asarray(self._index.get_scores(known), dtype=np.float32)
