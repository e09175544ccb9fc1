"""Publishes what a runner does to Celery's event stream, from a thread of its own."""

import os
import time
from collections import deque
from importlib.metadata import version
from threading import Event, Thread
from typing import NamedTuple

import structlog
from celery import Celery

from wtb_async.infrastructure.celery.runner_connection import (
    EVERY_SECOND,
    OutageLog,
    StoppedWhileUnreachableError,
)
from wtb_async.infrastructure.celery.runner_tasks import RunnerTasks

logger = structlog.get_logger(__name__)

FLUSH_SECONDS = 0.2
EVENTS_A_MESSAGE = 200
IDENTITY = {"sw_ident": "wtb-runner", "sw_ver": version("wtb-async"), "sw_sys": os.uname().sysname}


class TaskEvent(NamedTuple):
    """One event of a task: Celery's event type and its fields."""

    type: str
    fields: dict[str, object]


class EventPublisher(Thread):
    """Thread that sends buffered task events and worker heartbeats while the broker answers.

    `put` only appends to a deque: the thread looks at it a few times a second instead of being
    woken by every event, which is what keeps the cost of an event near that of its encoding.
    """

    def __init__(
        self,
        app: Celery,
        hostname: str,
        tasks: RunnerTasks,
        *,
        heartbeat_seconds: float,
        queue_size: int,
    ) -> None:
        super().__init__(name="wtb-runner-events", daemon=True)
        self.dropped = 0
        self._connection = app.connection_for_write()
        self._dispatcher = app.events.Dispatcher(
            self._connection,
            hostname=hostname,
            buffer_group={"task"},
            buffer_limit=EVENTS_A_MESSAGE,
            # Errors must reach `ensure`, which reconnects and repeats; the dispatcher would
            # otherwise swallow them and pile up events without a bound.
            buffer_while_offline=False,
        )
        self._tasks = tasks
        self._heartbeat_seconds = heartbeat_seconds
        self._queue_size = queue_size
        self._pending: deque[TaskEvent] = deque()
        self._stopping = Event()
        self._outage = OutageLog("runner_events")
        self._next_heartbeat = 0.0
        self._drops_logged = 0

    def put(self, event: TaskEvent) -> None:
        """Buffer one event, or drop it when the buffer is full. Never blocks, never raises."""
        if len(self._pending) >= self._queue_size:
            self.dropped += 1
        else:
            self._pending.append(event)

    def stop(self, timeout: float) -> None:
        """Send what is buffered, say goodbye, and wait at most `timeout` seconds for it."""
        self._stopping.set()
        self.join(timeout)

    def run(self) -> None:
        """Publish until told to stop."""
        try:
            with self._connection:
                self._connection.ensure_connection(self._on_unreachable, **EVERY_SECOND)
                self._publish_until_stopped()
        except StoppedWhileUnreachableError:
            logger.warning("run_events_lost_at_stop", count=len(self._pending))

    def _publish_until_stopped(self) -> None:
        producer = self._dispatcher.producer
        publish = self._connection.ensure(producer, self._publish_due, self._on_unreachable)
        sign_off = self._connection.ensure(producer, self._send_offline, self._on_unreachable)
        while not self._stopping.wait(FLUSH_SECONDS):
            publish()
        publish()
        sign_off()

    def _publish_due(self) -> None:
        if time.monotonic() >= self._next_heartbeat:
            self._send_heartbeat()
        # What `send` has taken stays in the dispatcher's buffer until the broker took it, so a
        # repeated call neither loses an event nor sends one twice.
        while self._pending:
            event = self._pending.popleft()
            self._dispatcher.send(event.type, **event.fields)
        self._dispatcher.flush()
        self._outage.back()
        self._log_drops()

    def _send_heartbeat(self) -> None:
        kind = "worker-heartbeat" if self._next_heartbeat else "worker-online"
        self._dispatcher.send(
            kind,
            freq=self._heartbeat_seconds,
            active=len(self._tasks.active()),
            processed=self._tasks.processed,
            loadavg=os.getloadavg(),
            **IDENTITY,
        )
        self._next_heartbeat = time.monotonic() + self._heartbeat_seconds

    def _send_offline(self) -> None:
        self._dispatcher.send("worker-offline", freq=self._heartbeat_seconds, **IDENTITY)

    def _log_drops(self) -> None:
        total = self.dropped
        if total > self._drops_logged:
            logger.warning("run_events_dropped", count=total - self._drops_logged, total=total)
            self._drops_logged = total

    def _on_unreachable(self, error: BaseException, _interval: float) -> None:
        self._outage.away(error)
        if self._stopping.is_set():
            raise StoppedWhileUnreachableError from error
