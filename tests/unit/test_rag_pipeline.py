import asyncio
import importlib
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import httpx
import pytest
from langgraph.graph.state import CompiledStateGraph
from rag_pipeline.answerers.extractive import NOT_FOUND, extractive
from rag_pipeline.answerers.language_model import MissingApiKeyError, language_model
from rag_pipeline.built_once import built_once
from rag_pipeline.corpus import passages, split_into_passages
from rag_pipeline.evaluators import hit_at_1, hit_at_3, reciprocal_rank
from rag_pipeline.expansion import glossary
from rag_pipeline.graph import build_graph
from rag_pipeline.rerankers import overlap, whole_topic
from rag_pipeline.retrievers.lexical import bm25
from rag_pipeline.retrievers.vectors import lsa, tfidf
from rag_pipeline.state import Answer, Document, Question, RagState
from rag_pipeline.tokens import singular, tokenise

PROJECT = Path(__file__).parents[2] / "examples" / "rag_pipeline"
MANIFEST = json.loads((PROJECT / "langgraph.json").read_text())
BATCH = json.loads((PROJECT / "batch.json").read_text())
CASES = [json.loads(line) for line in (PROJECT / "questions.jsonl").read_text().splitlines()]
QUESTION = "How do I repeat a block as long as something stays true?"

Node = Callable[[RagState], Any]


def variants_of(node: str) -> dict[str, str]:
    references: dict[str, str] = MANIFEST["wtb"]["variants"]["rag"][node]
    return references


def resolve(reference: str) -> Callable[..., Any]:
    module, _, attribute = reference.partition(":")
    named: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    return named


def graph_with(**variants: str) -> CompiledStateGraph[RagState, None, Question, Answer]:
    graph = build_graph()
    for node, variant in variants.items():
        if variant != "base":
            graph.nodes.pop(node)
            graph.add_node(node, resolve(variants_of(node)[variant]))
    return graph.compile()


def document(topic: str, passage: str = "", score: float = 1.0) -> Document:
    return {"topic": topic, "title": topic, "passage": passage, "score": score}


class TestQuestions:
    def test_there_are_sixty_with_ids_and_wordings_of_their_own(self) -> None:
        assert len(CASES) == 60
        assert len({case["id"] for case in CASES}) == 60
        assert len({case["input"]["question"] for case in CASES}) == 60

    @pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
    def test_every_right_topic_exists_and_has_a_passage_that_can_be_found(
        self, case: dict[str, Any]
    ) -> None:
        right = set(case["reference"].get("topics") or [case["reference"]["topic"]])
        assert right <= set(topics)
        assert right & {passage.topic for passage in passages()}


class TestManifest:
    def test_every_reference_of_variants_and_evaluators_resolves(self) -> None:
        of_variants = [
            reference
            for named in MANIFEST["wtb"]["variants"]["rag"].values()
            for reference in named.values()
        ]
        of_project = [each for each in BATCH["evaluators"] if not each.startswith("wtb.")]
        assert all(callable(resolve(each)) for each in of_variants + of_project)

    def test_the_batch_names_only_nodes_and_variants_that_exist(self) -> None:
        for node, chosen in BATCH["variant_matrix"].items():
            assert set(chosen) == {"base", *variants_of(node)}
        assert (PROJECT / BATCH["test_cases_file"]).is_file()


