"""Commands on batches whose executions share runs: each comes to the end that is its own."""

from collections import Counter

import pytest
from arranging import register
from controlled_batches import ControlledBatch, check_record, submit_batch
from living_runner import living_runner

from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.batch_test import BatchStatus
from wtb_async.settings import Settings

CASES = 5
VARIANTS = {"second": ["base", "loud"]}


async def outputs(batch: ControlledBatch) -> Counter[tuple[str, str]]:
    """How many executions of each variant ended with which letters."""
    return Counter(
        (row["variants"]["second"], " ".join(row["output"]["letters"]))
        for row in await batch.executions()
    )


@pytest.mark.parametrize("limit", [None, 1, 3])
@pytest.mark.parametrize("command", ["pause", "stop"])
async def test_groups_that_were_held_or_stopped_end_as_if_they_never_had_been(
    platform: Platform, settings: Settings, command: str, limit: int | None
) -> None:
    await register(platform.database.unit_of_work)
    inputs = [{"do": ""}] * CASES
    batch = await submit_batch(
        platform, "letters", inputs, variants=VARIANTS, max_concurrency=limit
    )
    await getattr(batch, command)()
    await batch.resume()
    async with living_runner(settings):
        await getattr(batch, command)()
        await batch.when(BatchStatus.PAUSED if command == "pause" else BatchStatus.CANCELLED)
        await batch.resume()
        await batch.when(BatchStatus.COMPLETED)
    assert await outputs(batch) == {("base", "a b"): CASES, ("loud", "a B!"): CASES}
    await check_record(batch)
