"""What mends the findings of checks, inside of the database."""

from collections.abc import Mapping, Sequence
from functools import partial
from uuid import UUID

from wtb_async.application.batches.conclude_batches import conclude_batches
from wtb_async.application.maintenance.checks import Repair
from wtb_async.application.maintenance.recording import ACTOR
from wtb_async.application.ports import UnitOfWork
from wtb_async.application.runs.reap_lost_runners import take_over_from_silent
from wtb_async.domain.integrity import Finding


def repairs(*, lease_seconds: float) -> Mapping[str, Repair]:
    """The repairs by the names of their checks."""
    return {
        "abandoned_runs": partial(_take_over, lease_seconds=lease_seconds),
        "orphan_threads": _delete_threads,
        "stuck_events": _release_events,
        "stuck_batches": _conclude,
        "failed_verifications": _verify_again,
    }


async def _take_over(_findings: Sequence[Finding], uow: UnitOfWork, *, lease_seconds: float) -> int:
    """What the reaper does; it takes the runs of every silent runner, not only those found."""
    return await take_over_from_silent(ACTOR, uow, lease_seconds=lease_seconds)


async def _delete_threads(findings: Sequence[Finding], uow: UnitOfWork) -> int:
    return await uow.repairs.delete_orphan_threads(_ids(findings))


async def _release_events(findings: Sequence[Finding], uow: UnitOfWork) -> int:
    return await uow.repairs.release_events([int(each.subject) for each in findings])


async def _conclude(findings: Sequence[Finding], uow: UnitOfWork) -> int:
    return await conclude_batches(_ids(findings), uow)


async def _verify_again(findings: Sequence[Finding], uow: UnitOfWork) -> int:
    return await uow.verifications.verify_again([int(each.subject) for each in findings])


def _ids(findings: Sequence[Finding]) -> list[UUID]:
    return [UUID(each.subject) for each in findings]
