"""The runner's side of one node's process."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from wtb_async.domain.errors import InvalidInput
from wtb_async.infrastructure.node_process.address import NodeAddress
from wtb_async.infrastructure.node_process.errors import NodeProcessDied
from wtb_async.infrastructure.node_process.messages import (
    LAST_WORDS,
    LENGTH,
    Kind,
    Messages,
    Terms,
)
from wtb_async.infrastructure.node_process.output import Output
from wtb_async.infrastructure.node_process.spawning import Spawned, kill_group, spawn

_LAST_OUTPUT_SECONDS = 1.0

Hear = Callable[[Kind, Any], None]


class NodeProcess:
    """A process that runs one node, one call after the other."""

    def __init__(
        self,
        address: NodeAddress,
        messages: Messages,
        spawned: Spawned,
        line: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        printing: tuple[asyncio.ReadTransport, Output],
    ) -> None:
        self.address = address
        self.messages = messages
        """How the two sides speak once the node is loaded."""
        self.is_ready = False
        """It waits for a call."""
        self._process = spawned.process
        self._reader, self._writer = line
        self._printing, self._output = printing
        self._watch = asyncio.create_task(self._outlive())

    @classmethod
    async def begin(cls, address: NodeAddress, messages: Messages) -> Self:
        """A new process, which has loaded nothing yet."""
        spawned = await spawn(Path(address.project).parent)
        line = await asyncio.open_connection(sock=spawned.line)
        printing = await asyncio.get_running_loop().connect_read_pipe(
            lambda: Output(address.node, spawned.process.pid), os.fdopen(spawned.printed, "rb")
        )
        return cls(address, messages, spawned, line, printing)

    async def load(self) -> None:
        """Load the node.

        Raises:
            InvalidInput: the node does not load there.
            NodeProcessDied: loading it ended the process.
        """
        order = {"address": asdict(self.address), "terms": self.messages.terms.plain()}
        await self._send(Messages(Terms()).write(Kind.LOAD, order))
        kind, refusal = await self._hear()
        if kind is Kind.REFUSED:
            raise InvalidInput.of("graph", f"in the process of {self.address.node!r}: {refusal}")
        self.is_ready = True

    async def call(self, body: dict[str, Any], hear: Hear) -> tuple[Kind, Any]:
        """Run the node once; answers its last words.

        Args:
            body: of the call.
            hear: told what the node says on the way.

        Raises:
            NodeProcessDied: the process has ended.
            NotTransferable: the body, or what the node said, cannot travel.
        """
        content = self.messages.write(Kind.CALL, body)
        self.is_ready = False
        await self._send(content)
        while True:
            kind, said = await self._hear()
            if kind in LAST_WORDS:
                self.is_ready = True
                return kind, said
            hear(kind, said)

    def kill(self) -> None:
        """End it now, with all that it has started."""
        self.is_ready = False
        if self._process.returncode is None:
            kill_group(self._process.pid)

    async def close(self) -> None:
        """End it and wait until it is gone."""
        self.kill()
        await self._watch
        self._printing.close()
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    async def _outlive(self) -> None:
        """Once it has ended, end what it leaves: that would hold the line open."""
        await self._process.wait()
        self.is_ready = False
        kill_group(self._process.pid)

    async def _send(self, content: bytes) -> None:
        # A process that is gone is noticed by who listens to it.
        with contextlib.suppress(ConnectionError):
            self._writer.write(LENGTH.pack(len(content)))
            self._writer.write(content)
            await self._writer.drain()

    async def _hear(self) -> tuple[Kind, Any]:
        try:
            (length,) = LENGTH.unpack(await self._reader.readexactly(LENGTH.size))
            self.messages.check_length(length)
            content = await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise await self._death() from error
        return self.messages.read(content)

    async def _death(self) -> NodeProcessDied:
        self.kill()
        await asyncio.shield(self._watch)
        await asyncio.wait([self._output.ended], timeout=_LAST_OUTPUT_SECONDS)
        code = self._process.returncode or 0
        return NodeProcessDied(self.address.node, code, self._output.last_lines())
