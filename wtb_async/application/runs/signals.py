"""What reaches a run while it is executed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from wtb_async.domain.run_request import RequestKind, RunRequest


class RunSignals:
    """Holds the newest open request of one run until its engine takes it."""

    def __init__(self, request: RunRequest | None = None) -> None:
        self._request = request
        self._listener: Callable[[], None] | None = None

    @property
    def must_stop(self) -> bool:
        """Somebody wants the run to stop, and the engine has not taken note of it yet."""
        return self._request is not None and self._request.kind is RequestKind.STOP

    def ask(self, request: RunRequest) -> None:
        """Replace what was asked for before, and let the engine know."""
        self._request = request
        if self._listener is not None:
            self._listener()

    def take(self) -> RunRequest | None:
        """The open request, which is the caller's to grant from now on."""
        request, self._request = self._request, None
        return request

    @contextmanager
    def heard_by(self, listener: Callable[[], None]) -> Iterator[None]:
        """Call `listener` for each request, one that is open already included."""
        self._listener = listener
        if self._request is not None:
            listener()
        try:
            yield
        finally:
            self._listener = None
