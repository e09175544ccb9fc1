"""Which nodes follow a checkpoint, read from its channels as LangGraph does, without the graph."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from langgraph.checkpoint.serde.types import TASKS, SendProtocol

_START = "__start__"
_BRANCH = "branch:to:"
_JOIN = "join:"

TRIGGERS = (f"{_BRANCH}%", f"{_JOIN}%", _START, TASKS)
"""Patterns of the channels that start tasks in a compiled `StateGraph`."""


def starts_tasks(channel: str) -> bool:
    """Whether a channel is one of those."""
    return channel == TASKS or _node_of(channel) is not None


@dataclass(frozen=True, slots=True)
class Triggers:
    """What a checkpoint holds of the channels that start tasks.

    A value of no known form starts none.
    """

    versions: Mapping[str, str]
    seen: Mapping[str, Mapping[str, str]]
    inline: Collection[str]
    values: Mapping[str, Any]

    def next_nodes(self) -> list[str]:
        """The nodes of the next superstep: a name for each `Send` in order, then all others."""
        sent = [send.node for send in self._sends()]
        return sent + sorted(set(self._triggered()))

    def sent_to(self, position: int) -> str | None:
        """The node that a `Send` goes to; None if there is none at this position."""
        sends = self._sends()
        return sends[position].node if position < len(sends) else None

    def _sends(self) -> list[SendProtocol]:
        sends = self.values.get(TASKS)
        known = sends if isinstance(sends, list) else ()
        return [send for send in known if isinstance(send, SendProtocol)]

    def _triggered(self) -> Iterator[str]:
        for channel in (*self.inline, *self.values):
            node = _node_of(channel)
            if node is not None and self._is_new(channel, node) and self._is_ready(channel):
                yield node

    def _is_new(self, channel: str, node: str) -> bool:
        return self.versions.get(channel, "") > self.seen.get(node, {}).get(channel, "")

    def _is_ready(self, channel: str) -> bool:
        if channel in self.inline or channel == _START:
            return True
        value = self.values[channel]
        is_pair = isinstance(value, tuple | list) and len(value) == 2  # noqa: PLR2004
        arrived, finished = value if is_pair else (value, True)
        return bool(finished) and (channel.startswith(_BRANCH) or _has_all(channel, arrived))


def _node_of(channel: str) -> str | None:
    if channel == _START:
        return _START
    if channel.startswith(_BRANCH):
        return channel.removeprefix(_BRANCH)
    return channel.rpartition(":")[2] if channel.startswith(_JOIN) else None


def _has_all(join: str, arrived: object) -> bool:
    """A join is named after the nodes it waits for: `join:a+b:node`."""
    awaited = join.removeprefix(_JOIN).rpartition(":")[0]
    names = map(str, arrived) if isinstance(arrived, Collection) else ()
    return set("+".join(names).split("+")) == set(awaited.split("+"))
