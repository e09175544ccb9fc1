"""supervisord: its configuration, and its XML-RPC interface on a private socket."""

import http.client
import shlex
import sys
import xmlrpc.client
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from supervisor.xmlrpc import SupervisorTransport

from wtb_async.infrastructure.embedded import child
from wtb_async.infrastructure.embedded.errors import StackError
from wtb_async.infrastructure.embedded.layout import RuntimeFolder
from wtb_async.infrastructure.embedded.parts import PartSpec

# A part that cannot come up while another one restarts tries again with growing pauses for hours.
_START_RETRIES = 1000


@dataclass(frozen=True)
class PartStatus:
    """What the supervisor knows about one part."""

    name: str
    state: str
    """The supervisor's word: `running`, `starting`, `backoff`, `exited`, `stopped`, `fatal` ..."""
    pid: int | None
    started_at: datetime | None
    exit_code: int

    @property
    def is_running(self) -> bool:
        """It has stayed up for a second."""
        return self.state == "running"

    @property
    def is_alive(self) -> bool:
        """A process exists."""
        return self.state in {"starting", "running"}

    @property
    def has_failed(self) -> bool:
        """It ended by itself."""
        return self.state in {"backoff", "exited", "fatal"}


def supervisor_part(runtime: RuntimeFolder) -> PartSpec:
    """The supervisor itself; it stops services first, then stores."""
    configuration = str(runtime.configuration)
    return PartSpec(
        name="supervisord",
        argv=(sys.executable, "-P", "-m", "supervisor.supervisord", "-c", configuration),
        cwd=runtime.path,
        stop_seconds=60,
        adopts_orphans=True,
    )


def render_configuration(parts: Iterable[PartSpec], runtime: RuntimeFolder) -> str:
    """The supervisor's configuration; it never contains a secret."""
    parts = tuple(parts)
    sections = [_daemon(runtime), *(_program(part, runtime) for part in parts), *_groups(parts)]
    return "\n".join(sections)


def _daemon(runtime: RuntimeFolder) -> str:
    return f"""
[unix_http_server]
file={runtime.socket}
chmod=0600
[supervisord]
nodaemon=true
silent=true
umask=077
logfile={runtime.logs}/supervisord.log
logfile_maxbytes=5MB
logfile_backups=1
pidfile={runtime.path}/supervisord.pid
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""


def _program(part: PartSpec, runtime: RuntimeFolder) -> str:
    command = [sys.executable, "-I", child.__file__, str(runtime.order_of(part.name))]
    return f"""
[program:{part.name}]
command={shlex.join(command).replace("%", "%%")}
autostart=false
autorestart={"false" if part.once else "true"}
startsecs={0 if part.once else 1}
startretries={_START_RETRIES}
stopsignal={part.stop_signal.name.removeprefix("SIG")}
stopwaitsecs={part.stop_seconds}
killasgroup=true
redirect_stderr=true
stdout_logfile={runtime.logs}/{part.name}.log
stdout_logfile_maxbytes=5MB
stdout_logfile_backups=1
"""


def _groups(parts: Iterable[PartSpec]) -> Iterator[str]:
    # Groups stop one after another, the highest priority first; the members of one stop together.
    for group, is_store, priority in (("stores", True, 1), ("services", False, 2)):
        members = ",".join(part.name for part in parts if part.store is is_store)
        if members:
            yield f"\n[group:{group}]\nprograms={members}\npriority={priority}\n"


class Supervisor:
    """A running supervisord, driven over its socket."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def answers(self) -> bool:
        """Whether it is up and takes commands; every other call raises StackError if not."""
        try:
            self._call("getState")
        except StackError:
            return False
        return True

    def start(self, part: PartSpec) -> None:
        """Start a part without waiting for it."""
        group = "stores" if part.store else "services"
        self._call("startProcess", f"{group}:{part.name}", False)

    def statuses(self) -> list[PartStatus]:
        """Every part, in no particular order."""
        return [
            _status(row) for row in cast("list[dict[str, object]]", self._call("getAllProcessInfo"))
        ]

    def _call(self, method: str, *arguments: object) -> object:
        # The transport never recovers from a refused connection, so each call gets its own.
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        try:
            with xmlrpc.client.ServerProxy("http://localhost", transport=transport) as server:
                return getattr(server.supervisor, method)(*arguments)
        except (OSError, http.client.HTTPException, xmlrpc.client.Fault) as error:
            raise StackError("the stack's supervisor takes no commands: it is ending") from error


def _status(row: dict[str, object]) -> PartStatus:
    pid, start = cast("int", row["pid"]), cast("int", row["start"])
    return PartStatus(
        name=str(row["name"]),
        state=str(row["statename"]).lower(),
        pid=pid or None,
        started_at=datetime.fromtimestamp(start, UTC) if start else None,
        exit_code=cast("int", row["exitstatus"]),
    )
