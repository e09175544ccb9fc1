"""Benches in this process, and a workflow of functions that no import finds."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from wtb_async.domain.json import JsonObject
from wtb_async.sdk.bench import WTBTestBench
from wtb_async.sdk.project import WorkflowProject


class Words(TypedDict, total=False):
    """A sentence, its words, and what was made of them."""

    text: str
    words: list[str]
    answer: str


Node = Callable[..., Any]
"""A node of the workflow, plain or a coroutine: of the state, and of the config if it asks."""


def split(state: Words) -> Words:
    """A plain function, which runs in a thread."""
    return {"words": state["text"].split()}


async def join(state: Words) -> Words:
    """A coroutine."""
    return {"answer": " ".join(state["words"])}


def build(first: Node = split, second: Node = join) -> StateGraph[Words, None, Words, Words]:
    """Two nodes in a row."""
    graph: StateGraph[Words, None, Words, Words] = StateGraph(Words)
    graph.add_node("split", first)
    graph.add_node("join", second)
    graph.add_edge(START, "split")
    graph.add_edge("split", "join")
    graph.add_edge("join", END)
    return graph


def words_project(
    name: str = "words", first: Node = split, second: Node = join, **variants: Node
) -> WorkflowProject:
    """A workflow of closures, with variants of its last node."""
    project = WorkflowProject(name, lambda: build(first, second))
    for variant, node in variants.items():
        project.register_variant("join", variant, node)
    return project


def case(key: str, text: str) -> JsonObject:
    """A test case whose reference is its input."""
    return {"id": key, "input": {"text": text}, "reference": {"answer": text}}


@asynccontextmanager
async def local_bench(
    database_url: str,
    *,
    files: Path | None = None,
    **options: Any,  # noqa: ANN401
) -> AsyncIterator[WTBTestBench]:
    """A local bench on a migrated database, with its files in a folder of its own or this one."""
    with pytest.MonkeyPatch.context() as environment, TemporaryDirectory() as folder:
        environment.setenv("WTB_DATABASE_URL", database_url)
        environment.setenv("WTB_FILES__FOLDER", str(files or folder))
        async with WTBTestBench.local(**options) as bench:
            yield bench


@pytest.fixture
async def bench(database_url: str) -> AsyncIterator[WTBTestBench]:
    """A local bench of its own."""
    async with local_bench(database_url) as opened:
        yield opened
