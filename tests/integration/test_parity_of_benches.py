"""Two benches whose code differs in one place each: the checker finds every one of them."""

from collections.abc import Iterator

import pytest
from conftest import TEMPLATE, DatabaseServer
from local_benches import Words, case, local_bench, words_project

from wtb_async.domain.json import JsonObject
from wtb_async.sdk.parity import DiscrepancyKind, ParityChecker, ParityReport

BATCH: JsonObject = {
    "workflow": "words",
    "variant_matrix": {"join": ["base", "loud"]},
    "test_cases": [case("one", "a b"), case("two", "c")],
    "evaluators": ["wtb.exact_match"],
}


def loud(state: Words) -> Words:
    return {"answer": " ".join(state["words"]).upper()}


def louder(state: Words) -> Words:
    if state["words"] == ["c"]:
        raise ValueError("no")
    return {"answer": " ".join(state["words"]).upper() + "!"}


@pytest.fixture
def other_database_url(migrated: DatabaseServer) -> Iterator[str]:
    url = migrated.create(template=TEMPLATE)
    yield url
    migrated.drop(url)


async def checked(one: str, another: str, *, other: bool) -> ParityReport:
    """Run the batch on two benches, of which the second may have another variant."""
    async with local_bench(one) as first, local_bench(another) as second:
        await first.register_project(words_project(loud=loud))
        await second.register_project(words_project(loud=louder if other else loud))
        return await ParityChecker(first, second).check(BATCH)


async def test_benches_agree_on_the_same_code_and_on_nothing_that_differs(
    database_url: str, other_database_url: str
) -> None:
    same = await checked(database_url, other_database_url, other=False)
    different = await checked(database_url, other_database_url, other=True)
    assert (same.rows, str(same)) == (
        4,
        "4 executions compared on local and local: no discrepancy",
    )
    found = {(each.row.test_case_id, each.kind, each.path) for each in different.discrepancies}
    kinds = DiscrepancyKind
    assert found == {
        ("one", kinds.OUTPUT, "output.answer"),
        ("two", kinds.STATUS, "status"),
        ("two", kinds.OUTPUT, "output"),
        ("two", kinds.ERROR, "error.type"),
        ("two", kinds.ERROR, "error.node"),
        ("two", kinds.SCORE, "scores.wtb.exact_match"),
        ("two", kinds.NODE_EXECUTIONS, "nodes.join (completed)"),
        ("two", kinds.NODE_EXECUTIONS, "nodes.join (failed)"),
    }
    assert all(dict(each.row.combination) == {"join": "loud"} for each in different.discrepancies)
