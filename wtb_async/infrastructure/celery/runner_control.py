"""Answers Celery's remote control for a runner: Flower's worker page and its Revoke."""

import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any

import structlog
from celery import Celery
from kombu.connection import Connection
from kombu.message import Message
from kombu.messaging import Consumer
from kombu.mixins import ConsumerMixin

from wtb_async.infrastructure.celery.runner_connection import (
    EVERY_SECOND,
    OutageLog,
    StoppedWhileUnreachableError,
)
from wtb_async.infrastructure.celery.runner_tasks import TASK_NAME, RunnerTask, RunnerTasks

logger = structlog.get_logger(__name__)

LOOK_FOR_STOP_SECONDS = 0.25

Reply = dict[str, Any] | list[Any]


class RunnerControl:
    """Celery's remote control commands, as far as they make sense for a runner.

    Each command takes Celery's (unused) state and the caller's arguments, and returns what a
    Celery worker would return.
    """

    def __init__(
        self, app: Celery, hostname: str, tasks: RunnerTasks, on_revoke: Callable[[str], None]
    ) -> None:
        self._app = app
        self._hostname = hostname
        self._tasks = tasks
        self._on_revoke = on_revoke
        self._started = time.monotonic()

    def commands(self) -> dict[str, Callable[..., Reply]]:
        """Every command by its name; unknown ones are refused in words."""
        return _Commands(
            ping=lambda _, **__: {"ok": "pong"},
            stats=self._stats,
            registered=lambda _, **__: [TASK_NAME],
            active=lambda _, **__: [self._describe(task) for task in self._tasks.active()],
            reserved=lambda _, **__: [self._describe(task) for task in self._tasks.waiting()],
            revoked=lambda _, **__: self._tasks.revoked(),
            # A runner takes its runs from Postgres: nothing is scheduled, no queue is consumed,
            # and no Celery setting applies to it.
            scheduled=lambda _, **__: [],
            active_queues=lambda _, **__: [],
            conf=lambda _, **__: {},
            enable_events=lambda _, **__: {"ok": "task events already enabled"},
            revoke=self._revoke,
        )

    def _stats(self, _: None, **__: object) -> Reply:
        broker = self._app.connection_for_read()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "total": {TASK_NAME: self._tasks.processed},
            "pid": os.getpid(),
            "clock": str(self._app.clock.value),
            "uptime": round(time.monotonic() - self._started),
            "prefetch_count": len(self._tasks.waiting()),
            "pool": {"implementation": "wtb-runner", "processes": [os.getpid()]},
            "broker": {
                "transport": broker.transport_cls,
                "hostname": broker.hostname,
                "port": broker.port,
                "virtual_host": broker.virtual_host,
            },
            "rusage": {
                "utime": usage.ru_utime,
                "stime": usage.ru_stime,
                "maxrss": usage.ru_maxrss,
            },
        }

    def _describe(self, task: RunnerTask) -> dict[str, Any]:
        return {
            "id": task.run_id,
            "name": task.name,
            "args": task.args,
            "kwargs": task.kwargs,
            "type": task.name,
            "hostname": self._hostname,
            "time_start": task.started_at,
            "acknowledged": True,
            "delivery_info": {},
            "worker_pid": os.getpid(),
        }

    def _revoke(self, _: None, task_id: str | list[str], **__: object) -> Reply:
        asked = [task_id] if isinstance(task_id, str) else task_id
        held = [run_id for run_id in asked if self._tasks.holds(run_id)]
        for run_id in held:
            logger.info("run_revoke_requested", run_id=run_id)
            self._on_revoke(run_id)
        return {"ok": f"stopping {', '.join(held)}" if held else "none of these runs is here"}


class _Commands(dict[str, Callable[..., Reply]]):
    """Refuses what a runner cannot do, so that Flower shows the reason instead of a time-out."""

    def __missing__(self, name: str) -> Callable[..., Reply]:
        return lambda _, **__: {"error": f"a WTB runner does not offer {name!r}"}


class ControlListener(ConsumerMixin):
    """Hands remote control messages to a runner's commands from a thread, and reconnects."""

    def __init__(self, app: Celery, hostname: str, control: RunnerControl) -> None:
        self.connection = app.connection_for_read()
        self._node = app.control.mailbox.Node(hostname, handlers=control.commands())
        self._outage = OutageLog("runner_control")
        self._thread = Thread(target=self._listen, name="wtb-runner-control", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Leave soon, and wait at most `timeout` seconds for it."""
        self.should_stop = True
        self._thread.join(timeout)

    def get_consumers(self, _consumer_class: type[Consumer], channel: object) -> list[Consumer]:
        """Listen on the runner's own mailbox; kombu calls this after every connection."""
        self._node.channel = channel
        return [
            self._node.Consumer(
                channel=channel,
                callbacks=[self._on_message],
                on_decode_error=self._node.on_decode_error,
            )
        ]

    @contextmanager
    def establish_connection(self) -> Iterator[Connection]:
        """Connect, trying every second for as long as it takes."""
        with self.connection.clone() as connection:
            connection.ensure_connection(self.on_connection_error, **EVERY_SECOND)
            yield connection

    def on_connection_error(self, error: BaseException, _interval: float) -> None:
        """Say so once, and give up if the runner is ending."""
        self._outage.away(error)
        if self.should_stop:
            raise StoppedWhileUnreachableError from error

    def on_connection_revived(self) -> None:
        """Say that the broker is back."""
        self._outage.back()

    def _on_message(self, body: dict[str, Any], message: Message) -> None:
        try:
            self._node.handle_message(body, message)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # Whatever somebody puts on the broker must not end this thread.
            logger.warning("control_message_refused", error=type(error).__name__)

    def _listen(self) -> None:
        consume: Callable[..., None] = self.run  # kombu's own method carries no types.
        with suppress(StoppedWhileUnreachableError):
            consume(safety_interval=LOOK_FOR_STOP_SECONDS)
