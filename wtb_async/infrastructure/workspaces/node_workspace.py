"""What a node gets of its run's workspace."""

import os
from collections.abc import Callable


class NodeWorkspace(os.PathLike[str]):
    """The workspace as a path: `Path(workspace) / "report.txt"`.

    The directory comes into being when it is first asked for.
    """

    def __init__(self, find: Callable[[], str]) -> None:
        self._find = find
        self.is_to_be_kept = False
        """Whether the node has called `keep`."""

    def __fspath__(self) -> str:
        """The absolute path of the directory."""
        return self._find()

    def __str__(self) -> str:
        """The same."""
        return self._find()

    def keep(self) -> None:
        """Let the files be kept when this node ends, whatever the workflow's settings say."""
        self.is_to_be_kept = True
