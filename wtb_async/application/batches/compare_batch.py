"""Compares the combinations of a batch test with its baseline, or with another batch test."""

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from wtb_async.application.batches.views import BatchTestView
from wtb_async.domain.comparison import Comparison, ScoredRow, Summary
from wtb_async.domain.errors import InvalidInput, NotFound
from wtb_async.domain.evaluator import entry_key

if TYPE_CHECKING:
    from wtb_async.domain.comparing_batches import ComparedBatch


class BatchReader(Protocol):
    """Reads a batch test and its scores."""

    async def get(self, batch_id: UUID) -> BatchTestView:
        """The batch test. Raises NotFound."""

    async def scored_rows(self, batch_id: UUID) -> list[ScoredRow]:
        """Its ended executions with their scores."""

    async def summaries(self, batch_id: UUID) -> list[Summary]:
        """What its summary evaluators said."""


async def compare_batch(batch_id: UUID, reader: BatchReader) -> Comparison:
    """The verdict so far; the calculation runs in a thread, off the event loop."""
    # SciPy takes a second to import, which a server should not pay before its first comparison.
    from wtb_async.domain.comparing import compare  # noqa: PLC0415

    batch = await reader.get(batch_id)
    rows = await reader.scored_rows(batch_id)
    evaluate = partial(compare, rows, baseline=batch.baseline, evaluator_order=keys_of(batch))
    comparison = await asyncio.to_thread(evaluate)
    return replace(comparison, summaries=tuple(await reader.summaries(batch_id)))


async def compare_with_other(batch_id: UUID, other_id: UUID, reader: BatchReader) -> Comparison:
    """The verdict so far against another batch test, by the ids of their test cases.

    Raises:
        NotFound: no such batch test.
        InvalidInput: the other is not there, or has no test case in common.
    """
    from wtb_async.domain.comparing_batches import compare_batches  # noqa: PLC0415

    batch = await reader.get(batch_id)
    other = await other_batch(other_id, reader, field="against")
    own = side_of(batch, await reader.scored_rows(batch_id))
    evaluate = partial(compare_batches, own, other, evaluator_order=keys_of(batch))
    return await asyncio.to_thread(evaluate)


async def other_batch(batch_id: UUID, reader: BatchReader, *, field: str) -> "ComparedBatch":
    """The batch test that a caller has named in a field. Raises InvalidInput if there is none."""
    try:
        batch = await reader.get(batch_id)
    except NotFound as error:
        raise InvalidInput.of(field, str(error)) from error
    return side_of(batch, await reader.scored_rows(batch_id))


def side_of(batch: BatchTestView, rows: list[ScoredRow]) -> "ComparedBatch":
    """A batch test as one side of a comparison."""
    from wtb_async.domain.comparing_batches import ComparedBatch  # noqa: PLC0415

    return ComparedBatch(id=batch.id, name=batch.name, baseline=batch.baseline, rows=rows)


def keys_of(batch: BatchTestView) -> list[str]:
    """Score keys in the order in which the caller listed the evaluators."""
    return [entry_key(entry) for entry in batch.evaluators]
