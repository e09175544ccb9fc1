"""The tour in docs/python-sdk.md runs as it stands there."""

import ast
import asyncio
import os
import re
import sys
from inspect import iscoroutine
from pathlib import Path
from typing import Any

import pytest
from local_benches import local_bench

PAGE = Path(__file__).parents[2] / "docs" / "python-sdk.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


async def run_block(text: str, names: dict[str, Any]) -> None:
    """Run a block that may await, as a notebook does."""
    code = compile(text, PAGE.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    running = eval(code, names)  # noqa: S307 - the project's own documentation
    if iscoroutine(running):
        await running


async def test_every_block_runs(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *awaiting, without_await = BLOCK.findall(PAGE.read_text())
    assert len(awaiting) == 4
    script = tmp_path / "first.py"
    script.write_text(first)
    monkeypatch.setenv("WTB_DATABASE_URL", database_url)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(script),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": ":".join(sys.path)},
    )
    said, _ = await process.communicate()
    assert said == b"completed a list can be changed\n"
    names: dict[str, Any] = {"__name__": "notebook"}
    await run_block(first.partition("asyncio.run(")[0], names)
    async with local_bench(database_url) as bench:
        names["bench"] = bench
        project = names["WorkflowProject"]("rag", names["build_rag"])
        project.register_variant("answerer", "last", names["first_document"])
        await bench.register_project(project)
        for block in awaiting:
            await run_block(block, names)
        assert names["execution"].id != names["fork"].id
        assert names["batch"].counts.completed == 1
    await asyncio.to_thread(exec, without_await, names)
