"""Two benches whose code differs in one place each: the checker finds every one of them."""

from conftest import DatabaseServer
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


async def checked(urls: tuple[str, str], other: bool = False) -> ParityReport:
    """Run the batch on two benches, of which the second may have another variant."""
    async with local_bench(urls[0]) as first, local_bench(urls[1]) as second:
        await first.register_project(words_project(loud=loud))
        await second.register_project(words_project(loud=louder if other else loud))
        return await ParityChecker(first, second).check(BATCH)


async def test_the_same_code_gives_the_same_twice(migrated: DatabaseServer) -> None:
    urls = (migrated.create(template="wtb_template"), migrated.create(template="wtb_template"))
    same, different = await checked(urls), await checked(urls, other=True)
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
    for url in urls:
        migrated.drop(url)
