"""What a whole batch test is asked for, and how much of it may run and fail.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | None = None
depends_on: str | None = None

ALLOWED = {
    ("wtb_runs", "status"): "pending running paused completed failed cancelled lost split",
    ("wtb_executions", "pause_reason"): "command breakpoint interrupt",
    ("wtb_commands", "kind"): "register run pause resume stop rollback branch edit_state extend",
}
ADDED = {
    ("wtb_runs", "status"): "waiting held",
    ("wtb_executions", "pause_reason"): "batch",
    ("wtb_commands", "kind"): "retry_failed",
}
BATCH_STATUSES = "pending running paused completed failed cancelled"
BATCH_COLUMNS = ("max_concurrency", "max_failures", "forgiven_failures", "becomes", "error")


def upgrade() -> None:
    for place, values in ALLOWED.items():
        allow(*place, f"{values} {ADDED[place]}")
    for name in ("max_concurrency", "max_failures"):
        op.add_column("wtb_batch_tests", sa.Column(name, sa.Integer()))
    forgiven = sa.Column("forgiven_failures", sa.Integer(), nullable=False, server_default="0")
    op.add_column("wtb_batch_tests", forgiven)
    op.add_column("wtb_batch_tests", sa.Column("becomes", sa.String(32)))
    op.create_check_constraint(
        op.f("wtb_batch_tests_becomes_check"),
        "wtb_batch_tests",
        f"becomes IN ({quoted(BATCH_STATUSES)})",
    )
    op.add_column("wtb_batch_tests", sa.Column("error", JSONB()))
    limiting = sa.ForeignKey("wtb_batch_tests.id", name="wtb_runs_limited_by_fkey")
    op.add_column("wtb_runs", sa.Column("limited_by", sa.Uuid(), limiting))
    op.create_index(
        "wtb_runs_limited_idx",
        "wtb_runs",
        ["limited_by", "status", "position"],
        postgresql_where=sa.text(
            "limited_by IS NOT NULL AND status IN ('waiting', 'pending', 'running')"
        ),
    )


def downgrade() -> None:
    op.drop_column("wtb_runs", "limited_by")
    for name in reversed(BATCH_COLUMNS):
        op.drop_column("wtb_batch_tests", name)
    op.execute("UPDATE wtb_runs SET status = 'pending' WHERE status IN ('waiting', 'held')")
    op.execute("UPDATE wtb_executions SET pause_reason = 'command' WHERE pause_reason = 'batch'")
    op.execute("DELETE FROM wtb_commands WHERE kind = 'retry_failed'")
    for place, values in ALLOWED.items():
        allow(*place, values)


def allow(table: str, column: str, values: str) -> None:
    """Say which values a column may have."""
    name = f"{table}_{column}_check"
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IN ({quoted(values)}))")


def quoted(values: str) -> str:
    return ", ".join(f"'{value}'" for value in values.split())
