"""Bringing parts up: each as soon as what it needs is ready, and every failure by its name."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from wtb_async.infrastructure.embedded.errors import PartFailed
from wtb_async.infrastructure.embedded.layout import DataDirectory, RuntimeFolder
from wtb_async.infrastructure.embedded.logs import last_lines
from wtb_async.infrastructure.embedded.parts import PartSpec, write_launch_order
from wtb_async.infrastructure.embedded.supervision import PartStatus, Supervisor

_POLL_SECONDS = 0.1


class Step(StrEnum):
    """What happened to a part."""

    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"
    """Only of an optional part; the stack goes on without it."""


@dataclass(frozen=True)
class Progress:
    """One thing that happened while the stack came up."""

    part: str
    step: Step
    seconds: float
    """Since the stack began to start."""
    detail: str = ""


Report = Callable[[Progress], None]


class Startup:
    """Starts the parts of one stack in the order of their needs, side by side where it can."""

    def __init__(
        self,
        parts: Iterable[PartSpec],
        *,
        supervisor: Supervisor,
        supervisor_pid: int,
        supervisor_runs: Callable[[], bool],
        data: DataDirectory,
        runtime: RuntimeFolder,
        report: Report,
        seconds: float,
    ) -> None:
        self._waiting = {part.name: part for part in parts}
        self._starting: dict[str, PartSpec] = {}
        self._serving: dict[str, PartSpec] = {}
        self._pids: dict[str, int] = {}
        self._supervisor = supervisor
        self._supervisor_pid = supervisor_pid
        self._supervisor_runs = supervisor_runs
        self._data = data
        self._runtime = runtime
        self._report = report
        self._begin = time.monotonic()
        self._deadline = self._begin + seconds

    def run(self) -> None:
        """Return when every part is ready; raises PartFailed for the first that is not."""
        while not self._supervisor.answers():
            self._require_supervisor()
            self._require_time("supervisord", "takes no commands")
            time.sleep(_POLL_SECONDS)
        while self._waiting or self._starting:
            self._require_supervisor()
            self._start_what_can_start()
            self._look_at_what_starts()
            time.sleep(_POLL_SECONDS)

    def wait_until_usable(self, why_not: Callable[[], str | None]) -> None:
        """Wait for `why_not` to answer None; any other answer says what is missing."""
        while (reason := why_not()) is not None:
            self._require_supervisor()
            self._look_at_what_starts()
            self._require_time("api", f"is not ready: {reason}")
            time.sleep(_POLL_SECONDS)

    def _require_time(self, part: str, complaint: str) -> None:
        if time.monotonic() > self._deadline:
            raise self._failure(part, complaint)

    def _require_supervisor(self) -> None:
        if not self._supervisor_runs():
            raise self._failure("supervisord", "ended while the stack was starting")

    def _start_what_can_start(self) -> None:
        unready = self._waiting.keys() | self._starting.keys()
        for part in list(self._waiting.values()):
            if not unready.intersection(part.after):
                self._start(part)

    def _start(self, part: PartSpec) -> None:
        self._tell(part, Step.STARTING)
        if part.prepare:
            part.prepare()
        write_launch_order(self._runtime.order_of(part.name), part, parent=self._supervisor_pid)
        self._supervisor.start(part)
        self._starting[part.name] = self._waiting.pop(part.name)

    def _look_at_what_starts(self) -> None:
        for status in self._supervisor.statuses():
            if part := self._starting.get(status.name):
                self._look_at(part, status)
            elif (part := self._serving.get(status.name)) and self._has_failed(part, status):
                raise self._failure(part.name, "ended while the stack was starting")

    def _look_at(self, part: PartSpec, status: PartStatus) -> None:
        if self._is_ready(part, status):
            self._finish(part, Step.READY)
        elif self._has_failed(part, status):
            self._fail(part, f"ended while starting (exit code {status.exit_code})")
        else:
            self._require_time(part.name, "did not get ready in time")

    @staticmethod
    def _is_ready(part: PartSpec, status: PartStatus) -> bool:
        if part.once:
            return status.state == "exited" and status.exit_code == 0
        if part.ready:
            return status.is_alive and part.ready()
        return status.is_running

    def _has_failed(self, part: PartSpec, status: PartStatus) -> bool:
        # The supervisor restarts at once what had stayed up for a second: only the pid tells.
        restarted = status.pid is not None and (
            self._pids.setdefault(part.name, status.pid) != status.pid
        )
        return restarted or status.has_failed

    def _fail(self, part: PartSpec, reason: str) -> None:
        failure = self._failure(part.name, reason)
        if not part.optional:
            raise failure
        self._finish(part, Step.FAILED, last_lines(self._data.log_of(part.name)))

    def _failure(self, part: str, reason: str) -> PartFailed:
        log = self._data.log_of(part)
        return PartFailed(part, reason, log, last_lines(log))

    def _finish(self, part: PartSpec, step: Step, detail: str = "") -> None:
        del self._starting[part.name]
        if not part.once:
            self._serving[part.name] = part
        self._tell(part, step, detail)

    def _tell(self, part: PartSpec, step: Step, detail: str = "") -> None:
        self._report(Progress(part.name, step, time.monotonic() - self._begin, detail))
