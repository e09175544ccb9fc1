"""Where a stack keeps what lasts, and where it keeps what must have a short path."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from wtb_async.infrastructure.embedded.errors import DataDirectoryUnusable

_RUNTIME_PREFIX = "wtb-"
# A socket's path may have 107 bytes and Ray's folder 43 characters, whatever TMPDIR says.
_RUNTIME_PARENT = "/tmp"  # noqa: S108 - mkdtemp makes a private folder in it


@dataclass(frozen=True)
class DataDirectory:
    """What lasts from one `wtb up` to the next; its path may be long and have spaces."""

    path: Path

    @classmethod
    def at(cls, path: Path) -> "DataDirectory":
        """The data directory at a path that need not exist yet."""
        return cls(path.expanduser().resolve())

    @property
    def postgres(self) -> Path:
        """The database cluster."""
        return self.path / "postgres"

    @property
    def redis(self) -> Path:
        """Redis's working folder."""
        return self.path / "redis"

    @property
    def files(self) -> Path:
        """Workspaces, and the blobs of their files."""
        return self.path / "files"

    @property
    def logs(self) -> Path:
        """One log file per part."""
        return self.path / "logs"

    @property
    def run(self) -> Path:
        """Small files that a part leaves behind, such as beat's schedule."""
        return self.path / "run"

    @property
    def record(self) -> Path:
        """Addresses, keys and process of the running stack."""
        return self.path / "stack.json"

    @property
    def credentials(self) -> Path:
        """Passwords and keys."""
        return self.path / "credentials.json"

    @property
    def ray_token(self) -> Path:
        """The token that Ray asks for."""
        return self.path / "ray-token"

    @property
    def lock(self) -> Path:
        """Held while a stack starts."""
        return self.run / "starting.lock"

    def log_of(self, part: str) -> Path:
        """The log file of one part."""
        return self.logs / f"{part}.log"

    def create(self) -> None:
        """Make the folders, private to their owner; raises DataDirectoryUnusable."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.chmod(0o700)
            for folder in (self.redis, self.logs, self.run):
                folder.mkdir(mode=0o700, exist_ok=True)
            (self.path / ".gitignore").write_text("*\n")
        except OSError as error:
            raise DataDirectoryUnusable(
                f"cannot write to {self.path} ({error.strerror}); choose another with --data-dir"
            ) from error

    def begin_new_logs(self) -> None:
        """Start with empty logs and keep those of the stack before."""
        previous = self.path / "logs.previous"
        if previous.exists():
            shutil.rmtree(previous)
        self.logs.rename(previous)
        self.logs.mkdir(mode=0o700)


@dataclass(frozen=True)
class RuntimeFolder:
    """A private folder with a short path, for sockets, launch orders and Ray's session."""

    path: Path

    @classmethod
    def create(cls, logs: Path) -> "RuntimeFolder":
        """A new folder, in which `logs` links to where the log files go."""
        folder = cls(Path(tempfile.mkdtemp(prefix=_RUNTIME_PREFIX, dir=_RUNTIME_PARENT)))
        folder.ray.mkdir(mode=0o700)
        # The supervisor's configuration cannot express every path, so it only sees short ones.
        folder.logs.symlink_to(logs)
        return folder

    @property
    def logs(self) -> Path:
        """The data directory's logs under a short name."""
        return self.path / "logs"

    @property
    def ray(self) -> Path:
        """Ray's temporary folder."""
        return self.path / "ray"

    @property
    def socket(self) -> Path:
        """Where the supervisor listens."""
        return self.path / "supervisor.sock"

    @property
    def configuration(self) -> Path:
        """The supervisor's configuration."""
        return self.path / "supervisor.conf"

    def order_of(self, part: str) -> Path:
        """The launch order of one part."""
        return self.path / f"{part}.json"

    def remove(self) -> None:
        """Delete the folder; a folder that is not the caller's, or gone already, is left alone."""
        if self._is_ours():
            shutil.rmtree(self.path)

    def _is_ours(self) -> bool:
        parent, prefix = Path(_RUNTIME_PARENT), _RUNTIME_PREFIX
        if self.path.parent != parent or not self.path.name.startswith(prefix):
            return False
        try:
            return self.path.lstat().st_uid == os.geteuid()
        except FileNotFoundError:
            return False
