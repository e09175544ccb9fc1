"""ParityChecker: one batch test on two benches."""

import asyncio
from collections.abc import Mapping

from wtb_async.domain.json import JsonValue
from wtb_async.sdk.bench import WTBTestBench
from wtb_async.sdk.parity.differences import discrepancies_between
from wtb_async.sdk.parity.observation import Observation, observe
from wtb_async.sdk.parity.report import ParityReport
from wtb_async.sdk.parity.tolerance import Tolerance


class ParityChecker:
    """Runs a batch test on two benches, and lists in what they differ.

    Args:
        first: a bench that has the workflow, and the dataset if the batch test is on one.
        second: another one.
        tolerance: which differences do not count.
    """

    def __init__(
        self, first: WTBTestBench, second: WTBTestBench, tolerance: Tolerance | None = None
    ) -> None:
        self._benches = (first, second)
        self._tolerance = tolerance or Tolerance()

    async def check(self, batch_test: Mapping[str, JsonValue]) -> ParityReport:
        """Run it on both, one after the other, so that neither slows the other down.

        Args:
            batch_test: the body of `POST /batch-tests`.
        """
        first, second = self._benches
        one = await _observed(first, batch_test)
        other = await _observed(second, batch_test)
        found = await asyncio.to_thread(discrepancies_between, one, other, self._tolerance)
        return ParityReport(
            first=first.batch_executor.value,
            second=second.batch_executor.value,
            rows=len(one.keys() | other.keys()),
            discrepancies=found,
        )


async def _observed(bench: WTBTestBench, batch_test: Mapping[str, JsonValue]) -> Observation:
    batch = await bench.client.batch_tests.create(batch_test)
    await bench.client.batch_tests.wait_for(batch.id)
    return await observe(bench.client, batch.id)
