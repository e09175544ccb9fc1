"""What the processes of a local stack use."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import psutil

_KINDS = {
    "RunActor": "runners",
    "uvicorn": "API",
    "celery -A workers.celery_app worker": "Celery workers",
    "celery -A workers.celery_app beat": "beat",
    "celery -A workers.celery_app flower": "Flower",
    "postgres": "Postgres",
    "redis-server": "Redis",
    "/ray/": "Ray daemons",
}
"""Kinds of processes by a part of their command line; the first match counts."""
NOT_OURS = ("Postgres", "Redis")
OTHER = "supervisor"


class StackProcesses:
    """CPU and memory of a stack, by kind of process.

    Args:
        database_url: a process whose environment names it belongs to the stack.
        data_dir: the servers work in it.
    """

    def __init__(self, database_url: str, data_dir: Path) -> None:
        self._database_url = database_url
        self._data_dir = str(data_dir)
        self.peak_memory_mb = 0.0

    def cpu_seconds(self) -> dict[str, float]:
        """User and system time so far, by kind."""
        seconds: dict[str, float] = defaultdict(float)
        for process, command in self._processes():
            times = process.cpu_times()
            seconds[_kind_of(command)] += times.user + times.system
        return seconds

    def sample_memory(self) -> None:
        """Note the proportional set size, which counts shared pages once; servers left out."""
        total = 0
        for process, command in self._processes():
            if _kind_of(command) not in NOT_OURS:
                total += process.memory_full_info().pss
        self.peak_memory_mb = max(self.peak_memory_mb, total / 2**20)

    def _processes(self) -> Iterator[tuple[psutil.Process, str]]:
        for process in psutil.process_iter():
            try:
                command = " ".join(process.cmdline())
                if self._belongs(process, command):
                    yield process, command
            except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
                continue

    def _belongs(self, process: psutil.Process, command: str) -> bool:
        if process.environ().get("WTB_DATABASE_URL") == self._database_url:
            return True
        return _kind_of(command) in NOT_OURS and process.cwd().startswith(self._data_dir)


def _kind_of(command: str) -> str:
    return next((kind for part, kind in _KINDS.items() if part in command), OTHER)
