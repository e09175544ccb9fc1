"""An answer in the reference's own sentences: no model, no cost, nothing invented."""

import re

from rag_pipeline.corpus import term_weights
from rag_pipeline.state import RagState
from rag_pipeline.tokens import tokenise

SENTENCES = 2
NOT_FOUND = "The language reference says nothing about this."

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"“*(])")


async def extractive(state: RagState) -> RagState:
    """Quote the best document's most telling sentences, in their order, and name its topic."""
    if not state["documents"]:
        return {"answer": NOT_FOUND}
    best = state["documents"][0]
    quoted = _most_telling(_sentences(best["passage"]), state["query"])
    return {"answer": f"{' '.join(quoted)} [{best['topic']}]"}


def _most_telling(sentences: list[str], query: str) -> list[str]:
    """Return the sentences that share the most information with the query."""
    idf = term_weights()
    wanted = set(tokenise(query))
    shared = [
        sum(idf[term] for term in wanted.intersection(tokenise(sentence)) if term in idf)
        for sentence in sentences
    ]
    ranked = sorted(range(len(sentences)), key=lambda index: -shared[index])
    return [sentences[index] for index in sorted(ranked[:SENTENCES])]


def _sentences(passage: str) -> list[str]:
    """Split a passage at its sentence ends; grammar rules count only where there is no prose."""
    paragraphs = [" ".join(part.split()) for part in passage.split("\n\n")]
    prose = [part for part in paragraphs if "::=" not in part]
    return [each for part in prose or paragraphs for each in _SENTENCE_END.split(part)]
