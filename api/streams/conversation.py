"""A WebSocket connection from its beginning to its end."""

import asyncio
from contextlib import suppress

import structlog
from fastapi import WebSocket, WebSocketDisconnect, status
from sqlalchemy.exc import TimeoutError as PoolTimeout

from api.streams.following import Source
from api.streams.frames import Closed, Frame, Subject, closed_frame
from api.streams.hub import EventHub
from api.streams.messages import (
    Message,
    Subscribe,
    Unsubscribe,
    error_message,
    event_message,
    read_message,
    subscribed_message,
    unsubscribed_message,
)
from api.streams.patience import TooSlow, within
from api.streams.sources import Sources
from api.streams.subscriptions import Subscriptions
from wtb_async.domain.errors import InvalidInput, TransientError, WtbError
from wtb_async.domain.event_position import EventPosition
from wtb_async.settings import ApiSettings

log = structlog.get_logger(__name__)

MAX_MESSAGE_LENGTH = 4096


class MessageTooLarge(Exception):
    """The client sends what no message of ours needs."""


class Conversation:
    """Answers what a client says, and shows it what it follows."""

    def __init__(
        self, websocket: WebSocket, sources: Sources, hub: EventHub, settings: ApiSettings
    ) -> None:
        """Speak over a connection that has been accepted."""
        self._websocket = websocket
        self._sources = sources
        self._hub = hub
        self._settings = settings
        self._subscriptions: Subscriptions

    async def hold(self) -> None:
        """Go on until the client leaves, or cannot be served any more."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._subscriptions = Subscriptions(
                    tasks, self._hub, self._show, limit=self._settings.max_subscriptions
                )
                await self._listen()
                self._subscriptions.end_all()
        except* TooSlow:
            await self._take_leave(Closed.SLOW_READER)
        except* (TransientError, PoolTimeout):
            await self._take_leave(Closed.UNAVAILABLE)
        except* MessageTooLarge:
            reason = f"say it in {MAX_MESSAGE_LENGTH} characters"
            await self._close(status.WS_1009_MESSAGE_TOO_BIG, reason)
        except* WebSocketDisconnect:
            log.debug("websocket_lost")

    async def _listen(self) -> None:
        while (said := await self._websocket.receive())["type"] == "websocket.receive":
            text: str = said.get("text") or ""
            if len(text) > MAX_MESSAGE_LENGTH:
                raise MessageTooLarge
            field = "message"
            try:
                message = read_message(text)
                field = message.field
                await self._heed(message)
            except WtbError as error:
                await self._say(error_message(error, field))

    async def _heed(self, message: Message) -> None:
        if message.subscribe is not None:
            await self._subscribe(message.subscribe)
        elif message.unsubscribe is not None:
            await self._unsubscribe(message.unsubscribe)

    async def _subscribe(self, asked: Subscribe) -> None:
        self._subscriptions.check_room_for(asked.subject)
        source = await self._open(asked.subject, EventPosition.parse(asked.since))
        await self._say(subscribed_message(asked.subject, source.position))
        self._subscriptions.begin(source)

    async def _unsubscribe(self, asked: Unsubscribe) -> None:
        position = await self._subscriptions.end(asked.subject)
        await self._say(unsubscribed_message(asked.subject, position))

    async def _open(self, subject: Subject, after: EventPosition) -> Source:
        if subject.field == "execution_id":
            return await self._sources.of_execution(subject.id, after)
        if after.live:
            raise InvalidInput.of("subscribe.since", "positions in a batch test are numbers")
        return await self._sources.of_batch(subject.id, after.version)

    async def _show(self, frame: Frame) -> None:
        await self._say(event_message(frame))

    async def _say(self, message: str) -> None:
        await within(self._settings.slow_reader_seconds, self._websocket.send_text(message))

    async def _take_leave(self, why: Closed) -> None:
        """Say where each stream goes on, as far as that is still taken, and close."""
        log.info("websocket_closed", reason=why.value)
        with suppress(TooSlow, WebSocketDisconnect):
            for subject, position in self._subscriptions.positions():
                await self._show(closed_frame(subject, position, why))
        await self._close(status.WS_1013_TRY_AGAIN_LATER, why.value)

    async def _close(self, code: int, reason: str) -> None:
        with suppress(TooSlow, WebSocketDisconnect):
            closing = self._websocket.close(code, reason)
            await within(self._settings.slow_reader_seconds, closing)
