"""The foundation: workflows, executions, runs, batches, outbox, audit, LangGraph's checkpoints.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

JSON = postgresql.JSONB(none_as_null=True)
TIME = sa.TIMESTAMP(timezone=True)
SEQUENCES = ("wtb_outbox_id_seq", "wtb_audit_log_id_seq", "wtb_runs_position_seq")
PARTITIONED = ("wtb_outbox", "wtb_audit_log")
TABLES = (
    "wtb_evaluation_results",
    "wtb_executions",
    "wtb_test_cases",
    "wtb_workflow_variants",
    "wtb_runs",
    "wtb_node_variants",
    "wtb_batch_tests",
    "wtb_workflows",
    "wtb_threads",
    "wtb_runners",
    "wtb_outbox",
    "wtb_commands",
    "wtb_audit_log",
)

# A frozen copy of what langgraph-checkpoint-postgres 3.2 creates with its own setup(), which
# races when many processes start at once. A test holds its list of migrations against this one.
CHECKPOINT_TABLES = (
    "CREATE TABLE checkpoint_migrations (v integer PRIMARY KEY)",
    """CREATE TABLE checkpoints (
        thread_id text NOT NULL,
        checkpoint_ns text NOT NULL DEFAULT '',
        checkpoint_id text NOT NULL,
        parent_checkpoint_id text,
        type text,
        checkpoint jsonb NOT NULL,
        metadata jsonb NOT NULL DEFAULT '{}',
        PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id)
    )""",
    """CREATE TABLE checkpoint_blobs (
        thread_id text NOT NULL,
        checkpoint_ns text NOT NULL DEFAULT '',
        channel text NOT NULL,
        version text NOT NULL,
        type text NOT NULL,
        blob bytea,
        PRIMARY KEY (thread_id, checkpoint_ns, channel, version)
    )""",
    """CREATE TABLE checkpoint_writes (
        thread_id text NOT NULL,
        checkpoint_ns text NOT NULL DEFAULT '',
        checkpoint_id text NOT NULL,
        task_id text NOT NULL,
        idx integer NOT NULL,
        channel text NOT NULL,
        type text,
        blob bytea NOT NULL,
        task_path text NOT NULL DEFAULT '',
        PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
    )""",
    "CREATE INDEX checkpoints_thread_id_idx ON checkpoints (thread_id)",
    "CREATE INDEX checkpoint_blobs_thread_id_idx ON checkpoint_blobs (thread_id)",
    "CREATE INDEX checkpoint_writes_thread_id_idx ON checkpoint_writes (thread_id)",
    "INSERT INTO checkpoint_migrations SELECT generate_series(0, 9)",
)


def upgrade() -> None:
    for sequence in SEQUENCES:
        op.execute(f"CREATE SEQUENCE {sequence}")
    create_tables()
    for table in PARTITIONED:
        op.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")
    for statement in CHECKPOINT_TABLES:
        op.execute(statement)


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    for sequence in SEQUENCES:
        op.execute(f"DROP SEQUENCE {sequence}")
    for table in ("checkpoints", "checkpoint_blobs", "checkpoint_writes", "checkpoint_migrations"):
        op.drop_table(table)


def create_tables() -> None:
    op.create_table(
        "wtb_audit_log",
        sa.Column(
            "id",
            sa.BigInteger(),
            server_default=sa.text("nextval('wtb_audit_log_id_seq')"),
            nullable=False,
        ),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column(
            "aggregate",
            sa.Enum(
                "workflow",
                "execution",
                "batch_test",
                "runner",
                name="aggregate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("aggregate_id", sa.Uuid(), nullable=False),
        sa.Column("status_before", sa.Text(), nullable=True),
        sa.Column("status_after", sa.Text(), nullable=True),
        sa.Column("command_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", TIME, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("id", "created_at", name="wtb_audit_log_pkey"),
        postgresql_partition_by="RANGE (created_at)",
    )
    op.create_index(
        "wtb_audit_log_aggregate_id_id_idx", "wtb_audit_log", ["aggregate_id", "id"], unique=False
    )
    op.create_table(
        "wtb_commands",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "register",
                "run",
                "pause",
                "resume",
                "stop",
                "rollback",
                "branch",
                "edit_state",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("target_type", sa.Text(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("payload", JSON, server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="wtb_commands_pkey"),
    )
    op.create_index("wtb_commands_target_id_idx", "wtb_commands", ["target_id"], unique=False)
    op.create_table(
        "wtb_outbox",
        sa.Column(
            "id",
            sa.BigInteger(),
            server_default=sa.text("nextval('wtb_outbox_id_seq')"),
            nullable=False,
        ),
        sa.Column(
            "aggregate",
            sa.Enum(
                "workflow",
                "execution",
                "batch_test",
                "runner",
                name="aggregate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("aggregate_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("data", JSON, server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column(
            "available_at", TIME, server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("sent_at", TIME, nullable=True),
        sa.Column("dead_at", TIME, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", "created_at", name="wtb_outbox_pkey"),
        postgresql_partition_by="RANGE (created_at)",
    )
    op.create_index(
        "wtb_outbox_aggregate_id_sequence_idx",
        "wtb_outbox",
        ["aggregate_id", "sequence"],
        unique=False,
    )
    op.create_index(
        "wtb_outbox_open_aggregate_idx",
        "wtb_outbox",
        ["aggregate_id", "id"],
        unique=False,
        postgresql_where=sa.text("sent_at IS NULL AND dead_at IS NULL"),
    )
    op.create_index(
        "wtb_outbox_open_idx",
        "wtb_outbox",
        ["id"],
        unique=False,
        postgresql_where=sa.text("sent_at IS NULL AND dead_at IS NULL"),
    )
    op.create_table(
        "wtb_runners",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "alive",
                "stopped",
                "lost",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("alone_run_id", sa.Uuid(), nullable=True),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("heartbeat_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="wtb_runners_pkey"),
    )
    op.create_index(
        "wtb_runners_alive_idx",
        "wtb_runners",
        ["name"],
        unique=False,
        postgresql_where=sa.text("status = 'alive'"),
    )
    op.create_table(
        "wtb_threads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("fork_checkpoint_id", sa.Text(), nullable=True),
        sa.Column(
            "reason",
            sa.Enum(
                "start",
                "takeover",
                "rollback",
                "branch",
                "split",
                name="reason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["wtb_threads.id"], name="wtb_threads_parent_id_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="wtb_threads_pkey"),
    )
    op.create_table(
        "wtb_workflows",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("graph", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("topology", JSON, server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="wtb_workflows_pkey"),
        sa.UniqueConstraint("name", name="wtb_workflows_name_key"),
    )
    op.create_table(
        "wtb_batch_tests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workflow_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "running",
                "paused",
                "completed",
                "failed",
                "cancelled",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("combinations", JSON, server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("baseline", JSON, server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("evaluators", JSON, server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("repetitions", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("limits", JSON, server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("finished_at", TIME, nullable=True),
        sa.CheckConstraint("repetitions >= 1", name="wtb_batch_tests_repetitions_check"),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["wtb_workflows.id"], name="wtb_batch_tests_workflow_id_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="wtb_batch_tests_pkey"),
    )
    op.create_index(
        "wtb_batch_tests_workflow_id_idx", "wtb_batch_tests", ["workflow_id"], unique=False
    )
    op.create_table(
        "wtb_node_variants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workflow_id", sa.Uuid(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("implementation", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("environment", JSON, nullable=True),
        sa.Column("resources", JSON, nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["workflow_id"],
            ["wtb_workflows.id"],
            name="wtb_node_variants_workflow_id_fkey",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="wtb_node_variants_pkey"),
        sa.UniqueConstraint(
            "workflow_id", "node", "name", name="wtb_node_variants_workflow_id_node_name_key"
        ),
    )
    op.create_table(
        "wtb_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "position",
            sa.BigInteger(),
            server_default=sa.text("nextval('wtb_runs_position_seq')"),
            nullable=False,
        ),
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "running",
                "paused",
                "completed",
                "failed",
                "cancelled",
                "lost",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("workflow_id", sa.Uuid(), nullable=False),
        sa.Column("variants", JSON, server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("workflow_variant", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("limits", JSON, server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("runner_id", sa.Uuid(), nullable=True),
        sa.Column("error", JSON, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("claimed_at", TIME, nullable=True),
        sa.Column("finished_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["runner_id"], ["wtb_runners.id"], name="wtb_runs_runner_id_fkey"),
        sa.ForeignKeyConstraint(["thread_id"], ["wtb_threads.id"], name="wtb_runs_thread_id_fkey"),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["wtb_workflows.id"], name="wtb_runs_workflow_id_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="wtb_runs_pkey"),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index(
        "wtb_runs_pending_idx",
        "wtb_runs",
        ["pool", "position"],
        unique=False,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        "wtb_runs_running_idx",
        "wtb_runs",
        ["runner_id"],
        unique=False,
        postgresql_where=sa.text("status = 'running'"),
    )
    op.create_table(
        "wtb_workflow_variants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workflow_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("graph", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("topology", JSON, server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["workflow_id"],
            ["wtb_workflows.id"],
            name="wtb_workflow_variants_workflow_id_fkey",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="wtb_workflow_variants_pkey"),
        sa.UniqueConstraint(
            "workflow_id", "name", name="wtb_workflow_variants_workflow_id_name_key"
        ),
    )
    op.create_table(
        "wtb_test_cases",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("batch_test_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("input", JSON, server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("reference", JSON, nullable=True),
        sa.Column("metadata", JSON, server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_test_id"],
            ["wtb_batch_tests.id"],
            name="wtb_test_cases_batch_test_id_fkey",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="wtb_test_cases_pkey"),
        sa.UniqueConstraint("batch_test_id", "key", name="wtb_test_cases_batch_test_id_key_key"),
    )
    op.create_table(
        "wtb_executions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workflow_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "running",
                "paused",
                "completed",
                "failed",
                "cancelled",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "pause_reason",
            sa.Enum(
                "command",
                "breakpoint",
                "interrupt",
                name="pause_reason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("input", JSON, server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("output", JSON, nullable=True),
        sa.Column("error", JSON, nullable=True),
        sa.Column("variants", JSON, server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("workflow_variant", sa.Text(), nullable=True),
        sa.Column("checkpoint_id", sa.Text(), nullable=True),
        sa.Column("next_nodes", JSON, server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("interrupts", JSON, server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("batch_test_id", sa.Uuid(), nullable=True),
        sa.Column("test_case_id", sa.Uuid(), nullable=True),
        sa.Column("repetition", sa.Integer(), nullable=False),
        sa.Column("parent_execution_id", sa.Uuid(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("metadata", JSON, server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("finished_at", TIME, nullable=True),
        sa.Column("scored_at", TIME, nullable=True),
        sa.Column("scoring_until", TIME, nullable=True),
        sa.Column("duration_ms", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["batch_test_id"], ["wtb_batch_tests.id"], name="wtb_executions_batch_test_id_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["parent_execution_id"],
            ["wtb_executions.id"],
            name="wtb_executions_parent_execution_id_fkey",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["wtb_runs.id"], name="wtb_executions_run_id_fkey"),
        sa.ForeignKeyConstraint(
            ["test_case_id"], ["wtb_test_cases.id"], name="wtb_executions_test_case_id_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["wtb_threads.id"], name="wtb_executions_thread_id_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["wtb_workflows.id"], name="wtb_executions_workflow_id_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="wtb_executions_pkey"),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index(
        "wtb_executions_batch_idx",
        "wtb_executions",
        ["batch_test_id", "status"],
        unique=False,
        postgresql_where=sa.text("batch_test_id IS NOT NULL"),
    )
    op.create_index(
        "wtb_executions_created_at_id_idx", "wtb_executions", ["created_at", "id"], unique=False
    )
    op.create_index("wtb_executions_run_id_idx", "wtb_executions", ["run_id"], unique=False)
    op.create_index(
        "wtb_executions_workflow_id_id_idx", "wtb_executions", ["workflow_id", "id"], unique=False
    )
    op.create_table(
        "wtb_evaluation_results",
        sa.Column("execution_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("evaluator", sa.Text(), nullable=False),
        sa.Column("score", JSON, nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["execution_id"],
            ["wtb_executions.id"],
            name="wtb_evaluation_results_execution_id_fkey",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("execution_id", "key", name="wtb_evaluation_results_pkey"),
    )
