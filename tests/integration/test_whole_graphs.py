"""Whole-graph variants beside node variants, from the matrix to the runner and back."""

import secrets

import pytest
from arranging import eventually, new_workflow
from living_runner import living_runner
from served_api import Caller, fields_of, problem_of

from wtb_async.application.batches.choose_cases import CaseChoice
from wtb_async.application.batches.compare_batch import compare_batch
from wtb_async.application.batches.submit_batch_test import SubmitBatchTest, submit_batch_test
from wtb_async.application.batches.views import BatchTestView, ResultRow
from wtb_async.application.ids import new_id
from wtb_async.application.ports import UnitOfWorkFactory
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.dataset import CaseContent
from wtb_async.domain.execution import Limits
from wtb_async.domain.variant_matrix import Matrix
from wtb_async.domain.workflow import Workflow, WorkflowVariant
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.infrastructure.postgres.queries.batch_tests import BatchTestQueries
from wtb_async.settings import Settings

CASES = [{"id": "case", "input": {}}]


async def register_with_brief(uow_factory: UnitOfWorkFactory, name: str) -> Workflow:
    """The letters workflow with another graph, which lacks the node `first`."""
    workflow = new_workflow(name, project="letters")
    brief = WorkflowVariant(
        id=new_id(),
        workflow_id=workflow.id,
        name="brief",
        graph="./letters.py:brief",
        topology={"nodes": ["second"]},
        created_by="test",
        created_at=workflow.created_at,
    )
    workflow.workflow_variants.append(brief)
    async with uow_factory() as uow:
        uow.workflows.add(workflow)
        await uow.commit()
    return workflow


@pytest.fixture
async def letters(served: Database) -> Workflow:
    """The letters workflow with its other graph, in the database of the API."""
    return await register_with_brief(served.unit_of_work, f"letters {secrets.token_hex(4)}")


async def submit(platform: Platform, workflow: Workflow) -> BatchTestView:
    """Both graphs, each with both variants of `second`, but for one."""
    return await submit_batch_test(
        SubmitBatchTest(
            workflow=workflow.name,
            name="graphs",
            variant_matrix={"second": ["base", "loud"], "__workflow__": ["base", "brief"]},
            exclude=[{"__workflow__": "base", "second": "loud"}],
            baseline=None,
            cases=CaseChoice(test_cases=[CaseContent(key="case", input={})]),
            repetitions=1,
            evaluators=[],
            limits=Limits(),
            max_executions=10,
            caller="test",
        ),
        uow_factory=platform.database.unit_of_work,
        evaluators=platform.evaluation,
        nudges=platform.nudges,
    )


async def test_a_matrix_runs_whole_graphs_with_variants_of_their_nodes(
    platform: Platform, settings: Settings
) -> None:
    workflow = await register_with_brief(platform.database.unit_of_work, "letters")
    batch = await submit(platform, workflow)
    queries = BatchTestQueries(platform.database.engine)

    async def all_done() -> list[ResultRow]:
        rows = (await queries.results(batch.id, limit=10, cursor=None)).items
        return rows if all(row.status.value == "completed" for row in rows) else []

    async with living_runner(settings):
        rows = await eventually(all_done)
    assert [(row.combination, row.output) for row in rows] == [
        ({"second": "base", "__workflow__": "base"}, {"letters": ["a", "b"]}),
        ({"second": "base", "__workflow__": "brief"}, {"letters": ["b"]}),
        ({"second": "loud", "__workflow__": "brief"}, {"letters": ["B!"]}),
    ]
    comparison = await compare_batch(batch.id, queries)
    assert comparison.baseline == {"second": "base", "__workflow__": "base"}
    assert {each["__workflow__"] for each in comparison.ranking} == {"base", "brief"}


async def test_executions_carry_the_graph_and_not_its_key(
    caller: Caller, letters: Workflow
) -> None:
    answer = await caller.post(
        "/batch-tests",
        workflow=letters.name,
        test_cases=CASES,
        variant_matrix=[{"__workflow__": "brief"}, {"first": "base", "second": "loud"}],
        baseline={"__workflow__": "brief"},
    )
    assert answer.status_code == 202, answer.text
    batch = answer.json()
    assert batch["baseline"] == {"__workflow__": "brief", "first": "base", "second": "base"}
    executions = (await caller.get("/executions", batch=batch["id"])).json()["items"]
    assert [(each["workflow_variant"], each["variants"]) for each in reversed(executions)] == [
        ("brief", {"first": "base", "second": "base"}),
        (None, {"first": "base", "second": "loud"}),
    ]


async def test_a_graph_that_joins_later_makes_the_others_the_original(
    caller: Caller, letters: Workflow
) -> None:
    answer = await caller.post(
        "/batch-tests", workflow=letters.name, test_cases=CASES, variant_matrix={"second": ["loud"]}
    )
    path = f"/batch-tests/{answer.json()['id']}"
    matrix = {"__workflow__": ["brief"], "second": ["loud"]}
    grown = (await caller.post(f"{path}/extend", variant_matrix=matrix)).json()
    combinations = [
        {"second": "loud", "__workflow__": "base"},
        {"second": "loud", "__workflow__": "brief"},
    ]
    assert grown["combinations"] == combinations
    results = (await caller.get(f"{path}/results")).json()["items"]
    assert [row["combination"] for row in results] == combinations


@pytest.mark.parametrize(
    ("matrix", "field"),
    [
        ({"__workflow__": ["flat"]}, "variant_matrix.0.__workflow__"),
        ({"__workflow__": ["base", "brief"], "first": ["loud"]}, "variant_matrix.0.first"),
        ([{"__workflow__": "brief", "third": "base"}], "variant_matrix.0.third"),
    ],
)
async def test_a_matrix_that_no_graph_can_run_names_what_is_wrong(
    caller: Caller,
    letters: Workflow,
    matrix: Matrix,
    field: str,
) -> None:
    answer = await caller.post(
        "/batch-tests", workflow=letters.name, test_cases=CASES, variant_matrix=matrix
    )
    assert fields_of(answer) == [field]


async def test_an_execution_takes_only_variants_of_nodes_that_its_graph_has(
    caller: Caller, letters: Workflow
) -> None:
    body = {"workflow_variant": "brief", "variants": {"first": "loud"}}
    answer = await caller.post("/executions", workflow=letters.name, input={}, **body)
    assert fields_of(answer) == ["variants.first"]
    detail = problem_of(answer, 422, "invalid_input")["detail"]
    assert "workflow variant 'brief' has no such node; it has second" in detail
    accepted = await caller.execute(
        letters.name, workflow_variant="brief", variants={"second": "loud"}
    )
    assert (accepted["workflow_variant"], accepted["variants"]) == ("brief", {"second": "loud"})
    original = await caller.execute(letters.name, workflow_variant="base")
    assert original["workflow_variant"] is None
    path = f"/executions/{accepted['id']}/branch"
    refused = await caller.post(path, checkpoint_id=str(new_id()), variants={"first": "loud"})
    assert fields_of(refused) == ["variants.first"]
