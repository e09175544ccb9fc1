"""Bodies that are made while they are sent."""

from collections.abc import AsyncGenerator, AsyncIterator


async def begun(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Read the first piece, so that what goes wrong there is still answered as a problem."""
    return _continued(await anext(pieces, b""), pieces)


async def _continued(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    yield first
    async for piece in pieces:
        yield piece
