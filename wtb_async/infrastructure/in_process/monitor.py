"""For processes that show their runs to nobody while they happen."""


class SilentMonitor:
    """Takes what a `RunMonitor` is told, and shows nothing."""

    def received(self, run_id: str, *, name: str, args: str, kwargs: str) -> None:
        """A runner holds this run."""

    def started(self, run_id: str) -> None:
        """The run's graph is being executed."""

    def succeeded(self, run_id: str, *, result: str, runtime: float) -> None:
        """The run ended well, or paused."""

    def failed(self, run_id: str, *, exception: str, traceback: str) -> None:
        """The run failed."""

    def revoked(self, run_id: str) -> None:
        """The run was stopped."""
