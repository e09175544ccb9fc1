"""Every route that changes something leaves one command, and audit entries that lead to it."""

import pytest
from arranging import select
from command_routes import COMMAND_ROUTES, Bed
from served_api import Caller

from wtb_async.application.ids import new_id

CHANGES = {"post", "put", "patch", "delete"}
READS = {"judge_batch_test"}
"""A POST that changes nothing."""

# Rows that one transaction has written bear its number, until somebody changes them.
_WRITTEN = """
    SELECT command.*,
        (SELECT count(*) FROM wtb_commands AS other WHERE other.xmin = command.xmin) AS commands,
        (SELECT count(*) FROM wtb_outbox AS event WHERE event.xmin = command.xmin) AS events,
        (SELECT count(*) FROM wtb_audit_log AS entry WHERE entry.xmin = command.xmin) AS entries,
        (SELECT count(*) FROM wtb_audit_log AS entry
            WHERE entry.command_id = command.id AND entry.actor = command.issued_by
            AND entry.request_id = command.request_id) AS entries_of_it,
        (SELECT count(*) FROM wtb_audit_log AS entry
            WHERE entry.command_id = command.id AND entry.aggregate = command.target_type
            AND entry.aggregate_id = command.target_id) AS entries_of_target
    FROM wtb_commands AS command WHERE request_id = :id
"""


async def test_every_route_that_changes_something_is_asked_here(caller: Caller) -> None:
    document = (await caller.http.get("/openapi.json")).json()
    changing = {
        operation["operationId"]
        for path in document["paths"].values()
        for method, operation in path.items()
        if method in CHANGES
    }
    assert changing - READS == set(COMMAND_ROUTES)


@pytest.mark.parametrize("operation", COMMAND_ROUTES)
async def test_a_route_leaves_one_command_and_an_audit_entry_for_every_event(
    bed: Bed, operation: str
) -> None:
    asked, request_id = await COMMAND_ROUTES[operation](bed), f"test:{new_id()}"
    assert await asked.send(bed, request_id) in {200, 201, 202, 204}
    [command] = await select(bed.served, _WRITTEN, id=request_id)
    assert command["issued_by"] == "operator"
    assert command["commands"] == 1
    assert command["entries"] == command["entries_of_it"]
    assert command["entries_of_target"] == 1
    assert command["entries"] == command["events"]
