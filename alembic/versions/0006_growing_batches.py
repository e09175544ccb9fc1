"""Batches that grow: how much of a dataset they asked for, and the command that asks for more.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None

KINDS = ("register", "run", "pause", "resume", "stop", "rollback", "branch", "edit_state")


def upgrade() -> None:
    op.add_column("wtb_batch_tests", sa.Column("case_limit", sa.Integer()))
    allow_commands(*KINDS, "extend")


def downgrade() -> None:
    op.execute("DELETE FROM wtb_commands WHERE kind = 'extend'")
    allow_commands(*KINDS)
    op.drop_column("wtb_batch_tests", "case_limit")


def allow_commands(*kinds: str) -> None:
    known = ", ".join(f"'{kind}'" for kind in kinds)
    op.execute("ALTER TABLE wtb_commands DROP CONSTRAINT wtb_commands_kind_check")
    op.execute(
        f"ALTER TABLE wtb_commands ADD CONSTRAINT wtb_commands_kind_check CHECK (kind IN ({known}))"
    )
