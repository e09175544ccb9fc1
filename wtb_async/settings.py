"""Everything that can be set from outside, read once in `bootstrap` and passed inwards."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ApiSettings(_Group):
    """The HTTP front."""

    database_pool_size: int = Field(8, ge=1)
    max_body_bytes: int = Field(1 << 20, ge=1024)
    """Of a request, and of one row of an import."""
    max_import_bytes: int = Field(256 << 20, ge=1024)
    max_json_depth: int = Field(64, ge=1)
    max_batch_executions: int = Field(100_000, ge=1)
    inspect_timeout_seconds: float = Field(60.0, gt=0)
    slow_reader_seconds: float = Field(10.0, gt=0)
    """A reader of a stream who does not take what is sent within this time is sent away."""
    max_subscriptions: int = Field(100, ge=1)
    """Of one WebSocket connection."""


class RelaySettings(_Group):
    """How outbox events travel to the broker and the streams."""

    chunk_size: int = Field(500, ge=1)
    loop_seconds: float = Field(1.0, gt=0)
    """How long one relay task works; with a beat of the same period one always runs."""
    claim_seconds: float = Field(30.0, gt=0)
    """A relay that dies between claim and mark leaves its rows to the others after this time."""
    max_attempts: int = Field(50, ge=1)
    """With doubling waits up to the limit: some three hours of an unreachable broker."""
    backoff_seconds: float = Field(1.0, gt=0)
    backoff_limit_seconds: float = Field(300.0, gt=0)


class RunnerSettings(_Group):
    """One runner: a process that executes runs."""

    slots: int = Field(32, ge=1)
    prefetch: int = Field(32, ge=0)
    claim_at_least: int = Field(8, ge=1)
    safety_poll_seconds: float = Field(1.0, gt=0)
    heartbeat_seconds: float = Field(5.0, gt=0)
    lease_seconds: float = Field(30.0, gt=0)
    fence_after_seconds: float = Field(15.0, gt=0)
    exit_after_seconds: float = Field(25.0, gt=0)
    stop_grace_seconds: float = Field(10.0, gt=0)
    """A run that was asked to stop and reaches no superstep boundary is cancelled after this."""
    abandon_after_seconds: float = Field(5.0, gt=0)
    """One that survives being cancelled is given up after this, and what it writes is fenced."""
    checkpoint_writers: int = Field(2, ge=1)
    checkpoint_batch: int = Field(64, ge=1)
    """Calls per commit at most: a round of all slots, each with a checkpoint and task writes."""
    checkpoint_pending: int = Field(1024, ge=1)
    """Checkpoint calls that may wait for their commit; nodes that finish then wait for room."""
    checkpoint_pending_bytes: int = Field(64 << 20, ge=1)
    """The same in bytes of values, so that large states on a slow database fill no memory."""
    boundary_value_bytes: int = Field(32 * 1024, ge=0)
    """Inputs and outputs of nodes whose JSON is larger are left out of the node boundaries."""


class LiveSettings(_Group):
    """What executions show of their graphs at work, when they were asked to."""

    value_bytes: int = Field(16 * 1024, ge=0)
    """Values whose JSON is larger are left out of the events."""
    buffer_bytes: int = Field(1 << 20, ge=1024)
    """How much may wait per run while Redis is slow or away; then the oldest events give way."""
    kept_events: int = Field(5000, ge=1)
    """Per execution, about."""
    keep_seconds: int = Field(24 * 3600, ge=1)


class EvaluationSettings(_Group):
    """How ended executions are scored."""

    chunk_size: int = Field(100, ge=1)
    claim_seconds: float = Field(60.0, gt=0)
    """A worker that dies while it scores leaves its executions to the others after this time."""
    work_seconds: float = Field(10.0, gt=0)
    """After this a scoring task begins nothing more and lets others have its process."""
    timeout_seconds: float = Field(30.0, gt=0)
    """For one evaluator on one execution, all its attempts together."""
    attempts: int = Field(3, ge=1)
    """How often an evaluator is called when its errors look as if they would pass."""
    scorers: int = Field(2, ge=1)
    """Scoring tasks at work at the same time, in all workers together.

    Fewer than worker processes, so that what starts and rescues runs never waits for evaluators.
    """
    concurrency: int = Field(16, ge=1)
    """Evaluators under way at the same time in one worker process."""


class FileSettings(_Group):
    """Where files are kept, and how many may be."""

    folder: Path = Path(".wtb/files")
    """On this machine: workspaces, and the blobs unless a store elsewhere is given."""
    store_url: str | None = Field(None, pattern="^(s3://.+)?$")
    """`s3://bucket/prefix` for a cluster; its keys come from the usual `AWS_` variables."""
    store_endpoint: str | None = None
    """Of an S3 protocol server that is not Amazon's."""
    max_files: int = Field(100_000, ge=1)
    """In one workspace."""
    max_file_bytes: int = Field(8 << 30, ge=1)
    max_workspace_bytes: int = Field(32 << 30, ge=1)
    max_store_bytes: int | None = Field(None, ge=1)
    """Of all blobs together; None leaves it to the disk."""
    garbage_grace_seconds: float = Field(24 * 3600.0, gt=0)
    """Blobs and commits that nothing refers to are kept for this time."""
    sweep_seconds: float = Field(600.0, gt=0)
    """Each machine looks so often for workspaces that no execution needs any more."""


