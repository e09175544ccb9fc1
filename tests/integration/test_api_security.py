"""Nobody gets anything without a key, whatever they ask for."""

from typing import Any
from uuid import UUID

import httpx2
import pytest
from arranging import API_KEY
from served_api import Caller, problem_of

REJECTED = [
    {},
    {"Authorization": "Bearer wrong"},
    {"Authorization": f"Basic {API_KEY}"},
    {"Authorization": "Bearer"},
    {"Authorization": API_KEY},
    {"X-API-Key": f"{API_KEY}x"},
    {"X-API-Key": ""},
    {"X-API-Key": "é".encode()},
]


async def routes(http: httpx2.AsyncClient) -> list[tuple[str, str]]:
    """Every operation of the published document, with something in each place of its path."""
    document = (await http.get("/openapi.json")).json()
    return [
        (method.upper(), filled(path))
        for path, operations in document["paths"].items()
        for method in operations
    ]


def filled(path: str) -> str:
    for name in ("workflow", "node", "execution_id", "batch_test_id"):
        path = path.replace(f"{{{name}}}", str(UUID(int=7)))
    return path


@pytest.mark.parametrize("headers", REJECTED)
async def test_every_route_but_health_asks_for_a_key(
    caller: Caller, headers: dict[str, Any]
) -> None:
    async with httpx2.AsyncClient(base_url=caller.http.base_url, headers=headers) as stranger:
        open_to_all = []
        for method, path in await routes(stranger):
            answer = await stranger.request(method, path)
            if answer.status_code == 200:
                open_to_all.append((method, path))
                continue
            problem_of(answer, 401, "unauthorized")
            assert answer.headers["www-authenticate"] == "Bearer"
    assert open_to_all == [("GET", "/health")]


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {API_KEY}"},
        {"Authorization": f"bearer {API_KEY}"},
        {"X-API-Key": API_KEY},
    ],
)
async def test_a_key_is_taken_in_either_header(caller: Caller, headers: dict[str, str]) -> None:
    async with httpx2.AsyncClient(base_url=caller.http.base_url, headers=headers) as client:
        assert (await client.get("/api/v1/workflows")).status_code == 200


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b'{"a": NaN}', b"\xff\xfe", b"x" * 2**21])
async def test_a_stranger_learns_nothing_about_the_body(caller: Caller, body: bytes) -> None:
    async with httpx2.AsyncClient(base_url=caller.http.base_url) as stranger:
        answer = await stranger.post(
            "/api/v1/executions", content=body, headers={"Content-Type": "application/json"}
        )
    problem_of(answer, 401, "unauthorized")
