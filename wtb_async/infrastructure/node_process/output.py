"""What nodes print in processes of their own: lines of the runner's log."""

import asyncio
from collections import deque

import structlog

log = structlog.get_logger(__name__)

_LINES_KEPT = 20
_LINE_BYTES = 4096


class Output(asyncio.Protocol):
    """Logs the lines that arrive, and keeps the last of them.

    A line is cut where it is longer than 4 KiB.
    """

    def __init__(self, node: str, pid: int) -> None:
        self._log = log.bind(node=node, pid=pid)
        self._lines: deque[str] = deque(maxlen=_LINES_KEPT)
        self._rest = b""
        self.ended = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        """Take what the process has printed."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LINE_BYTES:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._take(line)

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the rest: nobody can print any more."""
        del exc
        if self._rest:
            self._take(self._rest)
        if not self.ended.done():
            self.ended.set_result(None)

    def last_lines(self) -> str:
        """The last lines, oldest first."""
        return "\n".join(self._lines)

    def _take(self, line: bytes) -> None:
        text = line[:_LINE_BYTES].decode(errors="replace").rstrip("\r")
        self._lines.append(text)
        self._log.info("node_printed", line=text)
