"""Datasets on a real API process: named, versioned, changed case by case, deleted."""

from urllib.parse import quote
from uuid import UUID

import pytest
from arranging import history, select
from dataset_calls import case, new_dataset
from served_api import Caller, fields_of, problem_of

from wtb_async.application.ids import new_id
from wtb_async.infrastructure.postgres.database import Database


async def test_a_new_dataset_is_empty_and_where_location_says(
    caller: Caller, served: Database
) -> None:
    name = f"questions {new_id()}"
    answer = await caller.post("/datasets", name=name, description="of users")
    body = answer.json()
    assert answer.status_code == 201
    assert (await caller.http.get(answer.headers["location"])).json() == body
    assert (await caller.get(f"/datasets/{quote(name)}")).json() == body
    assert (body["name"], body["description"]) == (name, "of users")
    assert (body["version"], body["cases"], body["created_by"]) == (1, 0, "operator")
    assert await history(served, UUID(body["id"])) == [(1, "DatasetCreated")]


async def test_a_name_belongs_to_one_dataset(caller: Caller) -> None:
    first, second = await new_dataset(caller), await new_dataset(caller)
    again = await caller.post("/datasets", name=first.name)
    problem_of(again, 409, "already_exists")
    renamed = await caller.http.patch(f"/api/v1{second.path}", json={"name": first.name})
    problem_of(renamed, 409, "already_exists")


async def test_a_dataset_can_be_renamed_and_described(caller: Caller, served: Database) -> None:
    dataset = await new_dataset(caller, [case("a")])
    name = f"other {new_id()}"
    answer = await caller.http.patch(f"/api/v1{dataset.path}", json={"name": name})
    assert (answer.json()["name"], answer.json()["version"]) == (name, 3)
    answer = await caller.http.patch(f"/api/v1{dataset.path}", json={"description": "why"})
    assert answer.json() | {"updated_at": ""} == (await dataset.read()) | {"updated_at": ""}
    assert (answer.json()["name"], answer.json()["description"]) == (name, "why")
    assert await dataset.keys(4) == ["a"]
    assert [kind for _, kind in await history(served, UUID(dataset.id))] == [
        "DatasetCreated",
        "DatasetChanged",
        "DatasetDescribed",
        "DatasetDescribed",
    ]


async def test_every_version_stays_as_it_was(caller: Caller) -> None:
    dataset = await new_dataset(caller, [case("a", 1), case("b", 2), case("c", 3)])
    edited = await dataset.change("PUT", "b", input={"n": 20}, metadata={"hard": True})
    assert edited.json() == {
        "dataset_id": dataset.id,
        "version": 3,
        "added": 0,
        "changed": 1,
        "removed": 0,
        "cases": 3,
    }
    assert (await dataset.change("DELETE", "a")).json()["version"] == 4
    assert (await dataset.add(case("a", 10)))["version"] == 5
    second = [case("a", 1), case("b", 2), case("c", 3)]
    third = [case("a", 1), case("b", 20, metadata={"hard": True}), case("c", 3)]
    assert await dataset.cases(1) == []
    assert await dataset.cases(2) == second
    assert await dataset.cases(3) == third
    assert await dataset.cases(4) == third[1:]
    assert await dataset.cases(5) == await dataset.cases() == [*third[1:], case("a", 10)]
    versions = (await caller.get(f"{dataset.path}/versions")).json()["items"]
    assert [tuple(v[name] for name in ("version", "added", "changed", "removed", "cases"))
            for v in versions] == [
        (5, 1, 0, 0, 3), (4, 0, 0, 1, 2), (3, 0, 1, 0, 3), (2, 3, 0, 0, 3), (1, 0, 0, 0, 0)
    ]  # fmt: skip


async def test_an_edit_keeps_the_other_rows(caller: Caller, served: Database) -> None:
    dataset = await new_dataset(caller, [case(str(n)) for n in range(50)])
    await dataset.change("PUT", "7", input={"n": 1})
    [rows] = await select(
        served,
        "SELECT count(*) AS number FROM wtb_test_cases WHERE dataset_id = :id",
        id=UUID(dataset.id),
    )
    assert rows["number"] == 51