class IntegritySettings(_Group):
    """How the database and the files are checked against what was promised."""

    grace_seconds: float = Field(300.0, ge=0)
    """What is younger may be work under way, and is no finding."""
    chunk_size: int = Field(2000, ge=1)
    """Rows that a statement of a check looks at."""
    work_seconds: float = Field(10.0, gt=0)
    """After this a task lets others have its process; another one goes on."""
    check_every_seconds: float = Field(24 * 3600.0, gt=0)
    deep_bytes_per_second: int = Field(64 << 20, ge=1)
    """How fast a deep check reads blobs."""
    verify_every_seconds: float = Field(15.0, gt=0)
    verify_chunk_size: int = Field(2000, ge=1)
    """Events that are verified in one transaction."""
    metrics_seconds: float = Field(5.0, ge=0)
    """For how long the answers of `/metrics` are kept."""


class NodeProcessSettings(_Group):
    """Nodes that run in processes of their own."""

    most: int = Field(8, ge=1)
    """Of one runner, at the same time; further calls wait."""
    idle_seconds: float = Field(300.0, gt=0)
    """A process that has no call for this long is ended."""
    start_seconds: float = Field(120.0, gt=0)
    """For loading the project's code."""
    value_bytes: int = Field(256 << 20, ge=1024)
    """Inputs and outputs that are larger fail their node."""


class PoolSettings(_Group):
    """How many runners serve one pool."""

    min_runners: int = Field(1, ge=0)
    max_runners: int = Field(2, ge=1)


DEFAULT_RETENTION_MONTHS = 12
_SECRETS = ("database_url", "redis_url", "api_key")


class CoreSettings(BaseSettings):
    """What every way to run WTB needs; variables start with `WTB_`, nested with `__`."""

    model_config = SettingsConfigDict(
        env_prefix="WTB_",
        env_nested_delimiter="__",
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        hide_input_in_errors=True,  # The input holds passwords.
    )

    database_url: SecretStr
    """`postgresql://user:password@host:port/database`."""
    api_key: SecretStr
    """The key that every caller but `/health` must show."""
    projects: Annotated[tuple[Path, ...], NoDecode] = ()
    """`langgraph.json` files, separated by `:`; references over the network stay below them."""
    log_level: str = "INFO"
    retention_months: int = Field(DEFAULT_RETENTION_MONTHS, ge=1)
    """Full months for which events and audit entries are kept."""

    api: ApiSettings = ApiSettings()
    relay: RelaySettings = RelaySettings()
    runner: RunnerSettings = RunnerSettings()
    live: LiveSettings = LiveSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    files: FileSettings = FileSettings()
    integrity: IntegritySettings = IntegritySettings()
    node_processes: NodeProcessSettings = NodeProcessSettings()

    @field_validator("projects", mode="before")
    @classmethod
    def _split_paths(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(Path(part) for part in value.split(":") if part)
        return value

    @field_validator("database_url")
    @classmethod
    def _is_postgres(cls, value: SecretStr) -> SecretStr:
        if urlsplit(value.get_secret_value()).scheme not in {"postgresql", "postgres"}:
            raise ValueError("WTB_DATABASE_URL must look like postgresql://user:password@host/db")
        return value


class Settings(CoreSettings):
    """The whole configuration of a server: also what its processes speak to each other with."""

    redis_url: SecretStr
    """`redis://:password@host:port/0`: broker, streams and nudges."""
    ray_address: str = Field("127.0.0.1:6379", validation_alias="RAY_ADDRESS")
    """`host:port` of the Ray head; drivers connect to it directly."""
    pool: PoolSettings = PoolSettings()

    def to_transfer(self) -> dict[str, Any]:
        """Everything, secrets included, for another process of this system."""
        return self.model_dump(mode="json") | {
            name: getattr(self, name).get_secret_value() for name in _SECRETS
        }

    @classmethod
    def from_transfer(cls, values: dict[str, Any]) -> "Settings":
        """What `to_transfer` wrote."""
        return cls(**values | {"projects": tuple(values["projects"])})


def asyncpg_url(database_url: str) -> str:
    """The database's address in SQLAlchemy's form, with the asyncpg driver."""
    return "postgresql+asyncpg://" + database_url.split("://", 1)[1]
