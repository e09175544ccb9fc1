"""What goes wrong with nodes in processes of their own, and with nodes that should have one."""

import signal

from wtb_async.domain.errors import PermanentError


class NodeProcessDied(PermanentError):
    """The process of a node ended before the node did."""

    code = "node_process_died"

    def __init__(self, node: str, exit_code: int, last_lines: str) -> None:
        said = f"; the last lines that it printed:\n{last_lines}" if last_lines else ""
        super().__init__(f"the process of node {node!r} {_ended(exit_code)}{said}")
        self.exit_code = exit_code
        """As `subprocess` has it: the negative number of the signal that ended it."""


class NotTransferable(PermanentError):
    """A value cannot travel between a node's process and its runner."""

    code = "not_transferable"


class NotInNodeProcess(PermanentError):
    """A node in a process of its own used something that only the runner has."""

    code = "not_in_node_process"


class WorkingDirectoryIsShared(PermanentError):
    """A node would have changed the working directory of all nodes of its runner."""

    code = "working_directory_is_shared"

    def __init__(self, node: str) -> None:
        super().__init__(
            f"node {node!r} shares its process, and with it the working directory, with others; "
            "use paths below config['configurable']['wtb_workspace'], or give the node a process: "
            f'"wtb": {{"workspaces": {{"<workflow>": {{"processes": ["{node}"]}}}}}} '
            "in langgraph.json"
        )


def _ended(exit_code: int) -> str:
    if exit_code >= 0:
        return f"exited with code {exit_code}"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        name = f"signal {-exit_code}"
    memory = ", perhaps because memory ran out" if name == "SIGKILL" else ""
    return f"was ended by {name}{memory}"
