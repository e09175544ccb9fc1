"""Ports on the loopback interface."""

import secrets
import socket
from contextlib import closing

from wtb_async.infrastructure.embedded.errors import PortTaken, StackError

# The kernel gives outgoing connections ports from 32768 on; below that no connection of ours can
# take a part's port in the moment in which it restarts.
_FIRST, _LAST = 20_000, 32_000
_ATTEMPTS = 200


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A random port that nothing listens on."""
    for _ in range(_ATTEMPTS):
        port = _FIRST + secrets.randbelow(_LAST - _FIRST)
        if is_free(port):
            return port
    raise StackError(f"no free port between {_FIRST} and {_LAST} on 127.0.0.1")


def claim_port(wanted: int, option: str) -> int:
    """The port that was asked for, or a free one for 0; raises PortTaken."""
    if wanted == 0:
        return free_port()
    if not is_free(wanted):
        raise PortTaken(wanted, option)
    return wanted
