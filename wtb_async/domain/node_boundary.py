"""Node boundaries: one execution of one node, from where to where."""

from enum import StrEnum


class BoundaryStatus(StrEnum):
    """How one attempt of a node ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"
