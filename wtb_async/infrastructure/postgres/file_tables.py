"""The tables of files, as the newest migration leaves them; only statements touch them."""

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    func,
    text,
)

from wtb_async.domain.file_commit import FileKind
from wtb_async.infrastructure.postgres.tables import enum, metadata

file_blobs = Table(
    "wtb_file_blobs",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    # A blob that was claimed but is not in the store yet has no time here.
    Column("stored_at", TIMESTAMP(timezone=True)),
    # One without this time is condemned: its content may be gone at any moment.
    Column("claimed_at", TIMESTAMP(timezone=True), server_default=func.now()),
    # Another one as soon as a collection has condemned the blob: claims made before are void.
    Column("number", BigInteger, Identity(always=True), nullable=False),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    Index("wtb_file_blobs_condemned_idx", "sha256", postgresql_where=text("claimed_at IS NULL")),
)

file_commits = Table(
    "wtb_file_commits",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("parent_id", ForeignKey("wtb_file_commits.id")),
    Column("files", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("chain", Integer, nullable=False),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=func.now()),
    Index("wtb_file_commits_created_at_idx", "created_at"),
    Index("wtb_file_commits_parent_id_idx", "parent_id"),
)

file_mementos = Table(
    "wtb_file_mementos",
    metadata,
    Column("commit_id", ForeignKey("wtb_file_commits.id", ondelete="CASCADE"), primary_key=True),
    Column("path", Text(collation="C"), primary_key=True),
    # None: the path was removed.
    Column("kind", enum(FileKind, "kind")),
    Column("sha256", ForeignKey("wtb_file_blobs.sha256")),
    Column("target", Text),
    Column("mode", Integer),
    Column("mtime_ns", BigInteger),
    Index("wtb_file_mementos_sha256_idx", "sha256", postgresql_where=text("sha256 IS NOT NULL")),
)

checkpoint_files = Table(
    "wtb_checkpoint_files",
    metadata,
    Column("thread_id", ForeignKey("wtb_threads.id", ondelete="CASCADE"), primary_key=True),
    Column("checkpoint_id", Text(collation="C"), primary_key=True),
    # Of a task that has finished after this checkpoint; empty for the checkpoint itself.
    Column("task_id", Text, primary_key=True, server_default=""),
    Column("commit_id", ForeignKey("wtb_file_commits.id"), nullable=False),
    Column("position", BigInteger, Identity(), nullable=False),
    Index("wtb_checkpoint_files_commit_id_idx", "commit_id"),
)

workspaces = Table(
    "wtb_workspaces",
    metadata,
    Column("thread_id", ForeignKey("wtb_threads.id", ondelete="CASCADE"), primary_key=True),
    Column("host", Text, primary_key=True),
    Column("path", Text, nullable=False),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=func.now()),
    Column("removed_at", TIMESTAMP(timezone=True)),
    Index("wtb_workspaces_host_idx", "host", postgresql_where=text("removed_at IS NULL")),
)
