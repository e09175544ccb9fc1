"""Facts about integrity checks."""

from dataclasses import dataclass

from wtb_async.domain.events import DomainEvent
from wtb_async.domain.json import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrityCheckRequested(DomainEvent):
    """Somebody wants to know whether everything is as it was promised."""

    deep: bool
    repair: list[str]
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrityCheckStarted(DomainEvent):
    """A worker looks, check by check."""

    checks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingsRepaired(DomainEvent):
    """So many findings of a check were mended."""

    check: str
    repaired: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrityCheckCompleted(DomainEvent):
    """Every check was made; so many findings there are by severity."""

    counts: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrityCheckFailed(DomainEvent):
    """A check could not be made."""

    error: JsonObject
