"""Integrity reports, verified events, and indexes by which orphans and dead letters are found.

Revision ID: 0013
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0013"
down_revision: str | None = "0011"
branch_labels: str | None = None
depends_on: str | None = None

TIME = sa.TIMESTAMP(timezone=True)
RECORDED = ("wtb_outbox", "wtb_audit_log")
AGGREGATES = ("workflow", "execution", "batch_test", "runner", "dataset")
REPORT = "integrity_report"
COMMANDS = (
    *("register", "run", "pause", "resume", "stop", "rollback", "branch", "edit_state", "extend"),
    *("score", "retry_failed"),
)
REFERRING = ("wtb_executions", "wtb_runs")


def upgrade() -> None:
    allow_values("wtb_commands", "kind", *COMMANDS, "check")
    for table in RECORDED:
        allow_values(table, "aggregate", *AGGREGATES, REPORT)
    create_reports()
    create_verifications()
    for table in REFERRING:
        op.create_index(f"{table}_thread_id_idx", table, ["thread_id"])
    op.create_index(
        "wtb_outbox_dead_idx",
        "wtb_outbox",
        ["id"],
        postgresql_where=sa.text("dead_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("wtb_outbox_dead_idx")
    for table in REFERRING:
        op.drop_index(f"{table}_thread_id_idx")
    for name in ("event_verification", "failed_verifications", "integrity_reports"):
        op.drop_table(f"wtb_{name}")
    for table in RECORDED:
        op.execute(f"DELETE FROM {table} WHERE aggregate = '{REPORT}'")  # noqa: S608
        allow_values(table, "aggregate", *AGGREGATES)
    op.execute("DELETE FROM wtb_commands WHERE kind = 'check'")
    allow_values("wtb_commands", "kind", *COMMANDS)


def create_reports() -> None:
    table = "wtb_integrity_reports"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("deep", sa.Boolean(), nullable=False),
        sa.Column("repair", JSONB(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("results", JSONB(), nullable=False),
        sa.Column("checks_done", sa.Integer(), nullable=False),
        sa.Column("checks_total", sa.Integer(), nullable=False),
        sa.Column("cursor", JSONB()),
        sa.Column("working_until", TIME),
        sa.Column("error", JSONB()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME),
        sa.Column("finished_at", TIME),
        sa.PrimaryKeyConstraint("id", name=f"{table}_pkey"),
        sa.CheckConstraint(
            "status IN ('pending', 'running', 'completed', 'failed')", name=f"{table}_status_check"
        ),
    )
    op.create_index(
        f"{table}_unfinished_idx",
        table,
        ["id"],
        postgresql_where=sa.text("status IN ('pending', 'running')"),
    )


def create_verifications() -> None:
    table = "wtb_failed_verifications"
    op.create_table(
        table,
        sa.Column("event_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("aggregate", sa.String(32), nullable=False),
        sa.Column("aggregate_id", sa.Uuid(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("found_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("event_id", "problem", name=f"{table}_pkey"),
        sa.CheckConstraint(
            "aggregate IN ('workflow', 'execution', 'batch_test', 'runner', 'dataset',"
            " 'integrity_report')",
            name=f"{table}_aggregate_check",
        ),
    )
    op.create_table(
        "wtb_event_verification",
        sa.Column("id", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("verified_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="wtb_event_verification_pkey"),
    )
    op.execute(
        "INSERT INTO wtb_event_verification (verified_to)"
        " SELECT COALESCE(max(id), 0) FROM wtb_outbox"
    )


def allow_values(table: str, column: str, *values: str) -> None:
    known = ", ".join(f"'{value}'" for value in values)
    name = f"{table}_{column}_check"
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IN ({known}))")
