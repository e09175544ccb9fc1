"""Readers take what they are sent in time, or the server does not go on with them."""

import asyncio
from collections.abc import Awaitable


class TooSlow(Exception):
    """A reader did not take what it was sent in time; what was tried last was not sent."""


async def within(seconds: float, sending: Awaitable[None]) -> None:
    """Send, or raise TooSlow.

    Servers wait for a reader before they write, and then write all: what is cut off here was not
    sent at all.
    """
    try:
        async with asyncio.timeout(seconds):
            await sending
    except TimeoutError as error:
        raise TooSlow from error
