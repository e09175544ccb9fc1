"""How code is named: by its module for whoever imports it, as an object where it has no name."""

from collections.abc import Callable
from typing import Any

import pytest
from local_benches import build, join

from wtb_async.domain.errors import InvalidInput
from wtb_async.infrastructure.in_process.code import InProcessObjects, InProcessSources
from wtb_async.sdk.project import WorkflowProject
from wtb_async.sdk.references import NotImportable, importable_reference


class Nodes:
    @staticmethod
    def inner(state: Any) -> Any:  # noqa: ANN401
        return state


def closure() -> Callable[[Any], Any]:
    def inner(state: Any) -> Any:  # noqa: ANN401
        return state

    return inner


def of_a_notebook(state: Any) -> Any:  # noqa: ANN401
    return state


of_a_notebook.__module__ = "__main__"

replaced = closure()
replaced.__qualname__ = "build"


@pytest.mark.parametrize(
    "code",
    [lambda state: state, closure(), Nodes.inner, Nodes(), of_a_notebook, replaced, build()],
    ids=["lambda", "closure", "method", "instance", "notebook", "replaced", "graph"],
)
def test_what_no_import_gives_back_is_refused_for_a_server(code: object) -> None:
    project = WorkflowProject("words", build)
    project.register_variant("join", "other", code)
    with pytest.raises(NotImportable, match=r"words/join/other: .*WTBTestBench\.local"):
        project.references(importable_reference)


def test_a_project_of_importable_functions_and_of_text_is_all_references() -> None:
    project = WorkflowProject("words", build)
    project.register_variant("join", "same", join)
    project.register_variant("join", "text", "./nodes.py:join")
    project.register_workflow_variant("again", "package.graphs:build")
    named = project.references(importable_reference)
    assert named.graph == "local_benches:build"
    assert named.node_variants == {
        "join": {"same": "local_benches:join", "text": "./nodes.py:join"}
    }
    assert named.workflow_variants == {"again": "package.graphs:build"}


def test_an_object_is_found_by_its_reference() -> None:
    objects = InProcessObjects()
    sources = InProcessSources([], objects)
    found = closure()
    reference = objects.put("words/join/other", found)
    assert sources.default().load(reference) is found


def test_the_same_role_and_name_give_the_same_reference_in_every_process() -> None:
    references = {InProcessObjects().put("words", closure()) for _ in range(2)}
    assert references == {"memory/words:inner"}


def test_code_that_has_changed_is_told_and_the_same_is_not() -> None:
    objects = InProcessObjects()
    told: list[str] = []
    objects.on_change = lambda: told.append("change")
    first, second = closure(), closure()
    for found in (first, first, second):
        objects.put("words", found)
    assert len(told) == 2


@pytest.mark.parametrize(
    ("reference", "complaint"),
    [
        ("memory/words:build", "register its project"),
        ("./graph.py:build", r"WTBTestBench\.local\(project"),
        ("local_benches", "is not"),
        ("no_such_module_here:build", "does not load: ModuleNotFoundError"),
        ("local_benches:nothing", "does not load: AttributeError"),
    ],
)
def test_a_reference_that_leads_nowhere_says_what_to_do(reference: str, complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        InProcessSources([], InProcessObjects()).default().load(reference)


def test_a_project_that_the_bench_was_not_opened_with_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"no project 'rag'.*WTBTestBench\.local\(project"):
        InProcessSources([], InProcessObjects()).get("rag")