class TestGraph:
    @pytest.mark.parametrize("retriever", BATCH["variant_matrix"]["retriever"])
    @pytest.mark.parametrize("reranker", BATCH["variant_matrix"]["reranker"])
    async def test_every_combination_of_the_batch_answers_from_ranked_documents(
        self, retriever: str, reranker: str
    ) -> None:
        graph = graph_with(retriever=retriever, reranker=reranker)
        result = await graph.ainvoke({"question": QUESTION})
        scores = [each["score"] for each in result["documents"]]
        assert set(result) == {"answer", "documents"}
        assert scores == sorted(scores, reverse=True)
        assert result["documents"][0]["topic"] == "while"
        assert result["answer"].endswith("[while]")
        assert json.loads(json.dumps(result)) == result

    async def test_a_question_without_any_known_word_gets_an_honest_answer(self) -> None:
        for retriever in BATCH["variant_matrix"]["retriever"]:
            for reranker in BATCH["variant_matrix"]["reranker"]:
                graph = graph_with(retriever=retriever, reranker=reranker)
                result = await graph.ainvoke({"question": "Xyzzy plugh?"})
                assert result == {"documents": [], "answer": NOT_FOUND}

    async def test_concurrent_runs_do_not_disturb_each_other(self) -> None:
        graph = graph_with(reranker="topic")
        inputs = [case["input"] for case in CASES]
        together = await asyncio.gather(*(graph.ainvoke(each) for each in inputs))
        assert together == [await graph.ainvoke(each) for each in inputs]

    def test_its_schemas_can_be_published(self) -> None:
        graph = build_graph().compile()
        assert set(graph.get_input_jsonschema()["properties"]) == {"question"}
        assert set(graph.get_output_jsonschema()["properties"]) == {"answer", "documents"}


class TestTokens:
    @pytest.mark.parametrize(
        ("text", "terms"),
        [
            ("What do the loops do?", ["loop"]),
            ("the `with` statement", ["with", "statement"]),
            ('the "is not" operator', ["is", "not", "operator"]),
            ("__init__()", ["__init__", "init"]),
            ("str.format", ["str.format", "str", "format"]),
            ("f(*args, **kwargs)", ["*", "arg", "**", "kwarg"]),
            ("x // y", ["//"]),
            ("an in-place change", ["place", "change"]),
            ("", []),
        ],
    )
    def test_prose_loses_its_small_words_and_code_keeps_its_names(
        self, text: str, terms: list[str]
    ) -> None:
        assert list(tokenise(text)) == terms

    @pytest.mark.parametrize(
        ("plural", "expected"),
        [("queries", "query"), ("classes", "class"), ("names", "name"), ("class", "class")],
    )
    def test_plurals_become_singulars(self, plural: str, expected: str) -> None:
        assert singular(plural) == expected


class TestCorpus:
    def test_a_paragraph_of_several_topics_belongs_to_the_shortest(self) -> None:
        reference = {
            "all": "All\n***\n\nOnly here.\n\nOne\n===\n\nShared text.",
            "one": "One\n***\n\nShared text.",
        }
        found = {(each.topic, each.text) for each in split_into_passages(reference)}
        assert found == {("all", "Only here."), ("one", "Shared text.")}

    def test_a_passage_never_crosses_a_section_and_carries_its_headings(self) -> None:
        text = "Topic\n*****\n\nFirst.\n\n\nPart\n====\n\nSecond.\n\nThird."
        found = [(each.title, each.text) for each in split_into_passages({"topic": text})]
        assert found == [("Topic", "First."), ("Topic: Part", "Second.\n\nThird.")]

    def test_long_sections_are_cut_between_paragraphs(self) -> None:
        paragraphs = [f"{number} " + "word " * 79 for number in range(3)]
        text = "Topic\n*****\n\n" + "\n\n".join(paragraphs)
        assert len(split_into_passages({"topic": text})) == 3


class TestExpansion:
    async def test_it_adds_the_words_of_the_reference_to_those_of_the_learner(self) -> None:
        update = await glossary({"question": "How do I catch errors?"})
        assert update["query"] == "How do I catch errors? except handler exception"


class TestRetrievers:
    @pytest.mark.parametrize("retriever", [bm25, tfidf, lsa])
    async def test_it_returns_at_most_ten_topics_each_once(self, retriever: Node) -> None:
        documents = (await retriever({"query": "assign a value to a name"}))["documents"]
        found = [each["topic"] for each in documents]
        assert 0 < len(found) == len(set(found)) <= 10


