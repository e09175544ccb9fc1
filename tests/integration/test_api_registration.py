"""Registering graphs and variants over the network: only what loads, and only from the projects."""

from collections.abc import Sequence
from urllib.parse import quote
from uuid import UUID

import httpx2
import pytest
from arranging import history, select
from served_api import Caller, fields_of, problem_of

from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.database import Database


async def register(
    caller: Caller, name: str, graph: str, project: str | None = "broken"
) -> httpx2.Response:
    return await caller.post("/workflows", name=name, graph=graph, project=project)


async def recorded(served: Database, name: str) -> Sequence[object]:
    return await select(served, "SELECT 1 FROM wtb_workflows WHERE name = :name", name=name)


async def test_a_graph_is_registered_with_all_that_it_shows(
    caller: Caller, served: Database
) -> None:
    answer = await register(caller, "from rest", "./letters.py:build", "letters")
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert answer.headers["location"] == f"/api/v1/workflows/{body['id']}"
    assert (await caller.http.get(answer.headers["location"])).json() == body
    assert body["nodes"] == ["first", "second"]
    assert {"source": "first", "target": "second", "conditional": False} in body["edges"]
    assert "first" in body["mermaid"]
    assert set(body["input_schema"]["properties"]) == {"do", "letters"}
    assert (body["version"], body["created_by"]) == (1, "operator")
    assert await history(served, UUID(body["id"])) == [(1, "WorkflowRegistered")]
    again = await register(caller, "from rest", "./letters.py:build", "letters")
    assert "'from rest'" in problem_of(again, 409, "already_exists")["detail"]


async def test_names_may_be_in_any_script(caller: Caller, letters: Workflow) -> None:
    path = f"/workflows/{letters.id}/nodes/second/variants"
    answer = await caller.post(path, name="x 漢字", implementation="./letters.py:loud")
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/api/v1{path}/x%20%E6%BC%A2%E5%AD%97"


async def test_a_variant_of_a_node_is_kept_once_it_fits(
    caller: Caller, letters: Workflow, served: Database
) -> None:
    path = f"/workflows/{quote(letters.name)}/nodes/second/variants"
    answer = await caller.post(path, name="louder", implementation="./letters.py:loud")
    assert answer.status_code == 201, answer.text
    assert answer.json()["implementation"] == "./letters.py:loud"
    assert answer.headers["location"] == (
        f"/api/v1/workflows/{quote(letters.name)}/nodes/second/variants/louder"
    )
    listed = (await caller.get(path)).json()["items"]
    assert [variant["name"] for variant in listed] == ["loud", "louder"]
    assert await history(served, letters.id) == [(2, "WorkflowChanged")]
    again = await caller.post(path, name="louder", implementation="./letters.py:loud")
    problem_of(again, 409, "already_exists")
    base = await caller.post(path, name="base", implementation="./letters.py:loud")
    assert fields_of(base) == ["name"]
    missing = await caller.post(path, name="x", implementation="./letters.py:missing")
    assert fields_of(missing) == ["implementation"]
    elsewhere = await caller.post(
        f"/workflows/{letters.id}/nodes/third/variants",
        name="x",
        implementation="./letters.py:loud",
    )
    problem_of(elsewhere, 404, "not_found")


async def test_a_whole_graph_is_kept_as_a_variant(caller: Caller, letters: Workflow) -> None:
    path = f"/workflows/{letters.id}/variants"
    answer = await caller.post(path, name="twin", graph="./letters.py:build")
    assert answer.status_code == 201, answer.text
    assert [item["name"] for item in (await caller.get(path)).json()["items"]] == ["twin"]
    accepted = await caller.execute(letters.name, workflow_variant="twin")
    assert accepted["workflow_variant"] == "twin"


