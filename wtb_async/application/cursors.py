"""Places in lists, as callers carry them from page to page."""

import base64
import binascii
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TypeVar

from wtb_async.domain.errors import InvalidInput

Item = TypeVar("Item")
Place = TypeVar("Place")


def write_place(place: bytes) -> str:
    """An opaque cursor."""
    return base64.urlsafe_b64encode(place).decode().rstrip("=")


def read_place(cursor: str, read: Callable[[bytes], Place]) -> Place:
    """Where a cursor points.

    Args:
        cursor: what `write_place` wrote, or a caller made up.
        read: makes a place of its bytes; raises ValueError when they are none.

    Raises:
        InvalidInput: it is no cursor of such a list.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return read(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error) as error:
        message = "it is not a cursor of this server; leave it out to begin at the first page"
        raise InvalidInput.of("cursor", message) from error


async def first_of(items: AsyncGenerator[Item], limit: int) -> tuple[list[Item], bool]:
    """The items of one page, and whether another page follows."""
    page: list[Item] = []
    async with aclosing(items):
        async for item in items:
            if len(page) == limit:
                return page, True
            page.append(item)
    return page, False