async def test_a_case_is_read_by_its_id_whatever_that_holds(caller: Caller) -> None:
    key = "a/b c?#%/.."
    dataset = await new_dataset(caller, [case(key, 1)])
    path = f"{dataset.path}/test-cases/{quote(key, safe='')}"
    assert (await caller.get(path)).json() == case(key, 1)
    assert (await dataset.change("PUT", key, input={"n": 2})).status_code == 200
    assert (await caller.get(path)).json() == case(key, 2)
    assert (await caller.get(path, version=2)).json() == case(key, 1)
    problem_of(await caller.get(path, version=1), 404, "not_found")


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a_case_that_is_not_there_cannot_be_changed(caller: Caller, method: str) -> None:
    dataset = await new_dataset(caller, [case("a")])
    problem_of(await dataset.change(method, "b", input={}), 404, "not_found")
    assert (await dataset.read())["version"] == 2


async def test_a_change_that_changes_nothing_makes_no_version(caller: Caller) -> None:
    dataset = await new_dataset(caller, [case("a", 1)])
    answer = await dataset.change("PUT", "a", input={"n": 1})
    assert (answer.json()["version"], answer.json()["changed"]) == (2, 0)
    assert (await dataset.change("PUT", "a", input={"n": 1.0})).json()["version"] == 3


async def test_a_walk_stays_with_the_version_that_it_began_with(caller: Caller) -> None:
    dataset = await new_dataset(caller, [case(str(n)) for n in range(5)])
    page = (await caller.get(f"{dataset.path}/test-cases", limit=2)).json()
    await dataset.change("DELETE", "3")
    await dataset.add(case("5"))
    found = [item["id"] for item in page["items"]]
    while page["next_cursor"]:
        cursor = page["next_cursor"]
        page = (await caller.get(f"{dataset.path}/test-cases", limit=2, cursor=cursor)).json()
        found += [item["id"] for item in page["items"]]
    assert found == ["0", "1", "2", "3", "4"]
    assert await dataset.keys() == ["0", "1", "2", "4", "5"]


async def test_versions_are_paged_newest_first(caller: Caller) -> None:
    dataset = await new_dataset(caller, [case("a")])
    await dataset.add(case("b"))
    first = (await caller.get(f"{dataset.path}/versions", limit=2)).json()
    rest = await caller.get(f"{dataset.path}/versions", limit=2, cursor=first["next_cursor"])
    assert [v["version"] for v in first["items"] + rest.json()["items"]] == [3, 2, 1]


@pytest.mark.parametrize("cursor", ["x", "_____________________w"])
async def test_a_cursor_that_somebody_made_up_is_no_failure(caller: Caller, cursor: str) -> None:
    dataset = await new_dataset(caller, [case("a")])
    for path in ("test-cases", "versions"):
        answer = await caller.get(f"{dataset.path}/{path}", cursor=cursor)
        assert answer.status_code in {200, 422}


async def test_a_deleted_dataset_is_gone_with_all_its_rows(
    caller: Caller, served: Database
) -> None:
    dataset = await new_dataset(caller, [case("a"), case("b")])
    await dataset.change("PUT", "a", input={"n": 5})
    assert (await caller.http.delete(f"/api/v1{dataset.path}")).status_code == 204
    problem_of(await caller.get(dataset.path), 404, "not_found")
    for table in ("wtb_test_cases", "wtb_dataset_versions"):
        rows = await select(
            served,
            f"SELECT * FROM {table} WHERE dataset_id = :id",  # noqa: S608
            id=UUID(dataset.id),
        )
        assert rows == []
    assert (await history(served, UUID(dataset.id)))[-1] == (4, "DatasetDeleted")
    assert (await caller.post("/datasets", name=dataset.name)).status_code == 201


async def test_what_is_not_there_is_not_found(caller: Caller) -> None:
    dataset = await new_dataset(caller)
    for path in ("/datasets/nobody", f"/datasets/{new_id()}", f"{dataset.path}/test-cases/x"):
        problem_of(await caller.get(path), 404, "not_found")
    for path in ("test-cases", "export"):
        problem_of(await caller.get(f"{dataset.path}/{path}", version=2), 404, "not_found")


async def test_bad_bodies_name_their_fields(caller: Caller) -> None:
    assert fields_of(await caller.post("/datasets", name="")) == ["name"]
    assert fields_of(await caller.post("/datasets", name="x", cases=[])) == ["cases"]
    dataset = await new_dataset(caller, [case("a")])
    assert fields_of(await dataset.change("PUT", "a", reference=1)) == ["input"]
    assert fields_of(await caller.get(f"{dataset.path}/test-cases", version=0)) == ["version"]
