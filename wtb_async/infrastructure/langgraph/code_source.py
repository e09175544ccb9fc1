"""Where the code of workflows comes from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from wtb_async.infrastructure.langgraph.workspace_settings import WorkspaceSettings


class CodeSource(Protocol):
    """Leads from references to graphs, nodes and evaluators."""

    @property
    def name(self) -> str:
        """By which workflows name it."""

    @property
    def lower_is_better(self) -> Sequence[str]:
        """The keys of the scores of which less is better."""

    @property
    def project_file(self) -> Path | None:
        """The `langgraph.json` by which another process finds the same code, if there is one."""

    def workspace_of(self, workflow: str) -> WorkspaceSettings:
        """How the workspaces of a workflow are kept, and which of its nodes have processes."""

    def file_of(self, target: str) -> Path | None:
        """The file that the part of a reference before the colon means, as far as can be told."""

    def check_reference(self, reference: str, *, field: str = "graph") -> None:
        """Raise `InvalidInput` for a reference that leads nowhere; nothing is loaded."""

    def load(self, reference: str, *, field: str = "graph") -> Any:  # noqa: ANN401 - the user's own object
        """What the reference names. Raises InvalidInput, with the user's own error in it."""


class CodeSources(Protocol):
    """The sources that are known, by name."""

    def get(self, name: str) -> CodeSource:
        """The source with this name. Raises InvalidInput."""

    def default(self) -> CodeSource:
        """The one that is meant when none is named. Raises InvalidInput."""
