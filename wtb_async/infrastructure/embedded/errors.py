"""What can go wrong with the local stack; every message says what to do next."""

from pathlib import Path

from wtb_async.domain.errors import WtbError


class StackError(WtbError):
    """The local stack cannot do what was asked."""

    code = "stack"


class PortTaken(StackError):
    """A port that was asked for belongs to another process."""

    code = "port_taken"

    def __init__(self, port: int, option: str) -> None:
        super().__init__(
            f"port {port} is in use on 127.0.0.1; end the process that uses it, or choose another "
            f"with {option} ({option} 0 picks a free one)"
        )


class PartFailed(StackError):
    """A part of the stack did not start."""

    code = "part_failed"

    def __init__(self, part: str, reason: str, log: Path, last_lines: str) -> None:
        self.part = part
        shown = last_lines or "(the log is empty)"
        super().__init__(
            f"{part} {reason}; the end of {log}:\n{shown}\n"
            "What had started was stopped again. `wtb doctor` looks for the usual causes."
        )


class StackAlreadyRunning(StackError):
    """A stack runs already in this data directory."""

    code = "stack_running"

    def __init__(self, data_dir: Path) -> None:
        super().__init__(f"a stack runs or starts already in {data_dir}; `wtb down` ends it")


class DataDirectoryUnusable(StackError):
    """The data directory cannot hold a stack."""

    code = "data_directory"
