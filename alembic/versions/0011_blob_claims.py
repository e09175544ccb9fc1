"""Claims on blobs that a collection in between makes void, and blobs condemned by one.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | None = None
depends_on: str | None = None

TABLE = "wtb_file_blobs"
CLAIMED_AT = f"{TABLE}_claimed_at_idx"


def upgrade() -> None:
    number = sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False)
    op.add_column(TABLE, number)
    op.alter_column(TABLE, "claimed_at", nullable=True)
    # Claims change that time: without an index on it they stay on their page.
    op.drop_index(CLAIMED_AT)
    op.create_index(
        f"{TABLE}_condemned_idx",
        TABLE,
        ["sha256"],
        postgresql_where=sa.text("claimed_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index(f"{TABLE}_condemned_idx")
    op.execute(f"UPDATE {TABLE} SET claimed_at = '-infinity' WHERE claimed_at IS NULL")  # noqa: S608
    op.create_index(CLAIMED_AT, TABLE, ["claimed_at"])
    op.alter_column(TABLE, "claimed_at", nullable=False)
    op.drop_column(TABLE, "number")
