"""`stack.json`: what a running stack tells those who look for it."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from wtb_async.infrastructure.embedded.errors import DataDirectoryUnusable
from wtb_async.infrastructure.embedded.layout import DataDirectory, RuntimeFolder
from wtb_async.infrastructure.embedded.parts import write_private


@dataclass(frozen=True, kw_only=True)
class StackAddresses:
    """Where everything is and what it must be shown; secrets stay out of its repr."""

    api_url: str
    api_key: str = field(repr=False)
    flower_url: str
    flower_user: str
    flower_password: str = field(repr=False)
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    ray_address: str
    logs: str
    """The folder with one log file per part."""


@dataclass(frozen=True, kw_only=True)
class StackRecord:
    """A stack that was started, and perhaps still runs."""

    ready: bool
    supervisor_pid: int
    supervisor_started: float
    """When that process began: a process id alone may come to name another process."""
    runtime_dir: str
    env: dict[str, str] = field(repr=False)
    """What a driver or a command needs in its environment to use the parts."""
    addresses: StackAddresses

    @property
    def runtime(self) -> RuntimeFolder:
        """The short-path folder of the stack."""
        return RuntimeFolder(Path(self.runtime_dir))

    def supervisor(self) -> psutil.Process | None:
        """The supervisor's process, or None when it is gone."""
        try:
            process = psutil.Process(self.supervisor_pid)
            is_same = process.create_time() == self.supervisor_started
            return process if is_same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None

    def write(self, data: DataDirectory) -> None:
        """Make it known, readable by the owner only."""
        write_private(data.record, json.dumps(asdict(self), indent=2))


def read_record(data: DataDirectory) -> StackRecord | None:
    """The stack that runs or last ran in a data directory; raises DataDirectoryUnusable."""
    try:
        fields = json.loads(data.record.read_text())
        return StackRecord(**{**fields, "addresses": StackAddresses(**fields["addresses"])})
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise DataDirectoryUnusable(
            f"{data.record} was not written by this version; see that no stack runs there, "
            "then remove the file"
        ) from error


def find_stack(data_dir: Path) -> StackAddresses | None:
    """The addresses of the stack that runs in a data directory and is ready."""
    record = read_record(DataDirectory.at(data_dir))
    if record is None or not record.ready or record.supervisor() is None:
        return None
    return record.addresses
