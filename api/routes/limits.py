"""Limits of executions as callers give them."""

from pydantic import BaseModel, ConfigDict, Field

from wtb_async.domain.execution import Limits


class LimitsBody(BaseModel):
    """What one execution may take; what is left out has the server's default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    timeout_seconds: float | None = Field(None, gt=0, le=86_400)
    node_timeout_seconds: float | None = Field(None, gt=0, le=86_400)
    recursion_limit: int = Field(100, ge=1, le=10_000)
    max_attempts: int = Field(3, ge=1, le=20)

    def to_domain(self) -> Limits:
        """The same as a domain value."""
        return Limits(
            timeout_seconds=self.timeout_seconds,
            node_timeout_seconds=self.node_timeout_seconds,
            recursion_limit=self.recursion_limit,
            max_attempts=self.max_attempts,
        )


class BatchLimitsBody(LimitsBody):
    """What each execution of a batch test may take, and how much of it may run and fail."""

    max_concurrency: int | None = Field(
        None, ge=1, le=100_000, description="Runs that are executed at once, at most"
    )
    max_failures: int | None = Field(
        None, ge=0, description="The batch is given up when more executions than this have failed"
    )
