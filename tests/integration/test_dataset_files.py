"""Files go into datasets whole or not at all, and come out as they went in."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

import httpx2
import pytest
from arranging import API_KEY
from dataset_calls import CalledDataset, Json, case, new_dataset
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from served_api import Caller, fields_of, problem_of

from wtb_async.domain.dataset import CaseFormat, ImportMode
from wtb_async.sdk.client import WTBClient

if TYPE_CHECKING:
    from api_fixtures import ServedApi

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
# Postgres writes larger floats in decimals without a point: the same number, read as an integer.
FLOATS = st.floats(-(2.0**53), 2.0**53)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | FLOATS | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=5,
)
CASES = st.lists(
    st.fixed_dictionaries(
        {
            "id": TEXT.filter(lambda key: 1 <= len(key) <= 200),
            "input": st.dictionaries(TEXT, VALUES),
            "reference": VALUES,
            "metadata": st.dictionaries(TEXT, VALUES),
        }
    ),
    min_size=1,
    unique_by=lambda each: str(each["id"]),
)


@pytest.fixture
async def client(api: "ServedApi") -> AsyncIterator[WTBClient]:
    async with WTBClient(api.url, api_key=API_KEY) as opened:
        yield opened


async def exported(client: WTBClient, dataset: CalledDataset, case_format: CaseFormat) -> bytes:
    pieces = client.datasets.export_cases(dataset.id, case_format)
    return b"".join([piece async for piece in pieces])


@pytest.mark.parametrize("case_format", CaseFormat)
@given(cases=CASES)
@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_an_exported_file_imports_as_the_same_cases(
    caller: Caller, client: WTBClient, case_format: CaseFormat, cases: list[Json]
) -> None:
    one, other = await new_dataset(caller, cases), await new_dataset(caller)
    file = await exported(client, one, case_format)
    changes = await client.datasets.import_cases(other.id, file, case_format)
    assert changes.added == len(cases)
    assert await one.cases() == await other.cases() == cases
    assert await exported(client, other, case_format) == file
    again = await client.datasets.import_cases(other.id, file, case_format, mode=ImportMode.REPLACE)
    assert (again.version, again.changed) == (2, 0)


async def test_thousands_of_rows_come_out_in_their_order_at_any_version(
    caller: Caller, client: WTBClient
) -> None:
    cases = [case(f"case {number}", number) for number in range(2500)]
    dataset = await new_dataset(caller, cases)
    await dataset.add(*cases[:1200], mode="replace")
    for version, count in ((1, 0), (2, 2500), (3, 1200)):
        pieces = client.datasets.export_cases(dataset.id, version=version)
        lines = b"".join([piece async for piece in pieces]).splitlines()
        assert [json.loads(line) for line in lines] == cases[:count]


async def test_an_export_is_named_after_its_dataset_and_version(caller: Caller) -> None:
    dataset = await new_dataset(caller, [case("a")])
    answer = await caller.get(f"{dataset.path}/export", format="csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert f"{dataset.name.replace(' ', '%20')}-v2.csv" in answer.headers["content-disposition"]
    assert answer.content.startswith(b"id,input,reference,metadata\r\n")


@pytest.mark.parametrize(
    ("mode", "counts", "left"),
    [
        ("upsert", (1, 1, 0, 4), [case("a"), case("b", 5), case("c"), case("d")]),
        ("replace", (1, 2, 1, 3), [case("d"), case("a"), case("b", 5)]),
    ],
)
async def test_what_becomes_of_the_cases_that_are_there_is_the_callers_choice(
    caller: Caller, mode: str, counts: tuple[int, ...], left: list[Json]
) -> None:
    dataset = await new_dataset(caller, [case("a"), case("b"), case("c")])
    changes = await dataset.add(case("d"), case("a"), case("b", 5), mode=mode)
    assert tuple(changes[name] for name in ("added", "changed", "removed", "cases")) == counts
    assert await dataset.cases() == left


async def refused(
    dataset: CalledDataset, content: str, fields: Sequence[str], mode: str = "append"
) -> None:
    """The file is refused for these fields, and nothing has changed."""
    before = await dataset.read(), await dataset.cases()
    assert fields_of(await dataset.send(content, mode=mode)) == list(fields)
    assert (await dataset.read(), await dataset.cases()) == before


async def test_one_bad_row_among_thousands_keeps_all_of_them_out(caller: Caller) -> None:
    dataset = await new_dataset(caller, [case("x")])
    rows = [json.dumps(case(str(number))) for number in range(3000)]
    rows[2500] = '{"id": "2500"}'
    for mode in ImportMode:
        await refused(dataset, "\n".join(rows), ["line.2501.input"], mode)


async def test_ids_that_come_twice_or_are_taken_are_named(caller: Caller) -> None:
    dataset = await new_dataset(caller, [case("x")])
    rows = "\n".join(json.dumps(case(key)) for key in ("a", "b", "a", "x", "b"))
    await refused(dataset, rows, ["line.3.id", "line.5.id", "line.4.id"])
    await refused(dataset, rows, ["line.3.id", "line.5.id"], "upsert")
    bad = f'{rows}\n{{"id": "c"}}'
    await refused(dataset, bad, ["line.6.input", "line.3.id", "line.5.id"], "replace")


async def test_a_hundred_problems_are_enough(caller: Caller) -> None:
    dataset = await new_dataset(caller)
    await refused(dataset, "{}\n" * 5000, [f"line.{n}.input" for n in range(1, 101)])


@pytest.mark.parametrize("mode", ImportMode)
@pytest.mark.parametrize("content", ["", "\n\n"])
async def test_a_file_without_cases_is_refused(caller: Caller, content: str, mode: str) -> None:
    await refused(await new_dataset(caller, [case("a")]), content, ["body"], mode)


async def test_json_takes_one_case_or_a_list(caller: Caller) -> None:
    dataset = await new_dataset(caller)
    one = await caller.http.post(f"/api/v1{dataset.path}/test-cases", json=case("a"))
    many = await caller.http.post(f"/api/v1{dataset.path}/test-cases", json=[case("b"), case("c")])
    assert (one.json()["added"], many.json()["added"]) == (1, 2)
    assert await dataset.keys() == ["a", "b", "c"]


async def test_another_kind_of_file_is_refused(caller: Caller) -> None:
    dataset = await new_dataset(caller)
    for kind in ("text/plain", "multipart/form-data", ""):
        problem_of(await dataset.send("{}", kind), 415, "unsupported_media_type")
    answer = await dataset.send("{}", "application/x-ndjson")
    assert fields_of(answer) == ["line.1.input"]
    assert fields_of(await dataset.send("{}", mode="merge")) == ["mode"]


async def test_a_file_may_be_larger_than_a_body_but_a_row_may_not(caller: Caller) -> None:
    dataset = await new_dataset(caller)
    row = json.dumps(case("{}", text="x"))
    large = "x" * 400_000
    rows = [json.dumps({"id": str(n), "input": {"text": large}}) for n in range(5)]
    assert (await dataset.send("\n".join(rows))).json()["added"] == 5
    too_large = json.dumps({"id": "y", "input": {"text": "x" * (1 << 20)}})
    await refused(dataset, f"{too_large}\n{row}", ["line.1", "line.2.text"])


async def test_a_stranger_is_turned_away_before_the_file_is_read(
    caller: Caller, api: "ServedApi"
) -> None:
    dataset = await new_dataset(caller)
    url = f"{api.url}/api/v1{dataset.path}"
    async with httpx2.AsyncClient() as stranger:
        problem_of(await stranger.post(f"{url}/test-cases", content=b"{}"), 401, "unauthorized")
        problem_of(await stranger.get(f"{url}/export"), 401, "unauthorized")


async def test_imports_into_one_dataset_take_turns(caller: Caller) -> None:
    dataset = await new_dataset(caller)
    answers = await asyncio.gather(
        *(dataset.add(*(case(f"{n}/{m}") for m in range(20))) for n in range(5))
    )
    assert sorted(answer["version"] for answer in answers) == [2, 3, 4, 5, 6]
    assert len(await dataset.keys()) == 100
