"""Query expansion: learners' words are joined by the words of the reference."""

from rag_pipeline.state import RagState
from rag_pipeline.tokens import tokenise

_GLOSSARY = {
    "anonymous": "lambda",
    "array": "list sequence",
    "breakpoint": "debugger pdb",
    "catch": "except handler",
    "cleanup": "finally",
    "condition": "boolean truth",
    "constructor": "__init__ __new__",
    "convert": "conversion",
    "crash": "exception traceback",
    "debug": "debugger pdb",
    "decimal": "floating point",
    "delete": "del deletion",
    "dictionary": "mapping",
    "element": "item",
    "equal": "comparison",
    "error": "exception",
    "float": "floating point",
    "generator": "yield",
    "index": "subscription",
    "inherit": "base class inheritance",
    "inner": "enclosing nested",
    "instance": "object",
    "int": "integer",
    "library": "module import",
    "loop": "iteration",
    "module": "import",
    "multiply": "multiplication",
    "outer": "enclosing scope",
    "parameter": "argument",
    "parent": "base class",
    "property": "attribute",
    "remainder": "modulo",
    "remove": "deletion",
    "repeat": "loop repeated",
    "scope": "namespace binding",
    "slice": "slicing",
    "superclass": "base class",
    "text": "string",
    "throw": "raise",
    "variable": "name binding",
    "wait": "await coroutine",
}


async def glossary(state: RagState) -> RagState:
    """Append the reference's own terms for the words that the question uses."""
    question = state["question"]
    known = dict.fromkeys(tokenise(question))
    additions = [_GLOSSARY[term] for term in known if term in _GLOSSARY]
    return {"query": " ".join([question, *additions])}


async def verbatim(state: RagState) -> RagState:
    """Search with the question as it was asked."""
    return {"query": state["question"]}
