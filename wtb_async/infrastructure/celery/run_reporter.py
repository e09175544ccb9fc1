"""Makes runs visible where Celery's users look: in Flower, as tasks of a worker."""

import time
from collections.abc import Callable

from wtb_async.infrastructure.celery.runner_connection import monitoring_app
from wtb_async.infrastructure.celery.runner_control import ControlListener, RunnerControl
from wtb_async.infrastructure.celery.runner_events import EventPublisher, TaskEvent
from wtb_async.infrastructure.celery.runner_tasks import RunnerTask, RunnerTasks

SHOWN_CHARACTERS = 1_024
SHOWN_TRACEBACK_CHARACTERS = 8_192


class RunReporter:
    """Reports one runner and its runs to Celery's event stream, and hands Revoke to a callback.

    The reporting methods only touch memory (about a microsecond) and may be called from an
    event loop. Two daemon threads talk to the broker; when it is away they wait for it, events
    beyond `queue_size` are dropped and counted, and no run notices.

    Args:
        broker_url: The Redis that Celery uses, `redis://:password@host:port/0`.
        hostname: The runner's name in Flower, `runner-1@host`; no two runners share one.
        on_revoke: Called in a thread of this class with the run id when somebody revokes a run
            that this runner holds. It must not block.
        heartbeat_seconds: How often the runner says that it is alive. Flower shows it as
            offline after twice this time.
        queue_size: How many events are kept while the broker is away.
    """

    def __init__(
        self,
        *,
        broker_url: str,
        hostname: str,
        on_revoke: Callable[[str], None],
        heartbeat_seconds: float = 2.0,
        queue_size: int = 10_000,
    ) -> None:
        app = monitoring_app(broker_url)
        self._tasks = RunnerTasks()
        self._events = EventPublisher(
            app,
            hostname,
            self._tasks,
            heartbeat_seconds=heartbeat_seconds,
            queue_size=queue_size,
        )
        control = RunnerControl(app, hostname, self._tasks, on_revoke)
        self._control = ControlListener(app, hostname, control)

    @property
    def dropped_events(self) -> int:
        """How many events did not fit into the buffer since the start."""
        return self._events.dropped

    def start(self) -> None:
        """Begin to report; returns at once, whether the broker answers or not."""
        self._events.start()
        self._control.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Send what is buffered and sign off; gives up after about `timeout` seconds."""
        deadline = time.monotonic() + timeout
        self._events.stop(timeout)
        self._control.stop(max(deadline - time.monotonic(), 0.1))

    def received(self, run_id: str, *, name: str, args: str, kwargs: str) -> None:
        """The runner claimed a run; `name`, `args` and `kwargs` are what Flower shows."""
        args, kwargs = args[:SHOWN_CHARACTERS], kwargs[:SHOWN_CHARACTERS]
        self._tasks.receive(RunnerTask(run_id, name, args, kwargs))
        self._put("task-received", run_id, name=name, args=args, kwargs=kwargs, retries=0)

    def started(self, run_id: str) -> None:
        """The run has a slot and begins."""
        self._tasks.start(run_id, time.time())
        self._put("task-started", run_id)

    def succeeded(self, run_id: str, *, result: str, runtime: float) -> None:
        """The run ended well after `runtime` seconds."""
        self._tasks.finish(run_id)
        self._put("task-succeeded", run_id, result=result[:SHOWN_CHARACTERS], runtime=runtime)

    def failed(
        self, run_id: str, *, exception: str, traceback: str, runtime: float | None = None
    ) -> None:
        """The run ended with an error; the end of a long traceback is kept."""
        self._tasks.finish(run_id)
        self._put(
            "task-failed",
            run_id,
            exception=exception[:SHOWN_CHARACTERS],
            traceback=traceback[-SHOWN_TRACEBACK_CHARACTERS:],
            runtime=runtime,
        )

    def revoked(self, run_id: str) -> None:
        """The run was stopped on somebody's request."""
        self._tasks.revoke(run_id)
        self._put("task-revoked", run_id, terminated=True, signum=None, expired=False)

    def _put(self, kind: str, run_id: str, **fields: object) -> None:
        self._events.put(TaskEvent(kind, {**fields, "uuid": run_id, "timestamp": time.time()}))
