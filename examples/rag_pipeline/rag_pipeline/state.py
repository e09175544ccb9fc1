"""What travels through the graph: plain JSON values, so that every checkpoint can be read."""

# Pydantic, which derives the graph's JSON schemas, needs this TypedDict before Python 3.12.
from typing_extensions import TypedDict


class Document(TypedDict):
    """One topic of the reference, with the passage that speaks for it."""

    topic: str
    title: str
    passage: str
    score: float


class Question(TypedDict):
    """The graph's input."""

    question: str


class Answer(TypedDict):
    """The graph's output: the answer and the documents that it was drawn from, best first."""

    answer: str
    documents: list[Document]


class RagState(TypedDict, total=False):
    """The state of one run; a node returns only the keys that it changes."""

    question: str
    query: str
    documents: list[Document]
    answer: str
