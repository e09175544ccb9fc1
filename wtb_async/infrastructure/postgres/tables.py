"""The tables, as the newest migration leaves them."""

from enum import StrEnum

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Enum,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from wtb_async.domain.batch_test import BatchStatus
from wtb_async.domain.command import CommandKind
from wtb_async.domain.events import Aggregate
from wtb_async.domain.execution import ExecutionStatus, PauseReason
from wtb_async.domain.node_boundary import BoundaryStatus
from wtb_async.domain.run import ForkReason, RunnerStatus, RunStatus

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)

PARTITIONED = ("wtb_outbox", "wtb_audit_log", "wtb_node_boundaries")
"""Append-heavy tables, range-partitioned by `created_at`; old months are dropped whole."""


def enum(values: type[StrEnum], name: str) -> Enum:
    """A text column's type that takes the values of a `StrEnum`, checked by the database."""
    return Enum(
        values,
        name=name,
        native_enum=False,
        create_constraint=True,
        values_callable=lambda members: [member.value for member in members],
        length=32,
    )


def _json(name: str, *, default: str | None = None) -> Column[object]:
    nullable = default is None
    return Column(
        name,
        JSONB(none_as_null=True),
        nullable=nullable,
        server_default=None if default is None else text(f"'{default}'::jsonb"),
    )


def _time(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, TIMESTAMP(timezone=True), nullable=nullable)


def _by_time(name: str, column: str) -> Index:
    """An index that costs next to nothing on rows that come in the order of their times."""
    return Index(name, column, postgresql_using="brin", postgresql_with={"autosummarize": "on"})


def _id() -> Column[object]:
    return Column("id", Uuid, primary_key=True)


