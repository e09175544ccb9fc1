"""What a run is asked for, where it goes on from, and where executions stop.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("wtb_runs", sa.Column("timeline_id", sa.Uuid()))
    op.execute("UPDATE wtb_runs SET timeline_id = thread_id")
    op.alter_column("wtb_runs", "timeline_id", nullable=False)
    op.add_column("wtb_runs", sa.Column("from_checkpoint_id", sa.Text()))
    op.add_column("wtb_runs", sa.Column("edit", JSONB()))
    op.add_column("wtb_runs", sa.Column("request", JSONB()))
    for name, default in (("breakpoints", "{}"), ("stream", "[]")):
        op.add_column(
            "wtb_executions",
            sa.Column(name, JSONB(), nullable=False, server_default=sa.text(f"'{default}'::jsonb")),
        )


def downgrade() -> None:
    for name in ("stream", "breakpoints"):
        op.drop_column("wtb_executions", name)
    for name in ("request", "edit", "from_checkpoint_id", "timeline_id"):
        op.drop_column("wtb_runs", name)
