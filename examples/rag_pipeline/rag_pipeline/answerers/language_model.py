"""An answer written by a language model, through any OpenAI-compatible server."""

import os

import httpx

from rag_pipeline.state import Document, RagState

CONTEXT_DOCUMENTS = 3
TIMEOUT_SECONDS = 60.0

_INSTRUCTION = (
    "You answer questions about Python. Use only the passages of the language reference that are "
    "given. Answer in at most three sentences and name the topic that you used in square brackets. "
    "If the passages do not answer the question, say so."
)


class MissingApiKeyError(RuntimeError):
    """The language model was chosen, but no key for it is set."""


async def language_model(state: RagState) -> RagState:
    """Answer from the best documents with a chat model.

    Reads `OPENAI_API_KEY`, `OPENAI_BASE_URL` and `OPENAI_MODEL` from the environment.

    Raises:
        MissingApiKeyError: `OPENAI_API_KEY` is not set.
        httpx.HTTPError: The server cannot be reached or refuses the request.
    """
    headers = {"Authorization": f"Bearer {_api_key()}"}
    base_url = os.environ.get("OPENAI_BASE_URL", "https://api.openai.com/v1")
    async with httpx.AsyncClient(
        base_url=base_url, headers=headers, timeout=TIMEOUT_SECONDS
    ) as client:
        response = await client.post("chat/completions", json=_request(state))
    response.raise_for_status()
    return {"answer": response.json()["choices"][0]["message"]["content"]}


def _api_key() -> str:
    key = os.environ.get("OPENAI_API_KEY")
    if not key:
        raise MissingApiKeyError(
            "The answerer `llm` needs a key: set OPENAI_API_KEY (and OPENAI_BASE_URL for a server "
            "other than OpenAI's), or choose the answerer `base`."
        )
    return key


def _request(state: RagState) -> dict[str, object]:
    passages = "\n\n".join(_quoted(each) for each in state["documents"][:CONTEXT_DOCUMENTS])
    return {
        "model": os.environ.get("OPENAI_MODEL", "gpt-4o-mini"),
        "temperature": 0,
        "messages": [
            {"role": "system", "content": _INSTRUCTION},
            {"role": "user", "content": f"{passages}\n\nQuestion: {state['question']}"},
        ],
    }


def _quoted(document: Document) -> str:
    return f"[{document['topic']}] {document['title']}\n{document['passage']}"
