"""Compares the combinations of a batch test."""

import asyncio
from functools import partial
from typing import Protocol
from uuid import UUID

from wtb_async.application.views import BatchTestView
from wtb_async.domain.batch_test import score_key
from wtb_async.domain.comparison import Comparison, ScoredRow


class BatchReader(Protocol):
    """Reads a batch test and its scores."""

    async def get(self, batch_id: UUID) -> BatchTestView:
        """The batch test. Raises NotFound."""

    async def scored_rows(self, batch_id: UUID) -> list[ScoredRow]:
        """Its ended executions with their scores."""


async def compare_batch(batch_id: UUID, reader: BatchReader) -> Comparison:
    """The verdict so far; the calculation runs in a thread, off the event loop."""
    # SciPy takes a second to import, which a server should not pay before its first comparison.
    from wtb_async.domain.comparing import compare  # noqa: PLC0415

    batch = await reader.get(batch_id)
    rows = await reader.scored_rows(batch_id)
    evaluate = partial(compare, rows, baseline=batch.baseline, evaluator_order=_keys(batch))
    return await asyncio.to_thread(evaluate)


def _keys(batch: BatchTestView) -> list[str]:
    """Score keys in the order in which the caller listed the evaluators."""
    return [score_key(reference) for reference in batch.evaluators]
