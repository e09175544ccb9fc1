"""Facts about whole batch tests."""

from dataclasses import dataclass

from wtb_async.domain.events import DomainEvent
from wtb_async.domain.json import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCreated(DomainEvent):
    """A batch test was accepted with all its executions."""

    pool: str
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchStarted(DomainEvent):
    """The first execution of the batch was claimed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchExtended(DomainEvent):
    """So many executions were added to a batch, which has `total` now."""

    pool: str
    added: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPauseRequested(DomainEvent):
    """Nothing more of it begins, and what the runners of `pool` execute of it is to pause."""

    pool: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPaused(DomainEvent):
    """Nothing of the batch runs any more, until it is resumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchStopRequested(DomainEvent):
    """What waited is cancelled, and what the runners of `pool` execute of it is to stop."""

    pool: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchGivenUp(DomainEvent):
    """So many executions failed that the rest is stopped."""

    pool: str
    error: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResumed(DomainEvent):
    """The batch goes on: its runs wait for the runners of `pool`."""

    pool: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRetried(DomainEvent):
    """The runners of `pool` go on with its failed executions."""

    pool: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchScoringRequested(DomainEvent):
    """So many other evaluators are to look at what the batch has run."""

    mode: str
    evaluators: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCompleted(DomainEvent):
    """Every execution of the batch ended and was scored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCancelled(DomainEvent):
    """The batch was stopped, and every execution of it has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFailed(DomainEvent):
    """The batch was given up, and every execution of it has ended."""

    error: JsonObject
