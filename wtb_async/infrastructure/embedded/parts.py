"""What a part of the stack is: a process, how it is stopped, and when it counts as ready."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from signal import Signals

from wtb_async.infrastructure.embedded import child

Probe = Callable[[], bool]


class Identity(StrEnum):
    """Under which user a part runs; Postgres refuses to run as root."""

    OWN = child.OWN
    USER_NAMESPACE = child.USER_NAMESPACE
    """Seen by itself as `nobody`, while its files stay those of the caller."""
    NOBODY = child.NOBODY
    """Really `nobody`: where the kernel forbids user namespaces."""


@dataclass(frozen=True, kw_only=True)
class PartSpec:
    """One process of the stack, as data."""

    name: str
    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Added to the caller's environment; secrets travel here or in `stdin`, never in `argv`."""
    stdin: str = field(default="", repr=False)
    identity: Identity = Identity.OWN
    stop_signal: Signals = Signals.SIGTERM
    stop_seconds: int = 15
    after: tuple[str, ...] = ()
    """Parts that must be ready before this one starts; names that the stack lacks do not count."""
    ready: Probe | None = None
    """Answers whether the part can be used; without it a part is ready once it keeps running."""
    prepare: Callable[[], None] | None = None
    """Called once, just before the first start."""
    once: bool = False
    """The part is ready when it has ended with exit code 0, and is not started again."""
    optional: bool = False
    """Its failure is a warning."""
    store: bool = False
    """Others write to it, so it stops after all of them."""
    adopts_orphans: bool = False
    """Processes below it whose own parent dies become its children, so that none gets lost."""

    def launch_order(self, *, parent: int | None) -> str:
        """The JSON document that tells `child.py` how to become this process.

        Args:
            parent: the process whose death ends this one; None lets it outlive everyone.
        """
        return json.dumps(
            {
                "argv": self.argv,
                "cwd": str(self.cwd),
                "env": dict(self.env),
                "stdin": self.stdin,
                "identity": self.identity.value,
                "death_signal": int(self.stop_signal),
                "parent": parent,
                "adopts_orphans": self.adopts_orphans,
            }
        )


def write_launch_order(path: Path, part: PartSpec, *, parent: int | None) -> list[str]:
    """Write a part's launch order, readable by its owner only, and return the command to run it."""
    write_private(path, part.launch_order(parent=parent))
    return [sys.executable, "-I", child.__file__, str(path)]


def write_private(path: Path, text: str) -> None:
    """Replace a file whole; nobody but its owner can read it at any moment."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123 - opens a descriptor that was created private
        file.write(text)
    draft.replace(path)
