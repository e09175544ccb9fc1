"""Runs that serve several executions until their variants differ.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None

RUN_STATUSES = ("pending", "running", "paused", "completed", "failed", "cancelled", "lost")
FORK_REASONS = ("start", "takeover", "rollback", "branch", "split")


def upgrade() -> None:
    op.add_column(
        "wtb_runs",
        sa.Column("gates", JSONB(), nullable=False, server_default=sa.text("'[]'::jsonb")),
    )
    op.add_column("wtb_runs", sa.Column("spent_ms", sa.Float()))
    op.add_column(
        "wtb_batch_tests",
        sa.Column("share_prefixes", sa.Boolean(), nullable=False, server_default=sa.text("true")),
    )
    allow("wtb_runs", "status", *RUN_STATUSES, "split")
    allow("wtb_threads", "reason", *FORK_REASONS, "leave")


def downgrade() -> None:
    op.execute("UPDATE wtb_runs SET status = 'completed' WHERE status = 'split'")
    op.execute("UPDATE wtb_threads SET reason = 'branch' WHERE reason = 'leave'")
    allow("wtb_threads", "reason", *FORK_REASONS)
    allow("wtb_runs", "status", *RUN_STATUSES)
    op.drop_column("wtb_batch_tests", "share_prefixes")
    op.drop_column("wtb_runs", "spent_ms")
    op.drop_column("wtb_runs", "gates")


def allow(table: str, column: str, *values: str) -> None:
    """Say which values a column takes."""
    known = ", ".join(f"'{value}'" for value in values)
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_{column}_check")
    op.execute(
        f"ALTER TABLE {table} ADD CONSTRAINT {table}_{column}_check CHECK ({column} IN ({known}))"
    )
