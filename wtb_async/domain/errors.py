"""What can go wrong, in the words of the domain; `api/errors.py` maps these to HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


class WtbError(Exception):
    """The root of every error that this system raises on purpose.

    `code` is stable: clients may branch on it.
    """

    code = "error"


class NotFound(WtbError):
    """The named object does not exist, or belongs to somebody else."""

    code = "not_found"

    def __init__(self, what: str, name: object) -> None:
        super().__init__(f"there is no {what} {str(name)!r}")


class Conflict(WtbError):
    """The request does not fit the present state of the object."""

    code = "conflict"


class AlreadyExists(Conflict):
    """The name is taken."""

    code = "already_exists"

    def __init__(self, what: str, name: object) -> None:
        super().__init__(f"{what} {str(name)!r} exists already; choose another name")


class InvalidTransition(Conflict):
    """The object's status does not allow this change."""

    code = "invalid_transition"


class VersionMismatch(Conflict):
    """Somebody else changed the object since the caller read it."""

    code = "version_mismatch"


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong with one field of a request."""

    field: str
    """Dotted path of the field, `variant_matrix.retriever.0`."""
    message: str


class InvalidInput(WtbError):
    """The request is well formed but cannot be accepted; nothing was changed."""

    code = "invalid_input"

    def __init__(self, violations: Sequence[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("; ".join(f"{v.field}: {v.message}" for v in self.violations))

    @classmethod
    def of(cls, field: str, message: str) -> Self:
        """An error about a single field."""
        return cls([Violation(field, message)])


class TransientError(WtbError):
    """It may work when tried again: a part is restarting or overloaded."""

    code = "unavailable"


class PermanentError(WtbError):
    """Trying again will not help."""

    code = "permanent"


class UnreadableCheckpoint(PermanentError):
    """A checkpoint holds a value that does not come back as what it was."""

    code = "unreadable_checkpoint"


class UntrustedCheckpoint(UnreadableCheckpoint):
    """A checkpoint holds a type that its graph's schemas do not name, so it was not loaded."""

    code = "untrusted_checkpoint"


class RunGivenUp(PermanentError):
    """The run was stopped and did not end in time; nothing that it still does is kept."""

    code = "run_given_up"
