"""A child process that cannot outlive this one."""

import subprocess
import threading
from pathlib import Path

from wtb_async.infrastructure.embedded.parts import PartSpec, write_launch_order


class GuardedProcess:
    """A part that runs as a direct child of this process.

    The kernel ties a child to the *thread* that started it, so one thread starts it and then lives
    as long as the child does, whoever called and on whichever thread.
    """

    def __init__(
        self,
        part: PartSpec,
        *,
        order: Path,
        log: Path,
        parent: int | None,
        own_session: bool = False,
    ) -> None:
        """Start the process and return once it exists.

        Args:
            part: what to run.
            order: where to write its launch order.
            log: where its output goes.
            parent: this process's id, or None for a child that may outlive it.
            own_session: keep the terminal's signals away from it.
        """
        self._command = write_launch_order(order, part, parent=parent)
        self._part = part
        self._log = log
        self._own_session = own_session
        self._started = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._start_and_wait, name=part.name, daemon=True)
        self._thread.start()
        self._started.wait()
        if self._error:
            raise self._error

    def _start_and_wait(self) -> None:
        try:
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(  # noqa: S603 - the command is ours
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=self._own_session,
                    process_group=None if self._own_session else 0,
                )
        except OSError as error:
            self._error = error
            return
        finally:
            self._started.set()
        self._process.wait()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process itself."""
        if self._process is None:
            raise RuntimeError(f"{self._part.name} was never started")
        return self._process

    @property
    def pid(self) -> int:
        """The process's id."""
        return self.process.pid

    def wait(self, seconds: float | None = None) -> int | None:
        """Wait for the end; the exit code, or None when it still runs after `seconds`."""
        self._thread.join(seconds)
        return self.process.returncode

    def stop(self) -> None:
        """Send the part's stop signal, and kill it if it does not end in its time."""
        self.process.send_signal(self._part.stop_signal)
        if self.wait(self._part.stop_seconds) is None:
            self.process.kill()
            self.wait()
