"""The real runner shows what its graphs do."""

from typing import Any
from uuid import UUID

import orjson
from arranging import accept, eventually, register
from living_runner import living_runner

from wtb_async.bootstrap.platform import ServerPlatform
from wtb_async.domain.execution import ENDED
from wtb_async.domain.json import JsonObject
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.queries.executions import ExecutionQueries
from wtb_async.infrastructure.redis.live_events import live_events_key
from wtb_async.settings import Settings


async def run(
    platform: ServerPlatform, workflow: Workflow, *modes: str, input_: JsonObject
) -> list[tuple[str, str, Any]]:
    """Id, type and data of the live events of a run that has ended."""
    plan = await accept(platform.database.unit_of_work, workflow, input_=input_, stream=modes)
    execution_id: UUID = plan.executions[0].execution_id
    queries = ExecutionQueries(platform.database.engine)

    async def ended() -> bool:
        return (await queries.get(execution_id)).status in ENDED

    await eventually(ended)
    entries: Any = await platform.redis.xrange(live_events_key(execution_id))
    return [(id_, each["type"], orjson.loads(each["data"])) for id_, each in entries]


async def test_a_runner_shows_the_modes_that_were_asked_for(
    platform: ServerPlatform, settings: Settings
) -> None:
    workflow = await register(platform.database.unit_of_work)
    async with living_runner(settings):
        shown = await run(platform, workflow, "updates", input_={})
        assert [(id_, data["updates"]) for id_, _, data in shown] == [
            ("2-1", {"first": {"letters": ["a"]}}),
            ("2-2", {"second": {"letters": ["b"]}}),
        ]
        assert await run(platform, workflow, input_={}) == []
        [*_, failed] = await run(platform, workflow, "tasks", input_={"do": "fail"})
        assert failed[2]["error"] == {"type": "ValueError", "message": "told to fail"}
