"""The runs that one runner holds, as Celery's remote control describes tasks."""

from collections import deque
from dataclasses import dataclass, field

TASK_NAME = "wtb.run"
REVOKED_SHOWN = 100


@dataclass(slots=True)
class RunnerTask:
    """One run in the hands of a runner; `started_at` is None while it waits for a slot."""

    run_id: str
    name: str
    args: str
    kwargs: str
    started_at: float | None = None


@dataclass(slots=True)
class RunnerTasks:
    """Which runs a runner holds now, and how many it finished.

    The event loop writes and the control thread reads. Every method touches the shared
    containers with single operations that the interpreter makes atomic, so no lock is needed.
    """

    processed: int = 0
    _held: dict[str, RunnerTask] = field(default_factory=dict)
    _revoked: deque[str] = field(default_factory=lambda: deque(maxlen=REVOKED_SHOWN))

    def receive(self, task: RunnerTask) -> None:
        """Remember a run that was claimed."""
        self._held[task.run_id] = task

    def start(self, run_id: str, at: float) -> None:
        """Note that a claimed run has begun."""
        if task := self._held.get(run_id):
            task.started_at = at

    def finish(self, run_id: str) -> None:
        """Forget a run that ended."""
        if self._held.pop(run_id, None):
            self.processed += 1

    def revoke(self, run_id: str) -> None:
        """Forget a run that was stopped, and list it among the revoked ones."""
        self.finish(run_id)
        self._revoked.append(run_id)

    def holds(self, run_id: str) -> bool:
        """Whether the run is waiting or running here."""
        return run_id in self._held

    def active(self) -> list[RunnerTask]:
        """The runs that have begun."""
        return [task for task in list(self._held.values()) if task.started_at is not None]

    def waiting(self) -> list[RunnerTask]:
        """The runs that are claimed and have not begun."""
        return [task for task in list(self._held.values()) if task.started_at is None]

    def revoked(self) -> list[str]:
        """The runs stopped most recently, oldest first."""
        return list(self._revoked)
