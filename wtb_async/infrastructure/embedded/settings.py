"""What the caller of the local stack decides."""

import os
from dataclasses import dataclass, field
from pathlib import Path

_PROJECT_FILE = "langgraph.json"


@dataclass(frozen=True, kw_only=True)
class LocalStackSettings:
    """One local stack; a part whose address is given is not started."""

    data_dir: Path = Path(".wtb")
    port: int = 8000
    """Of the API; 0 picks a free one."""
    flower_port: int = 5555
    """Of Flower; 0 picks a free one."""
    project: Path | None = None
    """The `langgraph.json` whose graphs are served."""
    database_url: str | None = field(default=None, repr=False)
    redis_url: str | None = field(default=None, repr=False)
    ray_address: str | None = None
    start_seconds: float = 90.0
    """How long the whole stack may take to get ready."""

    @classmethod
    def from_environment(
        cls,
        *,
        data_dir: Path = data_dir,
        port: int = port,
        flower_port: int = flower_port,
        project: Path | None = None,
    ) -> "LocalStackSettings":
        """The settings of `wtb up` here: addresses and project as the surroundings say."""
        return cls(
            data_dir=data_dir,
            port=port,
            flower_port=flower_port,
            project=project or project_here(),
            database_url=os.environ.get("WTB_DATABASE_URL") or None,
            redis_url=os.environ.get("WTB_REDIS_URL") or None,
            ray_address=os.environ.get("RAY_ADDRESS") or None,
        )


def project_here() -> Path | None:
    """The `langgraph.json` of the working folder, if it has one."""
    found = Path.cwd() / _PROJECT_FILE
    return found if found.is_file() else None
