"""The tables of integrity, as the newest migration leaves them."""

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Boolean,
    Column,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from wtb_async.domain.events import Aggregate
from wtb_async.domain.integrity import ReportStatus
from wtb_async.infrastructure.postgres.tables import enum, metadata

integrity_reports = Table(
    "wtb_integrity_reports",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("status", enum(ReportStatus, "status"), nullable=False),
    Column("deep", Boolean, nullable=False),
    Column("repair", JSONB, nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("results", JSONB, nullable=False),
    Column("checks_done", Integer, nullable=False),
    Column("checks_total", Integer, nullable=False),
    Column("cursor", JSONB(none_as_null=True)),
    Column("working_until", TIMESTAMP(timezone=True)),
    Column("error", JSONB(none_as_null=True)),
    Column("version", Integer, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False),
    Column("started_at", TIMESTAMP(timezone=True)),
    Column("finished_at", TIMESTAMP(timezone=True)),
    Index(
        "wtb_integrity_reports_unfinished_idx",
        "id",
        postgresql_where=text("status IN ('pending', 'running')"),
    ),
)

failed_verifications = Table(
    "wtb_failed_verifications",
    metadata,
    Column("event_id", BigInteger, primary_key=True, autoincrement=False),
    Column("problem", Text, primary_key=True),
    Column("aggregate", enum(Aggregate, "aggregate"), nullable=False),
    Column("aggregate_id", Uuid, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("found_at", TIMESTAMP(timezone=True), nullable=False, server_default=func.now()),
)

# One row: every event up to here was verified.
event_verification = Table(
    "wtb_event_verification",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("verified_to", BigInteger, nullable=False),
)
