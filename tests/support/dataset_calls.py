"""Datasets over the API, for tests that need some."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import httpx2
from served_api import Caller

from wtb_async.application.ids import new_id

Json = dict[str, Any]


def case(key: str, number: int = 0, **more: Any) -> Json:  # noqa: ANN401
    """A test case as the API shows it."""
    return {"id": key, "input": {"n": number}, "reference": None, "metadata": {}, **more}


class CalledDataset:
    """One dataset of a server."""

    def __init__(self, caller: Caller, id_: str, name: str) -> None:
        self.caller = caller
        self.id = id_
        self.name = name
        self.path = f"/datasets/{id_}"

    async def send(
        self, content: bytes | str, kind: str = "application/jsonl", mode: str = "append"
    ) -> httpx2.Response:
        """Import a file."""
        return await self.caller.http.post(
            f"/api/v1{self.path}/test-cases",
            params={"mode": mode},
            content=content,
            headers={"Content-Type": kind},
        )

    async def add(self, *cases: Json, mode: str = "append") -> Json:
        """Import cases that must be taken."""
        answer = await self.send("\n".join(map(json.dumps, cases)), mode=mode)
        assert answer.status_code == 200, answer.text
        changes: Json = answer.json()
        return changes

    async def change(self, method: str, key: str, **body: Any) -> httpx2.Response:  # noqa: ANN401
        """PUT or DELETE one case."""
        url = f"/api/v1{self.path}/test-cases/{quote(key, safe='')}"
        return await self.caller.http.request(method, url, json=body or None)

    async def read(self) -> Json:
        """The dataset as it is."""
        found: Json = (await self.caller.get(self.path)).json()
        return found

    async def cases(self, version: int | None = None, **params: Any) -> list[Json]:  # noqa: ANN401
        """The cases of one page."""
        query = params | ({"version": version} if version else {})
        answer = await self.caller.get(f"{self.path}/test-cases", **{"limit": 200, **query})
        assert answer.status_code == 200, answer.text
        items: list[Json] = answer.json()["items"]
        return items

    async def keys(self, version: int | None = None) -> list[str]:
        """The ids of its cases, in order."""
        return [each["id"] for each in await self.cases(version)]


async def new_dataset(caller: Caller, cases: Sequence[Json] = ()) -> CalledDataset:
    """A dataset with a name of its own; with cases it is at version 2."""
    name = f"dataset {new_id()}"
    answer = await caller.post("/datasets", name=name)
    assert answer.status_code == 201, answer.text
    dataset = CalledDataset(caller, answer.json()["id"], name)
    if cases:
        await dataset.add(*cases)
    return dataset
