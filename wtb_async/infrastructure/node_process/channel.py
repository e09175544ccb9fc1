"""How the process of a node speaks to its runner."""

import socket
import threading

from wtb_async.infrastructure.node_process.guard import end_group
from wtb_async.infrastructure.node_process.messages import LENGTH, Kind, Messages, Terms


class Channel:
    """The child's end of the line; any thread of the node may speak."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._arriving = line.makefile("rb")
        self._speaking = threading.Lock()
        self._calls = 0
        self.messages = Messages(Terms())

    def say(self, kind: Kind, body: object = None, *, call: int | None = None) -> None:
        """Send one message, if its call still goes on; waits while the runner is behind.

        Raises:
            NotTransferable: the body cannot travel.
        """
        content = self.messages.write(kind, body)
        with self._speaking:
            if call in {None, self._calls}:
                self._line.sendall(LENGTH.pack(len(content)))
                self._line.sendall(content)

    def next_call(self) -> int:
        """A number for a call; what threads of earlier calls still say is not sent."""
        with self._speaking:
            self._calls += 1
            return self._calls

    def hear(self) -> bytes:
        """The next message's content; nobody is left to speak to once the line is cut."""
        if len(head := self._arriving.read(LENGTH.size)) < LENGTH.size:
            end_group()
        (length,) = LENGTH.unpack(head)
        return self._arriving.read(length)
