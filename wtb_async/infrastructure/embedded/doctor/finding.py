"""The answer to one question of the doctor."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """What was looked at, what was seen, and what to do if that is not good."""

    subject: str
    is_fine: bool
    seen: str
    remedy: str = ""
    """Empty when nothing is wrong."""


def fine(subject: str, seen: str) -> Finding:
    """Nothing to do."""
    return Finding(subject, is_fine=True, seen=seen)


def wrong(subject: str, seen: str, remedy: str) -> Finding:
    """The stack would not work."""
    return Finding(subject, is_fine=False, seen=seen, remedy=remedy)
