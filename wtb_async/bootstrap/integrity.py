"""All checks of a system."""

from wtb_async.application.maintenance.checks import Checks
from wtb_async.application.maintenance.repairs import repairs
from wtb_async.bootstrap.platform import Platform
from wtb_async.infrastructure.files.blob_inspection import AlteredBlobs, LostBlobs, StoredBlobs
from wtb_async.infrastructure.files.blob_restoring import BlobRestoring
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
    engine, files = platform.database.engine, platform.files
    blobs = StoredBlobs(engine)
    restoring = BlobRestoring(engine, files.blobs, files.threads)
    return Checks(
        inspections=[
            *row_inspections(engine, options),
            LostBlobs(blobs, files.blobs, options.chunk_size),
            AlteredBlobs(blobs, files.blobs, settings.integrity.deep_bytes_per_second),
        ],
        repairs=repairs(lease_seconds=settings.runner.lease_seconds),
        restores={
            LostBlobs.check.name: restoring.restore,
            AlteredBlobs.check.name: restoring.restore,
        },
    )
