"""How a runner reaches the broker, so that Flower and `celery inspect` see it as a worker."""

import socket

import structlog
from celery import Celery

logger = structlog.get_logger(__name__)

# Left alone, kombu lets the pauses between attempts grow up to half a minute.
EVERY_SECOND = {"interval_start": 1, "interval_step": 0, "interval_max": 1}


def _keepalive_options() -> dict[int, int]:
    """Notice a dead peer in about 30 s; the names differ between systems."""
    wanted = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
    return {getattr(socket, name): n for name, n in wanted.items() if hasattr(socket, name)}


def monitoring_app(broker_url: str) -> Celery:
    """Celery application that only talks: it runs no tasks and never becomes the current one."""
    return Celery(
        "wtb-runner",
        broker=broker_url,
        set_as_current=False,
        accept_content=["json"],
        broker_transport_options={
            # A half-open connection must end in an error, because only an error reconnects.
            "socket_timeout": 10,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "socket_keepalive_options": _keepalive_options(),
        },
    )


class StoppedWhileUnreachableError(Exception):
    """The runner ends while its broker is away, so nobody waits for the broker any longer."""


class OutageLog:
    """Says once that the broker went away and once that it is back."""

    def __init__(self, part: str) -> None:
        self._logger = logger.bind(part=part)
        self._out = False

    def away(self, error: BaseException) -> None:
        """Note a failed attempt; only the first of an outage is logged."""
        if not self._out:
            self._logger.warning("broker_unreachable", error=type(error).__name__)
        self._out = True

    def back(self) -> None:
        """Note that the broker answers."""
        if self._out:
            self._logger.info("broker_reachable")
        self._out = False
