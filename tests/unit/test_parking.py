"""Runs whose code was missing are looked for again, also after an error."""

import asyncio

import pytest

from wtb_async.application.runs.park_runs import CanLoad
from wtb_async.domain.errors import TransientError
from wtb_async.infrastructure.in_process import parking
from wtb_async.infrastructure.in_process.parking import Parking
from wtb_async.infrastructure.langgraph.projects import ProjectRegistry


async def test_a_look_at_the_runs_that_failed_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parking, "RETRY_SECONDS", 0.0)
    answers: list[set[str] | Exception] = [TransientError("away"), set()]
    woken = asyncio.Event()

    async def park(_: CanLoad) -> set[str]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    looking = Parking(ProjectRegistry([]), park, woken.set)
    task = asyncio.create_task(looking.run())
    looking.look_again()
    async with asyncio.timeout(5):
        await woken.wait()
    task.cancel()
    assert answers == []
