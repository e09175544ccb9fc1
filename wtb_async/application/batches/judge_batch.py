"""Holds a gate against a batch test that has ended."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from wtb_async.application.batches.compare_batch import (
    BatchReader,
    keys_of,
    other_batch,
    side_of,
)
from wtb_async.domain.batch_test import BATCH_ENDED
from wtb_async.domain.errors import Conflict
from wtb_async.domain.gate.gate import Gate, GateReport

if TYPE_CHECKING:
    from wtb_async.domain.gate.judging import JudgedBatch


async def judge_batch(batch_id: UUID, gate: Gate, reader: BatchReader) -> GateReport:
    """What the gate finds; the calculation runs in a thread, off the event loop.

    Raises:
        NotFound: no such batch test.
        Conflict: it has not ended yet.
        InvalidInput: the gate names a batch test that is not there.
    """
    from wtb_async.domain.gate.judging import judge  # noqa: PLC0415 - as in compare_batch

    batch = await _read(batch_id, reader)
    others = {
        rival: await other_batch(rival, reader, field="worse_than")
        for rival in gate.worse_than
        if isinstance(rival, UUID)
    }
    return await asyncio.to_thread(partial(judge, gate, batch, others))


async def _read(batch_id: UUID, reader: BatchReader) -> "JudgedBatch":
    from wtb_async.domain.gate.judging import JudgedBatch  # noqa: PLC0415

    batch = await reader.get(batch_id)
    if batch.status not in BATCH_ENDED:
        raise Conflict(f"the batch test is {batch.status}; a gate is for one that has ended")
    return JudgedBatch(
        side=side_of(batch, await reader.scored_rows(batch_id)),
        status=batch.status,
        cancelled=batch.counts.cancelled,
        evaluator_order=keys_of(batch),
    )