workflows = Table(
    "wtb_workflows",
    metadata,
    _id(),
    Column("name", Text, nullable=False, unique=True),
    Column("project", Text, nullable=False),
    Column("graph", Text, nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    _json("topology", default="{}"),
    Column("version", Integer, nullable=False),
    Column("created_by", Text, nullable=False),
    _time("created_at"),
    _time("updated_at"),
)

node_variants = Table(
    "wtb_node_variants",
    metadata,
    _id(),
    Column("workflow_id", ForeignKey("wtb_workflows.id", ondelete="CASCADE"), nullable=False),
    Column("node", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("implementation", Text, nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    _json("environment"),
    _json("resources"),
    Column("created_by", Text, nullable=False),
    _time("created_at"),
    UniqueConstraint("workflow_id", "node", "name"),
)

workflow_variants = Table(
    "wtb_workflow_variants",
    metadata,
    _id(),
    Column("workflow_id", ForeignKey("wtb_workflows.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("graph", Text, nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    _json("topology", default="{}"),
    Column("created_by", Text, nullable=False),
    _time("created_at"),
    UniqueConstraint("workflow_id", "name"),
)

threads = Table(
    "wtb_threads",
    metadata,
    _id(),
    Column("parent_id", ForeignKey("wtb_threads.id")),
    Column("fork_checkpoint_id", Text),
    Column("reason", enum(ForkReason, "reason"), nullable=False),
    _time("created_at"),
    Index(
        "wtb_threads_parent_id_idx",
        "parent_id",
        postgresql_where=text("parent_id IS NOT NULL"),
    ),
)

runners = Table(
    "wtb_runners",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("pool", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("slots", Integer, nullable=False),
    Column("status", enum(RunnerStatus, "status"), nullable=False),
    Column("alone_run_id", Uuid),
    _time("started_at"),
    _time("heartbeat_at"),
    Index("wtb_runners_alive_idx", "name", postgresql_where=text("status = 'alive'")),
)

runs = Table(
    "wtb_runs",
    metadata,
    _id(),
    Column(
        "position",
        BigInteger,
        Sequence("wtb_runs_position_seq"),
        nullable=False,
        server_default=text("nextval('wtb_runs_position_seq')"),
    ),
    Column("pool", Text, nullable=False),
    Column("status", enum(RunStatus, "status"), nullable=False),
    Column("thread_id", ForeignKey("wtb_threads.id"), nullable=False),
    Column("workflow_id", ForeignKey("wtb_workflows.id"), nullable=False),
    _json("variants", default="{}"),
    Column("workflow_variant", Text),
    _json("gates", default="[]"),
    Column("spent_ms", Float),
    Column("attempt", Integer, nullable=False),
    _json("limits", default="{}"),
    Column("timeline_id", Uuid, nullable=False),
    Column("from_checkpoint_id", Text),
    _json("edit"),
    _json("request"),
    Column("limited_by", ForeignKey("wtb_batch_tests.id")),
    Column("runner_id", ForeignKey("wtb_runners.id")),
    _json("error"),
    _time("created_at"),
    _time("claimed_at", nullable=True),
    _time("finished_at", nullable=True),
    Index(None, "thread_id"),
    Index("wtb_runs_pending_idx", "pool", "position", postgresql_where=text("status = 'pending'")),
    Index("wtb_runs_running_idx", "runner_id", postgresql_where=text("status = 'running'")),
    Index(
        "wtb_runs_limited_idx",
        "limited_by",
        "status",
        "position",
        postgresql_where=text(
            "limited_by IS NOT NULL AND status IN ('waiting', 'pending', 'running')"
        ),
    ),
    postgresql_with={"fillfactor": "80"},
)

datasets = Table(
    "wtb_datasets",
    metadata,
    _id(),
    Column("name", Text, nullable=False, unique=True),
    Column("description", Text, nullable=False, server_default=""),
    Column("version", Integer, nullable=False),
    Column("cases", Integer, nullable=False),
    Column("created_by", Text, nullable=False),
    _time("created_at"),
    _time("updated_at"),
)

dataset_versions = Table(
    "wtb_dataset_versions",
    metadata,
    Column("dataset_id", ForeignKey("wtb_datasets.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("added", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("removed", Integer, nullable=False),
    Column("cases", Integer, nullable=False),
    Column("created_by", Text, nullable=False),
    _time("created_at"),
)

batch_tests = Table(
    "wtb_batch_tests",
    metadata,
    _id(),
    Column("workflow_id", ForeignKey("wtb_workflows.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("status", enum(BatchStatus, "status"), nullable=False),
    _json("combinations", default="[]"),
    _json("baseline", default="{}"),
    _json("evaluators", default="[]"),
    _json("summaries"),
    _time("summarized_at", nullable=True),
    Column("repetitions", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("share_prefixes", Boolean, nullable=False, server_default=text("true")),
    _json("limits", default="{}"),
    Column("max_concurrency", Integer),
    Column("max_failures", Integer),
    Column("forgiven_failures", Integer, nullable=False, server_default=text("0")),
    Column("becomes", enum(BatchStatus, "becomes")),
    _json("error"),
    Column("dataset_id", ForeignKey("wtb_datasets.id")),
    Column("dataset_version", Integer),
    Column("case_limit", Integer),
    Column("version", Integer, nullable=False),
    Column("created_by", Text, nullable=False),
    _time("created_at"),
    _time("started_at", nullable=True),
    _time("finished_at", nullable=True),
    Index(None, "workflow_id"),
    Index(
        "wtb_batch_tests_dataset_id_idx",
        "dataset_id",
        postgresql_where=text("dataset_id IS NOT NULL"),
    ),
    CheckConstraint("repetitions >= 1", name="repetitions"),
)

test_cases = Table(
    "wtb_test_cases",
    metadata,
    _id(),
    Column("batch_test_id", ForeignKey("wtb_batch_tests.id", ondelete="CASCADE")),
    Column("dataset_id", ForeignKey("wtb_datasets.id", ondelete="CASCADE")),
    Column("since_version", Integer),
    Column("until_version", Integer),
    Column("key", Text, nullable=False),
    Column("position", Integer, nullable=False),
    _json("input", default="{}"),
    _json("reference"),
    _json("metadata", default="{}"),
    CheckConstraint("num_nonnulls(batch_test_id, dataset_id) = 1", name="owner"),
    CheckConstraint("(dataset_id IS NULL) = (since_version IS NULL)", name="since_version"),
    Index(
        "wtb_test_cases_batch_test_id_key_key",
        "batch_test_id",
        "key",
        unique=True,
        postgresql_where=text("batch_test_id IS NOT NULL"),
    ),
    Index(
        "wtb_test_cases_newest_key",
        "dataset_id",
        "key",
        unique=True,
        postgresql_where=text("dataset_id IS NOT NULL AND until_version IS NULL"),
    ),
    Index(
        "wtb_test_cases_dataset_idx",
        "dataset_id",
        "position",
        postgresql_where=text("dataset_id IS NOT NULL"),
    ),
)

executions = Table(
    "wtb_executions",
    metadata,
    _id(),
    Column("workflow_id", ForeignKey("wtb_workflows.id"), nullable=False),
    Column("run_id", ForeignKey("wtb_runs.id"), nullable=False),
    Column("thread_id", ForeignKey("wtb_threads.id"), nullable=False),
    Column("status", enum(ExecutionStatus, "status"), nullable=False),
    Column("pause_reason", enum(PauseReason, "pause_reason")),
    _json("input", default="{}"),
    _json("output"),
    _json("error"),
    _json("variants", default="{}"),
    Column("workflow_variant", Text),
    _json("breakpoints", default="{}"),
    _json("stream", default="[]"),
    Column("checkpoint_id", Text),
    _json("next_nodes", default="[]"),
    _json("interrupts", default="[]"),
    Column("batch_test_id", ForeignKey("wtb_batch_tests.id")),
    Column("test_case_id", ForeignKey("wtb_test_cases.id")),
    Column("repetition", Integer, nullable=False),
    Column("parent_execution_id", ForeignKey("wtb_executions.id")),
    Column("attempt", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    _json("metadata", default="{}"),
    Column("created_by", Text, nullable=False),
    _time("created_at"),
    _time("started_at", nullable=True),
    _time("finished_at", nullable=True),
    _time("scored_at", nullable=True),
    _time("scoring_until", nullable=True),
    Column("duration_ms", Float),
    Column("input_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("cost", Float),
    Index(None, "run_id"),
    Index(None, "thread_id"),
    Index(
        "wtb_executions_batch_idx",
        "batch_test_id",
        "status",
        postgresql_where=text("batch_test_id IS NOT NULL"),
    ),
    Index(
        "wtb_executions_test_case_id_idx",
        "test_case_id",
        postgresql_where=text("test_case_id IS NOT NULL"),
    ),
    Index(
        "wtb_executions_usage_idx",
        "batch_test_id",
        postgresql_include=["input_tokens", "output_tokens", "cost"],
        postgresql_where=text("input_tokens IS NOT NULL"),
    ),
    Index(None, "created_at", "id"),
    Index(None, "workflow_id", "id"),
    postgresql_with={"fillfactor": "80"},
)

evaluation_results = Table(
    "wtb_evaluation_results",
    metadata,
    Column("execution_id", ForeignKey("wtb_executions.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("evaluator", Text, nullable=False),
    _json("score"),
    Column("comment", Text),
    Column("error", Text),
    Column("lower_is_better", Boolean, nullable=False, server_default=text("false")),
    Column("baseline_id", ForeignKey("wtb_executions.id", ondelete="CASCADE")),
    Column("baseline_first", Boolean),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=func.now()),
    Index(
        "wtb_evaluation_results_baseline_id_idx",
        "baseline_id",
        postgresql_where=text("baseline_id IS NOT NULL"),
    ),
)

commands = Table(
    "wtb_commands",
    metadata,
    _id(),
    Column("kind", enum(CommandKind, "kind"), nullable=False),
    Column("target_type", Text, nullable=False),
    Column("target_id", Uuid, nullable=False),
    _json("payload", default="{}"),
    Column("issued_by", Text, nullable=False),
    Column("request_id", Text),
    _time("created_at"),
    Index(None, "target_id"),
)

outbox = Table(
    "wtb_outbox",
    metadata,
    Column(
        "id",
        BigInteger,
        Sequence("wtb_outbox_id_seq"),
        server_default=text("nextval('wtb_outbox_id_seq')"),
        primary_key=True,
    ),
    Column("aggregate", enum(Aggregate, "aggregate"), nullable=False),
    Column("aggregate_id", Uuid, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("type", Text, nullable=False),
    _json("data", default="{}"),
    Column(
        "created_at",
        TIMESTAMP(timezone=True),
        primary_key=True,
        server_default=text("clock_timestamp()"),
    ),
    Column(
        "available_at",
        TIMESTAMP(timezone=True),
        nullable=False,
        server_default=text("clock_timestamp()"),
    ),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    _time("sent_at", nullable=True),
    _time("dead_at", nullable=True),
    Column("last_error", Text),
    Index(
        "wtb_outbox_open_idx",
        "id",
        postgresql_where=text("sent_at IS NULL AND dead_at IS NULL"),
    ),
    Index(
        "wtb_outbox_open_aggregate_idx",
        "aggregate_id",
        "id",
        postgresql_where=text("sent_at IS NULL AND dead_at IS NULL"),
    ),
    Index("wtb_outbox_dead_idx", "id", postgresql_where=text("dead_at IS NOT NULL")),
    Index(None, "aggregate_id", "sequence"),
    _by_time("wtb_outbox_sent_at_idx", "sent_at"),
    postgresql_partition_by="RANGE (created_at)",
)

audit_log = Table(
    "wtb_audit_log",
    metadata,
    Column(
        "id",
        BigInteger,
        Sequence("wtb_audit_log_id_seq"),
        server_default=text("nextval('wtb_audit_log_id_seq')"),
        primary_key=True,
    ),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("aggregate", enum(Aggregate, "aggregate"), nullable=False),
    Column("aggregate_id", Uuid, nullable=False),
    Column("status_before", Text),
    Column("status_after", Text),
    Column("command_id", Uuid),
    Column("request_id", Text),
    Column(
        "created_at",
        TIMESTAMP(timezone=True),
        primary_key=True,
        server_default=text("clock_timestamp()"),
    ),
    Index(None, "aggregate_id", "id"),
    _by_time("wtb_audit_log_created_at_idx", "created_at"),
    postgresql_partition_by="RANGE (created_at)",
)

node_boundaries = Table(
    "wtb_node_boundaries",
    metadata,
    Column("thread_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("run_id", Uuid, nullable=False),
    Column("node", Text, nullable=False),
    Column("task_id", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("status", enum(BoundaryStatus, "status"), nullable=False),
    Column("checkpoint_ns", Text, nullable=False),
    Column("entry_checkpoint_id", Text, nullable=False),
    _time("started_at"),
    _time("finished_at"),
    _json("input"),
    _json("output"),
    _json("error"),
    Column(
        "created_at",
        TIMESTAMP(timezone=True),
        primary_key=True,
        server_default=text("now()"),
    ),
    postgresql_partition_by="RANGE (created_at)",
)
