"""Shared prefixes: executions that have the same input run as one until their variants differ."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

Choice = Mapping[str, str]
"""Node name to variant name."""

Member = TypeVar("Member", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a group of choices has in common: the graph that all of them can run as one."""

    variants: dict[str, str]
    """The nodes on which all agree."""
    gates: tuple[str, ...] = ()
    """The nodes on which they differ, in front of which they must part."""


def agreement_of(choices: Sequence[Choice]) -> Agreement:
    """Find what the choices agree on; a single choice agrees with itself in everything.

    Args:
        choices: at least one; a node that a choice leaves out counts as a variant of its own.
    """
    first, *others = choices
    nodes = dict.fromkeys(node for choice in choices for node in choice)
    gates = tuple(
        node for node in nodes if any(other.get(node) != first.get(node) for other in others)
    )
    return Agreement({node: name for node, name in first.items() if node not in gates}, gates)


def divide(members: Mapping[Member, Choice], reached: Collection[str]) -> list[list[Member]]:
    """Part a group at the gates that it has reached.

    Members that have the same variants of these nodes stay together, in the order in which they
    were given.
    """
    nodes = sorted(reached)
    parts: dict[tuple[str | None, ...], list[Member]] = {}
    for member, choice in members.items():
        parts.setdefault(tuple(choice.get(node) for node in nodes), []).append(member)
    return list(parts.values())
