"""Cosine similarity in a vector space: of terms (TF-IDF) or of latent concepts (LSA)."""

from dataclasses import dataclass

from scipy.sparse import csr_array
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import Normalizer

from rag_pipeline.built_once import built_once
from rag_pipeline.corpus import passages
from rag_pipeline.retrievers.ranking import best_per_topic
from rag_pipeline.state import Document, RagState
from rag_pipeline.tokens import tokenise

CONCEPTS = 100
"""Dimensions of the latent space (Deerwester et al., 1990, found 100 to serve such corpora)."""


@dataclass(frozen=True)
class VectorSpace:
    """Passages as unit vectors, one per row, and the way to bring a query among them."""

    vectoriser: Pipeline
    vectors: csr_array

    def search(self, query: str) -> list[Document]:
        """Rank the passages by the cosine of their angle to the query."""
        vector = csr_array(self.vectoriser.transform([query]))
        return best_per_topic(passages(), (self.vectors @ vector.T).toarray().ravel())


async def tfidf(state: RagState) -> RagState:
    """Rank by cosine over TF-IDF weights with logarithmic term frequency."""
    return {"documents": _terms_space().search(state["query"])}


async def lsa(state: RagState) -> RagState:
    """Rank by cosine in the latent space of a truncated singular value decomposition."""
    return {"documents": _concepts_space().search(state["query"])}


@built_once
def _terms_space() -> VectorSpace:
    return _fitted(make_pipeline(_term_vectoriser()))


@built_once
def _concepts_space() -> VectorSpace:
    svd = TruncatedSVD(CONCEPTS, random_state=0)
    return _fitted(make_pipeline(_term_vectoriser(), svd, Normalizer(copy=False)))


def _term_vectoriser() -> TfidfVectorizer:
    return TfidfVectorizer(analyzer=tokenise, sublinear_tf=True)


def _fitted(vectoriser: Pipeline) -> VectorSpace:
    texts = [passage.searchable for passage in passages()]
    return VectorSpace(vectoriser, csr_array(vectoriser.fit_transform(texts)))
