"""Verifies afterwards that what events promised is so."""

import structlog

from wtb_async.application.ports import UnitOfWorkFactory

log = structlog.get_logger(__name__)

SETTLE_SECONDS = 60.0
"""No transaction that writes events stays open for longer, so none comes before what was seen."""


async def verify_events(
    *, uow_factory: UnitOfWorkFactory, chunk_size: int, settle_seconds: float = SETTLE_SECONDS
) -> int:
    """Verify all events that are old enough and were not yet; answers how many failed.

    Failures are kept with an audit entry each, and are findings of every check until they are
    mended. Two callers at once are harmless: one of them has nothing to do.
    """
    failed = 0
    while True:
        async with uow_factory() as uow:
            verified = await uow.verifications.verify_next(chunk_size, settle_seconds)
            await uow.commit()
        failed += verified.failed
        if verified.failed:
            log.error("verifications_failed", failed=verified.failed)
        if verified.events < chunk_size:
            return failed
