"""When a file system's times can be trusted to tell one change from the next."""

import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp

from wtb_async.infrastructure.workspaces.index import Signature, signature_of

_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class FileClock:
    """The clock of the file system at the beginning of a scan.

    Most clocks tick every few milliseconds: a file that was changed in the present tick may be
    changed again and look the same, so it gets no signature. Newer kernels give each change after
    a look a time of its own; there nothing is in doubt.
    """

    now_ns: int | None
    """What a change at the beginning of the scan would get as its `ctime`; None: its own time."""

    def signature(self, status: os.stat_result) -> Signature:
        """What the path must still look like to count as unchanged; empty when in doubt."""
        in_doubt = self.now_ns is not None and status.st_ctime_ns >= self.now_ns
        return () if in_doubt else signature_of(status)


class ClockReader:
    """Reads the clock of the file system that a folder is on."""

    def __init__(self, folder: Path) -> None:
        descriptor, name = mkstemp(dir=folder)
        Path(name).unlink()
        self._descriptor = descriptor
        self._tells_changes_apart = self._changes_differ()

    def read(self) -> FileClock:
        """The clock as it is now."""
        return FileClock(None if self._tells_changes_apart else self._touch())

    def _changes_differ(self) -> bool:
        times = [self._touch() for _ in range(_ROUNDS)]
        return len(set(times)) == _ROUNDS

    def _touch(self) -> int:
        os.utime(self._descriptor)
        return os.fstat(self._descriptor).st_ctime_ns

    def close(self) -> None:
        """Let go of the file that it looks at."""
        os.close(self._descriptor)
