"""Lists that end where the reader wants them to."""

from collections.abc import AsyncIterator
from typing import TypeVar

Item = TypeVar("Item")

_LARGEST_PAGE = 200


def page_size(count: int) -> int:
    """Choose pages no larger than what is wanted."""
    return min(count, _LARGEST_PAGE)


async def first(count: int, items: AsyncIterator[Item]) -> list[Item]:
    """Take at most `count` items."""
    taken: list[Item] = []
    async for item in items:
        taken.append(item)
        if len(taken) == count:
            break
    return taken