@pytest.mark.parametrize(
    "graph",
    [
        "../outside.py:graph",
        "./../broken/../outside.py:graph",
        "/etc/passwd:graph",
        "./link.py:graph",
        "os:system",
        "subprocess:run",
        "./crashes.py",
        "./crashes.py:a-b",
        "./crashes.py:__import__('os')",
        "./nothing.py:graph",
        "./number.py:missing",
    ],
)
async def test_a_reference_that_leads_out_of_the_project_is_refused_unloaded(
    caller: Caller, served: Database, graph: str
) -> None:
    assert fields_of(await register(caller, "outside", graph)) == ["graph"]
    assert not await recorded(served, "outside")


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("crashes", "ended its process (exit code 3)"),
        ("misses", "nothing_of_this_name"),
        ("raises", "ZeroDivisionError"),
        ("prints", "is a int, not a LangGraph graph"),
        ("hangs", "took longer than 8 s"),
    ],
)
async def test_a_graph_that_does_not_load_is_refused_with_the_reason(
    caller: Caller, served: Database, module: str, words: str
) -> None:
    answer = await register(caller, module, f"./{module}.py:graph")
    assert fields_of(answer) == ["graph"]
    assert words in answer.json()["detail"]
    assert not await recorded(served, module)
    assert (await caller.http.get("/health")).json() == {"status": "ok"}


async def test_a_project_must_be_named_where_there_are_several(caller: Caller) -> None:
    assert fields_of(await register(caller, "x", "./letters.py:build", None)) == ["project"]
    assert fields_of(await register(caller, "x", "./letters.py:build", "nobody's")) == ["project"]


@pytest.mark.parametrize("name", ["", " x", "a/b", "a\nb", "x" * 201, "../x"])
async def test_a_name_must_be_one_that_an_address_can_carry(caller: Caller, name: str) -> None:
    assert fields_of(await register(caller, name, "./letters.py:build", "letters")) == ["name"]


async def put(caller: Caller, name: str, **body: object) -> httpx2.Response:
    whole = {"graph": "./letters.py:build", "project": "letters", **body}
    return await caller.http.put(f"/api/v1/workflows/{name}", json=whole)


async def test_a_whole_workflow_is_put_and_put_again(caller: Caller, served: Database) -> None:
    loud = {"second": {"loud": "./letters.py:loud"}}
    again = {"again": "./letters.py:build"}
    first = await put(caller, "put", node_variants=loud, workflow_variants=again, description="x")
    assert first.status_code == 200, first.text
    body = first.json()
    assert [(v["node"], v["name"]) for v in body["node_variants"]] == [("second", "loud")]
    assert [v["name"] for v in body["workflow_variants"]] == ["again"]
    assert (body["description"], body["created_by"]) == ("x", "operator")
    same = await put(caller, "put", node_variants=loud, workflow_variants=again, description="x")
    assert same.json() == body
    other = {"second": {"loud": "./letters.py:second"}}
    changed = (await put(caller, "put", node_variants=other)).json()
    assert [v["implementation"] for v in changed["node_variants"]] == ["./letters.py:second"]
    assert (changed["version"], changed["description"]) == (2, "x")
    assert [v["name"] for v in changed["workflow_variants"]] == ["again"]
    assert await history(served, UUID(body["id"])) == [
        (1, "WorkflowRegistered"),
        (2, "WorkflowChanged"),
    ]


async def test_a_workflow_that_cannot_be_put_is_left_as_it_was(
    caller: Caller, served: Database
) -> None:
    taken = {"second": {"base": "./letters.py:loud"}}
    assert "node_variants.second.base" in str(
        fields_of(await put(caller, "never", node_variants=taken))
    )
    unknown = {"third": {"loud": "./letters.py:loud"}}
    assert (await put(caller, "never", node_variants=unknown)).status_code == 422
    assert (await put(caller, "never", graph="../outside.py:graph")).status_code == 422
    assert await recorded(served, "never") == []
    assert (await put(caller, "mine")).status_code == 200
    elsewhere = {"project": "stations", "graph": "./stations.py:build"}
    problem_of(await put(caller, "mine", **elsewhere), 409, "conflict")
