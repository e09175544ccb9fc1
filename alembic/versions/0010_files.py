"""Blobs, file commits with their mementos, the checkpoints they belong to, and workspaces.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | None = None
depends_on: str | None = None

KINDS = "'file', 'symlink', 'directory'"


def upgrade() -> None:
    create_blobs()
    create_commits()
    create_mementos()
    create_checkpoint_files()
    create_workspaces()


def downgrade() -> None:
    for name in ("workspaces", "checkpoint_files", "file_mementos", "file_commits", "file_blobs"):
        op.drop_table(f"wtb_{name}")


def create_blobs() -> None:
    op.create_table(
        "wtb_file_blobs",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("stored_at", sa.TIMESTAMP(timezone=True)),
        now("claimed_at"),
        sa.PrimaryKeyConstraint("sha256", name="wtb_file_blobs_pkey"),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="wtb_file_blobs_sha256_check"),
    )
    op.create_index("wtb_file_blobs_claimed_at_idx", "wtb_file_blobs", ["claimed_at"])


def create_commits() -> None:
    table = "wtb_file_commits"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "parent_id", sa.Uuid(), sa.ForeignKey(f"{table}.id", name=f"{table}_parent_id_fkey")
        ),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("chain", sa.Integer(), nullable=False),
        now("created_at"),
        sa.PrimaryKeyConstraint("id", name=f"{table}_pkey"),
    )
    op.create_index(f"{table}_created_at_idx", table, ["created_at"])
    op.create_index(f"{table}_parent_id_idx", table, ["parent_id"])


def create_mementos() -> None:
    table = "wtb_file_mementos"
    op.create_table(
        table,
        sa.Column("commit_id", sa.Uuid(), nullable=False),
        sa.Column("path", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.String(32)),
        sa.Column("sha256", sa.Text()),
        sa.Column("target", sa.Text()),
        sa.Column("mode", sa.Integer()),
        sa.Column("mtime_ns", sa.BigInteger()),
        sa.PrimaryKeyConstraint("commit_id", "path", name=f"{table}_pkey"),
        sa.ForeignKeyConstraint(
            ["commit_id"],
            ["wtb_file_commits.id"],
            name=f"{table}_commit_id_fkey",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["sha256"], ["wtb_file_blobs.sha256"], name=f"{table}_sha256_fkey"),
        sa.CheckConstraint(f"kind IN ({KINDS})", name=f"{table}_kind_check"),
    )
    op.create_index(
        f"{table}_sha256_idx",
        table,
        ["sha256"],
        postgresql_where=sa.text("sha256 IS NOT NULL"),
    )


def create_checkpoint_files() -> None:
    table = "wtb_checkpoint_files"
    op.create_table(
        table,
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("checkpoint_id", sa.Text(collation="C"), nullable=False),
        sa.Column("task_id", sa.Text(), server_default="", nullable=False),
        sa.Column("commit_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.PrimaryKeyConstraint("thread_id", "checkpoint_id", "task_id", name=f"{table}_pkey"),
        of_thread(table),
        sa.ForeignKeyConstraint(
            ["commit_id"], ["wtb_file_commits.id"], name=f"{table}_commit_id_fkey"
        ),
    )
    op.create_index(f"{table}_commit_id_idx", table, ["commit_id"])


def create_workspaces() -> None:
    table = "wtb_workspaces"
    op.create_table(
        table,
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        now("created_at"),
        sa.Column("removed_at", sa.TIMESTAMP(timezone=True)),
        sa.PrimaryKeyConstraint("thread_id", "host", name=f"{table}_pkey"),
        of_thread(table),
    )
    op.create_index(
        f"{table}_host_idx", table, ["host"], postgresql_where=sa.text("removed_at IS NULL")
    )


def of_thread(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["thread_id"], ["wtb_threads.id"], name=f"{table}_thread_id_fkey", ondelete="CASCADE"
    )


def now(name: str) -> sa.Column[object]:
    return sa.Column(
        name, sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
    )
