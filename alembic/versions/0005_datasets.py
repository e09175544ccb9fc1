"""Datasets with versions, and the test cases that belong to them.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None

TIME = sa.TIMESTAMP(timezone=True)
RECORDED = ("wtb_outbox", "wtb_audit_log")
AGGREGATES = ("workflow", "execution", "batch_test", "runner")


def upgrade() -> None:
    create_datasets()
    share_test_cases()
    add_dataset_id("wtb_batch_tests")
    op.add_column("wtb_batch_tests", sa.Column("dataset_version", sa.Integer()))
    for table, column in (("wtb_batch_tests", "dataset_id"), ("wtb_executions", "test_case_id")):
        create_index(table, f"{table}_{column}_idx", [column], f"{column} IS NOT NULL")
    allow_aggregates(*AGGREGATES, "dataset")


def downgrade() -> None:
    op.execute("DELETE FROM wtb_outbox WHERE aggregate = 'dataset'")
    op.execute("DELETE FROM wtb_audit_log WHERE aggregate = 'dataset'")
    allow_aggregates(*AGGREGATES)
    op.drop_column("wtb_batch_tests", "dataset_version")
    op.drop_column("wtb_batch_tests", "dataset_id")
    unshare_test_cases()
    # Not before the cases are gone: each of them is looked up among the executions.
    op.drop_index("wtb_executions_test_case_id_idx")
    op.drop_table("wtb_dataset_versions")
    op.drop_table("wtb_datasets")


def create_datasets() -> None:
    op.create_table(
        "wtb_datasets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="wtb_datasets_pkey"),
        sa.UniqueConstraint("name", name="wtb_datasets_name_key"),
    )
    op.create_table(
        "wtb_dataset_versions",
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("dataset_id", "version", name="wtb_dataset_versions_pkey"),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["wtb_datasets.id"],
            name="wtb_dataset_versions_dataset_id_fkey",
            ondelete="CASCADE",
        ),
    )


def share_test_cases() -> None:
    """Let a test case belong to a dataset instead of a batch test."""
    op.alter_column("wtb_test_cases", "batch_test_id", nullable=True)
    add_dataset_id("wtb_test_cases", ondelete="CASCADE")
    op.add_column("wtb_test_cases", sa.Column("since_version", sa.Integer()))
    op.add_column("wtb_test_cases", sa.Column("until_version", sa.Integer()))
    op.create_check_constraint(
        op.f("wtb_test_cases_owner_check"),
        "wtb_test_cases",
        "num_nonnulls(batch_test_id, dataset_id) = 1",
    )
    op.create_check_constraint(
        op.f("wtb_test_cases_since_version_check"),
        "wtb_test_cases",
        "(dataset_id IS NULL) = (since_version IS NULL)",
    )
    op.drop_constraint("wtb_test_cases_batch_test_id_key_key", "wtb_test_cases")
    create_index(
        "wtb_test_cases",
        "wtb_test_cases_batch_test_id_key_key",
        ["batch_test_id", "key"],
        "batch_test_id IS NOT NULL",
        unique=True,
    )
    create_index(
        "wtb_test_cases",
        "wtb_test_cases_newest_key",
        ["dataset_id", "key"],
        "dataset_id IS NOT NULL AND until_version IS NULL",
        unique=True,
    )
    create_index(
        "wtb_test_cases",
        "wtb_test_cases_dataset_idx",
        ["dataset_id", "position"],
        "dataset_id IS NOT NULL",
    )


def unshare_test_cases() -> None:
    """Executions keep their inputs; the cases of datasets go."""
    op.execute(
        "UPDATE wtb_executions SET test_case_id = NULL FROM wtb_test_cases AS tested"
        " WHERE tested.id = test_case_id AND tested.dataset_id IS NOT NULL"
    )
    op.execute("DELETE FROM wtb_test_cases WHERE dataset_id IS NOT NULL")
    op.drop_constraint("wtb_test_cases_owner_check", "wtb_test_cases")
    op.drop_index("wtb_test_cases_batch_test_id_key_key")
    for name in ("until_version", "since_version", "dataset_id"):
        op.drop_column("wtb_test_cases", name)
    op.create_unique_constraint(
        "wtb_test_cases_batch_test_id_key_key", "wtb_test_cases", ["batch_test_id", "key"]
    )
    op.alter_column("wtb_test_cases", "batch_test_id", nullable=False)


def add_dataset_id(table: str, *, ondelete: str | None = None) -> None:
    name = f"{table}_dataset_id_fkey"
    owner = sa.ForeignKey("wtb_datasets.id", name=name, ondelete=ondelete)
    op.add_column(table, sa.Column("dataset_id", sa.Uuid(), owner))


def create_index(
    table: str, name: str, columns: list[str], where: str, *, unique: bool = False
) -> None:
    op.create_index(name, table, columns, unique=unique, postgresql_where=sa.text(where))


def allow_aggregates(*names: str) -> None:
    """Say whose history the outbox and the audit trail hold."""
    known = ", ".join(f"'{name}'" for name in names)
    for table in RECORDED:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_aggregate_check")
        op.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT {table}_aggregate_check"
            f" CHECK (aggregate IN ({known}))"
        )
