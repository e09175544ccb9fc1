"""The API as a process, as `wtb up` starts it, and what its tests ask of it."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import psutil
from arranging import API_KEY, PATIENCE_SECONDS, PROJECTS, eventually

from wtb_async.infrastructure.embedded.ports import free_port

INSPECT_SECONDS = 8.0
"""Enough to load a graph on a busy machine; the graph that hangs makes its test take this long."""

BROKEN_MODULES = {
    "crashes.py": "import os\nos._exit(3)\ngraph = None\n",
    "hangs.py": "import time\ntime.sleep(3600)\ngraph = None\n",
    "misses.py": "import nothing_of_this_name\ngraph = None\n",
    "raises.py": "graph = 1 / 0\n",
    "number.py": "graph = 7\n",
    "prints.py": "import sys\nprint('{}')\nsys.stdout.flush()\ngraph = 7\n",
}


def broken_project(folder: Path) -> Path:
    """A project whose graphs do not load, each in its own way; answers its `langgraph.json`."""
    project = folder / "broken"
    project.mkdir()
    for name, content in BROKEN_MODULES.items():
        (project / name).write_text(content)
    (folder / "outside.py").write_text("graph = None\n")
    (project / "link.py").symlink_to(folder / "outside.py")
    file = project / "langgraph.json"
    file.write_text('{"dependencies": ["."], "graphs": {}}')
    return file


def files_of(folder: Path) -> Path:
    """Where an API that is served from a folder keeps its files."""
    return folder / "files"


@asynccontextmanager
async def served_api(
    database_url: str,
    redis_url: str | None,
    *,
    ray_port: int,
    folder: Path,
    port: int | None = None,
    **more: str,
) -> AsyncIterator[str]:
    """Serve the API on a loopback port; answers its address. `more` goes to its environment."""
    port = port or free_port()
    projects = [*sorted(PROJECTS.glob("*/langgraph.json")), broken_project(folder)]
    env = os.environ | {
        "WTB_DATABASE_URL": database_url,
        "WTB_REDIS_URL": redis_url or "",
        "WTB_API_KEY": API_KEY,
        "WTB_PROJECTS": ":".join(str(project) for project in projects),
        "WTB_API__INSPECT_TIMEOUT_SECONDS": str(INSPECT_SECONDS),
        "WTB_FILES__FOLDER": str(files_of(folder)),
        "RAY_ADDRESS": f"127.0.0.1:{ray_port}",
        **more,
    }
    command = [sys.executable, "-m", "uvicorn", "--factory", "api.app:create_app"]
    log = folder / "api.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            *("--port", str(port), "--timeout-graceful-shutdown", "1"),
            env=env,
            stdout=output,
            stderr=output,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        await eventually(lambda: _answers(url, process, log))
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)


def kill_api(url: str) -> None:
    """kill -9 the process that serves an address."""
    port = url.rpartition(":")[2]
    [process] = [each for each in psutil.Process().children() if port in each.cmdline()]
    process.kill()


async def _answers(url: str, process: asyncio.subprocess.Process, log: Path) -> bool:
    assert process.returncode is None, f"it ended; {log} says why"
    async with httpx2.AsyncClient() as http:
        try:
            return (await http.get(f"{url}/health")).is_success
        except httpx2.TransportError:
            return False


class Caller:
    """Calls the API under its prefix with a valid key."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http

    async def get(self, path: str, **params: Any) -> httpx2.Response:  # noqa: ANN401
        return await self.http.get(f"/api/v1{path}", params=params)

    async def post(self, path: str, **body: Any) -> httpx2.Response:  # noqa: ANN401
        return await self.http.post(f"/api/v1{path}", json=body)

    async def patch(self, path: str, **body: Any) -> httpx2.Response:  # noqa: ANN401
        return await self.http.patch(f"/api/v1{path}", json=body)

    async def execute(self, workflow: str, **body: Any) -> dict[str, Any]:  # noqa: ANN401
        """Submit an execution that must be accepted."""
        answer = await self.post("/executions", workflow=workflow, **{"input": {}, **body})
        assert answer.status_code == 202, answer.text
        accepted: dict[str, Any] = answer.json()
        return accepted


async def walked(caller: Caller, path: str, **params: Any) -> list[str]:  # noqa: ANN401
    """The paths of all pages."""
    pages = [(await caller.get(path, **params)).json()]
    while cursor := pages[-1]["next_cursor"]:
        pages.append((await caller.get(path, **params, cursor=cursor)).json())
    return [each["path"] for page in pages for each in page["items"]]


def problem_of(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The problem's body, once it has the form that every problem has."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"] == f"urn:wtb:problem:{code}"
    assert problem["title"]
    assert problem["detail"]
    return problem


def fields_of(answer: httpx2.Response) -> list[str]:
    """The fields that an invalid input names."""
    return [each["field"] for each in problem_of(answer, 422, "invalid_input")["errors"]]
