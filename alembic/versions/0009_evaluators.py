"""Scores that say which direction is better, preferences, summaries, and what models took.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | None = None
depends_on: str | None = None

RESULTS = "wtb_evaluation_results"
COMMANDS = (
    *("register", "run", "pause", "resume", "stop", "rollback", "branch", "edit_state", "extend"),
    "retry_failed",
)


def upgrade() -> None:
    op.add_column("wtb_batch_tests", sa.Column("summaries", JSONB()))
    op.add_column("wtb_batch_tests", sa.Column("summarized_at", sa.TIMESTAMP(timezone=True)))
    add_usage()
    add_preferences()
    allow_commands(*COMMANDS, "score")


def downgrade() -> None:
    op.execute("DELETE FROM wtb_commands WHERE kind = 'score'")
    allow_commands(*COMMANDS)
    op.execute("DELETE FROM wtb_evaluation_results WHERE baseline_id IS NOT NULL")
    for name in ("baseline_first", "baseline_id", "lower_is_better"):
        op.drop_column(RESULTS, name)
    op.drop_index("wtb_executions_usage_idx")
    for name in ("cost", "output_tokens", "input_tokens"):
        op.drop_column("wtb_executions", name)
    op.drop_column("wtb_batch_tests", "summarized_at")
    op.drop_column("wtb_batch_tests", "summaries")


def add_usage() -> None:
    op.add_column("wtb_executions", sa.Column("input_tokens", sa.BigInteger()))
    op.add_column("wtb_executions", sa.Column("output_tokens", sa.BigInteger()))
    op.add_column("wtb_executions", sa.Column("cost", sa.Float()))
    op.create_index(
        "wtb_executions_usage_idx",
        "wtb_executions",
        ["batch_test_id"],
        postgresql_include=["input_tokens", "output_tokens", "cost"],
        postgresql_where=sa.text("input_tokens IS NOT NULL"),
    )


def add_preferences() -> None:
    op.add_column(
        RESULTS,
        sa.Column("lower_is_better", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    baseline = sa.ForeignKey(
        "wtb_executions.id", name=f"{RESULTS}_baseline_id_fkey", ondelete="CASCADE"
    )
    op.add_column(RESULTS, sa.Column("baseline_id", sa.Uuid(), baseline))
    op.add_column(RESULTS, sa.Column("baseline_first", sa.Boolean()))
    op.create_index(
        f"{RESULTS}_baseline_id_idx",
        RESULTS,
        ["baseline_id"],
        postgresql_where=sa.text("baseline_id IS NOT NULL"),
    )


def allow_commands(*kinds: str) -> None:
    known = ", ".join(f"'{kind}'" for kind in kinds)
    op.execute("ALTER TABLE wtb_commands DROP CONSTRAINT wtb_commands_kind_check")
    op.execute(
        f"ALTER TABLE wtb_commands ADD CONSTRAINT wtb_commands_kind_check CHECK (kind IN ({known}))"
    )
