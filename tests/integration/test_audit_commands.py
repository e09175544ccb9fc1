"""The SDK and the command line read the audit trail and look after the outbox of a real API."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from arranging import API_KEY
from called_commands import run_wtb
from command_routes import Bed

from wtb_async.application.clock import utc_now
from wtb_async.application.ids import new_id
from wtb_async.domain.audit import Severity
from wtb_async.sdk.client import WTBClient
from wtb_async.sdk.errors import ApiError


@pytest.fixture
async def client(bed: Bed) -> AsyncIterator[WTBClient]:
    async with WTBClient(bed.api.url, api_key=API_KEY) as client:
        yield client


@pytest.fixture
async def stopped(bed: Bed) -> str:
    """An execution that somebody stopped before it began."""
    execution = str((await bed.caller.execute(bed.letters.name))["id"])
    await bed.caller.post(f"/executions/{execution}/stop", reason="enough")
    return execution


async def test_entries_are_walked_over_all_their_pages(client: WTBClient, stopped: str) -> None:
    found = [each async for each in client.audit.list(execution=stopped, page_size=1)]
    assert [each.action for each in found] == ["ExecutionCancelled", "ExecutionCreated"]
    assert found == [each async for each in client.audit.of_execution(stopped)]
    yesterday = utc_now() - timedelta(days=1)
    by_stop = client.audit.of_execution(
        stopped, kind="stop", severity=Severity.WARNING, caller="operator", since=yesterday
    )
    assert [each.status_after async for each in by_stop] == ["cancelled"]
    assert [each async for each in client.audit.of_execution(stopped, until=yesterday)] == []
    with pytest.raises(ApiError, match="no execution"):
        await anext(client.audit.of_execution(new_id()))


async def test_dead_letters_are_found_and_replayed(client: WTBClient, bed: Bed) -> None:
    number = await bed.dead_letter()
    found = await anext(client.outbox.dead_letters())
    assert (found.id, found.target_id) == (number, bed.letters.id)
    before = await client.outbox.stats()
    assert before.by_type[found.type].dead_letters == before.dead_letters >= 1
    assert (await client.outbox.replay(number)).dead_at is None
    assert (await client.outbox.stats()).dead_letters == before.dead_letters - 1


async def test_the_trail_is_listed_and_exported_on_the_command_line(
    bed: Bed, stopped: str, tmp_path: Path
) -> None:
    listed = await run_wtb(
        bed.api, "audit", "ls", "--execution", stopped, "--since", "1h", "--json"
    )
    entries = json.loads(listed.out)
    assert [each["command"] for each in entries] == ["stop", "run"]
    file = tmp_path / "trail.jsonl"
    exported = await run_wtb(bed.api, "audit", "export", file, "--execution", stopped)
    assert (exported.code, exported.out) == (0, "")
    assert [json.loads(line)["id"] for line in file.read_text().splitlines()] == [
        each["id"] for each in entries
    ]


async def test_the_outbox_is_looked_after_on_the_command_line(bed: Bed) -> None:
    number = await bed.dead_letter()
    listed = await run_wtb(bed.api, "outbox", "dead-letters", "--limit", "1", "--json")
    assert [each["id"] for each in json.loads(listed.out)] == [number]
    replayed = await run_wtb(bed.api, "outbox", "replay", number)
    assert replayed.out == f"WorkflowChanged {number} is on its way\n"
    assert (await run_wtb(bed.api, "outbox", "replay", 2**62)).code == 1
