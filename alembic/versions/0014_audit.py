"""Which request brought a command, commands on datasets, and ways to read audit trail and outbox.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | None = None
depends_on: str | None = None

TABLES = ("wtb_commands", "wtb_audit_log")
COMMANDS = (
    *("register", "run", "pause", "resume", "stop", "rollback", "branch", "edit_state", "extend"),
    *("retry_failed", "score", "check"),
)
NEW_COMMANDS = (
    *("create_dataset", "describe_dataset", "delete_dataset"),
    *("import_cases", "edit_case", "delete_case", "replay"),
)


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("request_id", sa.Text()))
    allow_commands(*COMMANDS, *NEW_COMMANDS)
    index_by_time("wtb_outbox_sent_at_idx", "wtb_outbox", "sent_at")
    index_by_time("wtb_audit_log_created_at_idx", "wtb_audit_log", "created_at")


def downgrade() -> None:
    op.drop_index("wtb_audit_log_created_at_idx")
    op.drop_index("wtb_outbox_sent_at_idx")
    commands = sa.table("wtb_commands", sa.column("kind"))
    op.execute(commands.delete().where(commands.c.kind.in_(NEW_COMMANDS)))
    allow_commands(*COMMANDS)
    for table in TABLES:
        op.drop_column(table, "request_id")


def index_by_time(name: str, table: str, column: str) -> None:
    op.create_index(
        name, table, [column], postgresql_using="brin", postgresql_with={"autosummarize": "on"}
    )


def allow_commands(*kinds: str) -> None:
    known = ", ".join(f"'{kind}'" for kind in kinds)
    op.execute("ALTER TABLE wtb_commands DROP CONSTRAINT wtb_commands_kind_check")
    op.execute(
        f"ALTER TABLE wtb_commands ADD CONSTRAINT wtb_commands_kind_check CHECK (kind IN ({known}))"
    )
