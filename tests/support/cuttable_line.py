"""A TCP line to a server that a test can cut, as a restart or a broken network does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class CuttableLine:
    """Forwards connections to a server; while it is cut, nobody gets through."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], tuple[asyncio.StreamWriter, ...]] = {}
        self.port = 0

    @property
    def url(self) -> str:
        """The server's address, by way of this line."""
        credentials = self._target.netloc.rpartition("@")[0]
        return self._target._replace(netloc=f"{credentials}@127.0.0.1:{self.port}").geturl()

    async def mend(self) -> None:
        """Let connections through, always on the same port."""
        self._server = await asyncio.start_server(self._forward, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """End every connection, and refuse new ones."""
        if self._server is not None:
            self._server.close()
        for ends in self._connections.values():
            for writer in ends:
                writer.transport.abort()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self._target.hostname, self._target.port
        far_reader, far_writer = await asyncio.open_connection(host, port)
        pumps = asyncio.create_task(_pump_both(reader, far_writer, far_reader, writer))
        self._connections[pumps] = (writer, far_writer)
        pumps.add_done_callback(self._connections.pop)
        await pumps


async def _pump_both(
    reader: asyncio.StreamReader,
    far_writer: asyncio.StreamWriter,
    far_reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def cuttable_line(url: str) -> AsyncIterator[CuttableLine]:
    """A line to the server at `url` that works until it is cut."""
    line = CuttableLine(url)
    await line.mend()
    try:
        yield line
    finally:
        await line.cut()
