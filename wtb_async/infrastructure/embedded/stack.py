"""The whole local stack: up, down."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import replace

import psutil

from wtb_async.infrastructure.embedded.assembly import Assemble, Assembly, assemble
from wtb_async.infrastructure.embedded.errors import StackAlreadyRunning, StackError
from wtb_async.infrastructure.embedded.guarded_process import GuardedProcess
from wtb_async.infrastructure.embedded.layout import DataDirectory, RuntimeFolder
from wtb_async.infrastructure.embedded.orphans import outlast_orphaned_postgres
from wtb_async.infrastructure.embedded.parts import write_private
from wtb_async.infrastructure.embedded.processes import end_tree
from wtb_async.infrastructure.embedded.record import StackAddresses, StackRecord, read_record
from wtb_async.infrastructure.embedded.settings import LocalStackSettings
from wtb_async.infrastructure.embedded.startup import Progress, Report, Startup
from wtb_async.infrastructure.embedded.supervision import (
    Supervisor,
    render_configuration,
    supervisor_part,
)

_DOWN_SECONDS = 60.0


def _say_nothing(_: Progress) -> None:
    """Nobody watches."""


class LocalStack:
    """The stack of one data directory.

    `assemble` decides which parts it has.
    """

    def __init__(self, settings: LocalStackSettings, *, assemble: Assemble = assemble) -> None:
        self._settings = settings
        self._assemble = assemble
        self._data = DataDirectory.at(settings.data_dir)
        self._supervisor: GuardedProcess | None = None

    def up(self, *, detach: bool = False, report: Report = _say_nothing) -> StackAddresses:
        """Start everything and return once all of it can be used.

        A part that does not start takes everything down again. Unless detached, the stack cannot
        outlive this process, however that ends.

        Raises:
            StackAlreadyRunning: this data directory's stack runs or starts.
            PortTaken: a port that was asked for is not free.
            PartFailed: a part did not start; the message has the end of its log.
        """
        self._data.create()
        with self._only_one_starts():
            self._clear_the_way()
            runtime = RuntimeFolder.create(self._data.logs)
            try:
                return self._start(self._assembly(runtime), runtime, detach=detach, report=report)
            except BaseException:
                self._end_supervisor()
                self._forget(runtime)
                raise

    def down(self) -> bool:
        """End the stack and everything it left; False when there was none."""
        record = read_record(self._data)
        if record is None:
            return False
        supervisor = record.supervisor()
        if supervisor:
            end_tree(supervisor, _DOWN_SECONDS)
        self._forget(record.runtime)
        return supervisor is not None

    def wait(self) -> bool:
        """Wait for a stack that this object started to end; whether it ended as it was told to."""
        if self._supervisor is None:
            raise StackError("this stack was not started here")
        return self._supervisor.wait() == 0

    @contextlib.contextmanager
    def _only_one_starts(self) -> Iterator[None]:
        with self._data.lock.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StackAlreadyRunning(self._data.path) from error
            yield

    def _clear_the_way(self) -> None:
        record = read_record(self._data)
        if record:
            if record.supervisor():
                raise StackAlreadyRunning(self._data.path)
            self._forget(record.runtime)
        outlast_orphaned_postgres(self._data.postgres)
        self._data.begin_new_logs()

    def _assembly(self, runtime: RuntimeFolder) -> Assembly:
        assembly = self._assemble(self._settings, self._data, runtime)
        write_private(runtime.configuration, render_configuration(assembly.parts, runtime))
        return assembly

    def _start(
        self, assembly: Assembly, runtime: RuntimeFolder, *, detach: bool, report: Report
    ) -> StackAddresses:
        record = self._start_supervisor(assembly, runtime, detach=detach)
        startup = Startup(
            assembly.parts,
            supervisor=Supervisor(runtime.socket),
            supervisor_pid=record.supervisor_pid,
            supervisor_runs=lambda: record.supervisor() is not None,
            data=self._data,
            runtime=runtime,
            report=report,
            seconds=self._settings.start_seconds,
        )
        startup.run()
        startup.wait_until_usable(lambda: assembly.why_not_ready(assembly.addresses))
        replace(record, ready=True).write(self._data)
        return assembly.addresses

    def _start_supervisor(
        self, assembly: Assembly, runtime: RuntimeFolder, *, detach: bool
    ) -> StackRecord:
        part = supervisor_part(runtime)
        self._supervisor = GuardedProcess(
            part,
            order=runtime.order_of(part.name),
            log=self._data.log_of(part.name),
            parent=None if detach else os.getpid(),
            own_session=True,
        )
        record = StackRecord(
            ready=False,
            supervisor_pid=self._supervisor.pid,
            supervisor_started=psutil.Process(self._supervisor.pid).create_time(),
            runtime_dir=str(runtime.path),
            env=assembly.env,
            addresses=assembly.addresses,
        )
        record.write(self._data)
        return record

    def _end_supervisor(self) -> None:
        if self._supervisor is None or self._supervisor.wait(0) is not None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            end_tree(psutil.Process(self._supervisor.pid), _DOWN_SECONDS)

    def _forget(self, runtime: RuntimeFolder) -> None:
        runtime.remove()
        self._data.record.unlink(missing_ok=True)
