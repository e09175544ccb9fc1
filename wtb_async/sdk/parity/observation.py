"""What can be seen of a batch test on one bench."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from wtb_async.domain.json import JsonValue
from wtb_async.sdk.batch_models import ResultRow
from wtb_async.sdk.client import WTBClient
from wtb_async.sdk.models import Execution
from wtb_async.sdk.parity.report import RowKey

_READS_AT_ONCE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedRow:
    """One execution."""

    status: str
    output: JsonValue
    error: Mapping[str, JsonValue]
    """Type and node; messages may name what differs from one machine to another."""
    scores: Mapping[str, float | bool]
    node_executions: Mapping[str, int]
    """How many executions of each node ended how: `train (completed)`."""
    events: int
    """How many lifecycle events there are: each makes one version."""
    duration_ms: float | None


Observation = Mapping[RowKey, ObservedRow]


async def observe(client: WTBClient, batch_test_id: UUID) -> Observation:
    """Read all that there is of an ended batch test."""
    executions = {
        each.id: each async for each in client.executions.list(batch_test_id=batch_test_id)
    }
    rows = [row async for row in client.batch_tests.results(batch_test_id)]
    places = asyncio.Semaphore(_READS_AT_ONCE)

    async def nodes_of(row: ResultRow) -> Mapping[str, int]:
        async with places:
            nodes = [each async for each in client.executions.nodes(row.execution_id)]
        return Counter(f"{each.node} ({each.status.value})" for each in nodes)

    visited = await asyncio.gather(*map(nodes_of, rows))
    return {
        _key(row): _observed(row, executions[row.execution_id], nodes)
        for row, nodes in zip(rows, visited, strict=True)
    }


def _key(row: ResultRow) -> RowKey:
    return RowKey(tuple(sorted(row.combination.items())), row.test_case_id, row.repetition)


def _observed(row: ResultRow, execution: Execution, nodes: Mapping[str, int]) -> ObservedRow:
    error = row.error
    return ObservedRow(
        status=row.status.value,
        output=row.output,
        error={"type": error.type, "node": error.node} if error else {},
        scores=row.scores,
        node_executions=nodes,
        events=execution.version,
        duration_ms=row.duration_ms,
    )
