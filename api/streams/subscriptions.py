"""What one WebSocket connection follows."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from api.streams.following import Source, follow
from api.streams.frames import Frame, Subject, last_position
from api.streams.hub import EventHub
from wtb_async.domain.errors import Conflict, WtbError

Show = Callable[[Frame], Awaitable[None]]


class AlreadySubscribed(Conflict):
    """The connection follows this object."""

    code = "already_subscribed"


class NotSubscribed(Conflict):
    """The connection does not follow this object."""

    code = "not_subscribed"


class TooManySubscriptions(WtbError):
    """The connection follows as much as one may."""

    code = "too_many_subscriptions"


@dataclass(slots=True)
class _Subscription:
    taken: str
    """The position of the last event that was sent."""
    task: asyncio.Task[None]


class Subscriptions:
    """The streams of one connection.

    They take turns: however many there are, no more than one chunk waits to be sent.
    """

    def __init__(self, tasks: asyncio.TaskGroup, hub: EventHub, show: Show, *, limit: int) -> None:
        """Follow up to `limit` subjects with tasks of a group, whose end this does not outlive."""
        self._tasks = tasks
        self._hub = hub
        self._show = show
        self._limit = limit
        self._turn = asyncio.Lock()
        self._current: dict[Subject, _Subscription] = {}

    def check_room_for(self, subject: Subject) -> None:
        """Raise AlreadySubscribed, or TooManySubscriptions."""
        if subject in self._current:
            raise AlreadySubscribed("this connection follows it already")
        if len(self._current) >= self._limit:
            raise TooManySubscriptions(
                f"one connection follows {self._limit} objects at most; open another one"
            )

    def begin(self, source: Source) -> None:
        """Show what there is and what comes."""
        subject = source.subject
        task = self._tasks.create_task(self._follow(source))
        self._current[subject] = _Subscription(source.position, task)

    async def end(self, subject: Subject) -> str:
        """Show no more; answers where to go on. Raises NotSubscribed."""
        if subject not in self._current:
            raise NotSubscribed("this connection does not follow it")
        task = self._current[subject].task
        task.cancel()
        await asyncio.wait([task])
        return self._current.pop(subject).taken

    def end_all(self) -> None:
        """Show no more of anything."""
        for subscription in self._current.values():
            subscription.task.cancel()

    def positions(self) -> Iterator[tuple[Subject, str]]:
        """Where each stream goes on."""
        for subject, subscription in self._current.items():
            yield subject, subscription.taken

    async def _follow(self, source: Source) -> None:
        # The server's own pings tell whether the client is there.
        chunks = follow(source, self._hub, turn=self._turn, idle_seconds=None)
        async with aclosing(chunks):
            async for chunk in chunks:
                await self._show_all(source.subject, chunk)

    async def _show_all(self, subject: Subject, chunk: Sequence[Frame]) -> None:
        for frame in chunk:
            await self._show(frame)
            if position := last_position([frame]):
                self._current[subject].taken = position
