"""All checks of a system."""

from wtb_async.application.maintenance.checks import Checks
from wtb_async.application.maintenance.repairs import repairs
from wtb_async.bootstrap.platform import Platform
from wtb_async.infrastructure.postgres.integrity.catalogue import row_inspections
from wtb_async.infrastructure.postgres.integrity.row_inspection import InspectionOptions


def integrity_checks(platform: Platform) -> Checks:
    """Every check that this system makes, and what mends their findings."""
    settings = platform.settings
    options = InspectionOptions(
        grace_seconds=settings.integrity.grace_seconds,
        kept_months=settings.retention_months,
        chunk_size=settings.integrity.chunk_size,
    )
    return Checks(
        inspections=row_inspections(platform.database.engine, options),
        repairs=repairs(lease_seconds=settings.runner.lease_seconds),
        restores={},
    )