class TestRerankers:
    async def test_overlap_lifts_the_passage_that_contains_more_of_the_question(self) -> None:
        state: RagState = {
            "question": "When does the loop terminate?",
            "documents": [document("a", "a loop", 1.0), document("b", "the loop terminates", 0.9)],
        }
        assert [each["topic"] for each in (await overlap(state))["documents"]] == ["b", "a"]

    async def test_whole_topic_lifts_the_topic_that_is_about_the_question(self) -> None:
        state: RagState = {
            "question": "lambda expressions and anonymous functions",
            "documents": [document("debugger", score=1.0), document("lambda", score=0.9)],
        }
        ranked = (await whole_topic(state))["documents"]
        assert [each["topic"] for each in ranked] == ["lambda", "debugger"]


class TestEvaluators:
    @pytest.mark.parametrize(
        ("found", "reference", "expected"),
        [
            (["for", "while"], {"topic": "for"}, (True, True, 1.0)),
            (["for", "while"], {"topic": "while"}, (False, True, 0.5)),
            (["a", "b", "c", "for"], {"topic": "for"}, (False, False, 0.25)),
            (["a", "if"], {"topics": ["else", "if"]}, (False, True, 0.5)),
            (["for"], {"topic": "while"}, (False, False, 0.0)),
            ([], {"topic": "while"}, (False, False, 0.0)),
        ],
    )
    def test_they_score_the_rank_of_the_first_right_topic(
        self,
        found: list[str],
        reference: dict[str, Any],
        expected: tuple[bool, bool, float],
    ) -> None:
        outputs = {"documents": [document(topic) for topic in found]}
        scores = tuple(
            evaluate(outputs=outputs, reference_outputs=reference)
            for evaluate in (hit_at_1, hit_at_3, reciprocal_rank)
        )
        assert scores == expected


class TestExtractiveAnswerer:
    async def test_it_quotes_the_telling_sentences_and_names_the_topic(self) -> None:
        passage = "Trees are green. The loop terminates. Water is wet. A loop repeats the suite."
        state: RagState = {"query": "loop", "documents": [document("while", passage)]}
        answer = (await extractive(state))["answer"]
        assert answer == "The loop terminates. A loop repeats the suite. [while]"


class ChatServer(ThreadingHTTPServer):
    """Stands in for a language model's server, which is outside this machine."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ChatHandler)
        self.status = 200
        self.requests: list[tuple[str, str, dict[str, Any]]] = []

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class ChatHandler(BaseHTTPRequestHandler):
    server: ChatServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, self.headers["Authorization"], body))
        message = {"role": "assistant", "content": "Use while. [while]"}
        answer = json.dumps({"choices": [{"message": message}]}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep the test's output clean."""


@pytest.fixture
def chat_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    with ChatServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("OPENAI_API_KEY", "a-key")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("OPENAI_MODEL", "a-model")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield server
        server.shutdown()
        thread.join()


class TestLanguageModelAnswerer:
    async def test_without_a_key_it_says_what_to_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("OPENAI_API_KEY", raising=False)
        with pytest.raises(MissingApiKeyError, match="set OPENAI_API_KEY"):
            await graph_with(answerer="llm").ainvoke({"question": QUESTION})

    async def test_it_sends_question_and_passages_and_returns_the_model_s_words(
        self, chat_server: ChatServer
    ) -> None:
        result = await graph_with(answerer="llm").ainvoke({"question": QUESTION})
        ((path, authorization, body),) = chat_server.requests
        assert result["answer"] == "Use while. [while]"
        assert (path, authorization) == ("/v1/chat/completions", "Bearer a-key")
        assert body["model"] == "a-model"
        assert QUESTION in body["messages"][1]["content"]
        assert result["documents"][0]["passage"] in body["messages"][1]["content"]

    async def test_a_refusal_of_the_server_fails_the_node(self, chat_server: ChatServer) -> None:
        chat_server.status = 429
        with pytest.raises(httpx.HTTPStatusError, match="429"):
            await language_model({"question": QUESTION, "documents": []})


def test_threads_that_arrive_together_share_one_build() -> None:
    builds: list[int] = []
    everyone_is_here = threading.Barrier(8)

    @built_once
    def value() -> object:
        builds.append(1)
        return object()

    def ask(_: int) -> object:
        everyone_is_here.wait()
        return value()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == len(builds) == 1
